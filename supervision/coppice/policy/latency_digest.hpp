// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Quantiles of latencies over a sliding window, cut short ones included.
///
/// Layer: policy. Pure: no clock, no CAF, no I/O.
/// Threads: not thread-safe; owned by one replicator.
/// Rules: docs/semantics.md, REPLICATE-2, REPLICATE-4.

#include "coppice/policy/latency_steps.hpp"
#include "coppice/policy/slice_ring.hpp"
#include "coppice/policy/time.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace coppice::policy {

/// Learns how long answers take, also from those that nobody waited for to the
/// end: a copy that was cancelled after 20 ms says that its answer would have
/// taken longer than that. Leaving such samples out, or taking them for
/// answers, makes the tail look short.
///
/// Sixteen steps per doubling, for each quarter of the window. What it
/// remembers is between three quarters and the whole of the window.
///
/// Error: the quantile is Kaplan and Meier's of the samples it remembers, each
/// taken for the longest of its step; so it is never below that of the samples
/// as they are, and if none was cut short, above it by less than 1/16 of it.
/// It takes for granted that a sample is cut short for reasons of its own, e.g.
/// because another copy was faster, not because it would have taken long.
///
/// What is asked lags behind what was learned by less than 1/64 of the samples:
/// the estimate is made anew when that many have come, or when a quarter is
/// forgotten. Asking changes nothing.
///
/// Memory: 30 kB, nothing on the heap.
///
/// Source: Kaplan and Meier, "Nonparametric estimation from incomplete
/// observations" (1958), for the estimate; Gil Tene's HdrHistogram for the
/// buckets.
class latency_digest {
public:
  /// @param window  Older samples are forgotten. Range: above 0, to an hour;
  ///                a longer one is taken as an hour.
  explicit latency_digest(duration window);

  /// An answer took so long.
  ///
  /// @param now  An earlier one than at the last call is taken as equal to it.
  /// @param latency  Range: 0 or more; less is taken as 0, more than 73 minutes
  ///                 as those.
  /// Cost: up to 64 samples, and when a quarter of the window ends, some 600
  /// steps; with more of them amortised, at most a tenth of that from 640 on.
  void learn(time_point now, duration latency);

  /// There was none after so long, when somebody stopped waiting. The same.
  void learn_censored(time_point now, duration at_least);

  /// Forgets what is older than the window. Cost: O(1); with each quarter of
  /// the window that ends, some 600 steps.
  void advance(time_point now);

  /// The time within which this share of answers comes. Nothing: there are no
  /// samples, or too many were cut short before it.
  ///
  /// @param share  Range: 0 (the shortest) to 1 (the longest); clamped. NaN:
  ///               nothing.
  /// Cost: ten comparisons.
  [[nodiscard]] std::optional<duration> quantile(double share) const;

  /// Answers, cut short ones not counted. Cost: O(1).
  [[nodiscard]] std::uint64_t samples() const noexcept {
    return total_.samples;
  }

  /// Those that were cut short. Cost: O(1).
  [[nodiscard]] std::uint64_t censored() const noexcept {
    return total_.samples_censored;
  }

private:
  /// An estimate that is too long by 1/16 is within the noise of a p95 of 1'000
  /// samples, yet half as far off as with eight steps.
  using steps = latency_steps<16>;

  static constexpr std::size_t slices = 4;

  /// Counts of 32 bits hold an hour of a million samples per second.
  struct histogram {
    std::array<std::uint32_t, steps::count> answered{};
    std::array<std::uint32_t, steps::count> censored{};
    std::uint64_t samples = 0;
    std::uint64_t samples_censored = 0;
  };

  void on_sample() noexcept;
  void forget(histogram& slice) noexcept;
  void estimate() noexcept;

  slice_ring ring_;
  std::array<histogram, slices> slices_{};
  histogram total_;
  /// The share of answers that take longer than the step, as estimated.
  std::array<double, steps::count> survival_;
  /// Samples that have come since the estimate.
  std::uint64_t unseen_ = 0;
};

} // namespace coppice::policy
