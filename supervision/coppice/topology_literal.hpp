// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Numbers and lengths of time as topology files write them, read exactly.
///
/// Layer: L2.
/// Threads: pure functions.
/// Rules: docs/semantics.md, TOPOLOGY-1.
///
/// CAF's parser knows them as well, but multiplies beyond 64 bits, and takes
/// 010 for eight.

#include "coppice/policy/time.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace coppice {

/// "0", "250": decimal, no leading zeros, up to 2^64 - 1.
[[nodiscard]] std::optional<std::uint64_t> read_count(std::string_view word);

/// "2", "-0.5", "1.5e3": finite.
[[nodiscard]] std::optional<double> read_number(std::string_view word);

/// "500ms", "-1s": a whole number and ns, us, ms, s, min or h; within 64 bits
/// of nanoseconds.
[[nodiscard]] std::optional<policy::duration>
read_duration(std::string_view word);

/// Can CAF's parsers read it, and as the same?
[[nodiscard]] bool is_literal(std::string_view word);

} // namespace coppice
