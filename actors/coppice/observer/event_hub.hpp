// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// One observer for a tree, and any number of subscribers behind it.
///
/// Layer: L3. No actors.
/// Threads: thread-safe.
/// Rules: docs/semantics.md, OBSERVE-1.

#include "coppice/policy/time.hpp"
#include "coppice/supervision_event.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace coppice {

/// What an `event_hub` has counted since it was made.
struct event_counts {
  /// By `event_kind`.
  std::array<std::uint64_t, 256> by_kind{};
  /// Restarts by the path of the supervisor and by cause. Beyond
  /// `event_hub::paths_max` paths, the others are under the empty one.
  std::map<std::pair<std::string, policy::end_cause>, std::uint64_t> restarts;
  /// Number of the last event; 0 before the first.
  std::uint64_t last = 0;
  /// That came too late or in vain for subscribers which did not take them.
  std::uint64_t dropped = 0;
  /// Exceptions of listeners.
  std::uint64_t listener_failures = 0;
};

/// Events for one reader, from a bounded queue. Ends with its destruction.
class event_subscription {
public:
  event_subscription() = default;
  event_subscription(event_subscription&&) noexcept = default;
  event_subscription& operator=(event_subscription&& other) noexcept {
    queue_.swap(other.queue_);
    return *this;
  }
  ~event_subscription();

  /// All that is there; else what comes first within `patience`. Empty: nothing
  /// came, or `interrupt` was called.
  [[nodiscard]] std::vector<supervision_event>
  take(policy::time_limit patience);
  /// Makes `take` return now, or the next time. From any thread.
  void interrupt();
  /// Of this reader: the oldest ones, when its queue was full.
  [[nodiscard]] std::uint64_t dropped() const;

private:
  friend class event_hub;
  struct queue;
  std::shared_ptr<queue> queue_;
};

/// Fans the events of one tree out, and keeps the last ones for who comes late.
///
///     event_hub hub;
///     supervise_options options;
///     options.on_event = hub.as_observer();
///
/// Nobody here waits for anybody. With no subscriber an event costs one copy
/// into memory that is there already.
class event_hub {
public:
  static constexpr std::size_t paths_max = 1'000;

  /// @param kept_max  Events for late joiners. Range: 1 to 1'000'000; what is
  ///                  outside is taken for the nearest of them.
  explicit event_hub(std::size_t kept_max = 1'000);

  /// For `supervise_options::on_event`, of one tree. May outlive the hub.
  [[nodiscard]] observer as_observer() const;

  /// Has `who` called for each event from now on, on the thread that brings
  /// them: it should be quick, or it costs all of them events. What it throws
  /// is swallowed and counted.
  void add_listener(observer who);

  /// @param after  Kept events with higher numbers come first.
  /// @param queue_max  Events; when full, the oldest one goes. At least 1.
  [[nodiscard]] event_subscription subscribe(std::uint64_t after,
                                             std::size_t queue_max = 4'096);

  /// Those kept with numbers from `after` + 1 to `last`, in order.
  [[nodiscard]] std::vector<supervision_event>
  kept(std::uint64_t after, std::uint64_t last = UINT64_MAX) const;

  [[nodiscard]] event_counts counts() const;
  /// Number of the last event; 0 before the first.
  [[nodiscard]] std::uint64_t last() const;

private:
  struct state;
  std::shared_ptr<state> state_;
};

} // namespace coppice
