// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// How long a service takes, from those of the recent past.
///
/// Layer: policy. Pure: no clock, no CAF, no I/O.
/// Threads: not thread-safe; owned by one queue.
/// Rules: docs/semantics.md, DEADLINE-2.

#include "coppice/policy/admission_limits.hpp"
#include "coppice/policy/admission_spec.hpp"
#include "coppice/policy/latency_steps.hpp"
#include "coppice/policy/slice_ring.hpp"
#include "coppice/policy/time.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace coppice::policy {

/// The quantile of service times over a sliding window.
///
/// A histogram of eight steps per doubling, one per quarter of the window and
/// one of their sum. Below 16 ns each step is one nanosecond.
///
/// Error: the estimate is never below the exact quantile (by nearest rank) of
/// the samples it remembers, and above it by less than 1/8 of it. The mean is
/// exact. What it remembers is between three quarters and the whole of the
/// window.
/// Memory: 6.6 kB, nothing on the heap.
/// Source: the buckets of Gil Tene's HdrHistogram; the idea, not the code.
class service_time_estimator {
public:
  explicit service_time_estimator(const service_time_spec& spec = {});

  /// Forgets what is older than the window. Never moves back in time.
  /// Cost: O(1); with each quarter of a window that ends, some 300 steps.
  void advance(time_point now);

  /// Learns that a service that ended at `now` took so long. Not for one that
  /// was cut short: it would pull the estimate down.
  /// Range: 0 or more; less is taken as 0, more than 73 minutes as those.
  /// Cost: amortised O(1), at worst some 300 steps.
  void learn(time_point now, duration service);

  /// Forgets everything.
  void clear();

  /// Nothing below `samples_min` samples. Cost: O(1).
  [[nodiscard]] std::optional<duration> estimate() const noexcept;

  /// The same for the mean. Cost: O(1).
  [[nodiscard]] std::optional<duration> mean() const noexcept;

  /// How many are remembered.
  [[nodiscard]] std::uint64_t samples() const noexcept {
    return total_.samples;
  }

private:
  using steps = latency_steps<limits::service_steps_per_octave>;
  static_assert(steps::longest == limits::service_time_max);
  __extension__ using wide = unsigned __int128;

  struct histogram {
    std::array<std::uint32_t, steps::count> counts{};
    std::uint64_t samples = 0;
    wide sum = 0; ///< Unit: ns.
  };

  void forget(histogram& slice) noexcept;
  void follow_quantile() noexcept;

  double quantile_;
  std::uint64_t samples_min_;
  slice_ring ring_;
  std::array<histogram, limits::service_window_slices> slices_;
  histogram total_;
  /// The step that the quantile is in, and the samples in the steps below it.
  std::size_t cursor_ = 0;
  std::uint64_t below_ = 0;
};

} // namespace coppice::policy
