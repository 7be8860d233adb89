// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Finds function, file and line of return addresses, on a thread of its own.
///
/// Layer: L1. No CAF.
/// Threads: thread-safe, but `stop` and the destructor must not be called from
///          answers.
/// Rules: docs/semantics.md, FAILURE-4.

#include "coppice/source_frame.hpp"
#include "coppice/stack_capture.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <vector>

namespace coppice {

/// The thread starts with the first question. It needs some 100 ms and 25 MB
/// to read the debug information of a program, then well below 1 ms per stack,
/// and next to nothing for addresses that it has seen before.
class symboliser {
public:
  using frames = std::vector<source_frame>;
  using answer = std::function<void(frames)>;

  struct options {
    /// Stacks that wait; more are dropped. Range: at least 1.
    std::size_t queue_max = 64;
    /// Addresses that are remembered; more, and all are forgotten. What was
    /// unloaded by `dlclose` may be remembered, too.
    std::size_t cache_max = 16'384;
    /// Looks up one return address; null: what the back end has.
    std::function<source_frame(std::uintptr_t)> look_up = nullptr;
  };

  symboliser();
  explicit symboliser(options how);
  /// As `stop`.
  ~symboliser();

  symboliser(const symboliser&) = delete;
  symboliser& operator=(const symboliser&) = delete;

  /// Asks, and does not wait. `tell` is called on the symboliser's thread, or,
  /// with nothing, by `stop`; what it throws is swallowed.
  /// @returns Whether it will be called: not if the queue is full, or the
  ///          thread cannot be started.
  bool ask(const raw_stack& stack, answer tell);

  /// The same. A question that was dropped is answered with nothing, at once.
  [[nodiscard]] std::future<frames> ask(const raw_stack& stack);

  /// Waits for the answer; nothing if it does not come in time. What was found
  /// out too late is there for the next time.
  [[nodiscard]] frames look_up(const raw_stack& stack,
                               std::chrono::nanoseconds timeout);

  /// Waits for the address that is being looked up, answers the questions that
  /// wait with nothing, and joins the thread. Later questions are dropped.
  void stop();

  struct statistics {
    std::uint64_t answered = 0;
    std::uint64_t dropped = 0;
    /// Addresses that were not in the cache.
    std::uint64_t looked_up = 0;
  };

  [[nodiscard]] statistics stats() const;

private:
  class implementation;
  std::unique_ptr<implementation> impl_;
};

/// The one of this process, stopped at exit.
[[nodiscard]] symboliser& shared_symboliser();

} // namespace coppice
