// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The part of a context that is read each time.
///
/// Layer: L1.
/// Threads: thread-safe; `marked_as` never changes once others see it.
/// Rules: docs/semantics.md, DEADLINE-4, REPLICATE-6.

#include <atomic>
#include <cstdint>

namespace coppice {

/// What every look at a context needs. The rest is in `context_node`.
struct context_flag {
  enum value : std::uint8_t {
    unarmed, ///< Has a deadline that nobody waits for yet.
    live,
    over,
  };
  enum mark_kind : std::uint8_t { unmarked, idempotent, copy };

  std::atomic<std::uint8_t> state{live};
  mark_kind marked_as = unmarked;
};

} // namespace coppice
