// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/event_bus.hpp"

#include <pthread.h>

#include <chrono>
#include <utility>

namespace coppice {

namespace {

/// Between two rounds of the thread: a storm of events wakes it so often, and
/// whoever publishes has nobody to wake in between.
constexpr auto breath = std::chrono::milliseconds{5};

} // namespace

event_bus::event_bus(observer who, bool inline_delivery)
  : who_(std::move(who)), inline_(inline_delivery) {
  if (who_ && !inline_)
    thread_ = std::thread{[this] { run(); }};
}

event_bus::~event_bus() {
  close();
}

void event_bus::close() {
  std::thread thread;
  {
    std::lock_guard guard{mutex_};
    closing_ = true;
    if (thread_.get_id() != std::this_thread::get_id())
      thread = std::move(thread_);
  }
  wake_.notify_one();
  if (thread.joinable())
    thread.join();
}

std::uint64_t event_bus::last_number() const {
  std::lock_guard guard{mutex_};
  return numbers_;
}

void event_bus::publish(supervision_event event) {
  if (!who_)
    return;
  event.when = wall_now();
  event.version = version();
  std::unique_lock guard{mutex_};
  if (closing_)
    return;
  event.number = ++numbers_;
  if (inline_) {
    guard.unlock();
    deliver(event);
    return;
  }
  if (queue_.size() >= queue_max) {
    ++dropped_;
    return;
  }
  queue_.push_back(std::move(event));
  const auto wakes = std::exchange(idle_, false);
  guard.unlock();
  if (wakes)
    wake_.notify_one();
}

void event_bus::deliver(const supervision_event& event) noexcept {
  try {
    who_(event);
  } catch (...) {
    ++failures_;
  }
}

void event_bus::run() {
  pthread_setname_np(pthread_self(), "coppice.events");
  std::unique_lock guard{mutex_};
  for (;;) {
    idle_ = queue_.empty();
    wake_.wait(guard, [this] { return closing_ || !queue_.empty(); });
    idle_ = false;
    if (queue_.empty())
      return;
    const auto batch = std::exchange(queue_, {});
    guard.unlock();
    for (const auto& event : batch)
      deliver(event);
    guard.lock();
    wake_.wait_for(guard, breath, [this] { return closing_; });
  }
}

} // namespace coppice
