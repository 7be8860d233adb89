// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// A worker that hands out numbers, one unit of work each, after a slow start.
///
/// Layer: L4, an example.
/// Threads: as any CAF actor.
/// Rules: docs/semantics.md, HEARTBEAT-1, HEARTBEAT-3.

#include "coppice/actors/worker.hpp"
#include "coppice/type_ids.hpp"

#include <vector>

namespace example {

/// How the worker is going to behave.
struct work_plan {
  std::vector<int> numbers;
  /// What stands for processor load, disk contention, network latency...
  coppice::duration delay = std::chrono::seconds{2};
  /// Hangs, in its first life, when it comes to this one.
  int hang_at = -1;
};

/// The worker's message to itself: the next unit of work.
struct next_number {
  std::size_t index;
};

} // namespace example

// CAF 1.x wants a number for each message type; main() makes them known.
CAF_BEGIN_TYPE_ID_BLOCK(do_work, coppice::first_user_type_id)
  CAF_ADD_TYPE_ID(do_work, (example::next_number))
CAF_END_TYPE_ID_BLOCK(do_work)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(example::next_number)

namespace example {

/// Sends each number of the plan to `sink`, and ends.
///
/// There is nothing in it about heartbeats: each message it handles is a unit
/// of work, and its beginning a pulse. A test can thus wait for the pulse
/// instead of guessing how long the delay may take.
inline caf::behavior do_work(coppice::worker* self, const caf::actor& sink,
                             work_plan plan) {
  namespace compat = coppice::compat;
  const auto me = caf::actor_cast<caf::actor>(self);
  compat::tell_after(self, plan.delay, me, next_number{0});
  return {[self, sink, plan](next_number next) {
    if (next.index >= plan.numbers.size()) {
      self->quit();
      return;
    }
    const auto number = plan.numbers[next.index];
    while (number == plan.hang_at && self->incarnation() == 1
           && !self->cancelled()) {}
    compat::tell(self, sink, number);
    compat::tell(self, caf::actor_cast<caf::actor>(self),
                 next_number{next.index + 1});
  }};
}

} // namespace example
