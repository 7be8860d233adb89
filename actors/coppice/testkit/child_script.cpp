// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/testkit/child_script.hpp"

#include "coppice/end_class.hpp"
#include "coppice/failure_convert.hpp"
#include "coppice/testkit/child_script_state.hpp"

#include <stdexcept>
#include <utility>

namespace coppice::testkit {

child_script::child_script(std::string id, bool virtual_time)
  : state_(std::make_shared<state>(std::move(id), virtual_time)) {}

const std::string& child_script::id() const noexcept {
  return state_->id;
}

child_spec child_script::spec(child_spec rest) const {
  rest.id = state_->id;
  rest.start = [script = state_](start_context& context) {
    start_own(script, context);
  };
  return rest;
}

child_spec child_script::foreign_spec(child_spec rest) const {
  rest.id = state_->id;
  rest.start = [script = state_](start_context& context) {
    start_foreign(script, context);
  };
  return rest;
}

// -- beforehand --------------------------------------------------------------

child_script& child_script::starts(std::vector<start_act> acts) {
  std::lock_guard guard{state_->mutex};
  state_->start_acts.assign(acts.begin(), acts.end());
  return *this;
}

child_script& child_script::always(start_act act) {
  std::lock_guard guard{state_->mutex};
  state_->start_always = std::move(act);
  return *this;
}

child_script& child_script::on_messages(std::vector<work_act> acts) {
  std::lock_guard guard{state_->mutex};
  state_->work_acts.assign(acts.begin(), acts.end());
  return *this;
}

child_script& child_script::on_stop(stop_act act) {
  std::lock_guard guard{state_->mutex};
  state_->stop = act;
  return *this;
}

child_script& child_script::beats_every(policy::duration span) {
  std::lock_guard guard{state_->mutex};
  state_->beat_interval = span;
  state_->muted = false;
  return *this;
}

// -- now ---------------------------------------------------------------------

void child_script::now(work_act act) {
  {
    std::lock_guard guard{state_->mutex};
    state_->work_acts.push_front(std::move(act));
  }
  if (const auto to = life())
    compat::post(to, std::string{"now"});
}

namespace {

compat::hangable_worker* own_life(const caf::actor& life) {
  return life ? dynamic_cast<compat::hangable_worker*>(
           caf::actor_cast<caf::abstract_actor*>(life))
              : nullptr;
}

} // namespace

void child_script::beat(const char* mark) {
  if (auto* self = own_life(life()))
    mark != nullptr ? self->beat(mark) : self->beat();
}

void child_script::extend(policy::duration span) {
  if (auto* self = own_life(life()))
    self->extend(span);
}

void child_script::mute() {
  std::lock_guard guard{state_->mutex};
  state_->muted = true;
}

void child_script::release() {
  std::unique_lock guard{state_->mutex};
  ++state_->releases;
  const auto hanging = std::exchange(state_->hanging, {});
  guard.unlock();
  state_->released.notify_all();
  for (const auto& x : hanging)
    x.life->release();
}

// -- what happened -----------------------------------------------------------

std::size_t child_script::lives() const {
  std::lock_guard guard{state_->mutex};
  return state_->lives;
}

std::vector<child_script::handled_message> child_script::handled() const {
  std::lock_guard guard{state_->mutex};
  return state_->handled;
}

std::vector<std::string> child_script::texts() const {
  std::vector<std::string> result;
  for (auto& x : handled())
    result.push_back(std::move(x.text));
  return result;
}

std::size_t child_script::hanging() const {
  std::lock_guard guard{state_->mutex};
  return state_->hanging.size() + state_->blocked;
}

bool child_script::cancelled() const {
  std::lock_guard guard{state_->mutex};
  for (const auto& x : state_->hanging)
    if (x.life->cancelled())
      return true;
  return false;
}

caf::actor child_script::life() const {
  std::lock_guard guard{state_->mutex};
  return caf::actor_cast<caf::actor>(
    caf::actor_cast<caf::strong_actor_ptr>(state_->current));
}

// -- for both kinds of lives -------------------------------------------------

bool carry_out_before_spawn(const start_act& act, start_context& context) {
  switch (act.what) {
    case start_act::kind::start_function_throws:
      throw std::runtime_error{act.text};
    case start_act::kind::returns_nothing:
      return false;
    case start_act::kind::declines:
      context.ignore();
      return false;
    default:
      return true;
  }
}

std::optional<caf::error> end_by(const work_act& act) {
  switch (act.what) {
    case work_act::kind::throws:
      throw std::runtime_error{act.text};
    case work_act::kind::throws_failure:
      throw failure_error{act.why};
    case work_act::kind::crash:
      return to_error(act.why);
    case work_act::kind::finish:
      return caf::error{};
    case work_act::kind::finish_with_note:
      return shutdown_note(act.text);
    default:
      return std::nullopt;
  }
}

} // namespace coppice::testkit
