// This file is part of coppice. License: see LICENSE in the source root.

// Restarts: what one child can cost its supervisor, and from there upwards.

#include "coppice/policy/spec_check_loops.hpp"
#include "coppice/policy/spec_check_tree.hpp"

#include <algorithm>

namespace coppice::policy {

namespace {

/// Can it have more charged to its supervisor than its own budget allows?
bool own_budget_bounds(const child_spec& child, const supervisor_spec& parent) {
  return !is_less(child.limits.window, parent.limits.window);
}

} // namespace

bool is_pool(const supervisor_spec& x) noexcept {
  return x.strategy == simple_one_for_one;
}

bool restarts_in_groups(const supervisor_spec& x) noexcept {
  return x.strategy == one_for_all || x.strategy == rest_for_one;
}

bool shuts_down_by_itself(const supervisor_spec& x) noexcept {
  return x.auto_shutdown != auto_shutdown_mode::never
         && std::any_of(x.children.begin(), x.children.end(),
                        [](const child_spec& y) { return y.significant; });
}

bool may_spend_own_budget(const checked_node& node,
                          const supervisor_spec& parent) {
  const auto& limits = node.child->limits;
  return node.may_fail && !limits.restarts_max.is_infinite()
         && product(most_failures(node.child->backoff, limits.window),
                    dearest(parent.weights))
                .count()
              > limits.restarts_max.count();
}

bool has_escalating_rule(const child_spec& spec) noexcept {
  return spec.restart != temporary
         && std::any_of(spec.on_failure.begin(), spec.on_failure.end(),
                        [](const failure_rule& x) {
                          return x.action == failure_action::escalate;
                        });
}

std::uint32_t cheapest(const checked_node& node,
                       const cause_weights& weights) noexcept {
  auto least = weights.start_failure;
  if (node.supervisor == nullptr || node.may_give_up)
    least = std::min(least, weights.crash);
  const auto ends_cleanly = node.supervisor == nullptr
                            || shuts_down_by_itself(*node.supervisor);
  if (ends_cleanly && node.child->restart == permanent)
    least = std::min(least, weights.clean_end);
  return least;
}

std::uint32_t dearest(const cause_weights& x) noexcept {
  return std::max(
    {x.crash, x.stall, x.start_failure, x.node_loss, x.clean_end});
}

crash_loop loop_of(const checked_node& node, const supervisor_spec& parent) {
  const auto& child = *node.child;
  const auto weight = cheapest(node, parent.weights);
  // Of an inner supervisor, each failure takes as long as its own crash loop.
  const auto each = node.supervisor != nullptr && node.may_give_up
                      ? node.gives_up_within
                      : time_limit{duration{0}};
  const auto span = [&](count_limit retries) {
    return sum(longest_delays(child.backoff, retries), product(each, retries));
  };
  const auto own = affordable(child.limits, weight);
  const auto all = affordable(parent.limits, weight);
  const auto is_reached = [&](count_limit count, time_limit window) {
    return !count.is_infinite() && !is_less(window, span(count));
  };
  const auto by_own = is_reached(own, child.limits.window);
  const auto by_all = is_reached(all, parent.limits.window);
  if (!by_own && !by_all)
    return {own.is_infinite() && all.is_infinite() ? loop_end::free_of_charge
                                                   : loop_end::outlives_window,
            infinity, infinity};
  const auto own_first = by_own && (!by_all || own.count() <= all.count());
  const auto count = own_first ? own : all;
  switch (own_first ? child.on_exhausted : parent.on_exhausted) {
    case exhaustion_action::escalate:
      return {loop_end::gives_up, count, sum(span(count), each)};
    case exhaustion_action::stop_child:
      return {loop_end::child_stops, count, sum(span(count), each)};
    case exhaustion_action::park:
    case exhaustion_action::pause:
      break;
  }
  return {loop_end::tolerated, infinity, infinity};
}

count_limit most_charged(const checked_node& node,
                         const supervisor_spec& parent) {
  if (!node.may_fail)
    return 0;
  const auto& child = *node.child;
  auto failures = most_failures(child.backoff, parent.limits.window);
  if (own_budget_bounds(child, parent))
    failures = lesser(failures,
                      affordable(child.limits, cheapest(node, parent.weights)));
  if (is_pool(parent))
    failures = product(failures, parent.children_max);
  return product(failures, dearest(parent.weights));
}

namespace {

/// The longest crash loop of this child that makes its supervisor give up;
/// negative if there is none.
time_limit longest_loop(const checked_node& node,
                        const supervisor_spec& parent) {
  const auto is_varied = node.supervisor != nullptr
                         || node.child->backoff.jitter != jitter_kind::none;
  if (node.may_fail && node.alone.how == loop_end::gives_up)
    return node.alone.span;
  // The slowest goes on for ever; others just fit into the window.
  if (node.may_fail && node.alone.how == loop_end::outlives_window && is_varied
      && parent.on_exhausted == exhaustion_action::escalate)
    return node.supervisor != nullptr && node.may_give_up
             ? sum(parent.limits.window, node.gives_up_within)
             : parent.limits.window;
  return duration{-1};
}

} // namespace

// -- bottom up ---------------------------------------------------------------

/// A supervisor that never ends by itself may fail to start, once it is
/// restarted with its group.
void checked_tree::let_groups_fail(std::size_t at) {
  const auto& spec = *nodes_[at].supervisor;
  auto some_fail = false;
  if (spec.strategy == one_for_all)
    each_child(at, [&](std::size_t i) {
      some_fail = some_fail || nodes_[i].may_fail;
    });
  each_child(at, [&](std::size_t i) {
    auto& child = nodes_[i];
    if (some_fail && !child.may_fail && child.supervisor != nullptr
        && child.child->restart != temporary && !is_pool(*child.supervisor)
        && !child.supervisor->children.empty()) {
      child.may_fail = true;
      child.alone = loop_of(child, spec);
    }
    some_fail = restarts_in_groups(spec) && (some_fail || child.may_fail);
  });
}

/// Of a supervisor, once its children are done.
void checked_tree::estimate_failures(std::size_t at) {
  auto& node = nodes_[at];
  const auto& spec = *node.supervisor;
  auto longest = time_limit{duration{-1}};
  each_child(at, [&](std::size_t i) {
    const auto& child = nodes_[i];
    node.charged = sum(node.charged, most_charged(child, spec));
    node.may_give_up
      = node.may_give_up || has_escalating_rule(*child.child)
        || (child.child->on_exhausted == exhaustion_action::escalate
            && may_spend_own_budget(child, spec));
    longest = greater(longest, longest_loop(child, spec));
  });
  const auto& most = spec.limits.restarts_max;
  const auto by_all_together = spec.on_exhausted == exhaustion_action::escalate
                               && !most.is_infinite()
                               && node.charged.count() > most.count();
  if (longest.span() >= duration::zero()) {
    node.may_give_up = true;
    node.gives_up_within = longest;
  } else if (node.may_give_up || by_all_together) {
    node.may_give_up = true;
    node.gives_up_within = duration{0};
  }
}

/// How often each child is restarted in one life of this supervisor.
void checked_tree::estimate_restarts(std::size_t at) {
  const auto& spec = *nodes_[at].supervisor;
  const auto in_groups = restarts_in_groups(spec);
  // Each group restart costs one charge, and restarts each member once.
  count_limit afforded = 0;
  count_limit wanted = 0;
  const auto add_member = [&](const checked_node& x) {
    if (!x.may_fail)
      return;
    const auto all = affordable(spec.limits, cheapest(x, spec.weights));
    afforded = greater(afforded, x.alone.restarts.is_infinite()
                                   ? count_limit{infinity}
                                   : all);
    wanted = sum(wanted, x.alone.restarts);
  };
  if (spec.strategy == one_for_all)
    each_child(at, [&](std::size_t i) { add_member(nodes_[i]); });
  each_child(at, [&](std::size_t i) {
    auto& child = nodes_[i];
    if (spec.strategy == rest_for_one)
      add_member(child);
    if (child.child->restart == temporary)
      child.per_life = 0;
    else if (in_groups)
      child.per_life = lesser(afforded, wanted);
    else if (!child.may_fail)
      child.per_life = 0;
    else if (is_pool(spec) && !child.alone.restarts.is_infinite())
      child.per_life = affordable(spec.limits, cheapest(child, spec.weights));
    else
      child.per_life = child.alone.restarts;
  });
}

/// Can this supervisor, as a child, end so that it is restarted?
bool checked_tree::may_end(std::size_t at) const {
  const auto& node = nodes_[at];
  return node.may_give_up
         || (shuts_down_by_itself(*node.supervisor)
             && node.child->restart == permanent);
}

void checked_tree::estimate(std::size_t at) {
  auto& node = nodes_[at];
  if (node.supervisor != nullptr) {
    let_groups_fail(at);
    estimate_failures(at);
    estimate_restarts(at);
  }
  if (node.child != nullptr) {
    node.may_fail = node.child->restart != temporary
                    && (node.supervisor == nullptr || may_end(at));
    if (node.may_fail)
      node.alone = loop_of(node, supervisor_of(at));
  }
  node.start = start_time(*this, at);
  node.stop = stop_time(*this, at);
}

} // namespace coppice::policy
