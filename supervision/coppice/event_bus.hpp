// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Brings events to the observer without ever waiting for it.
///
/// Layer: L1.
/// Threads: thread-safe.
/// Rules: docs/semantics.md, OBSERVE-1.

#include "coppice/supervision_event.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>

namespace coppice {

/// A bounded queue and a thread that empties it. Without an observer there is
/// no thread, and `is_observed()` lets the caller save the work.
class event_bus {
public:
  /// @param inline_delivery  Call the observer from `publish`, for tests.
  event_bus(observer who, bool inline_delivery);
  /// As `close()`.
  ~event_bus();
  event_bus(const event_bus&) = delete;
  event_bus& operator=(const event_bus&) = delete;

  [[nodiscard]] bool is_observed() const noexcept {
    return static_cast<bool>(who_);
  }

  /// Never blocks on the observer. Drops the event when `queue_max` wait.
  void publish(supervision_event event);

  /// Delivers what is queued, and drops what comes from now on: when this has
  /// returned the observer does not run, nor ever again. Called by the observer
  /// itself it cannot wait for it. May be called twice.
  void close();

  /// Number of the last event, dropped ones included.
  [[nodiscard]] std::uint64_t last_number() const;
  /// What events are stamped with: of the tree's spec.
  [[nodiscard]] std::uint64_t version() const noexcept { return version_; }
  /// Another spec is in force. Returns its version.
  std::uint64_t next_version() noexcept { return ++version_; }

  [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }
  [[nodiscard]] std::uint64_t observer_failures() const noexcept {
    return failures_;
  }

  /// Unit: events. A burst of restarts of a large tree fits; 16 MiB or so.
  static constexpr std::size_t queue_max = 65'536;

private:
  void deliver(const supervision_event& event) noexcept;
  void run();

  observer who_;
  bool inline_;
  std::atomic<std::uint64_t> version_{1};
  std::atomic<std::uint64_t> dropped_{0};
  std::atomic<std::uint64_t> failures_{0};
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<supervision_event> queue_;
  std::uint64_t numbers_ = 0;
  /// The thread waits for an event, and has not been woken yet.
  bool idle_ = false;
  bool closing_ = false;
  std::thread thread_;
};

} // namespace coppice
