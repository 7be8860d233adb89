// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The kind `command` of topology files: an operating-system process.
///
/// Layer: L3.
/// Threads: as `worker_kinds`.
/// Rules: docs/semantics.md, TOPOLOGY-1.

#include "coppice/worker_kind.hpp"

namespace coppice {

/// Adds the kind `command`:
///
///     { id = "web", kind = "command",
///       arguments { command = ["httpd", "-F"], notify = true,
///                   watchdog = 10s } }
///
/// Its arguments are the fields of `process_options`; those of the health check
/// begin with `check_`. Sets the child's `idle_timeout`, as `process` does.
void register_command_kind(worker_kinds& kinds);

} // namespace coppice
