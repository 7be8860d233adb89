// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/deadline_clock.hpp"

#include "coppice/policy/timer_heap.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#if defined(__linux__)
#  include <pthread.h>
#endif

namespace coppice {

namespace {

using policy::duration;
using policy::time_point;

constexpr auto never = time_point::max();

/// So that clocks with odd epochs do not overflow a wait.
constexpr duration longest_wait = std::chrono::hours{1};

/// Rung between two looks at the heap: a million that are due at once must not
/// need a million pointers.
constexpr std::size_t batch_max = 1'024;

constexpr std::size_t tallies = 7;

void name_this_thread() noexcept {
#if defined(__linux__)
  pthread_setname_np(pthread_self(), "coppice.clock");
#endif
}

} // namespace

// Kept alive by its thread as well: the last owner of the clock may be a
// context that an alarm has just let go of.
class deadline_clock::implementation
  : public std::enable_shared_from_this<implementation> {
public:
  using guard = std::unique_lock<std::mutex>;

  explicit implementation(options how)
    : now_(std::move(how.now)), manual_(how.manual), heap_({}) {}

  [[nodiscard]] time_point now() const {
    return now_ ? now_() : std::chrono::steady_clock::now();
  }

  void arm(alarm& x, time_point due) {
    const guard lock{mutex_};
    if (heap_.contains(&x))
      return;
    // First what may throw: an alarm that nobody rings is not armed.
    if (!manual_ && !thread_.joinable())
      thread_ = std::thread{[self = shared_from_this()] { self->loop(); }};
    heap_.set(&x, due);
    x.was_armed_.store(true, std::memory_order_relaxed);
    if (due < sleeping_until_)
      wake_.notify_one();
  }

  void disarm(alarm& x) {
    const guard lock{mutex_};
    heap_.cancel(&x);
  }

  time_point next_due() const {
    const guard lock{mutex_};
    return first_due();
  }

  void run(time_point now) {
    assert(manual_);
    guard lock{mutex_};
    while (is_due(now))
      ring(lock, now);
  }

  void stop() {
    {
      const guard lock{mutex_};
      stopping_ = true;
    }
    wake_.notify_all();
    if (!thread_.joinable())
      return;
    if (thread_.get_id() == std::this_thread::get_id())
      thread_.detach();
    else
      thread_.join();
  }

  std::uint64_t armed() const {
    const guard lock{mutex_};
    return heap_.size();
  }

  std::array<std::atomic<std::uint64_t>, tallies> counts{};

private:
  struct positions {
    std::uint32_t& operator()(alarm* x) const noexcept { return x->position_; }
  };

  time_point first_due() const {
    return heap_.empty() ? never : heap_.next_due();
  }

  bool is_due(time_point now) const {
    return !heap_.empty() && heap_.next_due() <= now;
  }

  void loop() {
    name_this_thread();
    guard lock{mutex_};
    while (!stopping_) {
      const auto due = first_due();
      const auto time = now();
      if (is_due(time)) {
        ring(lock, time);
        continue;
      }
      sleeping_until_ = due;
      if (due == never)
        wake_.wait(lock);
      else if (due < policy::saturating_add(time, longest_wait))
        wake_.wait_for(lock, due - time);
      else
        wake_.wait_for(lock, longest_wait);
      sleeping_until_ = time_point::min();
    }
  }

  // An alarm in the heap is still there, because its destructor has to take
  // the lock first; but it may be past saving.
  void ring(guard& lock, time_point now) {
    std::vector<std::shared_ptr<alarm>> batch;
    while (is_due(now) && batch.size() < batch_max) {
      auto* x = heap_.next_key();
      heap_.cancel(x);
      if (auto strong = x->weak_from_this().lock())
        batch.push_back(std::move(strong));
    }
    lock.unlock();
    for (auto& x : batch)
      x->ring();
    batch.clear();
    lock.lock();
  }

  const std::function<time_point()> now_;
  const bool manual_;

  /// Guards all that follows.
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  policy::timer_heap<alarm*, positions> heap_;
  bool stopping_ = false;
  /// `time_point::min()` while awake.
  time_point sleeping_until_ = time_point::min();
  std::thread thread_;
};

namespace {

struct current_clock {
  std::mutex mutex;
  std::shared_ptr<deadline_clock> clock;
};

current_clock& the_current() {
  static current_clock instance;
  return instance;
}

std::shared_ptr<deadline_clock>
exchange_current(std::shared_ptr<deadline_clock> clock) {
  auto& x = the_current();
  const std::lock_guard lock{x.mutex};
  return std::exchange(x.clock, std::move(clock));
}

} // namespace

std::shared_ptr<deadline_clock> deadline_clock::current() {
  auto& x = the_current();
  const std::lock_guard lock{x.mutex};
  if (x.clock == nullptr)
    x.clock = std::make_shared<deadline_clock>();
  return x.clock;
}

deadline_clock::scope::scope(std::shared_ptr<deadline_clock> clock)
  : before_(exchange_current(std::move(clock))) {}

deadline_clock::scope::~scope() {
  exchange_current(std::move(before_));
}

deadline_clock::deadline_clock() : deadline_clock(options{}) {}

deadline_clock::deadline_clock(options how)
  : impl_(std::make_shared<implementation>(std::move(how))) {}

deadline_clock::~deadline_clock() {
  impl_->stop();
}

time_point deadline_clock::now() const {
  return impl_->now();
}

void deadline_clock::arm(alarm& x, time_point due) {
  impl_->arm(x, due);
}

void deadline_clock::disarm(alarm& x) {
  impl_->disarm(x);
}

time_point deadline_clock::next_due() const {
  return impl_->next_due();
}

void deadline_clock::run(time_point now) {
  impl_->run(now);
}

void deadline_clock::count(tally what) noexcept {
  impl_->counts[static_cast<std::size_t>(what)].fetch_add(
    1, std::memory_order_relaxed);
}

deadline_statistics deadline_clock::statistics() const {
  const auto read = [this](tally what) {
    return impl_->counts[static_cast<std::size_t>(what)].load(
      std::memory_order_relaxed);
  };
  return {.expired = read(tally::expired),
          .refused_unsent = read(tally::refused_unsent),
          .cancelled_unstarted = read(tally::cancelled_unstarted),
          .expired_unstarted = read(tally::expired_unstarted),
          .late_answers = read(tally::late_answer),
          .callback_failures = read(tally::callback_failure),
          .armed = impl_->armed(),
          .unclaimed = read(tally::unclaimed)};
}

} // namespace coppice
