// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The tickets that wait or are being served: found by id, by age within a
/// class, and by deadline.
///
/// Layer: policy. Pure: no clock, no CAF, no I/O.
/// Threads: not thread-safe; owned by one queue.
/// Rules: docs/semantics.md, DEADLINE-3.

#include "coppice/policy/ticket.hpp"
#include "coppice/policy/time.hpp"
#include "coppice/policy/timer_heap.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace coppice::policy {

/// Slots that are used again, a chained hash table over them, one linked list
/// per class, and a heap of deadlines. Memory follows the most tickets that
/// there ever were at a time, and is not given back.
///
/// A slot names a ticket from `push` to `erase`.
class ticket_queue {
public:
  using slot = std::uint32_t;
  static constexpr slot nil = UINT32_MAX;

  struct entry {
    ticket who;
    time_point arrived;
    bool in_service = false;
    // The list of its class, oldest first.
    slot older = nil;
    slot newer = nil;
    slot next_of_bucket = nil;
    std::uint32_t heap_position = UINT32_MAX;
  };

  ticket_queue();
  // The heap refers to the slots.
  ticket_queue(const ticket_queue&) = delete;
  ticket_queue& operator=(const ticket_queue&) = delete;

  /// Cost: amortised O(1); with deadlines that are not in order, O(log n).
  slot push(const ticket& who, time_point now);

  /// Takes the ticket out of the queue, and keeps it until `erase`.
  /// Cost: O(log n) with a deadline, else O(1).
  void start(slot x);

  /// Forgets the ticket. Cost: O(log n) for one with a deadline that waits,
  /// else O(1).
  ticket erase(slot x);

  /// `nil` if there is none with that id. Cost: O(1).
  [[nodiscard]] slot find(std::uint64_t id) const noexcept;

  [[nodiscard]] const entry& operator[](slot x) const { return entries_[x]; }

  /// Among those that wait; `nil` if none of that class does.
  [[nodiscard]] slot oldest(criticality x) const noexcept {
    return list_of(x).oldest;
  }

  [[nodiscard]] slot newest(criticality x) const noexcept {
    return list_of(x).newest;
  }

  /// The one that waits with the earliest deadline; `nil` if none has one.
  [[nodiscard]] slot most_urgent() const {
    return deadlines_.empty() ? nil : deadlines_.next_key();
  }

  /// How many wait.
  [[nodiscard]] std::size_t depth() const noexcept { return depth_; }

  [[nodiscard]] std::size_t depth(criticality x) const noexcept {
    return list_of(x).size;
  }

  [[nodiscard]] std::size_t in_service() const noexcept { return in_service_; }

private:
  struct list {
    slot oldest = nil;
    slot newest = nil;
    std::size_t size = 0;
  };

  struct positions {
    std::vector<entry>* entries;
    std::uint32_t& operator()(slot x) const {
      return (*entries)[x].heap_position;
    }
  };

  [[nodiscard]] const list& list_of(criticality x) const noexcept {
    return lists_[static_cast<std::size_t>(x)];
  }

  [[nodiscard]] slot& bucket_of(std::uint64_t id) noexcept;
  slot new_slot();
  void grow_buckets();
  void append(slot x);
  void unlink(slot x);

  std::vector<entry> entries_;
  std::vector<slot> free_;
  std::vector<slot> buckets_;
  std::array<list, criticality_count> lists_;
  timer_heap<slot, positions> deadlines_{positions{&entries_}};
  std::size_t depth_ = 0;
  std::size_t in_service_ = 0;
};

} // namespace coppice::policy
