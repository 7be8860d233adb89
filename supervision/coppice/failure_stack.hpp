// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Brings stacks into failures: addresses at once, their meaning when asked.
///
/// Layer: L1.
/// Threads: any; each failure is one thread's.
/// Rules: docs/semantics.md, FAILURE-4, HEARTBEAT-6.

#include "coppice/failure.hpp"
#include "coppice/stack_capture.hpp"
#include "coppice/symboliser.hpp"

#include <chrono>
#include <exception>

namespace coppice {

/// Addresses only. A failure that has a stack keeps it.
void attach_stack(failure& x, const raw_stack& stack);

/// The stack of the throw, if there is one: to be called on the thread that
/// threw, while `e` is fresh. Cost: below 1 us.
void attach_stack(failure& x, const std::exception_ptr& e);

/// Is there a link with addresses of this process whose meaning is not there
/// yet? A link is of this process if its host and number are, and it is not
/// older. On other processes' addresses this process can say nothing, so a
/// failure that leaves it should have its text by then.
[[nodiscard]] bool lacks_stack_text(const failure& x);

/// Adds `stack_text` to all links that lack it, and to their `where`, if it has
/// no file, the innermost frame of the user's own code. Never on a thread that
/// is to be quick: waits for the symboliser.
///
/// @param timeout  For all together; what is not found by then stays as it is.
///                 Range: 0 to 24 hours; others are taken for the nearer one.
/// @returns Whether all was found. Text that goes beyond the limits is cut, and
///          counted.
bool fill_stack_text(failure& x, std::chrono::nanoseconds timeout,
                     symboliser& by = shared_symboliser());

} // namespace coppice
