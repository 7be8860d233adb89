// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The thread that serves all processes of this program. Internal.
///
/// Layer: L3. No CAF.
/// Threads: `instance`, `begin`, `stop` and `kill` by any thread; the rest on
/// its own.
/// Rules: docs/semantics.md, "Words" (life), STOP-2.

#include "coppice/actors/process_courier.hpp"
#include "coppice/actors/process_loop.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>

namespace coppice {

class process_run;

/// A thread on which no handler of a signal runs, for none is delivered.
[[nodiscard]] std::thread thread_without_signals(std::function<void()> what);

/// One per program, because processes die with the thread that forked them:
/// this one lives as long as the program.
class process_host {
public:
  /// The first call starts the thread.
  /// @throws std::system_error
  static process_host& instance();

  process_host(const process_host&) = delete;
  process_host& operator=(const process_host&) = delete;

  using run_ptr = std::shared_ptr<process_run>;

  /// Runs it; not before the one at the same place is gone.
  void begin(run_ptr what);
  void stop(run_ptr what);
  void kill(run_ptr what);

  // On the thread of the host.
  [[nodiscard]] process_loop& loop() noexcept { return loop_; }
  [[nodiscard]] line_courier& courier() noexcept { return courier_; }
  /// It is gone: the next one at its place begins.
  void leave(const process_run& what);

private:
  process_host();
  ~process_host();

  void enter(run_ptr what);
  void kill_all();

  line_courier courier_;
  process_loop loop_;
  /// The first one runs, the others wait.
  std::map<std::pair<const void*, std::string>, std::deque<run_ptr>> places_;
  std::thread thread_;
};

} // namespace coppice
