// This file is part of coppice. License: see LICENSE in the source root.

// Lives: how one begins and ends, and what comes after it.

#include "coppice/policy/supervision_core.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace coppice::policy {

void supervision_core::start_life_of(child_key key, start_purpose purpose) {
  auto& child = children_[key];
  assert(!child.is_live());
  child.state = child_state::starting;
  child.why = stopped_why::none;
  child.after = after_end::nothing;
  child.purpose = purpose;
  child.being_killed = false;
  child.reported_healthy = false;
  child.walked = false;
  child.retry_not_before = now_;
  child.extended = duration::zero();
  child.parked = child.parked && purpose != start_purpose::manual;
  ++child.generation;
  ++child.incarnation;
  ++live_;
  if (purpose == start_purpose::automatic && child.has_lived)
    ++child.restarts_total;
  child.has_lived = true;
  if (const auto limit = child.spec->effective_start_deadline();
      limit.is_finite())
    set_timer(key, limit.after(now_));
  if (child.paused) {
    child.paused = false;
    if (child.budget != nullptr) // a reload may have taken it away
      child.budget->clear();
    report(event_kind::resumed, key);
  }
  out_.push_back(start_life{life_of(key), child.incarnation});
  report(event_kind::started, key);
}

void supervision_core::start_timed_out(child_key key) {
  const end_of_life how{.cause = end_cause::start_timeout,
                        .failure_class = "start_failure"};
  auto& child = children_[key];
  if (belongs_to_group_stop(key))
    return; // its stop comes in time
  child.cause = how.cause;
  if (child.leaving) {
    report(event_kind::failed, key);
    begin_stop(key, after_end::leave, !was_commanded(key));
    return;
  }
  switch (child.purpose) {
    case start_purpose::initial:
      report(event_kind::failed, key);
      begin_end(because_of(key, end_reason::start_failed));
      break;
    case start_purpose::added:
    case start_purpose::manual:
      report(event_kind::failed, key);
      begin_stop(key, after_end::start_over, false);
      break;
    case start_purpose::automatic:
      if (const auto after = decide(key, how); after == after_end::give_up)
        begin_end(end_);
      else
        begin_stop(key, after, true);
  }
}

void supervision_core::begin_stop(child_key key, after_end after,
                                  bool own_idea) {
  auto& child = children_[key];
  assert(child.is_live());
  assert(child.state != child_state::stopping);
  if (child.state == child_state::running)
    --running_;
  timers_.cancel(key);
  child.state = child_state::stopping;
  child.after = after;
  child.being_killed = false;
  child.extended = duration::zero();
  if (own_idea)
    freeze_budget(child);
  const auto grace = child.spec->effective_shutdown();
  if (grace.is_brutal()) {
    begin_kill(key);
    return;
  }
  auto limit = grace.limit();
  if (kill_all_at_ < limit.after(now_))
    limit = std::max(kill_all_at_ - now_, duration::zero());
  out_.push_back(stop_life{life_of(key), limit});
  if (limit.is_finite())
    set_timer(key, limit.after(now_));
}

void supervision_core::begin_kill(child_key key) {
  auto& child = children_[key];
  child.being_killed = true;
  out_.push_back(kill_life{life_of(key)});
  set_timer(key, std::min(child.spec->kill_grace.after(now_), abandon_all_at_));
}

void supervision_core::abandon(child_key key) {
  const auto& child = children_[key];
  const auto life = life_of(key);
  out_.push_back(abandon_life{life, child.incarnation});
  abandoned_.emplace(life, abandoned_life{.id = children_.id_of(key),
                                          .incarnation = child.incarnation,
                                          .since = now_});
  report(event_kind::abandoned, key);
  stop_is_over(key);
}

void supervision_core::life_is_over(child_key key) {
  auto& child = children_[key];
  if (child.state == child_state::running)
    --running_;
  --live_;
  timers_.cancel(key);
  child.state = child_state::stopped;
}

void supervision_core::life_ended(child_key key, const end_of_life& how) {
  const auto& child = children_[key];
  if (child.state == child_state::stopping) {
    if (child.after == after_end::wait_group
        || child.after == after_end::stay_operator)
      note_unclean_end(key, how);
    stop_is_over(key);
    return;
  }
  const auto was_starting = child.state == child_state::starting;
  const auto is_absorbed = belongs_to_group_stop(key);
  life_is_over(key);
  if (is_absorbed) {
    note_unclean_end(key, how);
    absorb(key);
  } else if (was_starting) {
    start_failed(key, how);
  } else {
    ended_by_itself(key, how);
  }
  walk();
}

/// Nothing is decided by it, but nothing is lost either.
void supervision_core::note_unclean_end(child_key key, const end_of_life& how) {
  auto& child = children_[key];
  if (how.cause == end_cause::clean_end || child.being_killed)
    return;
  child.cause = how.cause;
  report(event_kind::failed, key);
}

void supervision_core::stop_is_over(child_key key) {
  auto& child = children_[key];
  thaw_budget(child);
  life_is_over(key);
  answer_waiting(key, pending_command::kind::terminate, command_result::ok);
  const auto after = std::exchange(child.after, after_end::nothing);
  if (is_ending())
    absorb(key);
  else
    act_after_end(key, after);
  walk();
  finish_if_empty();
}

void supervision_core::act_after_end(child_key key, after_end after) {
  auto& child = children_[key];
  if (child.leaving)
    after = after_end::leave;
  switch (after) {
    case after_end::nothing:
    case after_end::give_up:
      assert(!"a life never ends with this in mind");
      break;
    case after_end::retry:
    case after_end::park:
      retry(key);
      break;
    case after_end::pause:
      if (paused_until_)
        wait(key, std::max(least_delay(child), *paused_until_ - now_));
      else
        retry(key);
      break;
    case after_end::pause_alone: {
      const auto length = some_pause();
      child.paused = true;
      report(event_kind::paused, key, length);
      wait(key, std::max(least_delay(child), length));
      break;
    }
    case after_end::wait_group:
      absorb(key);
      break;
    case after_end::stay_operator:
      if (is_pool() || child.spec->restart == temporary)
        forget(key);
      else
        set_stopped(key, stopped_why::by_operator);
      break;
    case after_end::stay_failed:
      gone_for_good(key, stopped_why::failed);
      break;
    case after_end::stay_exhausted:
      gone_for_good(key, stopped_why::exhausted);
      break;
    case after_end::start_over:
      command_start_failed(key);
      break;
    case after_end::forget:
      gone_for_good(key, stopped_why::finished);
      break;
    case after_end::leave:
      forget(key);
      break;
    case after_end::rejoin:
      if (child.has_lived)
        absorb(key);
      else
        set_stopped(key, stopped_why::by_group);
  }
}

void supervision_core::set_stopped(child_key key, stopped_why why) {
  auto& child = children_[key];
  timers_.cancel(key);
  child.state = child_state::stopped;
  child.why = why;
  child.parked = child.parked && why == stopped_why::by_group;
  report(event_kind::stopped, key);
}

void supervision_core::absorb(child_key key) {
  const auto& child = children_[key];
  if (child.spec->restart == temporary || child.leaving
      || (is_pool() && is_ending()))
    forget(key);
  else
    set_stopped(key, stopped_why::by_group);
}

void supervision_core::forget(child_key key) {
  const auto& child = children_[key];
  timers_.cancel(key);
  answer_waiting(key, pending_command::kind::start, command_result::superseded);
  if (group_.cursor == key)
    group_.cursor = group_.at == group_walk::stage::stopping ? child.previous
                                                             : child.next;
  if (child.declared && !is_ending())
    absent_.insert(child.spec->id);
  report(event_kind::forgotten, key);
  out_.push_back(forget_child{key});
  children_.erase(key);
}

// -- the budget's clock ------------------------------------------------------

time_point supervision_core::budget_time(time_point now) const {
  const auto until = freezing_ > 0 ? frozen_since_ : std::max(now, now_);
  return until - frozen_total_;
}

void supervision_core::freeze_budget(child_record& child) {
  child.freezes_budget = true;
  if (freezing_++ == 0)
    frozen_since_ = now_;
}

void supervision_core::thaw_budget(child_record& child) {
  if (!child.freezes_budget)
    return;
  child.freezes_budget = false;
  if (--freezing_ == 0)
    frozen_total_ += now_ - frozen_since_;
}

} // namespace coppice::policy
