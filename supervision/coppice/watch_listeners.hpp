// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The watchdog's listeners: their timers, and calling them without a lock.
///
/// Layer: L2. No CAF.
/// Threads: guarded by the watchdog's mutex, whose lock is passed in where it
///          is let go for a while.
/// Rules: docs/semantics.md, HEARTBEAT-5; OBSERVE-1 (one that throws).

#include "coppice/policy/time.hpp"
#include "coppice/policy/timer_heap.hpp"
#include "coppice/watchdog.hpp"

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

namespace coppice {

class watch_listeners {
public:
  using guard = std::unique_lock<std::mutex>;
  using time_point = policy::time_point;

  /// An owner without lives; here whether or not there is a listener.
  static constexpr owner_id monitor = 0;

  owner_id add(watchdog::listener what);
  void set_monitor(guard& lock, watchdog::listener what);

  /// Waits until it has returned, unless this is a call from it.
  void remove(guard& lock, owner_id id);

  void arm(owner_id id, time_point due, std::uint64_t generation);
  void disarm(owner_id id);
  [[nodiscard]] time_point next_due() const;

  /// Calls those whose timers are due; one that arms itself anew has to wait
  /// for the next time.
  void fire(guard& lock, time_point now);

  /// Calls a listener, if it is still there, with the lock let go.
  void deliver(guard& lock, owner_id id, const watch_notice& what);

  /// How many calls ended in an exception.
  [[nodiscard]] std::uint64_t failures() const noexcept { return failures_; }

private:
  struct owner {
    watchdog::listener call;
    std::uint64_t generation = 0;
    std::uint32_t timer_position = UINT32_MAX;
    /// Its timer was due, and was not armed or disarmed since.
    bool is_due = false;
  };

  using owner_map = std::unordered_map<owner_id, std::shared_ptr<owner>>;

  /// Tells the heap where an owner keeps the position of its timer.
  struct positions {
    owner_map* owners;
    std::uint32_t& operator()(owner_id id) const {
      return owners->find(id)->second->timer_position;
    }
  };

  void await_return(guard& lock, const owner* gone);

  owner_map owners_;
  policy::timer_heap<owner_id, positions> timers_{positions{&owners_}};
  owner_id next_ = monitor + 1;
  std::vector<owner_id> due_;

  const owner* calling_ = nullptr;
  std::thread::id caller_;
  std::condition_variable returned_;
  std::size_t waiting_ = 0;
  std::uint64_t failures_ = 0;
};

} // namespace coppice
