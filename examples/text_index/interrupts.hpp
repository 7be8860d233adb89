// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// SIGINT and SIGTERM, taken by a thread that waits for nothing else.
///
/// Layer: L4, an example.
/// Threads: see the functions; values are as safe as an int.
/// Rules: none.

#include <atomic>
#include <thread>

namespace text_index {

/// While it exists, the first signal is a request that `requested` shows, and
/// the second one ends the process at once. Make it before any other thread,
/// so that all of them leave the signals to this one.
class interrupts {
public:
  interrupts();
  ~interrupts();
  interrupts(const interrupts&) = delete;
  interrupts& operator=(const interrupts&) = delete;

  [[nodiscard]] bool requested() const noexcept { return signals_ > 0; }

private:
  void wait_for_signals();

  std::atomic<int> signals_{0};
  std::atomic<bool> closing_{false};
  std::thread thread_;
};

} // namespace text_index
