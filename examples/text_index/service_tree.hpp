// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The supervision tree of the service.
///
///     index (one_for_one)
///     |-- coordinator     hands out the files
///     |-- merger          counts what comes back
///     `-- workers         (one_for_one)
///         |-- worker-1    a thread each: one that hangs blocks nobody else
///         `-- ...
///
/// Layer: L4, an example.
/// Threads: see the functions; values are as safe as an int.
/// Rules: none.

#include "coppice/supervise.hpp"

#include "options.hpp"
#include "service.hpp"

namespace text_index {

/// Starts the tree; the workers begin at once.
[[nodiscard]] coppice::outcome<coppice::supervision_tree>
start_service(caf::actor_system& system, const service_ptr& service,
              const options& how);

} // namespace text_index
