// This file is part of coppice. License: see LICENSE in the source root.

// Directives: one member per order of the core.

#include "coppice/failure_convert.hpp"
#include "coppice/start_context.hpp"
#include "coppice/supervisor.hpp"

#include <utility>

namespace coppice {

void supervisor_actor::obey(policy::directives todo) {
  for (const auto& order : todo)
    std::visit([this](const auto& x) { carry_out(x); }, order);
}

// -- starting ----------------------------------------------------------------

void supervisor_actor::carry_out(const policy::start_life& x) {
  const auto key = x.life.key;
  auto& child = slot(key);
  child.life = x.life;
  child.beats = tree_->dog().acquire();
  child.is_ours = false;
  child.start_has_failed = false;
  if (child.extras != nullptr)
    child.extras->hold_reason.clear();
  if (const auto cell = cell_of(key))
    compat::object_of<child_cell>(cell).configure(core_.spec_of(key).parking);
  try {
    call_start_function(x);
  } catch (...) {
    start_went_wrong(x.life,
                     from_exception(std::current_exception(), where_is(key)));
  }
}

void supervisor_actor::call_start_function(const policy::start_life& x) {
  const auto key = x.life.key;
  const auto& spec = core_.spec_of(key);
  life_ticket ticket{.link = link_,
                     .life = x.life,
                     .incarnation = x.incarnation,
                     .id = core_.is_pool() ? std::string{} : spec.id,
                     .number = core_.serial_of(key),
                     .beats = tree_->dog().writer(slot(key).beats)};
  const auto alone = tree_->settings().virtual_time ? isolation_kind::shared
                                                    : spec.isolation;
  const auto& kept = slot(key).extras;
  start_context context{tree_->system(), ticket, alone,
                        kept != nullptr ? kept->arguments : caf::message{}};
  try {
    if (spec.supervisor)
      context.spawn<supervisor_actor>(tree_, *spec.supervisor, path_of(key));
    else
      spec.start(context);
  } catch (...) {
    adopt(x, context.child(), true, ticket.taken);
    if (context.child()) {
      slot(key).start_has_failed = true;
      carry_out(policy::kill_life{x.life});
    }
    throw;
  }
  if (context.child()) {
    adopt(x, context.child(), context.will_say_ready(), ticket.taken);
  } else if (context.has_ignored()) {
    tell_self({x.life, life_news_kind::declined});
  } else {
    start_went_wrong(x.life,
                     failure{.failure_class = failure_classes::start_failure,
                             .code = errc::start_failed,
                             .message = "the start function returned without "
                                        "spawning a child or calling ignore()",
                             .where = where_is(key),
                             .is_bug = true});
  }
}

void supervisor_actor::adopt(const policy::start_life& x,
                             const caf::actor& actor, bool will_say_ready,
                             bool is_ours) {
  auto& child = slot(x.life.key);
  child.is_ours = is_ours;
  if (!actor)
    return;
  child.actor = caf::actor_cast<caf::strong_actor_ptr>(actor);
  compat::at_end_of(actor, [to = caf::actor_cast<caf::strong_actor_ptr>(this),
                            life = x.life](const caf::error& reason) {
    compat::post_urgent(to, life_end{life, reason});
  });
  if (!will_say_ready)
    tell_self({x.life, life_news_kind::ready});
}

/// The core hears of it by message: a start function that fails at once, with
/// no delay configured, must not keep the supervisor from everything else.
void supervisor_actor::start_went_wrong(policy::life_id life, failure why) {
  note_failure(life.key, std::move(why));
  if (!slot(life.key).actor)
    tell_self({life, life_news_kind::start_failed});
}

// -- stopping ----------------------------------------------------------------

void supervisor_actor::carry_out(const policy::stop_life& x) {
  const auto key = x.life.key;
  auto& child = slot(key);
  detach_cell(key);
  if (!child.actor)
    return; // its failed start is on its way
  tree_->dog().request_stop(child.beats);
  if (core_.spec_of(key).supervisor)
    compat::post_urgent(child.actor, stop_order{x.grace});
  else
    compat::post_urgent(
      child.actor,
      caf::exit_msg{address(),
                    caf::make_error(caf::exit_reason::user_shutdown)});
}

void supervisor_actor::carry_out(const policy::kill_life& x) {
  auto& child = slot(x.life.key);
  detach_cell(x.life.key);
  if (!child.actor)
    return;
  tree_->dog().request_stop(child.beats);
  compat::post_urgent(child.actor,
                      caf::exit_msg{address(),
                                    caf::make_error(caf::exit_reason::kill)});
}

void supervisor_actor::carry_out(const policy::abandon_life& x) {
  const auto key = x.life.key;
  auto& child = slot(key);
  const auto path = path_of(key);
  tree_->dog().fence(child.beats);
  if (child.is_ours && child.actor) {
    auto why = last_failure(key);
    if (auto* ours = dynamic_cast<supervised_actor*>(child.actor->get()))
      ours->fail_request_in_hand(to_error(
        why != nullptr ? *why
                       : failure{.failure_class = failure_classes::killed,
                                 .code = errc::killed,
                                 .where = where_is(key)}));
  }
  abandoned_.emplace(x.life, abandoned_life{path, x.incarnation,
                                            std::exchange(child.beats, no_slot),
                                            child.is_ours});
  child.actor = nullptr;
  const auto count = tree_->abandon(path, x.incarnation);
  if (count > tree_->settings().abandoned_max)
    tree_->abandoned_cap_exceeded(count);
}

void supervisor_actor::carry_out(const policy::forget_child& x) {
  slot(x.key) = child_slot{};
}

void supervisor_actor::carry_out(const policy::adjust_child& x) {
  const auto key = x.life.key;
  const auto& spec = core_.spec_of(key);
  if (const auto cell = cell_of(key))
    compat::object_of<child_cell>(cell).configure(spec.parking);
  if (core_.state_of(key) == policy::child_state::running
      && slot(key).beats != no_slot)
    tree_->dog().change_limits(slot(key).beats, spec.heartbeat);
}

void supervisor_actor::carry_out(const policy::hand_down& x) {
  if (const auto& inner = slot(x.life.key).actor)
    compat::post_urgent(
      inner, reload_order{core_.spec_of(x.life.key).supervisor, reloading_});
}

void supervisor_actor::carry_out(const policy::arm_timer& x) {
  tree_->dog().arm(owner_, x.due, ++timer_generation_);
}

// -- telling -----------------------------------------------------------------

void supervisor_actor::carry_out(const policy::answer_command& x) {
  if (x.token == 0)
    return; // nobody asked
  const auto ticket = std::exchange(waiting_[x.token - 1], {});
  free_tokens_.push_back(x.token);
  const auto key = x.life.key;
  if (x.result != policy::command_result::ok
      && x.result != policy::command_result::declined) {
    ticket.answer(command_failure(x.result, key));
    return;
  }
  command_reply reply;
  if (key != policy::no_child && core_.contains(key))
    reply.actor = caf::actor_cast<caf::actor>(slot(key).actor);
  ticket.answer(std::move(reply));
}

void supervisor_actor::carry_out(const policy::report_event& x) {
  const auto key = x.life.key;
  const auto known = core_.knows(key);
  if (known)
    annotate(x);
  if (is_root() && x.kind == event_kind::gave_up)
    because_ = end_failure(core_.planned_end(), std::move(because_));
  if (known && x.kind == event_kind::stopped)
    close_cell(key, x.why);
  if (known && x.kind == event_kind::forgotten)
    close_cell(key, policy::stopped_why::by_operator);
  if (!tree_->events().is_observed())
    return;
  supervision_event event;
  event.kind = x.kind;
  event.cause = x.cause;
  event.why = x.why;
  event.span = x.span;
  event.attempts = x.attempts;
  if (known) {
    event.path = path_of(key);
    event.incarnation = x.incarnation;
    if (x.kind != event_kind::started && x.kind != event_kind::ready)
      event.because = last_failure(key);
  }
  // The one that the owner of the tree gets.
  if (is_root() && x.kind == event_kind::gave_up)
    event.because = std::make_shared<const failure>(*because_);
  publish(std::move(event));
}

void supervisor_actor::carry_out(const policy::report_ready&) {
  if (is_root())
    tree_->root_is_ready();
  else
    say_ready();
}

void supervisor_actor::carry_out(const policy::end_supervisor& x) {
  has_ended_ = true;
  std::optional<failure> why;
  if (because_)
    why = std::move(because_);
  // The root has had it since it gave up.
  if (!is_root()
      && (x.reason == policy::end_reason::gave_up
          || x.reason == policy::end_reason::start_failed))
    why = end_failure(x, std::move(why));
  quit(why ? to_error(*why) : caf::make_error(caf::exit_reason::user_shutdown));
  if (is_root())
    tree_->root_has_ended(std::move(why));
}

} // namespace coppice
