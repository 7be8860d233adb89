// This file is part of coppice. License: see LICENSE in the source root.

// What the core orders.

#include "support/core_checker.hpp"

#include <algorithm>

namespace coppice::test {

using namespace policy;

// -- starting ----------------------------------------------------------------

seen_child& core_checker::child_to_start(child_key key) {
  if (const auto i = children_.find(key); i != children_.end())
    return i->second;
  const auto is_known = core_.knows(key);
  if (!is_known
      || (fact_.kind != fact_kind::add
          && fact_.kind != fact_kind::add_instance))
    object("starts an unknown child", key);
  static const child_spec nobody;
  const auto is_added = fact_.kind == fact_kind::add && !added_.empty();
  const auto& spec = is_added                 ? added_.back()
                     : spec_.children.empty() ? nobody
                                              : specs_.back().children.front();
  if (const auto i = pending_.find(fact_.token); i != pending_.end())
    i->second.key = key;
  order_.push_back(key);
  return children_[key] = {.spec = &spec,
                           .id = is_known ? core_.id_of(key) : std::string{},
                           .budget = budget_recount{spec.limits},
                           .is_settled = true};
}

void core_checker::see(const start_life& x) {
  auto& child = child_to_start(x.life.key);
  seen_life life{.life = x.life,
                 .incarnation = x.incarnation,
                 .started = now_,
                 .is_alive = true};
  life.is_commanded = is_awaited(x.life.key);
  life.start_due = child.spec->effective_start_deadline().after(now_);
  life.is_initial = !is_ready_ && !life.is_commanded
                    && (is_group() || !child.is_announced);
  if (child.life.life == x.life || child.life.is_alive)
    object("two lives of one child", x.life.key);
  auto& last = last_incarnation_[child.id];
  if (x.incarnation <= last)
    object("an incarnation that was there before", x.life.key);
  last = x.incarnation;
  child.life = life;
  child.is_parked = child.is_parked && !life.is_commanded;
  check_start(child);
  check_leaving(child);
  child.is_excused = child.is_new = child.is_sticky = false;
  child.retry_not_before = time_point::min();
  ++child.lives;
}

void core_checker::check_start(const seen_child& x) {
  const auto key = x.life.life.key;
  if (is_ending_ || has_ended_)
    object("starts a life although it is ending", key);
  if (!is_started_ && !x.life.is_commanded)
    object("starts a life before it was started", key);
  if (x.life.is_commanded)
    return;
  if (now_ < x.retry_not_before)
    object("tries again too soon", key);
  if (x.is_sticky && spec_.revive == revive_mode::none)
    object("starts what was stopped for good", key);
  if (x.spec->restart == temporary && x.lives > 0)
    object("restarts a temporary child", key);
  if (x.lives > 0 && !is_group() && !x.is_announced && !x.is_excused)
    object("restarts without saying so", key);
  if (is_group())
    check_group_start(x);
  if (x.is_static && x.lives == 0)
    check_static_order(x);
}

/// All that has to stop has stopped; and those before it are ready.
void core_checker::check_group_start(const seen_child& x) {
  const auto place = place_of(x.life.life.key);
  for (const auto& [key, other] : children_) {
    if (!other.life.is_alive || &other == &x)
      continue;
    if (other.life.must_end)
      object("starts a group before it has stopped", key);
    if (!other.life.is_commanded && !other.life.is_ready
        && !other.life.is_of_another_spec && !other.life.is_stopping()
        && place_of(key) < place)
      object("starts before its predecessor is ready", x.life.life.key);
  }
}

/// One that is new and waits for the retry of one before it holds up nobody,
/// as that one does not.
void core_checker::check_static_order(const seen_child& x) {
  auto is_retrying = false;
  for (const auto key : order_) {
    const auto& other = children_.at(key);
    if (&other == &x)
      return;
    is_retrying = is_retrying || (is_group() && other.is_backing_off);
    if (other.is_static && !other.is_settled && !(other.is_new && is_retrying))
      object("starts before its predecessor was ready", x.life.life.key);
  }
}

void core_checker::see(const report_ready&) {
  if (is_ready_ || is_ending_)
    object("ready twice, or while it ends");
  is_ready_ = true;
  for (const auto key : order_)
    if (children_.at(key).is_static && !children_.at(key).is_settled)
      object("ready although a child is not", key);
}

// -- stopping ----------------------------------------------------------------

seen_life* core_checker::living(life_id life, const char* what) {
  const auto i = children_.find(life.key);
  if (i != children_.end() && i->second.life.life == life
      && i->second.life.is_alive)
    return &i->second.life;
  object(std::string{what} + " a life that is not there", life.key);
  return nullptr;
}

void core_checker::see(const stop_life& x) {
  auto* life = living(x.life, "stops");
  if (life == nullptr)
    return;
  const auto grace = children_.at(x.life.key).spec->effective_shutdown();
  if ((grace.is_brutal() && !life->is_asked) || life->is_killed)
    object("asks whom it should kill", x.life.key);
  if (x.grace.span() > grace.limit().span() && !life->is_asked)
    object("waits longer than the grace", x.life.key);
  if (life->is_asked && !is_ending_)
    object("asks twice", x.life.key);
  if (!life->is_asked)
    begins_to_stop(x.life.key);
  life->is_asked = true;
  life->kill_due = std::min(life->kill_due, soon(x.grace.after(now_)));
}

void core_checker::see(const kill_life& x) {
  auto* life = living(x.life, "kills");
  if (life == nullptr)
    return;
  const auto& spec = *children_.at(x.life.key).spec;
  if (life->is_killed)
    object("kills twice", x.life.key);
  if (!spec.effective_shutdown().is_brutal() && now_ < life->kill_due
      && now_ < kill_all_at_)
    object("kills before the grace is over", x.life.key);
  if (!life->is_asked)
    begins_to_stop(x.life.key);
  life->is_killed = true;
  life->abandon_due = soon(spec.kill_grace.after(now_));
}

/// What is ordered while timers fire is due an instant later at the earliest.
time_point core_checker::soon(time_point due) const {
  return fact_.kind == fact_kind::timer ? std::max(due, now_ + duration{1})
                                        : due;
}

void core_checker::begins_to_stop(child_key key) {
  auto& child = children_.at(key);
  const auto is_failed_command = child.has_failed && child.life.is_commanded
                                 && !child.life.is_ready;
  const auto is_operators = fact_.kind == fact_kind::terminate
                            && fact_.key == key;
  if (!is_operators && !is_failed_command) {
    child.life.freezes = true;
    clock_.freeze(now_);
  }
  if (!is_operators && !child.has_failed && now_ < kill_all_at_)
    check_stop_order(key);
  const auto was_initial = child.life.is_initial && !child.life.is_ready;
  if (open_.key == key && !is_failed_command && !was_initial
      && !child.is_leaving && child.spec->restart != temporary
      && action_for(child) == failure_action::restart && !joins_a_retry(key))
    note_decision(key, true);
}

/// A group restart that is to come takes this one along, free of charge.
bool core_checker::joins_a_retry(child_key key) const {
  if (!is_group() || fact_.kind != fact_kind::stalled)
    return false;
  const auto last = spec_.strategy == one_for_all ? order_.size()
                                                  : place_of(key);
  for (std::size_t i = 0; i < last; ++i)
    if (children_.at(order_[i]).is_backing_off)
      return true;
  return false;
}

/// Last to first: those behind it have no life any more. Who leaves looks at
/// others that leave, unless it has stalled.
void core_checker::check_stop_order(child_key key) {
  const auto leaves = children_.at(key).is_leaving;
  const auto has_stalled = fact_.kind == fact_kind::stalled
                           && fact_.life.key == key;
  if (spec_.strategy == simple_one_for_one || (leaves && has_stalled))
    return;
  const auto is_ending
    = is_ending_ || (core_.is_ending() && fact_.kind != fact_kind::timer);
  const auto place = place_of(key);
  for (const auto& [other, child] : children_)
    if (child.life.is_alive && place_of(other) > place
        && (is_ending || (leaves ? child.is_leaving : child.life.must_end)))
      object("stops before its successor has stopped", key);
}

void core_checker::see(const abandon_life& x) {
  auto* life = living(x.life, "abandons");
  if (life == nullptr)
    return;
  if (!life->is_killed)
    object("abandons what it has not killed", x.life.key);
  if (now_ < life->abandon_due && now_ < end_at_)
    object("abandons before the kill grace is over", x.life.key);
  if (x.incarnation != life->incarnation)
    object("abandons another incarnation", x.life.key);
  life_is_over(*life);
  abandoned_.insert(x.life);
}

void core_checker::see(const forget_child& x) {
  const auto i = children_.find(x.key);
  if (i == children_.end() || i->second.life.is_alive)
    object("forgets whom it should not", x.key);
  for (const auto& [token, asked] : pending_)
    if (asked.key == x.key && asked.kind != fact_kind::remove)
      object("forgets a child and a command about it", x.key);
  std::erase(order_, x.key);
  children_.erase(x.key);
}

void core_checker::see(const arm_timer& x) {
  armed_ = x.due;
}

void core_checker::see(const end_supervisor& x) {
  if (has_ended_)
    object("ends twice");
  has_ended_ = true;
  if (!is_ending_ && x.reason != end_reason::auto_shutdown)
    object("ends without a reason");
  for (const auto& [key, child] : children_)
    if (child.life.is_alive)
      object("ends before its child has ended", key);
  if (!pending_.empty())
    object("ends with a command unanswered");
}

// -- answers -----------------------------------------------------------------

void core_checker::see(const answer_command& x) {
  const auto i = pending_.find(x.token);
  if (i == pending_.end()) {
    object("answers twice, or what nobody asked: token "
           + std::to_string(x.token));
    return;
  }
  check_answer(i->second, x);
  pending_.erase(i);
}

void core_checker::check_answer(const pending& asked, const answer_command& x) {
  const auto i = children_.find(asked.key);
  if (x.result == command_result::restarting && i != children_.end()
      && i->second.lives == 0 && !i->second.life.is_alive && some_leave())
    i->second.is_new = true; // asked for, and waits for them
  if (x.result != command_result::ok)
    return;
  if (asked.kind == fact_kind::terminate) {
    if (i == children_.end() || i->second.life.is_alive)
      object("says it is stopped, and it is not", asked.key);
    else
      i->second.is_sticky = true;
  } else if (asked.kind == fact_kind::add
             || asked.kind == fact_kind::add_instance
             || asked.kind == fact_kind::restart) {
    if (i == children_.end() || !i->second.life.is_alive
        || !i->second.life.is_ready || i->second.life.life != x.life)
      object("says it is started, and it is not", asked.key);
  }
}

} // namespace coppice::test
