// This file is part of coppice. License: see LICENSE in the source root.

// What the core says of itself afterwards.

#include "support/core_checker.hpp"

#include <algorithm>

namespace coppice::test {

using namespace policy;

void core_checker::check_stale(const directives& todo) {
  const auto is_late_report = [](const directive& x) {
    const auto* event = std::get_if<report_event>(&x);
    return event != nullptr && event->kind == event_kind::late_news;
  };
  if (is_stale_ && (todo.size() != 1 || !is_late_report(todo.front())))
    object("acts upon news of a life that is history");
}

void core_checker::check_state() {
  if (must_give_up_ && !core_.is_ending())
    object("should have given up");
  if (must_pause_)
    object("should have paused");
  is_ending_ = is_ending_ || core_.is_ending();
  if (has_ended_ != core_.has_ended() || is_ending_ != core_.is_ending())
    object("does not know whether it is ending");
  const auto listing = core_.listing(now_);
  check_counts(listing);
  if (!objection_.empty())
    return;
  for (std::size_t i = 0; i < listing.size(); ++i)
    check_child(listing[i], children_.at(order_[i]));
  check_group(listing);
  check_pending();
  if (paused_until_ && !is_ending_)
    check_due(*paused_until_, "the end of the pause");
  if (is_ending_ && !has_ended_)
    check_due(end_at_, "the end of all");
  if (fact_.kind == fact_kind::timer && now_ >= end_at_ && !has_ended_)
    object("is still there after its time");
}

void core_checker::check_counts(const std::vector<child_info>& listing) {
  child_counts expected{.specs = listing.size()};
  for (const auto& x : listing) {
    expected.running += x.state == child_state::running ? 1 : 0;
    ++(x.kind == child_kind::supervisor ? expected.supervisors
                                        : expected.workers);
  }
  if (core_.is_pool())
    expected.specs = 1;
  if (core_.counts() != expected)
    object("counts other than it lists");
  if (core_.abandoned().size() != abandoned_.size())
    object("does not know whom it has abandoned");
  if (!std::ranges::equal(listing, order_, {}, &child_info::key))
    object("lists others than there are, or in another order");
}

void core_checker::check_child(const child_info& said, seen_child& x) {
  if (said.id != x.id || said.restart != x.spec->restart)
    object("confuses its children", said.key);
  if (x.lives > 0
      && (said.life != x.life.life || said.incarnation != x.life.incarnation))
    object("confuses its lives", said.key);
  check_life(said, x);
  x.is_backing_off = said.state == child_state::backoff;
  if (said.state == child_state::running)
    x.is_parked = said.parked;
  if (said.state == child_state::stopped)
    check_stopped(said, x);
  check_timers(said, x);
}

void core_checker::check_life(const child_info& said, const seen_child& x) {
  const auto& life = x.life;
  auto expected = child_state::stopped;
  if (life.is_alive && life.is_stopping())
    expected = child_state::stopping;
  else if (life.is_alive)
    expected = life.is_ready ? child_state::running : child_state::starting;
  else if (said.state == child_state::backoff)
    expected = child_state::backoff;
  if (said.state != expected)
    object(std::string{"says that it is "} + to_string(said.state)
             + ", but it is " + to_string(expected),
           said.key);
}

void core_checker::check_stopped(const child_info& said, seen_child& x) {
  const auto why = said.why;
  if (why == stopped_why::none && is_started_)
    object("does not say why it is stopped", said.key);
  if (why == stopped_why::finished && x.spec->restart == permanent
      && !x.is_excused)
    object("leaves a permanent child for finished", said.key);
  if (x.spec->restart == temporary && x.lives > 0 && !is_ending_
      && why != stopped_why::by_operator)
    object("keeps a temporary child that has ended", said.key);
  if (why == stopped_why::by_group && !is_group() && is_ready_ && !is_ending_
      && !x.is_new && !x.is_excused)
    object("stops a child for a group that is none", said.key);
  if (why == stopped_why::by_group || why == stopped_why::none)
    return;
  x.is_sticky = true;
}

/// Nobody who was stopped for a sibling's sake is forgotten.
void core_checker::check_group(const std::vector<child_info>& listing) {
  const auto is_busy = [](const child_info& x) {
    return x.state != child_state::stopped && x.state != child_state::running;
  };
  if (!is_started_ || is_ending_ || std::ranges::any_of(listing, is_busy))
    return;
  for (const auto& x : listing)
    if (x.state == child_state::stopped && x.why == stopped_why::by_group)
      object("forgets one that was stopped for a sibling's sake", x.key);
  if (!is_ready_)
    object("forgets to say that it is ready");
}

/// A command may wait, but for something.
void core_checker::check_pending() {
  for (const auto& [token, asked] : pending_) {
    const auto i = children_.find(asked.key);
    const auto* life = i != children_.end() ? &i->second.life : nullptr;
    if (asked.kind == fact_kind::stop)
      continue;
    const auto is_stop = asked.kind == fact_kind::terminate;
    if (life == nullptr || (is_stop && !life->is_alive)
        || (is_stop && !life->is_stopping())
        || (!is_stop && !life->is_alive && !is_group() && !i->second.is_excused)
        || (!is_stop && life->is_alive && life->is_ready
            && !life->is_stopping()))
      object("lets a command wait for nothing", asked.key);
  }
}

void core_checker::check_timers(const child_info& said, const seen_child& x) {
  const auto& life = x.life;
  if (said.state == child_state::backoff)
    check_due(said.next_retry, "a retry");
  if (said.state == child_state::starting && !is_ending_) {
    if (life.start_due > now_) // one that is past is left to the group's stop
      check_due(life.start_due, "a start deadline");
  }
  if (said.state == child_state::stopping && life.is_killed)
    check_due(std::min(life.abandon_due, end_at_), "giving a life up");
  else if (said.state == child_state::stopping)
    check_due(std::min(life.kill_due, kill_all_at_), "a kill");
}

void core_checker::check_due(time_point due, const char* what) {
  if (due == time_point::max())
    return;
  if (!armed_ || *armed_ > due)
    object(std::string{"has no timer for "} + what);
  if (fact_.kind == fact_kind::timer && armed_ && *armed_ <= now_)
    object("arms a timer in the past");
}

} // namespace coppice::test
