// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What happened to the workers, counted: by the observer, and by the faults.
///
/// Threads: thread-safe.
///
/// Layer: L4, an example.
/// Threads: see the functions; values are as safe as an int.
/// Rules: none.

#include "coppice/supervision_event.hpp"

#include "faults.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>

namespace text_index {

struct run_tally {
  std::array<std::uint64_t, fault_kinds> injected{};
  std::uint64_t injected_into_service = 0;
  std::uint64_t crashes = 0;
  std::uint64_t stalls = 0;
  std::uint64_t restarts_after_crash = 0;
  std::uint64_t restarts_after_stall = 0;
  std::uint64_t restarts_otherwise = 0;
  std::uint64_t abandoned = 0;
  /// Abandoned lives that ended after all.
  std::uint64_t abandoned_ended = 0;
  /// The watchdog got the processor too late, and judged nobody by that time:
  /// on a busy machine, stalls are found later.
  std::uint64_t watcher_late = 0;
  std::chrono::nanoseconds watcher_latest{0};

  [[nodiscard]] std::uint64_t restarts() const noexcept {
    return restarts_after_crash + restarts_after_stall + restarts_otherwise;
  }
};

class run_statistics {
public:
  /// The observer of the tree.
  void on_event(const coppice::supervision_event& event);
  void on_fault(fault_kind fault);
  void on_service_fault();

  [[nodiscard]] run_tally read() const;

private:
  mutable std::mutex mutex_;
  run_tally tally_;
};

} // namespace text_index
