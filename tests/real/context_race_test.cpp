// This file is part of coppice. License: see LICENSE in the source root.

// Contexts that are cancelled, expire, are looked at and destroyed by several
// threads at the same time. Of use under TSan: nothing of CAF runs here.

#include "coppice/context.hpp"

#include "support/seed.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace coppice::test {
namespace {

using namespace std::literals;
using policy::random_source;

constexpr auto rounds = 2'000;
constexpr auto threads = 4;

/// Runs `act(thread, round)` on each thread; all begin each round together.
/// `prepare(round)` and `inspect(round)` run alone, before and after.
template <class Prepare, class Act, class Inspect>
void race(Prepare prepare, Act act, Inspect inspect) {
  std::barrier gate{threads};
  std::vector<std::thread> pool;
  for (auto id = 0; id < threads; ++id)
    pool.emplace_back([&, id] {
      for (auto round = 0; round < rounds; ++round) {
        if (id == 0)
          prepare(round);
        gate.arrive_and_wait();
        act(id, round);
        gate.arrive_and_wait();
        if (id == 0)
          inspect(round);
      }
    });
  for (auto& x : pool)
    x.join();
}

std::shared_ptr<deadline_clock> fresh_clock() {
  return std::make_shared<deadline_clock>();
}

// DEADLINE-4: one end wins, everybody sees the same cause, callbacks run once.
TEST(ContextRace, OneEndWins) {
  context ctx;
  std::atomic<int> wins{0};
  std::atomic<int> calls{0};
  std::vector<cancel_registration> registrations;
  const auto clock = fresh_clock();
  race(
    [&](int) {
      wins = 0;
      calls = 0;
      ctx = context::lasting(50us, {.clock = clock});
      registrations.clear();
      registrations.push_back(ctx.on_cancel([&] { ++calls; }));
    },
    [&](int id, int) {
      if (ctx.cancel({.failure_class = std::to_string(id), .message = "x"}))
        ++wins;
      EXPECT_TRUE(ctx.cancelled());
      EXPECT_TRUE(ctx.cause());
    },
    [&](int) {
      registrations.clear(); // waits for the callback
      EXPECT_EQ(calls, 1);
      const auto expired = ctx.cause()->failure_class == "deadline_exceeded";
      EXPECT_EQ(wins, expired ? 0 : 1);
    });
}

// DEADLINE-4: children that come and go while their parent ends: each is told,
// or gone; none is touched after it was destroyed.
TEST(ContextRace, ChildrenComeAndGoWhileTheParentEnds) {
  const seeded seeded_test;
  context parent;
  const auto clock = fresh_clock();
  race([&](int) { parent = context::lasting(1h, {.clock = clock}); },
       [&](int id, int round) {
         if (id == round % threads) {
           parent.cancel();
           return;
         }
         random_source random{
           seeded_test.seed + static_cast<std::uint64_t>(round * threads + id)};
         std::vector<context> kept;
         for (auto i = 0; i < 20; ++i) {
           auto child = parent.with_timeout(random.next() % 2 == 0 ? 1min : 2h);
           static_cast<void>(child.cancelled());
           if (random.next() % 2 == 0)
             kept.push_back(child.with_cancel());
           if (random.next() % 4 == 0 && !kept.empty())
             kept.erase(kept.begin());
         }
       },
       [&](int) {
         EXPECT_TRUE(parent.cancelled());
         EXPECT_TRUE(parent.with_cancel().cancelled());
       });
  EXPECT_EQ(clock->statistics().armed, 0u);
}

// DEADLINE-1: the clock's thread rings while contexts are dropped.
TEST(ContextRace, DeadlinesPassWhileContextsAreDropped) {
  const auto clock = fresh_clock();
  race([](int) {},
       [&](int id, int round) {
         const auto root = context::lasting(
           std::chrono::microseconds{(id * 7 + round) % 60}, {.clock = clock});
         const auto child = root.with_timeout(30us);
         while (!child.cancelled() && (round + id) % 3 == 0)
           std::this_thread::yield();
         const auto last = child.with_cancel();
         static_cast<void>(last.cancelled());
       },
       [](int) {});
  EXPECT_EQ(clock->statistics().armed, 0u);
}

// DEADLINE-4: once a registration is gone its callback neither runs nor will.
TEST(ContextRace, NothingIsCalledThatWasTakenBack) {
  context ctx;
  const auto clock = fresh_clock();
  race([&](int) { ctx = context::lasting(1h, {.clock = clock}); },
       [&](int id, int round) {
         if (id == round % threads) {
           ctx.cancel();
           return;
         }
         auto alive = true; // on this stack
         std::atomic<int> calls{0};
         {
           const auto registration = ctx.on_cancel([&] {
             EXPECT_TRUE(alive);
             ++calls;
           });
         }
         alive = false;
         EXPECT_LE(calls, 1);
       },
       [](int) {});
}

// DEADLINE-4: the last owner of a clock may be what its own thread lets go of.
TEST(ContextRace, TheClockMayEndOnItsOwnThread) {
  for (auto i = 0; i < 200; ++i) {
    std::latch ended{1};
    struct guard {
      std::latch* latch;
      ~guard() { latch->count_down(); }
    };
    auto clock = fresh_clock();
    auto ctx = context::lasting(100us, {.clock = clock});
    auto mine = std::make_shared<guard>(&ended);
    // The clock lives in the context, which lives in its own registration.
    auto keep = std::make_shared<cancel_registration>();
    std::latch dropped{1};
    *keep = ctx.on_cancel(
      [keep, mine, &dropped, main = std::this_thread::get_id()] {
        if (std::this_thread::get_id() != main) // else it was late at once
          dropped.wait();
        keep->reset();
      });
    ctx = {};
    clock.reset();
    keep.reset();
    mine.reset();
    dropped.count_down();
    ended.wait();
  }
}

// DEADLINE-1: on the real clock, not early, and without anybody polling.
TEST(ContextRace, TheRealClockKeepsTheDeadline) {
  const auto begin = std::chrono::steady_clock::now();
  const auto ctx = context::lasting(20ms);
  std::latch ended{1};
  const auto registration = ctx.on_cancel([&] { ended.count_down(); });
  ended.wait();
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 20ms);
  EXPECT_EQ(ctx.cause()->failure_class, "deadline_exceeded");
}

} // namespace
} // namespace coppice::test
