// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/thread_stack.hpp"

#include "coppice/kernel_thread.hpp"

#include "support/stacks.hpp"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <future>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace coppice::test {
namespace {

using namespace std::literals;

using testing::Contains;

[[gnu::noinline, gnu::noclone]] void
loop_for_ever(const std::atomic<bool>& let_go) {
  while (!let_go.load(std::memory_order_relaxed)) {}
}

[[gnu::noinline, gnu::noclone]] ssize_t wait_for_bytes(int from, char& byte) {
  const auto result = read(from, &byte, 1);
  return result;
}

/// A thread that tells its number, and then does what it is given.
template <class Act>
class busy_thread {
public:
  explicit busy_thread(Act act)
    : thread_{[this, act] {
        number_.set_value(this_kernel_thread());
        act();
      }} {}
  ~busy_thread() {
    if (thread_.joinable())
      thread_.join();
  }

  void join() { thread_.join(); }

  [[nodiscard]] std::int32_t number() {
    if (known_ == 0)
      known_ = number_.get_future().get();
    return known_;
  }

private:
  std::promise<std::int32_t> number_;
  std::int32_t known_ = 0;
  std::thread thread_;
};

/// One that loops until the end of the test.
struct looping_thread {
  ~looping_thread() { let_go = true; }

  /// Asked until it is in its loop.
  [[nodiscard]] source_frames frames() {
    while (true) {
      const auto stack = stack_of_thread(number(), long_enough);
      if (!stack)
        return {};
      auto result = explained(*stack);
      if (!result.empty()
          && result[0].function.find("loop_for_ever") != std::string::npos)
        return result;
    }
  }
  [[nodiscard]] std::int32_t number() { return thread.number(); }

  std::atomic<bool> let_go{false};
  std::function<void()> act = [this] { loop_for_ever(let_go); };
  busy_thread<std::function<void()>> thread{act};
};

struct ThreadStack : testing::Test {
  ~ThreadStack() override {
    set_thread_stacks({});
    set_stack_depth(default_stack_depth);
  }
};

// HEARTBEAT-6: where it stands, without frames of the handler.
TEST_F(ThreadStack, NamesTheLoopThatDoesNotEnd) {
  looping_thread stuck;
  const auto frames = stuck.frames();
  ASSERT_FALSE(frames.empty());
  EXPECT_TRUE(frames[0].file.ends_with("thread_stack_test.cpp")
              || frames[0].file.starts_with("/usr/include"));
  EXPECT_THAT(frames, Contains(is_in("looping_thread")));
}

// HEARTBEAT-6: and the system call goes on as if nothing had been.
TEST_F(ThreadStack, NamesWhoWaitsForTheSystem) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  auto byte = ' ';
  ssize_t count = -1;
  busy_thread stuck{[&] { count = wait_for_bytes(ends[0], byte); }};
  source_frames frames;
  const auto is_there = [&] {
    const auto stack = stack_of_thread(stuck.number(), long_enough);
    frames = stack ? explained(*stack) : source_frames{};
    return testing::Value(frames, Contains(is_in("wait_for_bytes")))
           && testing::Value(frames[0], is_in("read"));
  };
  while (!is_there()) {}
  ASSERT_EQ(write(ends[1], "x", 1), 1);
  stuck.join();
  EXPECT_EQ(count, 1);
  EXPECT_EQ(byte, 'x');
  close(ends[0]);
  close(ends[1]);
}

// HEARTBEAT-6
TEST_F(ThreadStack, IsNothingOfAThreadThatIsGone) {
  busy_thread gone{[] {}};
  const auto number = gone.number();
  gone.join();
  // The number is given up a little after the thread was joined.
  while (syscall(SYS_tgkill, getpid(), number, 0) == 0) {}
  EXPECT_FALSE(stack_of_thread(number, long_enough));
  EXPECT_FALSE(stack_of_thread(0, long_enough));
  EXPECT_FALSE(stack_of_thread(-1, long_enough));
  EXPECT_FALSE(stack_of_thread(1, long_enough)) << "of another process";
}

// HEARTBEAT-6
TEST_F(ThreadStack, IsAvailableOfTheOwnThread) {
  const auto stack = stack_of_thread(this_kernel_thread(), long_enough);
  ASSERT_TRUE(stack);
  EXPECT_THAT(explained(*stack), Contains(is_in("IsAvailableOfTheOwnThread")));
}

// HEARTBEAT-6: a documented off switch.
TEST_F(ThreadStack, IsNothingIfSwitchedOff) {
  looping_thread stuck;
  set_thread_stacks({.enabled = false});
  EXPECT_FALSE(stack_of_thread(stuck.number(), long_enough));
  set_thread_stacks({});
  EXPECT_TRUE(stack_of_thread(stuck.number(), long_enough));
}

// HEARTBEAT-6, FAILURE-4: depth is bounded.
TEST_F(ThreadStack, IsAsDeepAsItShould) {
  looping_thread stuck;
  set_stack_depth(1);
  EXPECT_EQ(stack_of_thread(stuck.number(), long_enough)->size(), 1U);
}

// FAILURE-4: no stacks, and so no signals.
TEST_F(ThreadStack, IsNothingWithoutDepth) {
  looping_thread stuck;
  set_stack_depth(0);
  EXPECT_FALSE(stack_of_thread(stuck.number(), long_enough));
}

/// One that answers to nothing until it is told to. Its number is in the names
/// of its functions.
template <int Number>
struct deaf_thread {
  ~deaf_thread() { let_go_ = true; }

  /// Its number, once it is deaf.
  [[nodiscard]] std::int32_t number() {
    if (!std::exchange(is_deaf_known_, true))
      deaf_.get_future().wait();
    return thread_.number();
  }

  /// Returns when it has dealt with all that waited.
  void unblock() {
    unblock_.set_value();
    unblocked_.get_future().wait();
  }

  void act() {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    deaf_.set_value();
    unblock_.get_future().wait();
    pthread_sigmask(SIG_SETMASK, &before, nullptr); // all of them, now
    unblocked_.set_value();
    loop_for_ever(let_go_);
  }

private:
  std::atomic<bool> let_go_{false};
  std::promise<void> deaf_;
  std::promise<void> unblock_;
  std::promise<void> unblocked_;
  bool is_deaf_known_ = false;
  busy_thread<std::function<void()>> thread_{[this] { act(); }};
};

bool has_pending_signal(std::int32_t thread) {
  std::ifstream status{"/proc/self/task/" + std::to_string(thread) + "/status"};
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("SigPnd:"))
      return line.find_first_of("123456789abcdef") != std::string::npos;
  return false;
}

// HEARTBEAT-6: who does not answer is not waited for, and his late answers are
// not taken for those of somebody who was asked meanwhile.
TEST_F(ThreadStack, OutlivesAnswersThatComeTooLate) {
  deaf_thread<1> late;
  for (auto i = 0; i < 10; ++i)
    EXPECT_FALSE(stack_of_thread(late.number(), 1ms)) << i;
  deaf_thread<2> other;
  const auto number = other.number();
  auto asked = std::async(std::launch::async, [number] {
    return stack_of_thread(number, long_enough);
  });
  while (!has_pending_signal(number)) {}
  late.unblock();
  EXPECT_TRUE(stack_of_thread(late.number(), long_enough));
  EXPECT_EQ(asked.wait_for(0s), std::future_status::timeout);
  other.unblock();
  const auto stack = asked.get();
  ASSERT_TRUE(stack);
  EXPECT_THAT(explained(*stack), Contains(is_in("deaf_thread<2>")));
}

// HEARTBEAT-6: two requests at once. With impossible deadlines in between.
TEST_F(ThreadStack, KeepsQuestionsApart) {
  looping_thread loops;
  ASSERT_FALSE(loops.frames().empty());
  std::atomic<int> wrong{0};
  std::atomic<int> right{0};
  const auto ask = [&] {
    for (auto i = 0; i < 500; ++i) {
      if (i % 5 == 0)
        static_cast<void>(stack_of_thread(loops.number(), 1us * (i % 30)));
      const auto other = stack_of_thread(loops.number(), long_enough);
      const auto own = stack_of_thread(this_kernel_thread(), long_enough);
      if (!other || !own)
        continue; // all slots in use
      // They are called from different places, up to the thread's start.
      ((*other)[2] != (*own)[2] ? right : wrong) += 1;
    }
  };
  std::vector<std::thread> askers;
  for (auto i = 0; i < 4; ++i)
    askers.emplace_back(ask);
  for (auto& x : askers)
    x.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(right, 0);
}

volatile std::sig_atomic_t heard = 0;

void hear(int) {
  heard = heard + 1;
}

/// In a process of its own, where nothing has been asked yet.
[[noreturn]] void ask_beside_a_handler(int signal) {
  struct sigaction theirs {};
  theirs.sa_handler = hear;
  sigaction(signal, &theirs, nullptr);
  set_thread_stacks({.signal = signal});
  const auto has_stack
    = stack_of_thread(this_kernel_thread(), long_enough).has_value();
  const auto before = static_cast<int>(heard);
  pthread_kill(pthread_self(), signal);
  sigval value{};
  value.sival_int = 7;
  sigqueue(getpid(), signal, value);
  std::_Exit(has_stack && before == 0 && heard == 2 ? 0 : 1);
}

// HEARTBEAT-6: the handler that is there keeps what is not for us.
TEST(ThreadStackDeathTest, PassesOnWhatIsForSomebodyElse) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_EXIT(ask_beside_a_handler(SIGRTMIN + 3), testing::ExitedWithCode(0),
              "");
}

/// A signal that there is not.
[[noreturn]] void ask_by_no_signal() {
  set_thread_stacks({.signal = SIGKILL});
  std::_Exit(stack_of_thread(this_kernel_thread(), 1s) ? 1 : 0);
}

// HEARTBEAT-6
TEST(ThreadStackDeathTest, IsNothingWithoutASignal) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_EXIT(ask_by_no_signal(), testing::ExitedWithCode(0), "");
}

} // namespace
} // namespace coppice::test
