// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Where the slots of all lives are: dense, and never moving.
///
/// Layer: L1. No CAF.
/// Threads: the board is guarded by its owner, the watchdog; writers touch
///          slots and traces at any time, without a lock.
/// Rules: docs/semantics.md, HEARTBEAT-2, STOP-2.

#include "coppice/heartbeat.hpp"
#include "coppice/policy/detector.hpp"
#include "coppice/policy/directive.hpp"
#include "coppice/policy/time.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace coppice {

/// What the watcher keeps for a life. Nobody else reads it.
struct watch_entry {
  /// Is there anybody to tell?
  static constexpr std::uint32_t listed = 1 << 0;
  static constexpr std::uint32_t on_pool = 1 << 1;
  /// Told that it is late, in this silence.
  static constexpr std::uint32_t warned = 1 << 2;
  /// A probe is out.
  static constexpr std::uint32_t probing = 1 << 3;
  static constexpr std::uint32_t convicted = 1 << 4;
  /// Holds a reference to its limits.
  static constexpr std::uint32_t has_limits = 1 << 5;
  /// Convicted or given up, on a pool: counted.
  static constexpr std::uint32_t stuck = 1 << 6;
  /// The scan that saw `last_mark` was late: it may be much older.
  static constexpr std::uint32_t dated_late = 1 << 7;

  std::uint64_t last_mark = 0;
  /// Watch time of the scan that first saw `last_mark`.
  policy::time_point changed_at = {};
  /// Watch time before which nothing can be said, unless the mark changes.
  /// While `probing`: when the probe counts as lost.
  policy::time_point due = policy::time_point::max();
  policy::life_id life = {};
  /// While the slot is free: the next free one.
  std::uint32_t owner = 0;
  std::uint32_t limits : 24 = 0;
  std::uint32_t flags : 8 = 0;
};

/// All slots. With its entry and its trace, a life takes 72 bytes.
///
/// A slot is freed when its writer and its watcher have both released it, in
/// whatever order; so a life that was given up can go on beating into a slot
/// that nobody else gets. Lives that are acquired one after the other do not
/// share a cache line until a chunk is a quarter full.
class heartbeat_board {
public:
  static constexpr slot_id chunk_size = 4096;

  /// What writers reach.
  struct beats {
    alignas(64) std::array<heartbeat_slot, chunk_size> slots;
    alignas(64) std::array<heartbeat_trace, chunk_size> traces;
  };

  heartbeat_board() = default;
  heartbeat_board(const heartbeat_board&) = delete;
  heartbeat_board& operator=(const heartbeat_board&) = delete;

  /// Asks writers that are left to stop, and keeps the memory that they reach
  /// for as long as the process lives. That which none reaches any more is for
  /// boards to come; to late copies of handles, their lives are history.
  ~heartbeat_board();

  /// O(1), amortised: one allocation per chunk, if none was left behind.
  [[nodiscard]] slot_id acquire();

  /// The handle of the life that has this slot now.
  [[nodiscard]] heartbeat writer(slot_id slot) noexcept;

  // Each frees the slot if the other side is done already. A second time does
  // nothing as long as the other side holds on.
  void release_writer(slot_id slot) noexcept;
  void release_watcher(slot_id slot) noexcept;

  /// Frees the slot if both sides are done: a writer that comes second has no
  /// way to.
  void collect(slot_id slot) noexcept;

  [[nodiscard]] heartbeat_slot& slot(slot_id id) noexcept {
    return chunks_[id / chunk_size].shared->slots[id % chunk_size];
  }
  [[nodiscard]] const heartbeat_slot& slot(slot_id id) const noexcept {
    return chunks_[id / chunk_size].shared->slots[id % chunk_size];
  }
  [[nodiscard]] watch_entry& entry(slot_id id) noexcept {
    return chunks_[id / chunk_size].entries[id % chunk_size];
  }
  [[nodiscard]] const watch_entry& entry(slot_id id) const noexcept {
    return chunks_[id / chunk_size].entries[id % chunk_size];
  }
  [[nodiscard]] const char* note(slot_id id) const noexcept {
    return trace(id).note.load(std::memory_order_relaxed);
  }
  /// Where its last unit of work began; 0: nowhere, or not known.
  [[nodiscard]] std::int32_t thread(slot_id id) const noexcept {
    return trace(id).thread.load(std::memory_order_relaxed);
  }

  /// What was learnt of a life's rhythm; null unless `learn_rhythm` was called.
  [[nodiscard]] policy::phi_detector* rhythm(slot_id id) const noexcept;
  void learn_rhythm(slot_id id, const policy::phi_spec& spec);
  void forget_rhythm(slot_id id) noexcept;

  [[nodiscard]] std::size_t chunks() const noexcept { return chunks_.size(); }

  /// How many slots of a chunk, from its first, can have been used so far.
  [[nodiscard]] slot_id reach(std::size_t index) const noexcept;

  /// Slots in use.
  [[nodiscard]] std::size_t lives() const noexcept { return lives_; }

  /// How many chunks boards have left to writers so far, in this process.
  [[nodiscard]] static std::size_t chunks_left_behind();

private:
  static constexpr slot_id none = UINT32_MAX;
  static constexpr slot_id per_line = 64 / sizeof(heartbeat_slot);
  static constexpr slot_id lines = chunk_size / per_line;

  struct chunk {
    std::unique_ptr<beats> shared;
    std::unique_ptr<watch_entry[]> entries;
    /// Only where a life has a phi detector.
    std::unique_ptr<std::unique_ptr<policy::phi_detector>[]> rhythms;
  };

  [[nodiscard]] heartbeat_trace& trace(slot_id id) const noexcept {
    return chunks_[id / chunk_size].shared->traces[id % chunk_size];
  }

  void add_chunk();
  void finish(slot_id id, std::uint32_t side, std::uint32_t other) noexcept;
  void free(slot_id id) noexcept;

  std::vector<chunk> chunks_;
  /// Slots of the last chunk that were never used.
  slot_id fresh_ = 0;
  slot_id free_ = none;
  std::size_t lives_ = 0;
};

static_assert(sizeof(heartbeat_slot) == 16);
static_assert(sizeof(heartbeat_trace) == 16);
static_assert(sizeof(watch_entry) == 40);

} // namespace coppice
