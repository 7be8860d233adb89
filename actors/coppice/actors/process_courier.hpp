// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Takes lines of processes to those who want to see them. Internal.
///
/// Layer: L3. No CAF.
/// Threads: thread-safe; calls back on a thread of its own.
/// Rules: none.

#include "coppice/actors/process_options.hpp"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

namespace coppice {

/// Who looks at lines may be slow, or throw; who reads them must not wait.
class line_courier {
public:
  using receiver = std::shared_ptr<const process_options>;

  /// Unit: lines, that wait. At 1 kB each, 8 MB.
  static constexpr std::size_t waiting_max = 8'192;

  line_courier() = default;
  line_courier(const line_courier&) = delete;
  line_courier& operator=(const line_courier&) = delete;
  /// What waits is not delivered any more.
  ~line_courier();

  /// To `to->on_line`. Drops the line where too many wait. The first one
  /// starts the thread.
  void post(receiver to, process_line line);

  [[nodiscard]] std::uint64_t dropped() const;

private:
  struct parcel {
    receiver to;
    process_line line;
  };

  void run();

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<parcel> waiting_;
  std::uint64_t dropped_ = 0;
  bool quitting_ = false;
  std::thread thread_;
};

} // namespace coppice
