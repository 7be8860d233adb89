// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What failures are made of: codes, places, and frames.
///
/// Layer: L1.
/// Threads: values.
/// Rules: docs/semantics.md, FAILURE-1, FAILURE-2, FAILURE-3.

#include "coppice/errc.hpp"
#include "coppice/wall_time.hpp"

#include <cstdint>
#include <string>
#include <system_error>

namespace coppice {

/// An error code that survives nodes that do not know its category.
struct failure_code {
  failure_code() = default;
  failure_code(errc x);
  failure_code(std::error_code x);
  failure_code(std::string category, std::int64_t value, std::string name);

  std::string category; ///< "coppice", "generic", "system", "exception", ...
  std::int64_t value = 0;
  std::string name; ///< The value as text, made where it was known.

  friend bool operator==(const failure_code&, const failure_code&) = default;
};

/// Where it happened. What is not known is empty or 0.
struct failure_where {
  std::string host = {};
  std::uint64_t process = 0;
  std::string thread = {};
  /// In the supervision tree: `/app/db/conn-1`.
  std::string path = {};
  std::uint64_t incarnation = 0;
  std::string file = {};
  std::uint32_t line = 0;
  std::string function = {};

  friend bool operator==(const failure_where&, const failure_where&) = default;
};

/// This host, process, thread and line of code.
[[nodiscard]] failure_where
here(std::string path = {}, std::uint64_t incarnation = 0,
     const char* file = __builtin_FILE(), int line = __builtin_LINE(),
     const char* function = __builtin_FUNCTION());

/// What one supervisor on the way up did about a failure.
struct failure_frame {
  wall_time when = {};
  std::string path = {};
  std::uint64_t incarnation = 0;
  /// "restart", "escalate", "stop", "gave up", "backoff 200ms", ...
  std::string decision = {};
  std::uint32_t attempt = 0; ///< In a row, from 1.
  std::uint32_t attempts_in_window = 0;

  friend bool operator==(const failure_frame&, const failure_frame&) = default;
};

} // namespace coppice
