// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What the main loop of `coppice run` waits for: signals, and orders.
///
/// Layer: L4.
/// Threads: thread-safe.
/// Rules: docs/semantics.md, STOP-4.

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

namespace coppice::tool {

enum class run_order {
  stop,   ///< In order; the second one: kill; the third one: leave.
  end,    ///< In order; joins a stop that is under way (STOP-4).
  reload, ///< The file.
};

class run_inbox {
public:
  void put(run_order x) {
    {
      const std::lock_guard lock{mutex_};
      orders_.push_back(x);
    }
    wake_.notify_all();
  }

  /// The next one; nothing, if none comes in time.
  [[nodiscard]] std::optional<run_order>
  wait(std::chrono::steady_clock::duration span) {
    std::unique_lock lock{mutex_};
    if (!wake_.wait_for(lock, span, [this] { return !orders_.empty(); }))
      return std::nullopt;
    const auto result = orders_.front();
    orders_.pop_front();
    return result;
  }

private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<run_order> orders_;
};

} // namespace coppice::tool
