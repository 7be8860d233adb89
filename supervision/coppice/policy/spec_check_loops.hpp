// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// How fast a child can fail again and again, and what a budget says to that.
/// Internal to `check`.
///
/// Layer: policy. Pure: no clock, no CAF, no I/O.
/// Threads: pure functions.
/// Rules: docs/semantics.md, TOPOLOGY-2, BUDGET-1, BACKOFF-1.

#include "coppice/policy/spec.hpp"

#include <cstdint>

namespace coppice::policy {

// -- sums that do not overflow; infinity stays infinity ----------------------

[[nodiscard]] time_limit sum(time_limit x, time_limit y) noexcept;
[[nodiscard]] time_limit product(time_limit x, count_limit n) noexcept;
[[nodiscard]] count_limit sum(count_limit x, count_limit y) noexcept;
[[nodiscard]] count_limit product(count_limit x, count_limit y) noexcept;
[[nodiscard]] bool is_less(time_limit x, time_limit y) noexcept;
[[nodiscard]] time_limit lesser(time_limit x, time_limit y) noexcept;
[[nodiscard]] time_limit greater(time_limit x, time_limit y) noexcept;
[[nodiscard]] count_limit lesser(count_limit x, count_limit y) noexcept;
[[nodiscard]] count_limit greater(count_limit x, count_limit y) noexcept;

// -- loops -------------------------------------------------------------------

/// How many attempts of this weight fit into a budget before one is too many.
[[nodiscard]] count_limit affordable(const restart_limits& limits,
                                     std::uint32_t weight) noexcept;

/// The longest that the first `retries` delays in a row can take together.
/// Cost: O(steps to the cap), at most 1'000.
[[nodiscard]] time_limit longest_delays(const backoff_spec& spec,
                                        count_limit retries);

/// An upper bound of how often one child can fail within `window`, runs that
/// are just long enough to be healthy included. Infinity: nothing slows it.
/// Cost: as above.
[[nodiscard]] count_limit most_failures(const backoff_spec& spec,
                                        time_limit window);

} // namespace coppice::policy
