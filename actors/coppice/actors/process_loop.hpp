// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Waits for descriptors, timers and orders, on one thread. Internal.
///
/// Layer: L3. No CAF.
/// Threads: `post` and `quit` by any thread, all else on that of `run`.
/// Rules: none.

#include "coppice/actors/process_fd.hpp"
#include "coppice/policy/time.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

namespace coppice {

/// Over epoll. Descriptors are level-triggered: a handler that reads a little
/// and returns is called again, after the others had their turn.
class process_loop {
public:
  using task = std::function<void()>;
  /// Names what is watched, or timed; never used twice. 0: nothing.
  using token = std::uint64_t;

  /// @throws std::system_error
  process_loop();
  process_loop(const process_loop&) = delete;
  process_loop& operator=(const process_loop&) = delete;

  /// Calls `when` whenever `fd` has one of `events` (EPOLLIN, ...), an error,
  /// or its end.
  /// @throws std::system_error
  [[nodiscard]] token watch(int fd, std::uint32_t events, task when);
  /// Before `fd` is closed. `x` is 0 then; no call comes any more.
  void forget(int fd, token& x) noexcept;

  [[nodiscard]] token after(policy::duration span, task what);
  /// `x` is 0 then.
  void cancel(token& x) noexcept;

  /// Thread-safe.
  void post(task what);

  /// Until `quit`. What tasks throw ends the process: they throw nothing.
  void run();
  /// Thread-safe.
  void quit();

private:
  using due = std::pair<policy::time_point, token>;

  [[nodiscard]] int time_to_next() const;
  void wait();
  void run_posted();
  void run_timers();

  owned_fd epoll_;
  owned_fd wake_;
  token last_ = 0;
  /// Shared: a task may forget itself while it runs.
  std::unordered_map<token, std::shared_ptr<task>> watched_;
  std::map<due, task> timers_;
  std::unordered_map<token, policy::time_point> due_;

  std::mutex mutex_;
  std::vector<task> posted_;
  bool quitting_ = false;
};

} // namespace coppice
