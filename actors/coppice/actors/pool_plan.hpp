// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// How many workers a pool should have, and what each of them is.
///
/// Layer: L3.
/// Threads: thread-safe.
/// Rules: none; internal to the pool.

#include "coppice/actors/pool.hpp"

#include <mutex>

namespace coppice {

struct worker_pool::plan {
  plan(caf::actor front, pool_options how)
    : options(std::move(how)),
      size(options.workers),
      front_(std::move(front)) {}

  /// Number 1 is `worker-1`.
  [[nodiscard]] child_spec member(policy::member_id number) const;

  const pool_options options;
  std::mutex mutex;
  std::size_t size;         ///< Under the lock.
  bool is_resizing = false; ///< Under the lock.

private:
  const caf::actor front_;
};

[[nodiscard]] std::string id_of_pool_member(policy::member_id number);

} // namespace coppice
