// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The kinds of workers that `coppice` ships: topologies run out of the box.
///
/// Layer: L4.
/// Threads: factories run on the thread that parses; see worker_kind.hpp.
/// Rules: docs/semantics.md, TOPOLOGY-1.

#include "coppice/worker_kind.hpp"

#include "kind_environment.hpp"

#include <memory>

namespace coppice::tool {

/// All of them.
/// @param world  What workers share while they run; a fresh one does for files
///               that are only checked.
[[nodiscard]] worker_kinds
shipped_kinds(std::shared_ptr<kind_environment> world);

// Its parts.
void register_worker_kinds(worker_kinds& kinds);
void register_service_kinds(worker_kinds& kinds,
                            const std::shared_ptr<kind_environment>& world);
void register_process_kinds(worker_kinds& kinds);

} // namespace coppice::tool
