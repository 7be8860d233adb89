// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Says whether one more restart is still affordable.
///
/// Layer: policy. Pure: no clock, no CAF, no I/O.
/// Threads: not thread-safe; owned by one supervisor.
/// Rules: docs/semantics.md, BUDGET-1 to BUDGET-4.

#include "coppice/policy/spec.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>

namespace coppice::policy {

/// A sliding window over the restarts of one supervisor or of one child.
///
/// Exact to the nanosecond wherever a verdict depends on it. An unlimited
/// budget is only reported: it keeps its window in steps of a thousandth, and
/// a restart may be counted for up to one step too long.
///
/// The window moves with the times it is given. A supervisor that stops
/// children of its own accord leaves that time out of them (BUDGET-3).
class restart_budget {
public:
  explicit restart_budget(const restart_limits& limits);

  /// Charges a restart that became necessary at `now`; says whether it was
  /// affordable.
  ///
  /// @param now  Monotonic time of the failure. An earlier one than at the
  ///             last call is taken as equal to it.
  /// @param weight  How many restarts this one counts for. 0 is free: always
  ///                affordable, even when the budget is overspent.
  /// @returns `false` when the sum of weights, this one included, exceeds
  ///          `restarts_max`. An entry exactly one `window` old still counts.
  /// Cost: amortised O(1); holds at most `restarts_max + 1` entries, equal
  /// times share one. An infinite window or an unlimited budget takes at most
  /// some 1'000.
  [[nodiscard]] bool spend(time_point now, std::uint32_t weight = 1);

  /// What counts at `now`. Unit: restarts, weighted. Long after the budget was
  /// overspent, with every attempt still charged: at least `restarts_max + 1`.
  /// Cost: O(what has expired since the last call of `spend`).
  [[nodiscard]] std::uint64_t spent(time_point now) const;

  /// Forgets everything, as after a pause.
  void clear() noexcept;

  /// Other limits from now on; what was spent stays spent (live change). What
  /// the old window had already let go does not come back.
  void change(const restart_limits& limits);

  [[nodiscard]] const restart_limits& limits() const noexcept {
    return limits_;
  }

  /// What it keeps, for reports of memory. Unit: entries of 16 bytes.
  [[nodiscard]] std::size_t entries_held() const noexcept {
    return entries_.size();
  }

private:
  struct entry {
    time_point at;
    std::uint64_t weight;
  };

  [[nodiscard]] bool counts(const entry& x, time_point now) const noexcept;
  [[nodiscard]] duration step() const noexcept;
  void forget_expired();
  void forget_redundant();
  void forget_oldest();
  void join_oldest();
  void add(std::uint64_t weight);

  restart_limits limits_;
  std::deque<entry> entries_;
  /// The sum of the weights of all entries.
  std::uint64_t sum_ = 0;
  /// The latest time that was heard of.
  time_point latest_ = time_point::min();
};

} // namespace coppice::policy
