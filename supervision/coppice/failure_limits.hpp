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

/// Links of a chain. Trees are some ten levels deep; a chain that is longer
/// comes from a loop that wraps again and again. The middle is dropped.
inline constexpr std::size_t links_max = 64;

/// Frames of a link. A failure passes a supervisor once, so the depth of trees
/// is the scale here, too. The first half and the last are kept.
inline constexpr std::size_t frames_max = 64;

/// Entries of `misc`. It is for context, not for data; the first in order of
/// the keys are kept.
inline constexpr std::size_t misc_max = 64;

/// Unit: bytes, of one value of `misc`: a line of a query, not its result.
inline constexpr std::size_t misc_value_max = std::size_t{4} * 1024;

/// Unit: bytes, of names: classes, categories, paths, hosts, functions, keys.
/// C++ function names with templates are long; paths have at most some ten
/// ids of at most 255 bytes.
inline constexpr std::size_t name_max = std::size_t{4} * 1024;

/// Unit: bytes, of texts: messages and links. Some libraries put a whole
/// document into `what()`; the start of it is enough to find the reason.
inline constexpr std::size_t text_max = std::size_t{64} * 1024;

/// Return addresses of a stack, and lines of its text. Deep recursion shows
/// its pattern in fewer.
inline constexpr std::size_t stack_max = 128;

/// Unit: bytes, of `to_string`: what log collectors take as one line.
inline constexpr std::size_t line_max = std::size_t{4} * 1024;

} // namespace failure_limits

/// At most `max` bytes of `text`, cut between two UTF-8 code points, with a
/// visible mark in place of what is missing.
[[nodiscard]] std::string cut(std::string text, std::size_t max);

/// Cuts what is too large and says so in the `..._left_out` members. Causes
/// are within the limits by construction.
void enforce_limits(failure& x);

} // namespace coppice
