// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// How long to wait before the next attempt.
///
/// Layer: policy. Pure: no clock, no CAF, no I/O.
/// Threads: pure functions; the random source is the caller's.
/// Rules: docs/semantics.md, BACKOFF-1.

#include "coppice/policy/random.hpp"
#include "coppice/policy/spec.hpp"

#include <cstdint>

namespace coppice::policy {

/// The delay before the attempt that follows the `failures`-th failure in a
/// row, without jitter: min(cap, first * factor^(failures-1)).
///
/// For systemd's "from `first` to `cap` in k steps", take the k-th root of
/// cap / first as the factor.
///
/// @param failures  At least 1 (0 is taken as 1); beyond the point where the
///                  cap is reached any number gives the cap.
/// Cost: O(1), at most 64 multiplications. Exact in integers where the factor
/// is integral, else rounded to the nearest nanosecond; the same on all
/// platforms either way, because it uses no `std::pow`.
[[nodiscard]] duration base_delay(const backoff_spec& spec,
                                  std::uint32_t failures);

/// The same with the jitter of `spec`; never above `cap`. Draws one number
/// from `random` unless the jitter is `none`.
///
/// Near the cap, `proportional` has no room left and blurs nothing. `full` and
/// `equal` can fall below `first`, which RESTART-6 forbids after a failed
/// start: there the caller takes `first` at least.
[[nodiscard]] duration next_delay(const backoff_spec& spec,
                                  std::uint32_t failures,
                                  random_source& random);

} // namespace coppice::policy
