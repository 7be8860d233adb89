// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The numbers of deadlines and contexts, each with its reason.
///
/// Layer: L1.
/// Threads: constants.
/// Rules: docs/semantics.md, DEADLINE-1.

#include "coppice/policy/time.hpp"

#include <chrono>
#include <cstddef>

namespace coppice::context_limits {

/// What a request gets that says nothing of its own: longer than what people
/// wait for, and short enough that what nobody waits for does not pile up.
inline constexpr policy::duration default_deadline = std::chrono::seconds{30};

/// When asking again may help, after a deadline has passed. Nobody knows how
/// long the cause will last; a second keeps those who obey from a storm.
inline constexpr policy::duration retry_after = std::chrono::seconds{1};

/// Unit: bytes. References of coppice have 13, UUIDs 36, and W3C trace ids
/// with their span 55. Longer ones are cut at the entry.
inline constexpr std::size_t reference_bytes_max = 64;

} // namespace coppice::context_limits
