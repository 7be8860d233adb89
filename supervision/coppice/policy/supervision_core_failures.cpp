// This file is part of coppice. License: see LICENSE in the source root.

// Failures: what a life's end leads to, and what that costs.

#include "coppice/policy/backoff.hpp"
#include "coppice/policy/supervision_core.hpp"

#include <algorithm>
#include <cassert>

namespace coppice::policy {

namespace {

/// The class by which a failure asks not to be restarted (RESTART-3).
constexpr std::string_view permanent_failure_class = "permanent_failure";

failure_action action_for(const child_spec& spec, const end_of_life& how) {
  for (const auto& rule : spec.on_failure)
    if (rule.failure_class == how.failure_class)
      return rule.action;
  return how.failure_class == permanent_failure_class ? failure_action::stop
                                                      : failure_action::restart;
}

std::uint32_t weight_of(const cause_weights& weights, end_cause cause) {
  switch (cause) {
    case end_cause::crash:
      return weights.crash;
    case end_cause::stall:
      return weights.stall;
    case end_cause::start_failure:
    case end_cause::start_timeout:
      return weights.start_failure;
    case end_cause::node_loss:
      return weights.node_loss;
    case end_cause::clean_end:
      return weights.clean_end;
  }
  return weights.crash;
}

bool is_failed_start(end_cause cause) {
  return cause == end_cause::start_failure || cause == end_cause::start_timeout;
}

} // namespace

void supervision_core::ended_by_itself(child_key key, const end_of_life& how) {
  auto& child = children_[key];
  child.cause = how.cause;
  const auto clean = how.cause == end_cause::clean_end;
  if (child.leaving) {
    if (!clean)
      report(event_kind::failed, key);
    forget(key);
    return;
  }
  if (child.spec->restart == temporary
      || (child.spec->restart == transient && clean)) {
    if (!clean)
      report(event_kind::failed, key);
    gone_for_good(key, stopped_why::finished);
    return;
  }
  if (const auto after = decide(key, how); after == after_end::give_up)
    give_up(key);
  else
    act_after_end(key, after);
}

void supervision_core::give_up(child_key key) {
  set_stopped(key, stopped_why::exhausted);
  begin_end(end_);
}

void supervision_core::start_failed(child_key key, const end_of_life& how) {
  auto& child = children_[key];
  const auto cause = is_failed_start(how.cause) ? how.cause
                                                : end_cause::start_failure;
  child.cause = cause;
  if (child.leaving) {
    report(event_kind::failed, key);
    forget(key);
    return;
  }
  switch (child.purpose) {
    case start_purpose::initial:
      report(event_kind::failed, key);
      set_stopped(key, stopped_why::failed);
      begin_end(because_of(key, end_reason::start_failed));
      break;
    case start_purpose::added:
    case start_purpose::manual:
      report(event_kind::failed, key);
      command_start_failed(key);
      break;
    case start_purpose::automatic:
      if (const auto after
          = decide(key, {cause, how.failure_class.empty()
                                  ? std::string_view{"start_failure"}
                                  : how.failure_class});
          after == after_end::give_up)
        give_up(key);
      else
        act_after_end(key, after);
  }
}

bool supervision_core::was_commanded(child_key key) const {
  const auto purpose = children_[key].purpose;
  return purpose == start_purpose::added || purpose == start_purpose::manual;
}

void supervision_core::command_start_failed(child_key key) {
  answer_waiting(key, pending_command::kind::start,
                 command_result::start_failed);
  if (children_[key].purpose == start_purpose::added
      || children_[key].spec->restart == temporary) // since a reload
    forget(key);
  else
    set_stopped(key, stopped_why::failed);
}

after_end supervision_core::decide(child_key key, const end_of_life& how) {
  auto& child = children_[key];
  child.cause = how.cause;
  report(event_kind::failed, key);
  if (child.spec->restart == temporary)
    return after_end::forget;
  const auto& limit = child.spec->backoff.reset_after;
  const auto was_healthy = !is_failed_start(how.cause)
                           && (child.reported_healthy
                               || now_ >= limit.after(child.ready_at));
  child.failures = was_healthy ? 0 : child.failures + 1;
  child.parked = child.parked && !was_healthy;
  switch (action_for(*child.spec, how)) {
    case failure_action::restart: {
      const auto after = charge(key);
      child.parked = child.parked || after == after_end::park;
      child.retry_not_before = saturating_add(now_, least_delay(child));
      return after;
    }
    case failure_action::stop:
      return after_end::stay_failed;
    case failure_action::escalate:
      break;
  }
  return exhausted(key, exhaustion_action::escalate,
                   budget_.spent(budget_time(now_)), {});
}

after_end supervision_core::charge(child_key key) {
  auto& child = children_[key];
  if (paused_until_)
    return after_end::pause;
  if (!is_failed_start(child.cause) && awaits_siblings_retry(key))
    return after_end::wait_group;
  const auto at = budget_time(now_);
  const auto weight = weight_of(spec_.weights, child.cause);
  if (child.budget != nullptr && !child.budget->spend(at, weight))
    return exhausted(key, child.spec->on_exhausted, child.budget->spent(at),
                     child.spec->limits);
  if (budget_.spend(at, weight))
    return after_end::retry;
  const auto attempts = budget_.spent(at);
  const auto after = exhausted(key, spec_.on_exhausted, attempts, spec_.limits);
  if (after != after_end::pause_alone)
    return after;
  const auto length = some_pause();
  paused_until_ = saturating_add(now_, length);
  report(event_kind::paused, key, length, attempts);
  return after_end::pause;
}

duration supervision_core::some_pause() {
  const auto length = spec_.pause_length.span();
  const auto tenth = static_cast<std::uint64_t>(length.count() / 10);
  return length + duration{static_cast<std::int64_t>(random_.up_to(tenth))};
}

after_end supervision_core::exhausted(child_key key, exhaustion_action action,
                                      std::uint64_t attempts,
                                      const std::optional<restart_limits>& by) {
  report(event_kind::budget_spent, key, {}, attempts);
  switch (action) {
    case exhaustion_action::stop_child:
      return after_end::stay_exhausted;
    case exhaustion_action::park:
      return after_end::park;
    case exhaustion_action::pause:
      return after_end::pause_alone;
    case exhaustion_action::escalate:
      break;
  }
  end_ = because_of(key, end_reason::gave_up, attempts);
  end_.spent = by;
  return after_end::give_up;
}

/// A failed start is never retried at once (RESTART-6), and what is parked
/// only at the longest delay (BUDGET-5).
duration supervision_core::least_delay(const child_record& child) {
  const auto& backoff = child.spec->backoff;
  if (child.parked)
    return std::max(backoff.cap.span(), backoff.first.span());
  return is_failed_start(child.cause) ? backoff.first.span() : duration{0};
}

void supervision_core::retry(child_key key) {
  auto& child = children_[key];
  auto delay = least_delay(child);
  if (child.failures > 0)
    delay = std::max(delay,
                     next_delay(child.spec->backoff, child.failures, random_));
  if (delay == duration{0} && !paused_until_)
    retry_is_due(key);
  else
    wait(key, delay);
}

void supervision_core::wait(child_key key, duration delay) {
  wait_until(key, saturating_add(now_, delay));
}

void supervision_core::wait_until(child_key key, time_point due) {
  auto& child = children_[key];
  due = std::max(due, paused_until_.value_or(due));
  child.state = child_state::backoff;
  child.why = stopped_why::none;
  set_timer(key, due);
  report(event_kind::backing_off, key, due - now_);
}

void supervision_core::retry_is_due(child_key key) {
  auto& child = children_[key];
  child.state = child_state::stopped;
  child.why = stopped_why::by_group;
  report(event_kind::restarting, key, {}, budget_.spent(budget_time(now_)));
  if (restarts_in_groups())
    restart_group(key);
  else
    start_life_of(key, start_purpose::automatic);
}

void supervision_core::gone_for_good(child_key key, stopped_why why) {
  const auto by_itself = why == stopped_why::finished;
  const auto closes = by_itself && closes_supervisor(children_[key]);
  if (!by_itself)
    bring_group_back(key);
  if (!by_itself || (children_[key].spec->restart != temporary && !is_pool()))
    set_stopped(key, why);
  if (children_[key].spec->restart == temporary || is_pool())
    forget(key);
  if (closes)
    begin_end({.reason = end_reason::auto_shutdown});
}

bool supervision_core::closes_supervisor(const child_record& gone) const {
  if (!gone.spec->significant || is_ending())
    return false;
  if (spec_.auto_shutdown == auto_shutdown_mode::any_significant)
    return true;
  if (spec_.auto_shutdown == auto_shutdown_mode::never)
    return false;
  for (auto key = children_.first(); key != no_child;
       key = children_[key].next) {
    const auto& other = children_[key];
    const auto is_active = other.state != child_state::stopped
                           || other.why == stopped_why::by_group;
    if (&other != &gone && other.spec->significant && is_active)
      return false;
  }
  return true;
}

} // namespace coppice::policy
