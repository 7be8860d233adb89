// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The memory that a life and its watchdog share.
///
/// Layer: L1. No CAF.
/// Threads: the life writes `mark`, `allowance` and its trace; `control` is for
///          both; everybody reads.
/// Rules: docs/semantics.md, HEARTBEAT-2, HEARTBEAT-6, STOP-2.

#include <atomic>
#include <cstdint>

namespace coppice {

/// Names a slot on the board, from `acquire` until both sides released it.
using slot_id = std::uint32_t;

/// What a life and its watchdog share: a quarter of a cache line.
struct heartbeat_slot {
  // `mark`: [47 bits of counter | 16 bits of tag | busy]. The counter is on
  // top, so that it wraps around without touching the rest.
  static constexpr std::uint64_t busy = 1;
  static constexpr std::uint64_t tag_bits = 0xffff << 1;
  static constexpr std::uint64_t one_beat = 1 << 17;

  // `control`: [16 bits of tag | flags].
  static constexpr std::uint32_t stop_requested = 1 << 0;
  static constexpr std::uint32_t fenced = 1 << 1;
  /// To be scanned while idle as well.
  static constexpr std::uint32_t idle_matters = 1 << 2;
  static constexpr std::uint32_t watched = 1 << 3;
  static constexpr std::uint32_t writer_done = 1 << 4;
  static constexpr std::uint32_t watcher_done = 1 << 5;
  static constexpr std::uint32_t in_use = 1 << 6;
  /// Somebody used a handle whose life is history.
  static constexpr std::uint32_t stale_use = 1 << 7;

  std::atomic<std::uint64_t> mark{0};
  std::atomic<std::uint32_t> control{0};
  /// Extra time asked for since the last beat. Unit: milliseconds.
  std::atomic<std::uint32_t> allowance{0};

  /// The tag of `control`, where `mark` has it.
  [[nodiscard]] static constexpr std::uint64_t
  tag_of(std::uint32_t control) noexcept {
    return (control >> 16) << 1;
  }
};

/// What a life leaves beside its marks, for reports only.
struct heartbeat_trace {
  std::atomic<const char*> note{nullptr};
  /// The thread on which the last unit of work began; 0: none, or not known.
  std::atomic<std::int32_t> thread{0};
};

} // namespace coppice
