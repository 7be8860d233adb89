// This file is part of coppice. License: see LICENSE in the source root.

// Another spec: what the core should make of it.

#include "support/core_checker.hpp"

#include <algorithm>

namespace coppice::test {

using namespace policy;

void core_checker::note_reload(const supervisor_spec& next) {
  const auto is_other_strategy = spec_.strategy != next.strategy;
  const auto is_pool = next.strategy == simple_one_for_one;
  specs_.push_back(next);
  const auto& kept = specs_.back();
  pause_max_ = std::max(pause_max_, next.pause_length.span());
  budget_.change(next.limits);
  for (const auto& info : core_.listing(now_)) {
    auto& x = children_.at(info.key);
    x.is_excused = x.is_excused || is_other_strategy;
    x.life.is_of_another_spec = true;
    x.life.must_end = x.life.must_end
                      && (next.strategy == one_for_all
                          || next.strategy == rest_for_one);
    if (spec_.revive == revive_mode::all
        && (info.why == stopped_why::by_group
            || info.state == child_state::backoff))
      x.is_sticky = false; // it was revived
    const auto i = is_pool
                     ? kept.children.begin()
                     : std::ranges::find(kept.children, x.id, &child_spec::id);
    if (i == kept.children.end()) {
      x.is_leaving = x.is_leaving || x.is_declared;
      x.is_declared = false;
      x.is_settled = x.is_settled || x.is_leaving;
    } else if (!x.is_replaced
               && (is_pool || x.is_declared || can_become(*x.spec, *i))) {
      note_other_spec(x, *i);
    } else { // another takes its place
      x.is_leaving = x.is_settled = x.is_replaced = true;
    }
  }
  spec_ = next;
}

void core_checker::note_other_spec(seen_child& x, const child_spec& next) {
  if (std::exchange(x.is_leaving, false) && x.life.is_stopping()
      && !std::ranges::any_of(pending_, [&x](const auto& entry) {
           return entry.second.key == x.life.life.key
                  && entry.second.kind == fact_kind::terminate;
         })) { // it begins anew
    x.lives = 0;
    x.is_excused = x.is_new = true;
    x.is_sticky = false;
  }
  x.is_excused = x.is_excused || x.spec->restart != next.restart;
  x.is_settled = x.is_settled
                 || (next.restart == temporary && x.life.is_stopping());
  const auto& limits = next.limits;
  if (x.spec->limits.restarts_max.is_infinite()
      || limits.restarts_max.is_infinite())
    x.budget = budget_recount{limits};
  else
    x.budget.change(limits);
  // Who waits goes on to; who is being stopped has its wait before it.
  const auto& longest = x.life.is_alive && x.life.is_stopping()
                          ? next.backoff.first
                          : next.backoff.cap;
  x.retry_not_before = std::min(x.retry_not_before, longest.after(now_));
  x.spec = &next;
  x.is_declared = true;
}

/// The order is the spec's; behind it, what was added by command, and what
/// leaves.
void core_checker::note_new_children() {
  const auto& spec = specs_.back();
  std::vector<child_key> order;
  std::size_t place = 0;
  for (const auto& info : core_.listing(now_)) {
    order.push_back(info.key);
    const auto i = children_.find(info.key);
    if (i != children_.end() && !i->second.is_declared)
      continue;
    if (core_.is_pool())
      continue;
    while (place < spec.children.size() && spec.children[place].id != info.id)
      ++place; // one that finished, or was deleted
    if (place == spec.children.size()) {
      object("orders its children other than its spec", info.key);
      return;
    }
    if (i != children_.end())
      continue;
    const auto& said = spec.children[place];
    children_[info.key] = {.spec = &said,
                           .id = said.id,
                           .budget = budget_recount{said.limits},
                           .is_static = !is_ready_,
                           .is_declared = true,
                           .is_new = true,
                           .is_settled = is_ready_};
  }
  for (const auto key : order_)
    if (std::ranges::find(order, key) == order.end())
      order.push_back(key); // forgotten in the directives to come
  order_ = std::move(order);
}

/// The limits of a child without a life are told of when it has one.
void core_checker::see(const adjust_child& x) {
  if (!core_.knows(x.life.key) || fact_.kind != fact_kind::reload)
    object("adjusts nobody", x.life.key);
}

void core_checker::see(const hand_down& x) {
  const auto* life = living(x.life, "hands a spec down to");
  if (life != nullptr && !children_.at(x.life.key).spec->supervisor)
    object("hands a spec down to a worker", x.life.key);
}

/// Has somebody a life, and is to leave?
bool core_checker::some_leave() const {
  return std::ranges::any_of(children_, [](const auto& entry) {
    return entry.second.is_leaving && entry.second.life.is_alive;
  });
}

void core_checker::check_leaving(const seen_child& x) {
  if (x.is_leaving)
    object("starts what has left the spec", x.life.life.key);
  for (const auto& [key, other] : children_) {
    if (&other == &x || !other.life.is_alive)
      continue;
    if (other.id == x.id)
      object("two lives under one path", key);
    if (x.is_new && other.is_leaving && !x.life.is_commanded)
      object("starts what is new before the rest has left", key);
  }
}

} // namespace coppice::test
