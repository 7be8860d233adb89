// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// How many workers a pool should have, and what each of them is.
///
/// Layer: L3.
/// Threads: thread-safe.
/// Rules: none; internal to the pool.

#include "coppice/actors/pool.hpp"

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <optional>
#include <utility>

namespace coppice {

struct worker_pool::plan {
  plan(caf::actor front, pool_options how)
    : options(std::move(how)),
      highest(options.workers),
      front_(std::move(front)) {}

  /// Number 1 is `worker-1`.
  [[nodiscard]] child_spec member(policy::member_id number) const;

  /// @returns the highest number that a worker may have, before or after.
  ///          Nothing, and does nothing, if another is under way.
  std::optional<std::size_t> begin_resize(std::size_t workers) {
    const std::lock_guard guard{mutex};
    if (std::exchange(is_resizing, true))
      return std::nullopt;
    highest = std::max(highest, workers);
    return highest;
  }

  void end_resize(std::size_t workers, bool is_complete) {
    const std::lock_guard guard{mutex};
    is_resizing = false;
    if (is_complete)
      highest = std::max(workers, options.workers);
  }

  const pool_options options;

private:
  std::mutex mutex;
  /// Under the lock: no worker has a higher number. A restart of their
  /// supervisor, or a resize that fails, may have left fewer.
  std::size_t highest;
  bool is_resizing = false; ///< Under the lock.
  const caf::actor front_;
};

[[nodiscard]] std::string id_of_pool_member(policy::member_id number);

} // namespace coppice
