// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/actors/process_courier.hpp"

#include "coppice/actors/process_host.hpp"

#include <system_error>
#include <utility>

namespace coppice {

line_courier::~line_courier() {
  {
    std::lock_guard guard{mutex_};
    quitting_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable())
    thread_.join();
}

void line_courier::post(receiver to, process_line line) {
  std::lock_guard guard{mutex_};
  if (waiting_.size() >= waiting_max) {
    ++dropped_;
    return;
  }
  waiting_.push_back({std::move(to), std::move(line)});
  try {
    if (!thread_.joinable())
      thread_ = thread_without_signals([this] { run(); });
  } catch (const std::system_error&) {
    return; // no thread to be had: it waits, and the next line tries again
  }
  changed_.notify_one();
}

std::uint64_t line_courier::dropped() const {
  std::lock_guard guard{mutex_};
  return dropped_;
}

void line_courier::run() {
  std::unique_lock guard{mutex_};
  for (;;) {
    changed_.wait(guard, [this] { return quitting_ || !waiting_.empty(); });
    if (quitting_)
      return;
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    guard.unlock();
    try {
      next.to->on_line(next.line);
    } catch (...) {
      // Not our problem, and nobody is here whose problem it is.
    }
    next = {};
    guard.lock();
  }
}

} // namespace coppice
