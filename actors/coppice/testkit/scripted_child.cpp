// This file is part of coppice. License: see LICENSE in the source root.

// The lives that follow a script: workers, and plain CAF actors.

#include "coppice/testkit/child_script_state.hpp"

#include <stdexcept>
#include <utility>

namespace coppice::testkit {

namespace {

using script_ptr = std::shared_ptr<child_script::state>;

std::string answer_to(const std::string& text, const std::string& id,
                      std::uint64_t incarnation) {
  return id + '#' + std::to_string(incarnation) + ": " + text;
}

/// Answers an exit message as the script says.
template <class Self>
void stop_by_script(Self* self, const child_script::state& script,
                    const caf::error& reason) {
  const auto how = script.how_to_stop();
  switch (how.what) {
    case stop_act::kind::obeys:
      self->quit(reason);
      break;
    case stop_act::kind::ignores_shutdown:
      break;
    case stop_act::kind::dies_slowly:
      compat::tell_after(self, how.span, caf::actor{self},
                         static_cast<std::int8_t>(tick_end));
      break;
    case stop_act::kind::crash_on_stop:
      self->quit(caf::make_error(caf::sec::runtime_error));
      break;
  }
}

template <class Self>
void tick_later(Self* self, policy::duration span, tick what) {
  if (span > policy::duration::zero())
    compat::tell_after(self, span, caf::actor{self},
                       static_cast<std::int8_t>(what));
}

// -- workers -----------------------------------------------------------------

class scripted_worker : public compat::hangable_worker {
public:
  scripted_worker(caf::actor_config& cfg, script_ptr script, start_act start)
    : compat::hangable_worker(cfg),
      script_(std::move(script)),
      start_(std::move(start)) {
    if (start_.what == start_act::kind::hangs_on_start && script_->virtual_time)
      hang_until_released(false);
  }

  const char* name() const override { return "coppice.scripted"; }

protected:
  caf::behavior make_behavior() override {
    switch (start_.what) {
      case start_act::kind::crash_on_start:
        throw std::runtime_error{start_.text};
      case start_act::kind::finish_on_start:
        defer_ready();
        quit();
        break;
      case start_act::kind::never_ready:
        defer_ready();
        break;
      case start_act::kind::slow_start:
        defer_ready();
        tick_later(this, start_.span, tick_ready);
        break;
      case start_act::kind::hangs_on_start:
        if (!script_->virtual_time)
          script_->block();
        break;
      default:
        break;
    }
    tick_later(this, script_->interval(), tick_beat);
    return compat::system_behavior(
      this,
      [this](caf::exit_msg& x) { stop_by_script(this, *script_, x.reason); },
      [](caf::error&) {},
      [this](std::int8_t what) { on_tick(static_cast<tick>(what)); },
      [this](const std::string& text) { return work(text); });
  }

private:
  void on_tick(tick what) {
    if (what == tick_ready) {
      ready();
    } else if (what == tick_end) {
      quit(caf::make_error(caf::exit_reason::user_shutdown));
    } else {
      beat();
      tick_later(this, script_->interval(), tick_beat);
    }
  }

  caf::result<std::string> work(const std::string& text) {
    const auto act = script_->next_work(incarnation(), text);
    auto reply = answer_to(text, script_->id, incarnation());
    if (act.what == work_act::kind::hangs && script_->virtual_time) {
      held_back_ = make_response_promise();
      reply_ = std::move(reply);
      hang_until_released(true);
      return caf::delegated<std::string>{};
    }
    if (act.what == work_act::kind::hangs)
      script_->block();
    if (act.what == work_act::kind::stops_draining)
      hang_until_released(false);
    if (act.what == work_act::kind::healthy)
      healthy();
    if (auto reason = end_by(act))
      quit(std::move(*reason));
    return reply;
  }

  void hang_until_released(bool busy) {
    hang(busy);
    std::lock_guard guard{script_->mutex};
    script_->hanging.push_back(
      {caf::actor_cast<caf::strong_actor_ptr>(this), this});
  }

  void released() override {
    if (held_back_.pending())
      held_back_.deliver(std::move(reply_));
  }

  script_ptr script_;
  start_act start_;
  caf::response_promise held_back_;
  std::string reply_;
};

// -- plain CAF actors --------------------------------------------------------

caf::behavior foreign_child(caf::event_based_actor* self, script_ptr script,
                            start_act start, life_handle life,
                            std::uint64_t incarnation) {
  switch (start.what) {
    case start_act::kind::crash_on_start:
      throw std::runtime_error{start.text};
    case start_act::kind::finish_on_start:
      self->quit();
      break;
    case start_act::kind::never_ready:
      break;
    case start_act::kind::slow_start:
      tick_later(self, start.span, tick_ready);
      break;
    default:
      life.ready();
  }
  tick_later(self, script->interval(), tick_beat);
  return compat::system_behavior(
    self, [=](caf::exit_msg& x) { stop_by_script(self, *script, x.reason); },
    [](caf::error&) {},
    [=](std::int8_t what) {
      if (what == tick_ready) {
        life.ready();
      } else if (what == tick_end) {
        self->quit(caf::make_error(caf::exit_reason::user_shutdown));
      } else if (script->interval() > policy::duration::zero()) {
        life.beat();
        tick_later(self, script->interval(), tick_beat);
      }
    },
    [=](const std::string& text) {
      const auto act = script->next_work(incarnation, text);
      if (act.what == work_act::kind::healthy)
        life.healthy();
      if (auto reason = end_by(act))
        self->quit(std::move(*reason));
      return answer_to(text, script->id, incarnation);
    });
}

} // namespace

void start_own(const script_ptr& script, start_context& context) {
  const auto act = script->next_start();
  if (!carry_out_before_spawn(act, context))
    return;
  context.spawn<scripted_worker>(script, act);
  script->lives_now(context.child().address());
}

void start_foreign(const script_ptr& script, start_context& context) {
  const auto act = script->next_start();
  if (!carry_out_before_spawn(act, context))
    return;
  context.spawn(foreign_child, script, act, context.life(),
                context.incarnation());
  script->lives_now(context.child().address());
}

} // namespace coppice::testkit
