// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The stack of another thread, as it is now: what a stuck one is doing.
///
/// Layer: L1. No CAF.
/// Threads: any.
/// Rules: docs/semantics.md, HEARTBEAT-6.

#include "coppice/stack_capture.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace coppice {

/// How other threads are asked for their stacks.
struct thread_stacks {
  /// The switch. What a thread is asked by is a signal: it ends waits that the
  /// system does not resume (`nanosleep`, `poll`, `epoll_wait`) with EINTR.
  /// Reads and writes are resumed. Switch it off if code that may get stuck
  /// does not put up with that.
  bool enabled = true;

  /// A real-time signal of which nobody else makes use. 0: SIGRTMIN + 9. A
  /// handler that is there already gets what is not for us. Takes effect once:
  /// the signal of the first stack is that of the process.
  int signal = 0;
};

/// For the whole process, from now on.
void set_thread_stacks(const thread_stacks& how) noexcept;

/// Takes the stack of a thread of this process, innermost frame first.
///
/// The thread is interrupted, writes its return addresses into memory that is
/// there already, and goes on. Nothing if it does not answer within `timeout`
/// (it blocks the signal, or is in an uninterruptible sleep), or is gone, or if
/// this is switched off, or stacks have no depth (`set_stack_depth`). Linux
/// with 64 bits; elsewhere nothing.
///
/// @param thread  As `this_kernel_thread` gives it. A number whose thread has
///                ended may have been given to another one.
/// Cost: some 10 us if both threads have a processor.
[[nodiscard]] std::optional<raw_stack>
stack_of_thread(std::int32_t thread, std::chrono::nanoseconds timeout) noexcept;

} // namespace coppice
