// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Failures as JSON: all of one for developers, a friendly part for users.
///
/// Layer: L1.
/// Threads: pure functions.
/// Rules: docs/semantics.md, FAILURE-5.

#include <optional>
#include <string>

namespace coppice {

struct failure;

/// All there is, with the names of the fields of `failure`; frames root to
/// leaf, times in ISO 8601, spans in nanoseconds, the keys of `sensitive`
/// alone. Bytes that are no UTF-8 are replaced. Not for users.
///
/// @param indent  Spaces per level; negative: all on one line.
[[nodiscard]] std::string to_json(const failure& x, int indent = -1);

/// How problems of a service are named.
struct problem_options {
  /// In front of the class of a known edge case, to give its `type`: a prefix
  /// under which the service documents its problems. Make it absolute.
  std::string type_base = "/problems/";
  /// In front of the reference, to give `instance`.
  std::string instance_base = "/failures/";
  /// Of a known edge case; a bug is always 500. Nothing: from the code of the
  /// failure (404, 503, 504, or 499 if it was cancelled: nobody waits); of
  /// others, 503 where asking again may help, else 422.
  std::optional<int> status = {};
  int indent = -1;
};

/// The HTTP status that goes with it. Range: 400 to 599.
[[nodiscard]] int problem_status(const failure& x);

/// An object for `application/problem+json` (RFC 9457), for the edge of a
/// service. Of a bug there are the friendly text and the reference; of a known
/// edge case also the class as `type`, and `help` and `retry_after` (seconds,
/// as in the header `Retry-After`) where there are such.
[[nodiscard]] std::string problem_json(const failure& x,
                                       const problem_options& options = {});

} // namespace coppice
