// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/symboliser.hpp"

#include "support/stacks.hpp"

#include <gtest/gtest.h>

#include <future>
#include <stdexcept>
#include <string>
#include <thread>

namespace coppice::test {
namespace {

using namespace std::literals;

using testing::IsEmpty;

raw_stack stack_of(std::initializer_list<std::uintptr_t> addresses) {
  raw_stack result;
  for (const auto x : addresses)
    result.push_back(x);
  return result;
}

source_frame numbered(std::uintptr_t address) {
  return {.address = address, .function = "f" + std::to_string(address)};
}

/// Looks up nothing until it is told to.
struct gate {
  std::promise<void> opened;
  std::shared_future<void> open = opened.get_future().share();
  std::promise<void> entered;

  symboliser::options with_queue(std::size_t queue_max) {
    return {.queue_max = queue_max,
            .look_up = [this, first = true](std::uintptr_t x) mutable {
              if (std::exchange(first, false))
                entered.set_value();
              open.wait();
              return numbered(x);
            }};
  }
};

// FAILURE-4
TEST(SourceFrame, SaysWhatIsKnown) {
  EXPECT_EQ(to_string({.address = 0x7f}), "0x7f");
  EXPECT_EQ(to_string({.address = 1, .function = "parse"}), "parse");
  EXPECT_EQ(to_string({.function = "parse", .file = "a/b.cpp", .line = 42}),
            "parse at a/b.cpp:42");
}

// FAILURE-4
TEST(SourceFrame, KnowsTheUsersOwnCode) {
  const std::vector<source_frame> stack{
    {.function = "std::__throw_out_of_range(char const*)"},
    {.function = "std::map<int, int>::at(int const&)",
     .file = "/usr/include/c++/12/bits/stl_map.h",
     .line = 551},
    {.function = "look_up(int)", .file = "/src/a.cpp", .line = 3},
    {.function = "main", .file = "/src/main.cpp", .line = 9}};
  ASSERT_NE(innermost_of_user(stack), nullptr);
  EXPECT_EQ(innermost_of_user(stack)->line, 3U);
  EXPECT_EQ(innermost_of_user({{.function = "main"}}), nullptr);
  EXPECT_EQ(innermost_of_user({}), nullptr);
}

// FAILURE-4: on one thread of its own.
TEST(Symboliser, AnswersOnAThreadOfItsOwn) {
  std::promise<std::thread::id> looked_up;
  std::promise<std::thread::id> told;
  symboliser uut{{.look_up = [&](std::uintptr_t x) {
    looked_up.set_value(std::this_thread::get_id());
    return numbered(x);
  }}};
  ASSERT_TRUE(uut.ask(stack_of({7}), [&](symboliser::frames x) {
    EXPECT_EQ(x, symboliser::frames{numbered(7)});
    told.set_value(std::this_thread::get_id());
  }));
  const auto its_own = looked_up.get_future().get();
  EXPECT_NE(its_own, std::this_thread::get_id());
  EXPECT_EQ(told.get_future().get(), its_own);
}

// FAILURE-4
TEST(Symboliser, LooksUpAnAddressOnce) {
  symboliser uut{{.look_up = numbered}};
  EXPECT_EQ(uut.look_up(stack_of({1, 2, 1}), long_enough).size(), 3U);
  EXPECT_EQ(uut.look_up(stack_of({2, 3}), long_enough)[1], numbered(3));
  EXPECT_EQ(uut.stats().looked_up, 3U);
}

// FAILURE-4
TEST(Symboliser, ForgetsAtTheBound) {
  symboliser uut{{.cache_max = 2, .look_up = numbered}};
  EXPECT_EQ(uut.look_up(stack_of({1, 2, 3, 3}), long_enough).size(), 4U);
  EXPECT_EQ(uut.stats().looked_up, 3U);
  EXPECT_EQ(uut.look_up(stack_of({1}), long_enough)[0], numbered(1));
  EXPECT_EQ(uut.stats().looked_up, 4U);
}

// FAILURE-4: nobody waits for it who did not ask to.
TEST(Symboliser, DropsAndCountsWhatIsTooMuch) {
  gate held;
  symboliser uut{held.with_queue(2)};
  auto in_hand = uut.ask(stack_of({1}));
  held.entered.get_future().wait();
  auto second = uut.ask(stack_of({2}));
  auto third = uut.ask(stack_of({3}));
  EXPECT_FALSE(uut.ask(stack_of({4}), [](auto) { ADD_FAILURE(); }));
  EXPECT_THAT(uut.ask(stack_of({5})).get(), IsEmpty());
  EXPECT_EQ(uut.stats().dropped, 2U);
  held.opened.set_value();
  EXPECT_EQ(in_hand.get()[0], numbered(1));
  EXPECT_EQ(second.get()[0], numbered(2));
  EXPECT_EQ(third.get()[0], numbered(3));
}

// FAILURE-4
TEST(Symboliser, GivesUpWaitingButKeepsTheAnswer) {
  gate held;
  symboliser uut{held.with_queue(2)};
  EXPECT_THAT(uut.look_up(stack_of({1}), 1ms), IsEmpty());
  EXPECT_THAT(uut.look_up(stack_of({1}), -1h), IsEmpty());
  held.opened.set_value();
  EXPECT_EQ(uut.look_up(stack_of({1}), long_enough)[0], numbered(1));
  EXPECT_EQ(uut.stats().looked_up, 1U);
}

// FAILURE-4: to wait forever is not to wait at all.
TEST(Symboliser, WaitsHoweverLong) {
  symboliser uut{{.look_up = numbered}};
  EXPECT_EQ(uut.look_up(stack_of({1}), std::chrono::nanoseconds::max()).size(),
            1U);
}

// FAILURE-4
TEST(Symboliser, AnswersWhatWaitsWithNothingWhenStopped) {
  gate held;
  symboliser uut{held.with_queue(100'000'000)};
  auto in_hand = uut.ask(stack_of({1, 2}));
  held.entered.get_future().wait();
  auto waiting = uut.ask(stack_of({3}));
  std::thread stopper{[&] { uut.stop(); }};
  // It takes what waits before it joins.
  while (uut.ask(stack_of({4}), [](auto) {}))
    std::this_thread::yield();
  held.opened.set_value();
  stopper.join();
  EXPECT_EQ(in_hand.get()[0], numbered(1));
  EXPECT_THAT(waiting.get(), IsEmpty());
  EXPECT_THAT(uut.ask(stack_of({1})).get(), IsEmpty());
  uut.stop();
}

// FAILURE-4
TEST(Symboliser, SurvivesWhatIsThrownAtIt) {
  symboliser uut{{.look_up = [](std::uintptr_t x) -> source_frame {
    if (x == 1)
      throw std::runtime_error{"no memory"};
    return numbered(x);
  }}};
  EXPECT_TRUE(uut.ask(stack_of({2}), [](auto) { throw 42; }));
  const auto frames = uut.look_up(stack_of({1, 2}), long_enough);
  ASSERT_EQ(frames.size(), 2U);
  EXPECT_EQ(frames[0], source_frame{.address = 1});
  EXPECT_EQ(frames[1], numbered(2));
}

// FAILURE-4
TEST(Symboliser, KnowsNothingOfAddressesThatAreNone) {
  symboliser uut;
  const auto frames = uut.look_up(stack_of({0, 1, UINTPTR_MAX}), long_enough);
  ASSERT_EQ(frames.size(), 3U);
  EXPECT_EQ(to_string(frames[1]), "0x1");
  EXPECT_THAT(uut.look_up({}, long_enough), IsEmpty());
}

// Nothing was asked: there is no thread, and nothing to join.
TEST(Symboliser, NeedsNoThreadForNothing) {
  symboliser uut;
  EXPECT_EQ(uut.stats().answered, 0U);
}

} // namespace
} // namespace coppice::test
