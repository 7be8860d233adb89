// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The steps that histograms of latencies count in: as wide as their length.
///
/// Layer: policy. Pure: no clock, no CAF, no I/O.
/// Threads: constants and functions of their arguments.
/// Rules: docs/semantics.md, DEADLINE-2, REPLICATE-2.

#include "coppice/policy/time.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace coppice::policy {

/// Log-linear: each doubling is cut into `PerOctave` steps of equal width, so
/// that a step is narrower than its lengths by that factor. Below twice
/// `PerOctave` nanoseconds each step is one nanosecond.
///
/// Source: the buckets of Gil Tene's HdrHistogram; the idea, not the code.
template <unsigned PerOctave>
struct latency_steps {
  static_assert(std::has_single_bit(PerOctave), "steps are told apart by bits");

  /// The last step ends here, after some 73 minutes. Whoever waits for longer
  /// does not wait for an answer.
  static constexpr duration longest{(std::int64_t{1} << 42) - 1};

  /// Unit: ns. Less than nothing is nothing, and too long is `longest`.
  [[nodiscard]] static constexpr std::uint64_t clamp(duration x) noexcept {
    return static_cast<std::uint64_t>(
      std::clamp(x, duration::zero(), longest).count());
  }

  /// The step of a length. Cost: O(1).
  /// @param ns  From `clamp`.
  [[nodiscard]] static constexpr std::size_t of(std::uint64_t ns) noexcept {
    if (ns < 2 * PerOctave)
      return ns;
    // Named by the leading bits of the length, and by how many follow.
    const auto shift = static_cast<unsigned>(std::bit_width(ns)) - bits - 1;
    return shift * PerOctave + (ns >> shift);
  }

  /// The longest length of a step. Less than 1/PerOctave above any other.
  [[nodiscard]] static constexpr duration last_of(std::size_t step) noexcept {
    if (step < 2 * PerOctave)
      return duration{static_cast<std::int64_t>(step)};
    const auto shift = step / PerOctave - 1;
    const auto leading = step % PerOctave + PerOctave;
    return duration{static_cast<std::int64_t>(((leading + 1) << shift) - 1)};
  }

private:
  static constexpr unsigned bits = std::bit_width(PerOctave) - 1;

public:
  /// How many there are.
  static constexpr std::size_t count
    = of(static_cast<std::uint64_t>(longest.count())) + 1;
};

} // namespace coppice::policy
