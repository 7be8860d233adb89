// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Fork and exec, with a clean slate for the process. Internal.
///
/// Layer: L3. No CAF.
/// Threads: `spawn` on a thread that outlives the process, with all signals
/// blocked.
/// Rules: none.

#include "coppice/actors/process_fd.hpp"
#include "coppice/actors/process_plan.hpp"

#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace coppice {

/// What went wrong between fork and exec, or before.
struct spawn_error {
  enum class step : std::int32_t {
    prepare, ///< Pipes, fork: in this process.
    directory,
    execute,
  };
  step at = step::prepare;
  std::int32_t code = 0; ///< errno
};

/// A process that is about to be executed.
struct spawned_process {
  ::pid_t pid = 0;
  owned_fd pidfd;
  /// Ends when it is executed; or has a `spawn_error`.
  owned_fd outcome;
};

struct standard_files {
  int in = -1;
  int out = -1;
  int err = -1;
};

/// Returns as soon as the process was forked: directories and programs may be
/// on file systems that hang.
///
/// The process leads a process group of its own, has no handlers, blocked
/// signals or open files of ours but `files`, and is killed when the thread
/// that called this ends.
///
/// @param files  All above 2.
/// @param error  Set where nothing is returned.
[[nodiscard]] std::optional<spawned_process>
spawn(process_plan& plan, const standard_files& files, spawn_error& error);

/// A pipe that no program inherits, both ends above 2.
struct pipe_ends {
  owned_fd read;
  owned_fd write;
};
[[nodiscard]] std::optional<pipe_ends> make_pipe(bool reader_blocks);

/// /dev/null, above 2; or nothing, with errno.
[[nodiscard]] owned_fd open_null();

} // namespace coppice
