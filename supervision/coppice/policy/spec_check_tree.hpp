// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// A tree of specs as a list of nodes, with what `check` computes of each.
/// Internal to `check`.
///
/// Layer: policy. Pure: no clock, no CAF, no I/O.
/// Threads: values that refer to specs, which must outlive them.
/// Rules: docs/semantics.md, TOPOLOGY-2.

#include "coppice/policy/spec.hpp"
#include "coppice/policy/spec_check.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace coppice::policy {

/// How the crash loop of one child alone ends, in one life of its supervisor.
enum class loop_end : std::uint8_t {
  gives_up,        ///< The supervisor gives up.
  child_stops,     ///< The child stays stopped.
  tolerated,       ///< Never: `park` or `pause`.
  free_of_charge,  ///< Never: no limit, or nothing counts.
  outlives_window, ///< Never: backoff spreads the failures too far.
};

struct crash_loop {
  loop_end how = loop_end::child_stops;
  /// Infinity, where it never ends.
  count_limit restarts = 0;
  /// From the first failure to the last.
  time_limit span = duration{0};
};

struct checked_node {
  const child_spec* child = nullptr;           ///< Null: the root.
  const supervisor_spec* supervisor = nullptr; ///< Null: a worker.
  std::size_t parent = 0;
  std::size_t index = 0; ///< Among its siblings.
  std::size_t end = 0;   ///< Just behind the last node below this one.

  /// Can it end so that its supervisor restarts it?
  bool may_fail = false;
  /// Its crash loop in its supervisor; meaningful if it may fail.
  crash_loop alone = {};
  /// Restarts in one life of its supervisor, those by its group included.
  count_limit per_life = 0;
  count_limit lives = 1;

  // of supervisors
  /// The most that all children can cost its budget within a window.
  count_limit charged = 0;
  bool may_give_up = false;
  /// The longest crash loop that one child alone ends it by.
  time_limit gives_up_within = infinity;

  time_limit start = duration{0};
  time_limit stop = duration{0};
};

/// Parents before children, siblings in start order; the root first.
class checked_tree {
public:
  /// @pre `validate(root, ...)` found nothing.
  explicit checked_tree(const supervisor_spec& root);

  [[nodiscard]] const std::vector<checked_node>& nodes() const noexcept {
    return nodes_;
  }
  [[nodiscard]] const supervisor_spec& supervisor_of(std::size_t node) const {
    return *nodes_[nodes_[node].parent].supervisor;
  }
  /// "/app/db/conn".
  [[nodiscard]] std::string path_of(std::size_t node) const;
  /// "app.children[1](db)", and for a supervisor's own settings
  /// "app.children[1](db).supervisor".
  [[nodiscard]] std::string field_of(std::size_t node) const;
  [[nodiscard]] std::string settings_of(std::size_t node) const;

  /// The first child of a supervisor is `node + 1`, the next `end` of that.
  template <class Visit>
  void each_child(std::size_t node, Visit visit) const {
    for (auto i = node + 1; i < nodes_[node].end; i = nodes_[i].end)
      visit(i);
  }

private:
  void add(const child_spec* child, const supervisor_spec* supervisor,
           std::size_t parent, std::size_t index);
  [[nodiscard]] count_limit lives_above(const checked_node& x) const;
  void estimate(std::size_t node);
  [[nodiscard]] bool may_end(std::size_t node) const;
  void let_groups_fail(std::size_t node);
  void estimate_failures(std::size_t node);
  void estimate_restarts(std::size_t node);

  std::vector<checked_node> nodes_;
};

// -- parts (spec_check_restarts.cpp, spec_check_times.cpp) -------------------

[[nodiscard]] bool is_pool(const supervisor_spec& x) noexcept;
[[nodiscard]] bool restarts_in_groups(const supervisor_spec& x) noexcept;
/// Has it an `auto_shutdown`, and significant children for that?
[[nodiscard]] bool shuts_down_by_itself(const supervisor_spec& x) noexcept;

/// What its cheapest failure costs, of those that can come one upon the other:
/// a crash, a failed start, a clean end of a permanent child.
[[nodiscard]] std::uint32_t cheapest(const checked_node& node,
                                     const cause_weights& weights) noexcept;

/// The dearest, stalls and lost nodes included.
[[nodiscard]] std::uint32_t dearest(const cause_weights& weights) noexcept;

[[nodiscard]] crash_loop loop_of(const checked_node& node,
                                 const supervisor_spec& parent);

/// The most that the failures of one child can cost a budget of its supervisor
/// within one window of it. Unit: restarts, weighted.
[[nodiscard]] count_limit most_charged(const checked_node& node,
                                       const supervisor_spec& parent);

/// By any mixture of causes.
[[nodiscard]] bool may_spend_own_budget(const checked_node& node,
                                        const supervisor_spec& parent);

/// Can a failure's class make the supervisor give up, whatever the budgets?
[[nodiscard]] bool has_escalating_rule(const child_spec& spec) noexcept;

[[nodiscard]] time_limit stop_time(const checked_tree& tree, std::size_t node);
[[nodiscard]] time_limit start_time(const checked_tree& tree, std::size_t node);
/// Of all children of a supervisor, one after another.
[[nodiscard]] time_limit stop_time_of_children(const checked_tree& tree,
                                               std::size_t node);
[[nodiscard]] time_limit start_time_of_children(const checked_tree& tree,
                                                std::size_t node);

} // namespace coppice::policy
