// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// How a process is doing, and how it ended.
///
/// Layer: L3. No CAF.
/// Threads: values.
/// Rules: docs/semantics.md, FAILURE-1, OBSERVE-2.

#include "coppice/actors/process_options.hpp"
#include "coppice/actors/process_spawn.hpp"
#include "coppice/policy/time.hpp"

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace coppice {

/// What is known about a process.
struct process_status {
  /// 0: not there yet; it waits for the end of the one before.
  ::pid_t pid = 0;
  bool is_ready = false;
  /// It said `STOPPING=1`.
  bool is_stopping = false;
  /// What it said last of itself, by `STATUS=`. At most 1'000 bytes, escaped.
  std::string text = {};
  /// What it said by `ERRNO=`.
  std::optional<int> error_number = {};
  /// Messages that were not from where `notify_access` says, or too long.
  std::uint64_t notifications_refused = 0;
  std::uint64_t checks_passed = 0;
  std::uint64_t checks_failed = 0;
  /// Why the last check failed that did.
  std::string check_failure = {};
  std::uint64_t output_lines = 0;
  std::uint64_t output_bytes = 0;
  /// Standard output and standard error, as they came.
  std::vector<process_line> last_lines = {};
  policy::duration uptime{0};
};

/// How it ended.
struct process_end {
  enum class kind : std::uint8_t {
    never_begun, ///< It was called off before.
    not_started, ///< See `error`.
    exited,
    signalled,
    lost, ///< Somebody else in this process waited for it.
  };
  kind what = kind::never_begun;
  spawn_error error = {};
  /// Exit code, or signal.
  int code = 0;
  bool core_dumped = false;
  /// What was asked of it before.
  bool was_asked = false;
  bool was_killed = false;
  /// By "WATCHDOG=trigger".
  bool said_stuck = false;
  process_status status = {};
};

} // namespace coppice
