// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// SIGINT, SIGTERM and SIGHUP, taken by a thread that waits for nothing else.
///
/// Layer: L4.
/// Threads: make it before any other thread, so that all leave the signals to
/// this one; the function is called on its thread.
/// Rules: none.

#include <atomic>
#include <functional>
#include <thread>

namespace coppice::tool {

/// While it exists, these signals do nothing but call a function.
class signals {
public:
  /// @param f  Called with the number of each signal.
  explicit signals(std::function<void(int)> f);
  ~signals();
  signals(const signals&) = delete;
  signals& operator=(const signals&) = delete;

private:
  void wait_for_signals();

  std::function<void(int)> f_;
  std::atomic<bool> closing_{false};
  std::thread thread_;
};

} // namespace coppice::tool
