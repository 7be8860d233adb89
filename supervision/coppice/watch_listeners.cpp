// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/watch_listeners.hpp"

#include <algorithm>
#include <utility>

namespace coppice {

owner_id watch_listeners::add(watchdog::listener what) {
  const auto result = next_++;
  auto added = std::make_shared<owner>();
  added->call = std::move(what);
  owners_.emplace(result, std::move(added));
  return result;
}

void watch_listeners::set_monitor(guard& lock, watchdog::listener what) {
  remove(lock, monitor);
  if (!what)
    return;
  auto added = std::make_shared<owner>();
  added->call = std::move(what);
  owners_.insert_or_assign(monitor, std::move(added));
}

void watch_listeners::remove(guard& lock, owner_id id) {
  const auto found = owners_.find(id);
  if (found == owners_.end())
    return;
  timers_.cancel(id);
  auto gone = std::move(found->second);
  owners_.erase(found);
  await_return(lock, gone.get());
  lock.unlock(); // what a listener holds may call back when it goes
  gone.reset();
  lock.lock();
}

void watch_listeners::arm(owner_id id, time_point due,
                          std::uint64_t generation) {
  const auto found = owners_.find(id);
  if (found == owners_.end())
    return;
  found->second->generation = generation;
  found->second->is_due = false;
  timers_.set(id, due);
}

void watch_listeners::disarm(owner_id id) {
  const auto found = owners_.find(id);
  if (found == owners_.end())
    return;
  found->second->is_due = false;
  timers_.cancel(id);
}

watch_listeners::time_point watch_listeners::next_due() const {
  return timers_.empty() ? time_point::max() : timers_.next_due();
}

void watch_listeners::fire(guard& lock, time_point now) {
  due_.clear();
  while (next_due() <= now && !timers_.empty()) {
    const auto id = timers_.next_key();
    timers_.cancel(id);
    owners_.find(id)->second->is_due = true;
    due_.push_back(id);
  }
  for (const auto id : due_) {
    const auto found = owners_.find(id);
    if (found == owners_.end() || !std::exchange(found->second->is_due, false))
      continue;
    deliver(lock, id,
            {.what = watch_notice::kind::timer,
             .generation = found->second->generation});
  }
}

void watch_listeners::deliver(guard& lock, owner_id id,
                              const watch_notice& what) {
  const auto found = owners_.find(id);
  if (found == owners_.end())
    return;
  auto to = found->second;
  calling_ = to.get();
  caller_ = std::this_thread::get_id();
  lock.unlock();
  auto has_failed = false;
  try {
    to->call(what);
  } catch (...) {
    has_failed = true;
  }
  lock.lock();
  calling_ = nullptr;
  failures_ += has_failed ? 1 : 0;
  if (waiting_ > 0)
    returned_.notify_all();
  if (to.use_count() > 1)
    return;
  lock.unlock(); // it removed itself; as in `remove`
  to.reset();
  lock.lock();
}

void watch_listeners::await_return(guard& lock, const owner* gone) {
  if (calling_ != gone || caller_ == std::this_thread::get_id())
    return;
  ++waiting_;
  returned_.wait(lock, [this, gone] { return calling_ != gone; });
  --waiting_;
}

} // namespace coppice
