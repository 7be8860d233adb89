// This file is part of coppice. License: see LICENSE in the source root.

// Another spec for what runs (TOPOLOGY-3).

#include "coppice/policy/supervision_core.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace coppice::policy {

namespace {

bool has_other_limits(const child_spec& x, const child_spec& y) {
  return !(x.heartbeat == y.heartbeat) || !(x.parking == y.parking);
}

} // namespace

// -- what it would change ----------------------------------------------------

std::vector<const child_spec*>
supervision_core::specs_of_children(bool declared_alone) const {
  std::vector<const child_spec*> result;
  if (is_pool()) {
    result.push_back(&spec_.children.front());
    return result;
  }
  result.reserve(children_.size());
  for (auto key = children_.first(); key != no_child;
       key = children_[key].next) {
    const auto& child = children_[key];
    if (child.declared || (!declared_alone && !child.leaving))
      result.push_back(child.spec);
  }
  return result;
}

spec_defects
supervision_core::reload_defects(const supervisor_spec& next) const {
  return policy::reload_defects(spec_, specs_of_children(false), next);
}

spec_changes supervision_core::changes_to(const supervisor_spec& next,
                                          const std::string& path) const {
  auto changes = diff(spec_, specs_of_children(true), next, path);
  if (absent_.empty())
    return changes;
  const auto inside = path + '/';
  std::erase_if(changes, [&](const spec_change& x) {
    return x.kind == spec_change_kind::added && x.path.starts_with(inside)
           && absent_.contains(x.path.substr(inside.size()));
  });
  return changes;
}

// -- the change --------------------------------------------------------------

directives supervision_core::reload(supervisor_spec next, time_point now) {
  enter(now);
  if (is_ending())
    return finish();
  assert(is_pool() == (next.strategy == simple_one_for_one));
  auto changes = std::uint64_t{count_changes(spec_, next)};
  // A pool's instances go on to refer to the template where it is.
  auto children = std::exchange(next.children, std::move(spec_.children));
  spec_ = std::move(next);
  budget_.change(spec_.limits);
  changes += is_pool() ? refit_pool(std::move(children.front()))
                       : refit_children(std::move(children));
  out_.push_back(
    report_event{.kind = event_kind::reloaded, .attempts = changes});
  drop_lifeless();
  if (!is_pool() && changes > 0)
    walk_anew();
  return finish();
}

/// Returns how much is different.
std::uint64_t supervision_core::refit_children(std::vector<child_spec> next) {
  std::uint64_t changes = 0;
  for (auto key = children_.first(); key != no_child; key = children_[key].next)
    children_[key].missing = children_[key].declared;
  const auto newest = children_.last() == no_child
                        ? std::uint64_t{0}
                        : children_[children_.last()].serial;
  std::vector<child_key> order;
  order.reserve(std::max(children_.size(), next.size()));
  const auto absent = std::exchange(absent_, {});
  for (auto& spec : next) {
    if (absent.contains(spec.id) && children_.find(spec.id) == no_child)
      absent_.insert(std::move(spec.id));
    else
      order.push_back(refit_child(std::move(spec), changes));
  }
  changes += is_reordered(order, newest) ? 1u : 0u;
  for (auto key = children_.first(); key != no_child;
       key = children_[key].next) {
    if (!children_[key].missing)
      continue;
    begin_leaving(key);
    ++changes;
  }
  leaving_.clear();
  for (auto key = children_.first(); key != no_child; key = children_[key].next)
    if (children_[key].leaving)
      leaving_.push_back(key);
    else if (!children_[key].declared)
      order.push_back(key);
  order.insert(order.end(), leaving_.begin(), leaving_.end());
  if (!children_.is_in_order(order))
    arrange(order);
  return changes;
}

/// Do those that were there before, up to `newest`, come in another order?
bool supervision_core::is_reordered(const std::vector<child_key>& order,
                                    std::uint64_t newest) const {
  std::uint64_t last = 0;
  for (const auto key : order) {
    const auto serial = children_[key].serial;
    if (serial > newest)
      continue;
    if (serial < last)
      return true;
    last = serial;
  }
  return false;
}

child_key supervision_core::refit_child(child_spec next,
                                        std::uint64_t& changes) {
  auto key = children_.find(next.id);
  if (key == no_child) {
    key = children_.append(std::move(next));
    return welcome(key, changes);
  }
  if (!children_[key].declared && !can_become(*children_[key].spec, next)) {
    begin_leaving(key);
    key = children_.replace(key, std::move(next));
    return welcome(key, changes);
  }
  auto& child = children_[key];
  changes += count_changes(*child.spec, next) + (child.declared ? 0u : 1u);
  const auto adjust = has_other_limits(*child.spec, next);
  children_.respec(key, std::move(next));
  child.declared = true;
  child.missing = false;
  child.leaving = false;
  if (child.after == after_end::leave) { // it ends, and begins anew
    child.after = after_end::rejoin;
    child.has_lived = false;
  }
  refit(key, adjust);
  return key;
}

/// Not started yet: the walk does that, as at the supervisor's own start.
child_key supervision_core::welcome(child_key key, std::uint64_t& changes) {
  auto& child = children_[key];
  child.why = stopped_why::by_group;
  child.declared = true;
  ++changes;
  return key;
}

std::uint64_t supervision_core::refit_pool(child_spec next) {
  auto& own = spec_.children.front();
  const auto changes = count_changes(own, next);
  const auto adjust = has_other_limits(own, next);
  own = std::move(next);
  for (auto key = children_.first(); key != no_child; key = children_[key].next)
    refit(key, adjust);
  return changes;
}

/// What follows for a child that goes on from its spec having changed.
void supervision_core::refit(child_key key, bool adjust) {
  auto& child = children_[key];
  refit_budget(child);
  shorten_wait(key);
  if (child.spec->restart == temporary) {
    if (child.state == child_state::running)
      children_.release_start(key);
    if (child.state == child_state::stopping && will_be_retried(child.after))
      child.after = after_end::forget;
  }
  if (adjust)
    out_.push_back(adjust_child{life_of(key)});
  if (child.spec->supervisor && child.is_live())
    out_.push_back(hand_down{life_of(key)});
}

/// What was spent stays spent.
void supervision_core::refit_budget(child_record& child) {
  const auto& limits = child.spec->limits;
  if (limits.restarts_max.is_infinite())
    child.budget.reset();
  else if (child.budget != nullptr)
    child.budget->change(limits);
  else
    child.budget = std::make_unique<restart_budget>(limits);
}

/// Nobody waits for longer than the cap from now on; pauses are not backoff.
void supervision_core::shorten_wait(child_key key) {
  auto& child = children_[key];
  const auto latest = saturating_add(now_, child.spec->backoff.cap.span());
  child.retry_not_before = std::min(child.retry_not_before, latest);
  if (child.state != child_state::backoff || child.paused)
    return;
  const auto due = std::max(latest, paused_until_.value_or(latest));
  if (due < timers_.due_of(key))
    set_timer(key, due);
}

// -- who leaves --------------------------------------------------------------

void supervision_core::begin_leaving(child_key key) {
  auto& child = children_[key];
  child.declared = child.missing = false;
  if (child.leaving)
    return;
  child.leaving = true;
  if (child.state == child_state::stopping
      && child.after != after_end::stay_operator) // sticky, if it comes back
    child.after = after_end::leave;
}

/// A child that was replaced by another of its id, and has not ended yet.
child_key supervision_core::find_leaver(std::string_view id) const {
  const auto it = std::ranges::find_if(leaving_, [&](child_key key) {
    return children_.contains(key) && children_[key].leaving
           && children_[key].spec->id == id;
  });
  return it != leaving_.end() ? *it : no_child;
}

/// One after the other, last to first, as at the end of the supervisor.
void supervision_core::see_leavers_off() {
  while (!leaving_.empty()) {
    const auto key = leaving_.back();
    if (!children_.contains(key) || !children_[key].leaving) {
      leaving_.pop_back();
      continue;
    }
    if (const auto state = children_[key].state;
        state == child_state::starting || state == child_state::running)
      begin_stop(key, after_end::leave, true);
    break;
  }
  walk();
}

/// Who leaves, or has become temporary, gets no other life.
void supervision_core::drop_lifeless() {
  for (auto key = children_.first(); key != no_child;) {
    const auto next = children_[key].next;
    const auto& child = children_[key];
    if (!child.is_live()
        && (child.leaving
            || (child.spec->restart == temporary && child.has_lived)))
      forget(key);
    key = next;
  }
}

// -- order -------------------------------------------------------------------

/// A group that is being stopped is, from now on, the same children and those
/// behind them in the new order.
void supervision_core::arrange(const std::vector<child_key>& order) {
  const auto member = std::ranges::find_if(order, [this](child_key key) {
    return children_[key].serial >= group_.first;
  });
  children_.arrange(order);
  if (group_.at != group_walk::stage::stopping)
    return;
  if (group_.first > 0)
    group_.first = member != order.end() ? children_[*member].serial
                                         : UINT64_MAX;
  group_.cursor = children_.last();
}

/// Groups are no more: nobody else is stopped for a sibling's sake, and those
/// that are on their way out come back.
void supervision_core::leave_group() {
  if (group_.at == group_walk::stage::stopping)
    group_ = {};
  for (auto key = children_.first(); key != no_child;
       key = children_[key].next) {
    auto& child = children_[key];
    if (child.state == child_state::stopping
        && child.after == after_end::wait_group
        && child.spec->restart != temporary)
      child.after = after_end::rejoin;
  }
}

/// Starts those that are new, and those that a change of strategy would have
/// left waiting for a sibling.
void supervision_core::walk_anew() {
  using stage = group_walk::stage;
  const auto backs_off = [this] {
    for (auto key = children_.first(); key != no_child;
         key = children_[key].next)
      if (children_[key].state == child_state::backoff)
        return true;
    return false;
  };
  if (!restarts_in_groups())
    leave_group();
  if (group_.at == stage::stopping)
    group_.from = 0;
  else if (spec_.strategy == one_for_all && backs_off())
    group_ = {}; // its retry takes all of them along
  else
    group_ = {.at = stage::starting, .cursor = children_.first()};
  walk();
}

} // namespace coppice::policy
