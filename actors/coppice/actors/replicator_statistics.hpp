// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What a replicator did so far.
///
/// Layer: L3.
/// Threads: values.
/// Rules: docs/semantics.md, REPLICATE-7.

#include "coppice/policy/replication_step.hpp"

#include <cstdint>

namespace coppice {

/// A consistent copy of what a replicator counts.
struct replicator_statistics {
  policy::replication_snapshot core;
  /// Refused: not known to be idempotent.
  std::uint64_t not_idempotent = 0;
  /// Refused: the replicator was stopped.
  std::uint64_t refused_stopped = 0;
  /// Answers to nothing that it knows.
  std::uint64_t stray_answers = 0;
  /// Messages that want no answer: each went to one replica.
  std::uint64_t one_way = 0;
  /// Functions of its options that threw.
  std::uint64_t callback_failures = 0;
};

} // namespace coppice
