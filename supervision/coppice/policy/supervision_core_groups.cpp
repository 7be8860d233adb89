// This file is part of coppice. License: see LICENSE in the source root.

// Groups: restarting several children in order, and ending all of them.

#include "coppice/policy/supervision_core.hpp"

#include <algorithm>

namespace coppice::policy {

bool supervision_core::restarts_in_groups() const noexcept {
  return spec_.strategy == one_for_all || spec_.strategy == rest_for_one;
}

bool supervision_core::is_being_stopped_in_group(child_key key) const {
  if (is_ending() || group_.at != group_walk::stage::stopping)
    return is_ending();
  const auto serial = children_[key].serial;
  return serial >= group_.first && serial <= children_[group_.cursor].serial;
}

/// A death that is part of a group stop. The start that a command asked for
/// fails for itself instead.
bool supervision_core::belongs_to_group_stop(child_key key) const {
  const auto is_command = children_[key].state == child_state::starting
                          && was_commanded(key);
  return is_being_stopped_in_group(key) && (is_ending() || !is_command);
}

/// Is a group restart paid for that takes this one along (BUDGET-2)?
bool supervision_core::awaits_siblings_retry(child_key key) const {
  if (!restarts_in_groups())
    return false;
  const auto all = spec_.strategy == one_for_all;
  for (auto other = children_.first(); other != no_child;
       other = children_[other].next) {
    if (other == key && !all)
      return false;
    if (other != key && children_[other].state == child_state::backoff)
      return true;
  }
  return false;
}

void supervision_core::restart_group(child_key origin) {
  using stage = group_walk::stage;
  auto first = spec_.strategy == one_for_all ? 0 : children_[origin].serial;
  auto from = first;
  if (group_.at == stage::stopping) {
    first = std::min(first, group_.first);
    from = std::min(first, group_.from);
  } else if (group_.at == stage::starting) {
    from = std::min(first, children_[group_.cursor].serial);
  }
  group_ = {.at = stage::stopping,
            .first = first,
            .from = from,
            .cursor = children_.last()};
  walk();
}

/// A retry that will not happen after all: the siblings that were stopped for
/// its sake come back (RESTART-5).
void supervision_core::bring_group_back(child_key origin) {
  using stage = group_walk::stage;
  if (!restarts_in_groups() || is_ending())
    return;
  const auto all = spec_.strategy == one_for_all;
  const auto from = all ? 0 : children_[origin].serial;
  if (group_.at == stage::stopping) {
    group_.from = std::min(group_.from, from);
  } else if (group_.at == stage::idle
             || children_[group_.cursor].serial > from) {
    group_.at = stage::starting;
    group_.cursor = all ? children_.first() : origin;
  }
}

void supervision_core::walk() {
  if (group_.at == group_walk::stage::stopping)
    walk_back();
  if (group_.at == group_walk::stage::starting)
    walk_forth();
}

void supervision_core::walk_back() {
  while (group_.cursor != no_child
         && children_[group_.cursor].serial >= group_.first) {
    const auto key = group_.cursor;
    const auto before = children_[key].previous;
    if (!pass_back(key))
      return;
    group_.cursor = before;
  }
  if (is_ending())
    group_ = {};
  else
    begin_walk_forth();
}

void supervision_core::begin_walk_forth() {
  while (group_.cursor != no_child
         && children_[group_.cursor].serial >= group_.from)
    group_.cursor = children_[group_.cursor].previous;
  group_.at = group_walk::stage::starting;
  group_.cursor = group_.cursor == no_child ? children_.first()
                                            : children_[group_.cursor].next;
}

/// Says whether the walk may leave this child behind: it has no life.
bool supervision_core::pass_back(child_key key) {
  auto& child = children_[key];
  switch (child.state) {
    case child_state::starting:
    case child_state::running:
      begin_stop(key, child.leaving ? after_end::leave : after_end::wait_group,
                 true);
      return false;
    case child_state::stopping:
      // Somebody else's stop. What was to be retried, the group restarts.
      if (will_be_retried(child.after))
        child.after = after_end::wait_group;
      return false;
    case child_state::backoff:
      set_stopped(key, stopped_why::by_group);
      return true;
    case child_state::stopped:
      if (!is_ending() && spec_.revive == revive_mode::all)
        child.why = stopped_why::by_group;
      return true;
  }
  return true;
}

void supervision_core::walk_forth() {
  for (; group_.cursor != no_child;
       group_.cursor = children_[group_.cursor].next) {
    const auto& child = children_[group_.cursor];
    if (walk_waits_at(group_.cursor))
      return;
    // Its own retry takes along those that still wait behind it (RESTART-5).
    if (child.state == child_state::backoff && restarts_in_groups())
      break;
  }
  group_ = {};
  if (phase_ == phase::starting && !some_are_to_come()) {
    phase_ = phase::running;
    out_.push_back(report_ready{});
  }
}

bool supervision_core::walk_waits_at(child_key key) {
  auto& child = children_[key];
  if (child.state == child_state::starting)
    return child.walked;
  if (child.state == child_state::stopping)
    return child.after == after_end::rejoin
           || (restarts_in_groups()
               && (child.after == after_end::wait_group
                   || will_be_retried(child.after)));
  if (child.state != child_state::stopped || child.why != stopped_why::by_group)
    return false;
  if (!child.has_lived && !leaving_.empty())
    return true; // those who leave may be in its way
  if (is_waiting(key, pending_command::kind::start)) {
    start_life_of(key, child.purpose); // a command's, until it is answered
  } else if (now_ < child.retry_not_before) {
    wait_until(key, child.retry_not_before); // RESTART-6
    return false;
  } else {
    start_life_of(key, phase_ == phase::starting ? start_purpose::initial
                                                 : start_purpose::automatic);
  }
  child.walked = true;
  return true;
}

/// Is somebody not there yet for whom this walk, or the next, is responsible?
bool supervision_core::some_are_to_come() const {
  for (auto key = children_.first(); key != no_child;
       key = children_[key].next) {
    const auto& child = children_[key];
    if (child.state == child_state::starting && child.walked)
      return true;
    if (child.state == child_state::stopped
        && child.why == stopped_why::by_group)
      return true;
  }
  return false;
}

// -- ending ------------------------------------------------------------------

void supervision_core::begin_end(const end_supervisor& why) {
  if (is_ending())
    return;
  phase_ = phase::ending;
  end_ = why;
  paused_until_.reset();
  leaving_.clear();
  if (why.reason == end_reason::gave_up
      || why.reason == end_reason::start_failed)
    report(event_kind::gave_up, why.life.key, {}, why.attempts);
  refuse_waiting_starts();
  cancel_plans();
  if (is_pool()) {
    end_pool();
  } else {
    group_ = {.at = group_walk::stage::stopping, .cursor = children_.last()};
    walk();
  }
  finish_if_empty();
}

/// No retry and no start deadline interferes with the end.
void supervision_core::cancel_plans() {
  for (auto key = children_.last(); key != no_child;
       key = children_[key].previous) {
    if (children_[key].state == child_state::backoff)
      set_stopped(key, stopped_why::by_group);
    else if (children_[key].state == child_state::starting)
      timers_.cancel(key);
  }
}

void supervision_core::end_pool() {
  for (auto key = children_.first(); key != no_child;) {
    const auto next = children_[key].next;
    const auto& child = children_[key];
    if (!child.is_live())
      forget(key);
    else if (child.state != child_state::stopping)
      begin_stop(key, after_end::wait_group, true);
    key = next;
  }
}

void supervision_core::refuse_waiting_starts() {
  const auto result = end_.reason == end_reason::start_failed
                        ? command_result::start_failed
                        : command_result::shutting_down;
  std::erase_if(pending_, [&](const auto& entry) {
    if (entry.second.what != pending_command::kind::start)
      return false;
    answer(entry.second.token, result);
    return true;
  });
}

void supervision_core::finish_if_empty() {
  if (phase_ != phase::ending || live_ > 0)
    return;
  phase_ = phase::ended;
  for (const auto token : stop_tokens_)
    answer(token, command_result::ok);
  stop_tokens_.clear();
  out_.push_back(end_);
}

directives supervision_core::stop(command_token token, time_limit within,
                                  time_point now) {
  enter(now);
  if (phase_ == phase::ended) {
    answer(token, command_result::ok);
    return finish();
  }
  stop_tokens_.push_back(token);
  hurry(within);
  begin_end({.reason = end_reason::stopped});
  return finish();
}

/// Everything has to be over at `within` from now: what is left shortly
/// before is killed, what is left then is abandoned.
void supervision_core::hurry(time_limit within) {
  const auto span = std::max(within.span(), duration::zero());
  const auto end = saturating_add(now_, span);
  if (!within.is_finite() || end >= abandon_all_at_)
    return;
  constexpr duration reserve_max = std::chrono::seconds{1};
  abandon_all_at_ = end;
  kill_all_at_ = std::min(kill_all_at_, end - std::min(span / 2, reserve_max));
  for (auto key = children_.first(); key != no_child;
       key = children_[key].next) {
    const auto& child = children_[key];
    if (child.state != child_state::stopping || child.being_killed)
      continue;
    if (timers_.contains(key) && timers_.due_of(key) <= kill_all_at_)
      continue; // its own grace is over sooner
    out_.push_back(stop_life{life_of(key), kill_all_at_ - now_});
  }
}

void supervision_core::kill_all() {
  kill_all_at_ = time_point::max();
  for (auto key = children_.first(); key != no_child;
       key = children_[key].next) {
    auto& child = children_[key];
    if (!child.is_live() || child.being_killed)
      continue;
    if (child.state == child_state::running)
      --running_;
    child.state = child_state::stopping;
    begin_kill(key);
  }
}

void supervision_core::abandon_all() {
  abandon_all_at_ = time_point::max();
  for (auto key = children_.last(); key != no_child;) {
    const auto before = children_[key].previous;
    if (children_[key].is_live())
      abandon(key);
    key = before;
  }
}

} // namespace coppice::policy
