// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The numbers that bound admission specs, each with its reason.
///
/// Layer: policy. Pure: no clock, no CAF, no I/O.
/// Threads: constants.
/// Rules: docs/semantics.md, DEADLINE-2, DEADLINE-3.

#include "coppice/policy/time.hpp"

#include <cstddef>
#include <cstdint>

namespace coppice::policy::limits {

// -- queues ------------------------------------------------------------------

/// Unit: tickets. At some 80 bytes each, 80 MB before any request is counted.
/// A deeper queue is a store, and wants a disk.
inline constexpr std::uint32_t queue_depth_max = 1'000'000;

/// Unit: requests in service at a time. One queue in front of more servers
/// than this is contended long before it is full.
inline constexpr std::uint32_t servers_max = 1'000'000;

/// Beyond an hour a queue is not a queue of requests that somebody waits for;
/// `infinity` says that there is no such thing as a standing queue.
inline constexpr duration standing_interval_max = std::chrono::hours{1};

// -- measured service times --------------------------------------------------

/// Steps per doubling: an estimate is too high by less than 1/8, never too
/// low. Twice as many steps would double 5 kB per estimator for an error that
/// is still below the noise of a quantile of a hundred samples.
inline constexpr unsigned service_steps_per_octave = 8;

/// Longer services are learned as this long, some 73 minutes: the last of 320
/// steps ends here.
inline constexpr duration service_time_max
  = duration{(std::int64_t{1} << 42) - 1};

/// Parts that the window is forgotten in. With four, it covers between three
/// quarters and the whole of its length.
inline constexpr std::size_t service_window_slices = 4;

/// What took an hour ago so long says little about now; and samples are counted
/// in 32 bits, which an hour of a million services per second does not exceed.
inline constexpr duration service_window_max = std::chrono::hours{1};

/// The median of fewer than one sample is nothing.
inline constexpr std::uint32_t service_samples_min = 1;

/// A p90 of more samples than these is as good as it gets; waiting for more
/// leaves the queue unprotected for longer.
inline constexpr std::uint32_t service_samples_max = 100'000;

/// Below the median, most work that is started would not finish in time.
inline constexpr double service_quantile_min = 0.5;

/// The p99.9 of the samples that fit in a window is near their maximum, and
/// one outlier would refuse everybody.
inline constexpr double service_quantile_max = 0.999;

// -- advice when to come back ------------------------------------------------

/// Whoever may wait for a day should be given a time table, not a hint.
inline constexpr duration retry_after_max = std::chrono::hours{24};

} // namespace coppice::policy::limits
