// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The numbers that bound specs and detectors, each with its reason.
///
/// Layer: policy. Pure: no clock, no CAF, no I/O.
/// Threads: constants.
/// Rules: docs/semantics.md, TOPOLOGY-1, BUDGET-1, HEARTBEAT-4.

#include "coppice/policy/time.hpp"

#include <cstddef>
#include <cstdint>

namespace coppice::policy::limits {

// -- names and trees ---------------------------------------------------------

/// Unit: bytes. As long as a file name may be, so that ids can name files and
/// folders of logs and dumps.
inline constexpr std::size_t id_bytes_max = 255;

/// Supervisors above one another, the root included. Budgets multiply per
/// level, so real trees have three to five; the bound keeps the recursion of
/// validation, start and stop off the end of the stack.
inline constexpr std::size_t nesting_depth_max = 64;

/// Unit: bytes. How much of a bad value a defect quotes: a line of a terminal.
inline constexpr std::size_t quoted_bytes_max = 60;

// -- budgets -----------------------------------------------------------------

/// Unit: restarts. A restart takes a microsecond at the very least, so this
/// many fill a quarter of an hour of doing nothing else; and times the largest
/// weight it is far from the end of 64 bits.
inline constexpr std::uint64_t restarts_max = 1'000'000'000;

/// Unit: restarts. Enough to say "one of these is as bad as all of those".
inline constexpr std::uint32_t weight_max = 1'000;

/// An unlimited budget is only reported, never judged by: its window is kept
/// in this many steps, so its memory is bounded and its count right to 0.1 %.
inline constexpr std::int64_t unlimited_budget_steps = 1'024;

// -- backoff -----------------------------------------------------------------

/// Beyond a year "later" means never: spell out what is meant instead, by a
/// budget or by `stop`.
inline constexpr duration backoff_cap_max = std::chrono::hours{24 * 365};

/// 1: a constant delay. Below, delays would shrink.
inline constexpr double backoff_factor_min = 1.0;

/// From a millisecond to the longest cap in four steps; more is a typing error.
inline constexpr double backoff_factor_max = 1'000.0;

/// 1: up to twice the delay. More would blur the steps into each other.
inline constexpr double jitter_ratio_max = 1.0;

// -- defaults that depend on the kind of a child -----------------------------

/// OTP's default for `shutdown`, and as long for the way up as for the way
/// down.
inline constexpr duration start_deadline_default = std::chrono::seconds{5};

// -- heartbeats --------------------------------------------------------------

/// Suspicion 100 means odds of 1 to 10^100; the logistic approximation of the
/// tail means nothing long before.
inline constexpr double phi_threshold_max = 100.0;

/// Suspicion is clamped here: close to the least power of ten that a double
/// holds (10^-308), and the same on all platforms.
inline constexpr double phi_max = 300.0;

/// A deviation needs two.
inline constexpr std::uint32_t phi_samples_min = 2;

/// 80 kB per life. Akka keeps 1'000; beyond 10'000 the past outvotes the news.
inline constexpr std::uint32_t phi_samples_max = 10'000;

/// Longer intervals are learned as this long. The sum of 10'000 squares of it
/// in nanoseconds is 10^37; 2^127 is 1.7 * 10^38, so the sums are exact.
inline constexpr duration phi_interval_max = backoff_cap_max;

/// While fewer intervals than this are known, the first estimate still counts
/// (see `phi_detector`): two quick beats right after ready would otherwise
/// make the detector nervous. The catalogue's P15 wants the estimate gone at
/// five.
inline constexpr std::size_t phi_samples_trusted = 5;

/// The deviation assumed beside the first estimate, as a share of it. Akka has
/// a quarter, where suspicion after twice the estimate is 4.74; the catalogue
/// (P14) wants 4.5 +- 0.2, and this gives 4.50.
inline constexpr double phi_first_deviation = 0.257;

// -- messages between two lives ----------------------------------------------

/// Unit: messages. At 100 bytes each, the least that CAF needs, 100 MB: more
/// is a queue, and belongs into a bounded queue that sheds (DEADLINE-3).
inline constexpr std::uint32_t parked_messages_max = 1'000'000;

} // namespace coppice::policy::limits
