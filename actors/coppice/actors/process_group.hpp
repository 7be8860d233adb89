// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Is anybody left of a process group? Internal.
///
/// Layer: L3. No CAF.
/// Threads: pure functions of the state of the system.
/// Rules: docs/semantics.md, STOP-2.

#include <sys/types.h>

namespace coppice {

/// Does the group have members, be they zombies? Cost: one system call.
[[nodiscard]] bool group_exists(::pid_t group) noexcept;

/// Does it have one that is no zombie? Where nobody waits for orphans, as in
/// containers whose first process does not, zombies stay. Reads all of /proc:
/// some 10 us per process of the system.
[[nodiscard]] bool group_lives(::pid_t group);

} // namespace coppice
