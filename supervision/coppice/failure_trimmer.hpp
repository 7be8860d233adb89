// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Keeps a failure with all its causes below one size. Internal.
///
/// Layer: L1.
/// Threads: pure functions.
/// Rules: docs/semantics.md, FAILURE-1.

#include <cstddef>
#include <memory>

namespace coppice {

struct failure;
class failure_cause;

/// The part of `enforce_limits` that sees more than one link. It replaces
/// shared links by smaller copies, so it is a friend of `failure_cause`.
class failure_trimmer {
public:
  /// Drops secondary failures from the end until they are few enough.
  static void bound_secondary(failure& x);

  /// Cuts the largest links, all to one size, until `x` with its causes takes
  /// at most `failure_limits::bytes_max`.
  /// @pre Each link is within the other limits.
  static void bound_bytes(failure& x);

  [[nodiscard]] static bool has_few_secondary(const failure& x) noexcept;

  /// An upper bound of what the codec writes for `x` and its causes.
  /// Unit: bytes.
  [[nodiscard]] static std::size_t bytes_of_all(const failure& x) noexcept;

private:
  static void lighten(failure& x, std::size_t max);
  static failure_cause lighter(const failure_cause& x, std::size_t max);
};

} // namespace coppice
