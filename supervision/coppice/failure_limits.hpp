// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// How large a failure can get: it must not become a failure of its own.
///
/// Layer: L1.
/// Threads: constants and pure functions.
/// Rules: docs/semantics.md, FAILURE-1 to FAILURE-4.

#include <cstddef>
#include <string>

namespace coppice {

struct failure;

namespace failure_limits {

/// Unit: bytes, of a failure with all its causes: what one message or one
/// record of a log carries without harm. The largest links are cut first, all
/// to the same size.
inline constexpr std::size_t bytes_max = std::size_t{64} * 1024;

/// Links of a chain. Trees are some ten levels deep; a chain that is longer
/// comes from a loop that wraps again and again. The middle is dropped.
inline constexpr std::size_t links_max = 64;

/// Failures beside the inner one of a link: replicas of one request.
inline constexpr std::size_t secondary_max = 16;

/// All failures below the `secondary` of all links of a chain, with all their
/// causes: `secondary_max` chains of four. What comes later is dropped.
inline constexpr std::size_t secondary_total_max = 64;

/// Secondary failures of secondary failures of...: nobody reads deeper.
inline constexpr std::size_t secondary_levels_max = 8;

/// Frames of a link. A failure passes a supervisor once, so the depth of trees
/// is the scale here, too. The first half and the last are kept.
inline constexpr std::size_t frames_max = 64;

/// Entries of `misc`, and of `sensitive`. They are for context, not for data;
/// the first in order of the keys are kept.
inline constexpr std::size_t misc_max = 32;

/// Unit: bytes, of one value of `misc`: a line of a query, not its result.
inline constexpr std::size_t misc_value_max = 1024;

/// Unit: bytes, of names: classes, categories, paths, hosts, functions, keys.
/// C++ function names with templates are long; of paths, a few hundred bytes
/// are more than anybody types.
inline constexpr std::size_t name_max = 1024;

/// Unit: bytes, of texts: messages and links. Some libraries put a whole
/// document into `what()`; the start of it is enough to find the reason.
inline constexpr std::size_t text_max = std::size_t{16} * 1024;

/// Return addresses of a stack, and lines of its text. Deep recursion shows
/// its pattern in fewer.
inline constexpr std::size_t stack_max = 128;

/// Unit: bytes, of `to_string`: what log collectors take as one line.
inline constexpr std::size_t line_max = std::size_t{4} * 1024;

/// Unit: bytes, of what is read from the wire. Above `bytes_max`, for nodes of
/// later versions that write what is skipped here.
inline constexpr std::size_t wire_max = std::size_t{1024} * 1024;

} // namespace failure_limits

/// At most `max` bytes of `text`, cut between two UTF-8 code points, with a
/// visible mark in place of what is missing.
[[nodiscard]] std::string cut(std::string text, std::size_t max);

/// Cuts what is too large and says so in the `..._left_out` members, or by the
/// mark of `cut`. Causes are within the limits by construction, but may be cut
/// further so that the whole stays within `bytes_max`.
void enforce_limits(failure& x);

/// Would `enforce_limits` leave `x` as it is?
[[nodiscard]] bool is_within_limits(const failure& x) noexcept;

} // namespace coppice
