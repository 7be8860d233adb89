// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/actors/process_loop.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace coppice {

namespace {

/// Of the descriptor that `post` writes to.
constexpr process_loop::token wake_token = 0;

policy::time_point steady_now() {
  return std::chrono::steady_clock::now();
}

} // namespace

process_loop::process_loop()
  : epoll_(::epoll_create1(EPOLL_CLOEXEC)),
    wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  epoll_event wake{};
  wake.events = EPOLLIN;
  wake.data.u64 = wake_token;
  if (!epoll_ || !wake_
      || ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &wake) != 0)
    throw std::system_error{errno, std::system_category(),
                            "cannot wait for processes"};
}

process_loop::token process_loop::watch(int fd, std::uint32_t events,
                                        task when) {
  const auto x = ++last_;
  epoll_event event{};
  event.events = events;
  event.data.u64 = x;
  watched_.emplace(x, std::make_shared<task>(std::move(when)));
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0)
    return x;
  const auto error = errno;
  watched_.erase(x);
  throw std::system_error{error, std::system_category(), "cannot watch"};
}

void process_loop::forget(int fd, token& x) noexcept {
  if (watched_.erase(std::exchange(x, 0)) > 0)
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

process_loop::token process_loop::after(policy::duration span, task what) {
  const auto x = ++last_;
  const auto when = policy::saturating_add(steady_now(), span);
  timers_.emplace(due{when, x}, std::move(what));
  due_.emplace(x, when);
  return x;
}

void process_loop::cancel(token& x) noexcept {
  if (const auto i = due_.find(std::exchange(x, 0)); i != due_.end()) {
    timers_.erase({i->second, i->first});
    due_.erase(i);
  }
}

void process_loop::post(task what) {
  {
    std::lock_guard guard{mutex_};
    posted_.push_back(std::move(what));
  }
  const std::uint64_t one = 1;
  static_cast<void>(!::write(wake_.get(), &one, sizeof(one)));
}

void process_loop::quit() {
  post([this] { quitting_ = true; });
}

void process_loop::run() {
  while (!quitting_) {
    wait();
    run_posted();
    run_timers();
  }
}

/// Unit: milliseconds, rounded up; -1: for ever.
int process_loop::time_to_next() const {
  if (timers_.empty())
    return -1;
  const auto left = timers_.begin()->first.first - steady_now();
  const auto rounded = std::chrono::ceil<std::chrono::milliseconds>(left);
  return static_cast<int>(std::clamp<std::int64_t>(rounded.count(), 0, 60'000));
}

void process_loop::wait() {
  std::array<epoll_event, 64> events;
  const auto count = ::epoll_wait(epoll_.get(), events.data(),
                                  static_cast<int>(events.size()),
                                  time_to_next());
  for (int i = 0; i < count; ++i) {
    // Forgotten by another task of this round?
    const auto found
      = watched_.find(events[static_cast<std::size_t>(i)].data.u64);
    if (found != watched_.end()) {
      const auto what = found->second;
      (*what)();
    }
  }
}

void process_loop::run_posted() {
  std::uint64_t count = 0;
  static_cast<void>(!::read(wake_.get(), &count, sizeof(count)));
  std::vector<task> todo;
  {
    std::lock_guard guard{mutex_};
    todo.swap(posted_);
  }
  for (const auto& what : todo)
    what();
}

void process_loop::run_timers() {
  const auto now = steady_now();
  while (!timers_.empty() && timers_.begin()->first.first <= now) {
    auto node = timers_.extract(timers_.begin());
    due_.erase(node.key().second);
    node.mapped()();
  }
}

} // namespace coppice
