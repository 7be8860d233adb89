// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// How a life is doing, as far as its heartbeat tells.
///
/// Layer: L1. No CAF.
/// Threads: a value.
/// Rules: docs/semantics.md, HEARTBEAT-4, OBSERVE-2.

#include "coppice/policy/time.hpp"

#include <cstdint>

namespace coppice {

struct vital_signs {
  /// Is it being judged? From `watch` to verdict, fence or release.
  bool watched = false;
  /// Is there work in hand?
  bool busy = false;
  /// Since the last beat was seen, or since ready; without what the watchdog
  /// itself missed. Of an idle life whose silence is not judged it is right to
  /// 16 scan intervals.
  policy::duration age{0};
  /// 1 is the verdict, 2/3 the warning, 0 not judged.
  double suspicion = 0.0;
  /// What the worker said last; null if nothing.
  const char* note = nullptr;
  std::uint64_t beats = 0;
};

} // namespace coppice
