// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What a replication core remembers of a request and its copies.
///
/// Layer: policy. Pure: no clock, no CAF, no I/O.
/// Threads: values of one replication core.
/// Rules: docs/semantics.md, REPLICATE-1, REPLICATE-4.

#include "coppice/policy/replication_step.hpp"
#include "coppice/policy/time.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace coppice::policy {

/// From its sending to its last word.
struct race_copy {
  enum class state : std::uint8_t {
    out,       ///< Nothing heard of it yet.
    cancelled, ///< The same, and nobody needs it.
    answered,
    failed,
  };

  replica_id replica = 0;
  state is = state::out;
  copy_reason why = copy_reason::original;
  /// Took one of the budget.
  bool is_charged = false;
  /// Cancelled before anybody was known to have begun with it.
  bool was_withdrawn = false;
  time_point sent;
  std::optional<time_point> started = {};
  /// The first copy that answered the same.
  std::uint32_t equal_to = 0;

  [[nodiscard]] bool is_resolved() const noexcept {
    return is == state::answered || is == state::failed;
  }
  /// May its answer be the one?
  [[nodiscard]] bool is_hoped_for() const noexcept { return is == state::out; }
};

/// A request, until nothing more is to come of it. Slots are used again, so
/// that their lists keep their memory.
struct race {
  request_id id = 0;
  bool is_idempotent = false;
  /// Answered or given up.
  bool has_ended = false;
  /// A server wants no further copies of it.
  bool is_pushed_back = false;
  time_point arrived;
  std::vector<race_copy> copies;
  /// Copies sent later, but for replacements of withdrawn ones.
  std::uint32_t added = 0;
  /// Tied copies withdrawn for the sake of one that failed then.
  std::uint32_t replaceable = 0;
  std::uint32_t answers = 0;
  /// The tied copy that was the first to start.
  std::optional<std::uint32_t> claimed_by = {};
  /// Since when the latest copy that can be late is under way.
  std::optional<time_point> late_since = {};
  /// Of the heap of timers.
  std::uint32_t timer_position = UINT32_MAX;
};

} // namespace coppice::policy
