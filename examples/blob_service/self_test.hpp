// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The service as its users see it: asked over HTTP, with troubles.
///
/// Layer: L4, an example.
/// Threads: waits; on the main thread.
/// Rules: docs/semantics.md, REPLICATE-1, REPLICATE-3, DEADLINE-3.

#include "options.hpp"

namespace blob_service {

/// Writes a line per check, "self-test passed" at the end if all of them held.
/// @param how  Its seed, and the shape of the data; troubles are the test's.
/// @returns a status for the process.
[[nodiscard]] int self_test(const options& how);

} // namespace blob_service
