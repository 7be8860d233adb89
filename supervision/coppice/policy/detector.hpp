// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Failure detectors: turn the silence of a life into a number.
///
/// Layer: policy. Pure: no clock, no CAF, no I/O.
/// Threads: not thread-safe; owned by the watchdog.
/// Rules: docs/semantics.md, HEARTBEAT-4.

#include "coppice/policy/spec.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace coppice::policy {

/// Suspicion of a fixed timeout: age / timeout. 1 is the verdict, 2/3 the
/// warning. 0 for an infinite timeout.
///
/// At least 1 exactly when `age` has reached `timeout`, to the nanosecond.
[[nodiscard]] double fixed_suspicion(duration age, time_limit timeout);

/// Suspicion of a silence of `age` where intervals between beats are normally
/// distributed: -log10 of the probability that a beat still comes.
///
/// Source: the logistic approximation of the normal distribution's tail that
/// Akka uses, after Bowling et al. (2009); here as one softplus, which loses
/// no digits on either side of the mean.
///
/// @param mean_ns, deviation_ns  Unit: nanoseconds. A deviation below one is
///                               taken as one. Of numbers that are not finite
///                               nothing is concluded: 0.
/// @returns Unit: none. 0 to 300 (clamped), never NaN. Monotone in `age`.
[[nodiscard]] double phi(duration age, double mean_ns, double deviation_ns);

/// The phi accrual detector: -log10 of the probability that a beat still
/// comes, given the intervals seen so far.
///
/// Before the first interval it assumes a mean of `first_estimate` and a
/// deviation of about a quarter of it. Until five intervals are known, both
/// stay in force as lower bounds, so that two quick beats right after ready do
/// not make it nervous; then only what was seen counts. Akka instead keeps two
/// invented samples among the real ones until they fall out of the window.
///
/// Source: Hayashibara, Defago, Yared, Katayama: The phi accrual failure
/// detector (2004), with the logistic approximation of the normal
/// distribution's tail that Akka uses.
class phi_detector {
public:
  explicit phi_detector(const phi_spec& spec);

  /// Learns an interval between two beats. Not to be called for an interval
  /// that was measured across an outage, that is, one of suspicious length
  /// (`suspects`). Range: 0 or more; less is taken as 0, more than a year as a
  /// year. Cost: O(1).
  void learn(duration interval);

  /// Unit: none. Range: 0 to 300 (clamped). Monotone in `age`. Cost: O(1).
  [[nodiscard]] double phi(duration age) const;

  /// Has suspicion reached the threshold? Cost: O(1).
  [[nodiscard]] bool suspects(duration age) const;

  /// Mean of the remembered intervals; the first estimate before any.
  [[nodiscard]] double mean_nanoseconds() const noexcept;

  /// Population variance of the remembered intervals; 0 before any. Never
  /// negative: sums are kept as integers and do not drift.
  /// Unit: square nanoseconds.
  [[nodiscard]] double variance() const noexcept;

private:
  // Sums of squares need 124 bits; see `limits::phi_interval_max`.
  __extension__ using wide = __int128;

  void account_for(std::int64_t interval, int sign) noexcept;

  phi_spec spec_;
  /// The remembered intervals in nanoseconds; `next_` is the oldest once full.
  std::vector<std::int64_t> ring_;
  std::size_t next_ = 0;
  wide sum_ = 0;
  wide sum_of_squares_ = 0;
};

} // namespace coppice::policy
