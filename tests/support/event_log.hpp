// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Records the events of a tree on the real scheduler, and waits for them.
///
/// Layer: tests.
/// Threads: thread-safe.
/// Rules: none.

#include "coppice/supervision_event.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

namespace coppice::test {

/// How long a test on the real scheduler waits for what must happen. Generous:
/// it is only ever used up by a test that fails.
inline constexpr auto patience = std::chrono::seconds{60};

class event_log {
public:
  [[nodiscard]] observer recorder() {
    return [this](const supervision_event& event) {
      std::lock_guard guard{mutex_};
      events_.push_back(event);
      changed_.notify_all();
    };
  }

  /// Waits until at least `times` recorded events satisfy `is_it`.
  template <class Predicate>
  [[nodiscard]] bool wait_for(Predicate is_it, std::ptrdiff_t times = 1) {
    std::unique_lock guard{mutex_};
    return changed_.wait_for(guard, patience, [&] {
      return std::count_if(events_.begin(), events_.end(), is_it) >= times;
    });
  }

  [[nodiscard]] bool wait_for(event_kind kind, const std::string& path,
                              std::ptrdiff_t times = 1) {
    return wait_for(
      [&](const supervision_event& x) {
        return x.kind == kind && x.path == path;
      },
      times);
  }

  [[nodiscard]] std::ptrdiff_t count(event_kind kind) {
    std::lock_guard guard{mutex_};
    return std::count_if(events_.begin(), events_.end(),
                         [kind](const auto& x) { return x.kind == kind; });
  }

  /// One line each, for the message of a test that fails.
  [[nodiscard]] std::string text() {
    std::lock_guard guard{mutex_};
    std::string result;
    for (const auto& event : events_)
      result += "  " + to_string(event) + '\n';
    return result;
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<supervision_event> events_;
};

} // namespace coppice::test
