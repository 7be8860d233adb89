// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Failures as bytes: on the wire, and in files.
///
/// Layer: L1.
/// Threads: pure functions.
/// Rules: docs/semantics.md, FAILURE-2.
///
/// The format is coppice's own, so that limits are checked before memory is
/// taken, chains are flat, and CAF 0.17 and CAF 1.x write the same bytes:
///
///     version:u8=1 links:v { size:v { field }* }*     root to leaf
///
/// v: unsigned LEB128 (signed values zigzag). Strings: size:v bytes. Fields are
/// in a fixed order. After the last of them a link goes on with
///
///     { tag:v size:v bytes }*
///
/// for what was added since; who does not know a tag skips it. What follows
/// the last known field of a frame or place is skipped as well. Of `sensitive`
/// there are the keys alone: the values never leave the process.

#include <string>
#include <string_view>

namespace coppice {

struct failure;

/// Enforces the limits of failure_limits.hpp first, so that there are at most
/// `failure_limits::bytes_max` bytes. Cost: about 1 us.
[[nodiscard]] std::string encode(const failure& x);

/// Returns `false` and leaves `x` alone if `bytes` is truncated, corrupt or
/// beyond the limits. Takes memory in proportion to the size of `bytes`, of
/// which there are at most `failure_limits::wire_max`.
[[nodiscard]] bool decode(std::string_view bytes, failure& x);

} // namespace coppice
