// This file is part of coppice. License: see LICENSE in the source root.

// The watchdog's verdict, with its real thread and the real clock.

#include "coppice/heartbeat_board.hpp"
#include "coppice/kernel_thread.hpp"
#include "coppice/thread_stack.hpp"
#include "coppice/watchdog.hpp"

#include "support/stacks.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <optional>
#include <thread>

namespace coppice::test {
namespace {

using namespace std::literals;

using testing::Contains;

[[gnu::noinline, gnu::noclone]] void
never_finish(const std::atomic<bool>& let_go) {
  while (!let_go.load(std::memory_order_relaxed)) {}
}

struct StallStack : testing::Test {
  ~StallStack() override {
    let_go = true;
    worker.join();
    set_thread_stacks({});
  }

  /// Begins to work, and stalls.
  watch_notice verdict(watchdog::options how = {}) {
    how.scan_interval = 5ms;
    dog.emplace(how);
    const auto owner = dog->add_owner([this](const watch_notice& x) {
      if (x.what == watch_notice::kind::stalled)
        told.set_value(x);
    });
    const auto slot = dog->acquire();
    worker = std::thread{[this, beats = dog->writer(slot)]() mutable {
      beats.begin_work();
      working.set_value();
      never_finish(let_go);
      beats.end_work();
      beats.release();
    }};
    working.get_future().wait();
    dog->watch(slot, owner, {1, 1}, {.stall_timeout = 20ms}, false,
               std::chrono::steady_clock::now());
    return told.get_future().get();
  }

  std::atomic<bool> let_go{false};
  std::promise<void> working;
  std::promise<watch_notice> told;
  std::optional<watchdog> dog;
  std::thread worker;
};

// HEARTBEAT-6: the verdict carries the stack of the stuck thread.
TEST_F(StallStack, IsPartOfTheVerdict) {
  const auto notice = verdict({.stack_wait = long_enough});
  ASSERT_NE(notice.stack, nullptr);
  EXPECT_THAT(explained(*notice.stack), Contains(is_in("never_finish")));
}

// HEARTBEAT-6, HEARTBEAT-7: without it, the verdict is as before.
TEST_F(StallStack, IsNotWaitedForIfNotWanted) {
  const auto notice = verdict({.stack_wait = 0ms});
  EXPECT_EQ(notice.stack, nullptr);
  EXPECT_TRUE(notice.was_busy);
}

// HEARTBEAT-6
TEST_F(StallStack, IsLeftOutIfSwitchedOff) {
  set_thread_stacks({.enabled = false});
  EXPECT_EQ(verdict().stack, nullptr);
}

// HEARTBEAT-6: each unit of work says which thread it is on; nothing else does.
TEST(HeartbeatTrace, NamesTheThreadThatBeganTheWork) {
  heartbeat_board board;
  const auto slot = board.acquire();
  auto writer = board.writer(slot);
  writer.beat();
  EXPECT_EQ(board.thread(slot), 0);
  writer.begin_work();
  EXPECT_EQ(board.thread(slot), this_kernel_thread());
  std::int32_t theirs = 0;
  std::thread{[&] {
    theirs = this_kernel_thread();
    writer.begin_work();
  }}.join();
  EXPECT_NE(theirs, this_kernel_thread());
  EXPECT_EQ(board.thread(slot), theirs);
}

// HEARTBEAT-6, STOP-2: a handle whose life is history leaves no trace.
TEST(HeartbeatTrace, IsOfThisLifeAlone) {
  heartbeat_board board;
  const auto slot = board.acquire();
  auto old = board.writer(slot);
  old.begin_work();
  board.release_writer(slot);
  board.release_watcher(slot);
  ASSERT_EQ(board.acquire(), slot);
  EXPECT_EQ(board.thread(slot), 0);
  old.begin_work();
  EXPECT_EQ(board.thread(slot), 0);
}

} // namespace
} // namespace coppice::test
