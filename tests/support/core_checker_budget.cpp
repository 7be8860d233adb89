// This file is part of coppice. License: see LICENSE in the source root.

// What the core reports, and what its restarts cost.

#include "support/core_checker.hpp"

#include <algorithm>

namespace coppice::test {

using namespace policy;

void core_checker::see(const report_event& x) {
  const auto key = x.life.key;
  if (x.kind != event_kind::late_news && x.kind != event_kind::abandoned_ended
      && x.kind != event_kind::resumed && x.kind != event_kind::reloaded
      && !children_.contains(key))
    object("reports about an unknown child", key);
  switch (x.kind) {
    case event_kind::failed:
      open_ = {.key = key, .cause = x.cause};
      children_[key].pauses_alone = false;
      children_[key].has_failed = true;
      break;
    case event_kind::gave_up:
      is_ending_ = true;
      open_ = {};
      break;
    case event_kind::restarting:
      note_retry(x);
      break;
    case event_kind::backing_off:
      note_backoff(x);
      break;
    case event_kind::budget_spent:
      if (open_.key != key)
        object("spends the budget on nothing", key);
      note_decision(key, false);
      break;
    case event_kind::paused:
      note_pause(x);
      break;
    case event_kind::resumed:
      note_resume(x);
      break;
    case event_kind::stopped:
      if (x.why != stopped_why::by_group)
        children_[key].is_parked = false;
      [[fallthrough]];
    case event_kind::forgotten:
      if (open_.key == key)
        open_ = {};
      break;
    default:
      break;
  }
}

void core_checker::note_retry(const report_event& x) {
  const auto key = x.life.key;
  auto& child = children_[key];
  const auto is_asked_for = fact_.kind == fact_kind::retry_now
                            && fact_.key == key;
  if (open_.key == key)
    note_decision(key, true);
  if (paused_until_ && now_ < *paused_until_ && !is_asked_for)
    object("restarts during a pause", key);
  child.is_announced = true;
  if (!is_group())
    return;
  const auto first = spec_.strategy == one_for_all ? 0 : place_of(key);
  for (auto& [other, member] : children_)
    if (member.life.is_alive && place_of(other) >= first)
      member.life.must_end = true;
}

void core_checker::note_backoff(const report_event& x) {
  const auto key = x.life.key;
  auto& child = children_[key];
  const auto& backoff = child.spec->backoff;
  const auto longest = std::max(backoff.cap.span(), backoff.first.span());
  const auto pause = pause_max_ / 10 * 11 + duration{10};
  const auto is_pausing = paused_until_ || child.pauses_alone;
  if (x.span > (is_pausing ? std::max(longest, pause) : longest))
    object("waits longer than the cap", key);
  if (paused_until_ && !child.pauses_alone
      && saturating_add(now_, x.span) < *paused_until_)
    object("is to be tried before the pause is over", key);
  if (open_.key == key)
    note_decision(key, true);
}

void core_checker::note_pause(const report_event& x) {
  const auto length = spec_.pause_length.span();
  if (x.span < length || x.span > length / 10 * 11 + duration{10})
    object("pauses for another time than it should", x.life.key);
  if (children_[x.life.key].pauses_alone)
    return;
  if (!must_pause_)
    object("pauses without need", x.life.key);
  must_pause_ = false;
  paused_until_ = saturating_add(now_, x.span);
}

void core_checker::note_resume(const report_event& x) {
  if (const auto i = children_.find(x.life.key); i != children_.end()) {
    i->second.budget.clear();
    i->second.pauses_alone = false;
    return;
  }
  if (!paused_until_ || now_ < *paused_until_)
    object("resumes too early");
  paused_until_.reset();
  budget_.clear();
}

/// A failure was reported, and now it is known what becomes of it.
void core_checker::note_decision(child_key key, bool is_affordable) {
  auto& child = children_[key];
  const auto cause = open_.cause;
  const auto action = action_for(child);
  open_ = {};
  const auto& backoff = child.spec->backoff;
  if (cause == end_cause::start_failure || cause == end_cause::start_timeout)
    child.retry_not_before = saturating_add(now_, backoff.first.span());
  if (child.is_parked)
    child.retry_not_before = saturating_add(now_, backoff.cap.span());
  if (action != failure_action::restart) {
    if (is_affordable)
      object("restarts against the rules of the spec", key);
    must_give_up_ = action == failure_action::escalate;
    return;
  }
  if (paused_until_) {
    if (!is_affordable)
      object("charges during a pause", key);
    return;
  }
  const auto at = clock_.at(now_);
  const auto weight = weight_of(cause);
  const auto by_child = !child.budget.charge(at, weight);
  const auto expected = !by_child && budget_.charge(at, weight);
  if (expected != is_affordable)
    object(expected ? "refuses what is affordable" : "overspends the budget",
           key);
  if (!is_affordable)
    check_refusal(child, by_child);
}

void core_checker::check_refusal(seen_child& x, bool by_child) {
  const auto action = by_child ? x.spec->on_exhausted : spec_.on_exhausted;
  switch (action) {
    case exhaustion_action::escalate:
      must_give_up_ = true;
      break;
    case exhaustion_action::stop_child:
      x.is_sticky = true;
      break;
    case exhaustion_action::park:
      x.is_parked = true;
      x.retry_not_before = saturating_add(now_, x.spec->backoff.cap.span());
      break;
    case exhaustion_action::pause:
      x.pauses_alone = by_child;
      must_pause_ = !by_child;
  }
}

failure_action core_checker::action_for(const seen_child& x) const {
  std::string_view name = fact_.how.failure_class;
  const auto is_start = !x.life.is_ready;
  if (fact_.kind == fact_kind::stalled)
    name = "stall";
  else if (fact_.kind == fact_kind::timer || (is_start && name.empty()))
    name = "start_failure";
  for (const auto& rule : x.spec->on_failure)
    if (rule.failure_class == name)
      return rule.action;
  return name == "permanent_failure" ? failure_action::stop
                                     : failure_action::restart;
}

std::uint32_t core_checker::weight_of(end_cause cause) const {
  const auto& weights = spec_.weights;
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
      break;
  }
  return weights.clean_end;
}

} // namespace coppice::test
