// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What a pool can tell of itself.
///
/// Layer: L3.
/// Threads: values.
/// Rules: docs/semantics.md, DEADLINE-3.

#include "coppice/policy/admission_step.hpp"
#include "coppice/policy/dispatch.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace coppice {

/// One worker of a pool, across its lives.
struct pool_member_line {
  /// `worker-1` has number 1.
  policy::member_id number = 0;
  /// Does it get new requests?
  bool available = false;
  /// On its way out, by `resize`.
  bool leaves = false;
  /// Requests it has in hand, or in its mailbox.
  std::size_t outstanding = 0;
  std::uint64_t lives = 0;
  /// Requests that were sent to it, ever.
  std::uint64_t dispatched = 0;
};

/// A look at a pool, all of one moment.
struct pool_statistics {
  /// Every refusal and drop, by reason; the estimate; how many wait.
  policy::admission_snapshot admission;
  std::vector<pool_member_line> members;
  /// Requests whose worker ended, or was given up, before it answered.
  std::uint64_t failed_with_worker = 0;
  /// Answers to messages that wanted none.
  std::uint64_t unwanted_answers = 0;
  /// Answers to requests that had one already: of lives given up, say.
  std::uint64_t late_answers = 0;
  /// Exit and down messages, streams: a pool is not a worker.
  std::uint64_t ignored = 0;
  /// Callbacks of `drain` and `resize` that threw.
  std::uint64_t callback_failures = 0;
};

} // namespace coppice
