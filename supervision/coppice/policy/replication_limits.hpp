// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The numbers that bound replication specs, each with its reason.
///
/// Layer: policy. Pure: no clock, no CAF, no I/O.
/// Threads: constants.
/// Rules: docs/semantics.md, REPLICATE-1 to REPLICATE-5.

#include "coppice/policy/time.hpp"

#include <cstddef>
#include <cstdint>

namespace coppice::policy::limits {

// -- replicas and copies -----------------------------------------------------

/// A choice looks at all of them, some 12 ns each (measured). More are better
/// divided into several replicators.
inline constexpr std::size_t replicas_max = 1'000;

/// Requests that one replica works on at a time. Times `replicas_max` it is
/// far from the end of 32 bits.
inline constexpr std::uint32_t replica_servers_max = 1'000'000;

/// One copy is no race.
inline constexpr std::uint32_t copies_min = 2;

/// Beyond a few copies there is little to win; this many serve those who have
/// a quorum to reach.
inline constexpr std::uint32_t copies_max = 64;

/// Steps of the search for replicas of which no two share a domain, some
/// milliseconds. The question is as hard as matching in several dimensions;
/// labels that people give are nested, and answered in one step per replica.
inline constexpr std::size_t domain_search_steps_max = 20'000;

// -- hedges ------------------------------------------------------------------

/// Below the median, most requests would be sent twice.
inline constexpr double hedge_quantile_min = 0.5;

/// A quantile beyond this is known from a handful of samples, if at all.
inline constexpr double hedge_quantile_max = 0.9999;

inline constexpr std::uint32_t latency_samples_min = 1;

/// Ten beyond the highest quantile; waiting for more is not learning.
inline constexpr std::uint32_t latency_samples_max = 100'000;

inline constexpr std::uint32_t hedge_extra_min = 1;

/// Where eight more copies of a request did not help, it is the request.
inline constexpr std::uint32_t hedge_extra_max = 8;

/// What an hour ago took so long says little about now.
inline constexpr duration latency_window_max = std::chrono::hours{1};

// -- budget ------------------------------------------------------------------

/// All the others of 64 copies.
inline constexpr double budget_share_max = 63.0;

/// Shorter windows hold hardly a request.
inline constexpr duration budget_window_min = std::chrono::milliseconds{1};

/// What was saved an hour ago must not be spent on a burst.
inline constexpr duration budget_window_max = std::chrono::hours{1};

/// More than this many for nothing is not a reserve but another budget.
inline constexpr std::uint32_t budget_reserve_max = 1'000;

// -- switching off -----------------------------------------------------------

/// One win in fewer copies than these is luck.
inline constexpr std::uint32_t judged_by_min = 10;
inline constexpr std::uint32_t judged_by_max = 10'000;

/// 1 would not be off at all.
inline constexpr std::uint32_t probe_every_min = 2;
inline constexpr std::uint32_t probe_every_max = 10'000;

// -- setting aside -----------------------------------------------------------

inline constexpr std::uint32_t ejection_failures_max = 1'000;

/// A mean remembers this many times `samples_min` latencies: long enough that
/// a handful of unlucky ones does not convict.
inline constexpr std::uint32_t ejection_memory = 4;

/// One latency counts as this many times the slowest tolerated mean at most.
/// With the memory above it takes at least two thirds of `samples_min` of them
/// to convict a replica that was as fast as others.
inline constexpr double ejection_outlier_max = 4.0;

/// Means below this are taken for it: among microseconds, the scheduler
/// decides who is slow.
inline constexpr duration ejection_mean_min = std::chrono::microseconds{10};

/// With more replicas than these, means are not compared after each answer: it
/// costs a step per replica.
inline constexpr std::size_t ejection_steps_max = 64;

} // namespace coppice::policy::limits
