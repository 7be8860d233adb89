// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Operating-system processes as children: started, watched, really killed.
///
/// Layer: L3. Linux.
/// Threads: thread-safe.
/// Rules: docs/semantics.md, START-1, STOP-1, STOP-2, HEARTBEAT-1, FAILURE-1.

#include "coppice/actors/process_failure.hpp"
#include "coppice/actors/process_options.hpp"
#include "coppice/actors/process_report.hpp"
#include "coppice/start_context.hpp"

#include <optional>

namespace coppice {

/// A start function that runs a process, life after life.
///
/// A life is one process in a process group of its own. It is ready when it was
/// executed, or said `READY=1`, or passed its first health check, as `options`
/// say. It is over when the process and all of its group are gone: until then
/// no other life of the same path begins, even if this one was abandoned.
///
/// The polite stop sends `stop_signal` to the group; the kill sends SIGKILL.
/// What has left the group (`setsid`) is on its own. When this program dies,
/// the kernel kills the process, but not what that has started.
///
/// A clean end is an exit code that counts as success, once it was ready. All
/// others are failures of class `process_exit` or `process_signal`; what cannot
/// be executed is a `start_failure` with the system's error code. Options that
/// break a rule make each start fail with `invalid_spec`.
///
/// Cost: a fork on the one thread that serves all processes; about 70 kB for
/// pipes in the kernel, 5 descriptors, and 4 kB.
[[nodiscard]] start_function runs(process_options options);

/// `child` with this start function, and with an `idle_timeout` if it has none:
/// `watchdog`, or two intervals of the health check and its timeout.
[[nodiscard]] child_spec process(process_options options, child_spec child);

/// How the process is doing whose life this actor is; nothing if it is another
/// kind of actor.
[[nodiscard]] std::optional<process_status>
status_of_process(const caf::actor& life);

} // namespace coppice
