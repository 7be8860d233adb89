// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// A wait inside a handler, for what the real thing would wait for: it ends
/// when the request is called off.
///
/// Layer: L4, an example.
/// Threads: inside the handlers of a worker with a thread of its own.
/// Rules: docs/semantics.md, DEADLINE-4, HEARTBEAT-1.

#include "coppice/actors/worker.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

namespace example {

// --(doc:pause-begin)--
/// Waits that long and beats meanwhile. `false`, and back early: at once if
/// the request is over, within 20 ms if this life is asked to end.
inline bool pause(coppice::worker* self, const coppice::context& ctx,
                  coppice::duration span) {
  const auto end = std::chrono::steady_clock::now() + span;
  std::mutex guard;
  std::condition_variable called_off;
  const auto registration = ctx.on_cancel([&] {
    const std::lock_guard lock{guard}; // not between a look and its wait
    called_off.notify_all();
  });
  std::unique_lock lock{guard};
  while (self->checkpoint(ctx)) {
    const auto now = std::chrono::steady_clock::now();
    if (now >= end)
      return true;
    called_off.wait_until(lock,
                          std::min(end, now + std::chrono::milliseconds{20}));
  }
  return false;
}
// --(doc:pause-end)--

} // namespace example
