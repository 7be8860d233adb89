// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// A priority queue of due times in which each key stands at most once.
///
/// Layer: policy. Pure: no clock, no CAF, no I/O.
/// Threads: not thread-safe.
/// Rules: docs/semantics.md, STOP-1 ("one timer").

#include "coppice/policy/time.hpp"

#include <cstdint>
#include <utility>
#include <vector>

namespace coppice::policy {

/// A binary min-heap that tells each element's owner where it stands, so that
/// a timer can be cancelled in O(log n) and leaves nothing behind.
///
/// `Positions` maps a key to a `std::uint32_t&` that belongs to the heap;
/// `npos` while the key is not in it.
template <class Key, class Positions>
class timer_heap {
public:
  static constexpr std::uint32_t npos = UINT32_MAX;

  explicit timer_heap(Positions positions) : positions_(std::move(positions)) {}

  [[nodiscard]] bool empty() const noexcept { return heap_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return heap_.size(); }
  /// @pre Not empty.
  [[nodiscard]] time_point next_due() const { return heap_.front().due; }
  /// @pre Not empty.
  [[nodiscard]] Key next_key() const { return heap_.front().key; }

  /// Constant time.
  [[nodiscard]] bool contains(Key key) const { return positions_(key) != npos; }

  /// @pre `key` is in the heap.
  [[nodiscard]] time_point due_of(Key key) const {
    return heap_[positions_(key)].due;
  }

  /// Sets the due time of `key`, whether or not it had one. O(log n); O(1)
  /// for a time later than all others.
  void set(Key key, time_point due) {
    auto& position = positions_(key);
    if (position == npos) {
      heap_.push_back({due, key}); // may throw
      position = static_cast<std::uint32_t>(heap_.size() - 1);
    } else {
      heap_[position].due = due;
    }
    sink(lift(position));
  }

  /// Does nothing for a key without a due time. O(log n).
  void cancel(Key key) {
    const auto position = std::exchange(positions_(key), npos);
    if (position == npos)
      return;
    const auto last = heap_.back();
    heap_.pop_back();
    if (position == heap_.size())
      return;
    place(position, last);
    sink(lift(position));
  }

private:
  struct entry {
    time_point due;
    Key key;
  };

  void place(std::size_t position, const entry& x) {
    heap_[position] = x;
    positions_(x.key) = static_cast<std::uint32_t>(position);
  }

  std::size_t lift(std::size_t position) {
    const auto moving = heap_[position];
    while (position > 0) {
      const auto parent = (position - 1) / 2;
      if (heap_[parent].due <= moving.due)
        break;
      place(position, heap_[parent]);
      position = parent;
    }
    place(position, moving);
    return position;
  }

  void sink(std::size_t position) {
    const auto moving = heap_[position];
    for (;;) {
      auto child = 2 * position + 1;
      if (child >= heap_.size())
        break;
      if (child + 1 < heap_.size() && heap_[child + 1].due < heap_[child].due)
        ++child;
      if (moving.due <= heap_[child].due)
        break;
      place(position, heap_[child]);
      position = child;
    }
    place(position, moving);
  }

  Positions positions_;
  std::vector<entry> heap_;
};

} // namespace coppice::policy
