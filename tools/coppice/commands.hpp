// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The subcommands. Each returns the status of the process.
///
/// Layer: L4.
/// Threads: on the main thread, once.
/// Rules: docs/command_line.md.

#include "command_line.hpp"

namespace coppice::tool {

[[nodiscard]] int execute(const run_request& x);
[[nodiscard]] int execute(const check_request& x);
[[nodiscard]] int execute(const tree_request& x);
[[nodiscard]] int execute(const ctl_request& x);
[[nodiscard]] int execute(const reload_request& x);
[[nodiscard]] int execute(const events_request& x);
[[nodiscard]] int execute(const list_request& x);
[[nodiscard]] int execute(const kinds_request& x);
[[nodiscard]] int execute(const reference_request& x);
[[nodiscard]] int execute(const completion_request& x);

} // namespace coppice::tool
