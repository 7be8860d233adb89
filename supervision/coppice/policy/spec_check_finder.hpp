// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Goes through a checked tree, and takes down which settings defeat each
/// other. Internal to `check`.
///
/// Layer: policy. Pure: no clock, no CAF, no I/O.
/// Threads: not thread-safe.
/// Rules: docs/semantics.md, TOPOLOGY-2.

#include "coppice/policy/spec_check_tree.hpp"

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace coppice::policy {

class spec_check_finder {
public:
  spec_check_finder(const checked_tree& tree, duration scan_interval,
                    time_limit stop_within, std::vector<spec_finding>& found)
    : tree_(tree),
      scan_interval_(scan_interval),
      stop_within_(stop_within),
      found_(found) {}

  /// First what is set for it as a child, then what is set inside of it.
  void look_at(std::size_t node);

private:
  // as a child (spec_check_children.cpp)
  void look_at_child();
  void look_at_own_budget();
  void look_at_crash_loop();
  void look_at_number_of_restarts();
  void look_at_backoff();
  void look_at_heartbeat();
  void look_at_probes();
  void look_at_detector();
  void look_at_stalls();
  void look_at_stop();
  void look_at_stop_of_supervisor();
  void look_at_start();
  void look_at_unused();
  void look_at_unused_by_temporary();

  // inside (spec_check_supervisors.cpp)
  void look_at_supervisor();
  void look_at_budget();
  void look_at_weights();
  void look_at_significance();
  void look_at_room();
  void look_at_whole_stop();
  void look_at_unused_inside();
  [[nodiscard]] bool can_end_for_good(std::size_t node) const;

  // plumbing
  struct words {
    std::string found;
    std::string why;
    std::string advice;
  };
  void add(finding_severity severity, finding_kind kind, std::string_view field,
           words what);
  void add_inside(finding_severity severity, finding_kind kind,
                  std::string_view field, words what);
  [[nodiscard]] const child_spec& child() const { return *node_->child; }
  [[nodiscard]] const supervisor_spec& parent() const {
    return tree_.supervisor_of(at_);
  }
  [[nodiscard]] const supervisor_spec& inside() const {
    return *node_->supervisor;
  }

  const checked_tree& tree_;
  const duration scan_interval_;
  const time_limit stop_within_;
  std::vector<spec_finding>& found_;
  /// Where the first finding of a kind is, of one supervisor's children.
  std::unordered_map<std::string, std::size_t> first_;
  std::size_t at_ = 0;
  const checked_node* node_ = nullptr;
};

/// "3 in 5s".
[[nodiscard]] std::string brief(const restart_limits& x);
/// "first 100ms, factor 2, cap 30s".
[[nodiscard]] std::string brief(const backoff_spec& x);
/// For people, or "no time limit at all".
[[nodiscard]] std::string in_words(const time_limit& x);

} // namespace coppice::policy
