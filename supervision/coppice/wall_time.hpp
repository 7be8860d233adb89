// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Time that people and other machines understand. Never used to decide.
///
/// Layer: L1.
/// Threads: pure functions and the system clock.
/// Rules: docs/semantics.md, FAILURE-1.

#include <chrono>
#include <string>

namespace coppice {

/// A point in time of the system clock. Unit: nanoseconds since 1970, UTC.
using wall_time = std::chrono::time_point<std::chrono::system_clock,
                                          std::chrono::nanoseconds>;

[[nodiscard]] wall_time wall_now() noexcept;

/// "2024-05-01T12:00:00.123456789Z" (ISO 8601, RFC 3339).
[[nodiscard]] std::string utc_text(wall_time when);

} // namespace coppice
