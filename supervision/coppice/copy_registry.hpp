// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The copies of requests that came from other nodes, so that they can be
/// recalled.
///
/// Layer: L1.
/// Threads: thread-safe. Nothing is called, and no node let go of, under its
/// lock.
/// Rules: docs/semantics.md, REPLICATE-4.

#include "coppice/context.hpp"
#include "coppice/context_limits.hpp"
#include "coppice/request_copy.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <unordered_set>

namespace coppice {

class context_node;
class marked_context_node;

/// Knows a copy from when it is decoded until the last handle on its context
/// goes. A cancellation that overtakes its copy is remembered, so that the copy
/// is over when it arrives. Each is O(1); what does not fit is not known, and
/// runs to its end.
class copy_registry {
public:
  struct limits {
    std::size_t copies_max = context_limits::copies_max;
    std::size_t recalls_max = context_limits::recalls_max;
  };

  copy_registry() : copy_registry(limits{}) {}
  explicit copy_registry(limits how) : limits_(how) {}
  copy_registry(const copy_registry&) = delete;
  copy_registry& operator=(const copy_registry&) = delete;

  /// That of contexts from the wire.
  [[nodiscard]] static copy_registry& of_process();

  /// Cancels it at once if it was recalled before. A second one with the same
  /// serial, one that was passed on and came back, is not known.
  /// @pre It is a copy, and in no other registry. This one outlives it.
  void add(const context& copy);

  /// @returns whether that ended a copy that is here.
  bool cancel(cancel_copy what);

  [[nodiscard]] std::size_t copies() const;
  /// Those that came before their copies, or after them.
  [[nodiscard]] std::size_t recalls() const;

private:
  friend class marked_context_node;

  void remove(std::uint64_t serial) noexcept;

  const limits limits_;
  mutable std::mutex mutex_; ///< Guards all that follows.
  std::unordered_map<std::uint64_t, std::weak_ptr<context_node>> copies_;
  std::unordered_set<std::uint64_t> recalled_;
  std::deque<std::uint64_t> oldest_first_; ///< Of `recalled_`.
};

} // namespace coppice
