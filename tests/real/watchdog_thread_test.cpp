// This file is part of coppice. License: see LICENSE in the source root.

// The watchdog on its own thread and the real clock. No test sleeps: each
// waits for an event, with a bound that only a broken watchdog reaches.

#include "coppice/watchdog.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <thread>
#include <vector>

namespace coppice::test {
namespace {

using namespace std::literals;

using kind = watch_notice::kind;
using policy::time_point;

constexpr auto patience = 30s;

time_point steady_now() {
  return std::chrono::steady_clock::now();
}

watchdog::options quick() {
  return {.scan_interval = 5ms};
}

/// A promise that keeps the first value it gets.
template <class T>
class first_of {
public:
  void set(const T& x) {
    if (!is_set_.exchange(true))
      promise_.set_value(x);
  }

  bool wait() {
    return future_.wait_for(patience) == std::future_status::ready;
  }

  T get() { return future_.get(); }

private:
  std::atomic<bool> is_set_ = false;
  std::promise<T> promise_;
  std::future<T> future_ = promise_.get_future();
};

struct told {
  watch_notice notice;
  time_point when;
};

// HEARTBEAT-7
TEST(WatchdogThread, FindsAStall_P02) {
  first_of<told> verdict;
  watchdog dog{quick()};
  const auto owner = dog.add_owner([&](const watch_notice& x) {
    if (x.what == kind::stalled)
      verdict.set({x, steady_now()});
  });
  const auto slot = dog.acquire();
  auto beat = dog.writer(slot);
  dog.watch(slot, owner, {7, 1}, {.stall_timeout = 40ms}, true, steady_now());
  beat.begin_work();
  const auto last_beat = steady_now();
  beat.beat("stuck here");
  ASSERT_TRUE(verdict.wait());
  const auto [notice, when] = verdict.get();
  EXPECT_GE(when - last_beat, 40ms);
  EXPECT_GE(notice.age, 40ms);
  EXPECT_EQ(notice.life, (policy::life_id{7, 1}));
  EXPECT_STREQ(notice.note, "stuck here");
}

TEST(WatchdogThread, ATimerIsNeverEarly) {
  first_of<told> fired;
  watchdog dog{quick()};
  const auto owner = dog.add_owner([&](const watch_notice& x) {
    fired.set({x, steady_now()});
  });
  dog.arm(owner, steady_now() + 1h, 1);
  const auto due = steady_now() + 20ms;
  dog.arm(owner, due, 2); // sooner than what it sleeps for
  ASSERT_TRUE(fired.wait());
  const auto [notice, when] = fired.get();
  EXPECT_EQ(notice.what, kind::timer);
  EXPECT_EQ(notice.generation, 2u);
  EXPECT_GE(when, due);
}

// The listener is not running any more when `remove_owner` returns.
TEST(WatchdogThread, RemovingWaitsForTheListener) {
  first_of<bool> is_in;
  std::promise<void> go_on;
  std::atomic<bool> is_out = false;
  watchdog dog{quick()};
  const auto owner = dog.add_owner([&](const watch_notice&) {
    is_in.set(true);
    go_on.get_future().wait();
    is_out = true;
  });
  dog.arm(owner, steady_now(), 1);
  ASSERT_TRUE(is_in.wait());
  std::promise<void> is_removing;
  std::thread remover{[&] {
    is_removing.set_value();
    dog.remove_owner(owner);
    EXPECT_TRUE(is_out);
  }};
  is_removing.get_future().wait();
  go_on.set_value();
  remover.join();
}

TEST(WatchdogThread, AListenerMayRemoveItself) {
  first_of<bool> removed;
  watchdog dog{quick()};
  std::promise<owner_id> own;
  const auto own_id = own.get_future().share();
  const auto owner = dog.add_owner([&](const watch_notice&) {
    dog.remove_owner(own_id.get());
    removed.set(true);
  });
  own.set_value(owner);
  dog.arm(owner, steady_now(), 1);
  EXPECT_TRUE(removed.wait());
}

// HEARTBEAT-5: the whole machine stood still for an hour, and nobody is to
// blame.
TEST(WatchdogThread, BlamesNobodyForLostTime) {
  std::atomic<std::int64_t> jump{0};
  auto how = quick();
  how.now = [&] { return steady_now() + std::chrono::hours{jump.load()}; };
  first_of<watch_notice> late;
  std::atomic<int> verdicts{0};
  watchdog dog{how};
  dog.set_monitor([&](const watch_notice& x) {
    if (x.what == kind::watcher_late && x.lag > 59min)
      late.set(x);
  });
  const auto owner = dog.add_owner([&](const watch_notice& x) {
    verdicts += x.what == kind::stalled ? 1 : 0;
  });
  const auto slot = dog.acquire();
  auto beat = dog.writer(slot);
  dog.watch(slot, owner, {7, 1}, {.stall_timeout = 10min}, true, how.now());
  beat.begin_work();
  jump = 1;
  ASSERT_TRUE(late.wait());
  const auto scans = dog.stats().scans;
  while (dog.stats().scans < scans + 5)
    std::this_thread::yield();
  EXPECT_EQ(verdicts, 0);
}

TEST(WatchdogThread, EndsWhileLivesAreBusy) {
  heartbeat left;
  {
    watchdog dog{quick()};
    const auto owner = dog.add_owner([](const watch_notice&) {});
    const auto slot = dog.acquire();
    left = dog.writer(slot);
    dog.watch(slot, owner, {7, 1}, {}, true, steady_now());
    left.begin_work();
  }
  left.beat("after the end");
  EXPECT_TRUE(left.stop_requested());
}

/// Lives its lives, one after the other; in some the supervisor goes first.
void live_and_die(watchdog& dog, owner_id owner, std::uint32_t key) {
  const policy::heartbeat_spec spec{.stall_timeout = 1h,
                                    .idle_timeout = key % 2 == 0
                                                      ? policy::time_limit{1h}
                                                      : policy::infinity,
                                    .probe_every = 1ms};
  for (std::uint32_t generation = 0; generation < 2'000; ++generation) {
    const auto slot = dog.acquire();
    auto beat = dog.writer(slot);
    dog.watch(slot, owner, {key, generation}, spec, true, steady_now());
    beat.begin_work();
    for (auto i = 0; i < 20; ++i)
      beat.beat("at work");
    beat.extend(1s);
    beat.end_work();
    const auto signs = dog.look(slot, steady_now());
    EXPECT_EQ(signs.beats, 22u);
    if (generation % 3 == 0) {
      dog.fence(slot);
      dog.unwatch(slot);
      EXPECT_TRUE(beat.fenced());
      beat.beat();
      beat.release();
    } else {
      beat.release();
      dog.unwatch(slot);
    }
  }
}

// HEARTBEAT-7, STOP-2: whatever happens at once, nobody is convicted, and
// each slot comes back.
TEST(WatchdogThread, SurvivesManyThreads) {
  first_of<bool> is_empty;
  std::atomic<int> verdicts{0};
  {
    watchdog dog{{.scan_interval = 1ms, .pool_threads = 2}};
    std::vector<std::thread> threads;
    for (std::uint32_t key = 0; key < 4; ++key)
      threads.emplace_back([&dog, &verdicts, key] {
        const auto owner = dog.add_owner([&verdicts](const watch_notice& x) {
          verdicts += x.what == kind::stalled || x.what == kind::late ? 1 : 0;
        });
        dog.arm(owner, steady_now(), key);
        live_and_die(dog, owner, key);
        dog.remove_owner(owner);
      });
    for (auto& x : threads)
      x.join();
    const auto deadline = steady_now() + patience;
    while (dog.stats().lives > 0 && steady_now() < deadline)
      std::this_thread::yield();
    EXPECT_EQ(dog.stats().lives, 0u);
    EXPECT_EQ(dog.stats().stale_beats, 0u);
  }
  EXPECT_EQ(verdicts, 0);
}

} // namespace
} // namespace coppice::test
