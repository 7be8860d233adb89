// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The numbers of deadlines and contexts, each with its reason.
///
/// Layer: L1.
/// Threads: constants.
/// Rules: docs/semantics.md, DEADLINE-1, REPLICATE-4, REPLICATE-6.

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

/// Unit: bytes. As references; what is longer ends in a hash of the whole, so
/// that keys that differ stay different.
inline constexpr std::size_t dedup_key_bytes_max = reference_bytes_max;

/// Copies from other nodes that can be recalled: more than a process works on
/// at a time, in some 10 MB.
inline constexpr std::size_t copies_max = std::size_t{1} << 16;

/// Recalls that are remembered for copies that are yet to come. Most come after
/// their copies, and only take up room: at 10'000 a second, a copy may be a
/// second late. In some 1 MB.
inline constexpr std::size_t recalls_max = std::size_t{1} << 14;

} // namespace coppice::context_limits
