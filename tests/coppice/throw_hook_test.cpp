// This file is part of coppice. License: see LICENSE in the source root.

// With the hook: its program links coppice::throw_hook.

#include "coppice/throw_stack.hpp"

#include "support/stacks.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace coppice::test {
namespace {

using testing::Contains;
using testing::Each;
using testing::IsEmpty;
using testing::Not;

volatile int sink = 0;

// Every function here is to be found in a stack, so none may vanish in another
// one, and none may end in a jump.
#define COPPICE_TEST_FRAME [[gnu::noinline, gnu::noclone]]

constexpr std::uint32_t line_of_throw = __LINE__ + 4;
COPPICE_TEST_FRAME void throw_an_error() {
  if (sink >= 0)
    // The next line is the one.
    throw std::runtime_error{"here"};
  sink = 1;
}

COPPICE_TEST_FRAME void throw_a_number() {
  if (sink >= 0)
    throw 42;
  sink = 1;
}

COPPICE_TEST_FRAME int find_in_map(const std::map<int, int>& all) {
  const auto result = all.at(7);
  sink = 1;
  return result;
}

COPPICE_TEST_FRAME int read_number(const std::string& text) {
  const auto result = std::stoi(text);
  sink = 1;
  return result;
}

COPPICE_TEST_FRAME void throw_from(int depth) {
  if (depth == 0)
    throw_an_error();
  else
    throw_from(depth - 1);
  sink = depth;
}

[[noreturn]] COPPICE_TEST_FRAME void never_return() {
  throw std::logic_error{"never"};
}

COPPICE_TEST_FRAME void end_in_a_call() {
  never_return();
}

COPPICE_TEST_FRAME void come_after_the_call() {
  sink = 2;
}

const void* object_of(const std::exception_ptr& e) {
  const void* result = nullptr;
  std::memcpy(&result, &e, sizeof(result));
  return result;
}

struct ThrowHook : testing::Test {
  ~ThrowHook() override {
    set_throw_capture(throw_capture::in_actors);
    set_stack_depth(default_stack_depth);
  }

  throw_capture_scope in_actor;
};

// -- what is found -----------------------------------------------------------

// FAILURE-4
TEST_F(ThrowHook, IsPartOfThisProgram) {
  EXPECT_TRUE(has_throw_hook());
  EXPECT_STREQ(stack_back_end(), "boost");
}

// FAILURE-4: of the throw, not of the catch, and without frames of the hook.
TEST_F(ThrowHook, FindsFunctionFileAndLineOfAThrow) {
  const auto frames = explained(caught(throw_an_error));
  ASSERT_THAT(frames, Not(IsEmpty()));
  EXPECT_THAT(frames[0], is_in("throw_an_error"));
  EXPECT_TRUE(frames[0].file.ends_with("throw_hook_test.cpp"))
    << frames[0].file;
  EXPECT_EQ(frames[0].line, line_of_throw);
  EXPECT_THAT(to_string(frames[0]), testing::HasSubstr(" at "));
}

// FAILURE-4
TEST_F(ThrowHook, FindsThrowsInsideTheStandardLibrary) {
  const auto at = explained(caught([] { find_in_map({}); }));
  EXPECT_THAT(at, Contains(is_in("find_in_map")));
  ASSERT_NE(innermost_of_user(at), nullptr);
  EXPECT_THAT(*innermost_of_user(at), is_in("find_in_map"));
  const auto number = explained(caught([] { read_number("seven"); }));
  ASSERT_NE(innermost_of_user(number), nullptr);
  EXPECT_THAT(*innermost_of_user(number), is_in("read_number"));
}

// FAILURE-4
TEST_F(ThrowHook, FindsThrowsOfWhatIsNoException) {
  const auto frames = explained(caught(throw_a_number));
  ASSERT_THAT(frames, Not(IsEmpty()));
  EXPECT_THAT(frames[0], is_in("throw_a_number"));
}

// FAILURE-4: the return address of such a call is in the next function.
TEST_F(ThrowHook, BlamesTheFunctionThatEndsInACall) {
  const auto frames = explained(caught(end_in_a_call));
  EXPECT_THAT(frames, Contains(is_in("end_in_a_call")));
  EXPECT_THAT(frames, Each(Not(is_in("come_after_the_call"))));
  come_after_the_call();
}

// -- bounds and switches -----------------------------------------------------

// FAILURE-4: depth is bounded.
TEST_F(ThrowHook, KeepsAsManyFramesAsItShould) {
  const auto size_at = [](std::size_t depth) {
    set_stack_depth(depth);
    const auto e = caught([] { throw_from(200); });
    const auto stack = stack_of_throw(e);
    return stack ? stack->size() : 0;
  };
  EXPECT_EQ(size_at(default_stack_depth), 32U);
  EXPECT_EQ(size_at(7), 7U);
  EXPECT_EQ(size_at(1), 1U);
  EXPECT_EQ(size_at(0), 0U);
  EXPECT_EQ(size_at(1'000'000), raw_stack::frames_max);
  set_stack_depth(3);
  const auto frames = explained(caught([] { throw_from(200); }));
  ASSERT_EQ(frames.size(), 3U);
  EXPECT_THAT(frames[0], is_in("throw_an_error"));
  EXPECT_THAT(frames[2], is_in("throw_from"));
}

// FAILURE-4: it can be switched off, for a thread and for the process.
TEST_F(ThrowHook, TakesNothingWhereItIsOff) {
  {
    const stack_capture_off off;
    const throw_capture_scope inner;
    EXPECT_FALSE(stack_of_throw(caught(throw_an_error)));
  }
  EXPECT_TRUE(stack_of_throw(caught(throw_an_error)));
  set_throw_capture(throw_capture::never);
  EXPECT_FALSE(stack_of_throw(caught(throw_an_error)));
  set_throw_capture(throw_capture::always);
  EXPECT_TRUE(stack_of_throw(caught(throw_an_error)));
}

// FAILURE-4
TEST(ThrowHookOutsideOfActors, TakesStacksOnlyIfTold) {
  EXPECT_FALSE(stack_of_throw(caught(throw_an_error)));
  set_throw_capture(throw_capture::always);
  EXPECT_TRUE(stack_of_throw(caught(throw_an_error)));
  set_throw_capture(throw_capture::in_actors);
  {
    const throw_capture_scope in_actor;
    EXPECT_TRUE(stack_of_throw(caught(throw_an_error)));
  }
  EXPECT_FALSE(stack_of_throw(caught(throw_an_error)));
}

// -- whose stack -------------------------------------------------------------

// FAILURE-4: the first throw counts.
TEST_F(ThrowHook, KeepsTheStackOfWhatIsThrownAgain) {
  const auto again = caught([] {
    try {
      throw_an_error();
    } catch (...) {
      throw;
    }
  });
  EXPECT_THAT(explained(again)[0], is_in("throw_an_error"));
  const auto once_more = caught([&] { std::rethrow_exception(again); });
  EXPECT_THAT(explained(once_more)[0], is_in("throw_an_error"));
}

// FAILURE-4, exceptions thrown while handling one
TEST_F(ThrowHook, KeepsTheStackOfWhatIsBeingHandled) {
  std::exception_ptr outer;
  try {
    throw_an_error();
  } catch (...) {
    outer = std::current_exception();
    for (auto i = 0; i < 100; ++i)
      EXPECT_THAT(explained(caught(throw_a_number))[0],
                  is_in("throw_a_number"));
    std::array<std::exception_ptr, 10> kept; // no two have one address
    for (auto& x : kept)
      x = caught(throw_an_error);
  }
  ASSERT_TRUE(stack_of_throw(outer));
  EXPECT_THAT(explained(outer)[0], is_in("throw_an_error"));
}

// FAILURE-4
TEST_F(ThrowHook, KeepsBothStacksOfNestedExceptions) {
  const auto outer = caught([] {
    try {
      throw_an_error();
    } catch (...) {
      std::throw_with_nested(std::logic_error{"outer"});
    }
  });
  EXPECT_TRUE(stack_of_throw(outer));
  try {
    std::rethrow_exception(outer);
  } catch (const std::nested_exception& x) {
    EXPECT_THAT(explained(x.nested_ptr())[0], is_in("throw_an_error"));
  }
}

// FAILURE-4: memory is bounded; the oldest goes first.
TEST_F(ThrowHook, KeepsTheLastFew) {
  std::array<std::exception_ptr, throws_kept + 1> all;
  for (auto& x : all)
    x = caught(throw_an_error);
  EXPECT_FALSE(stack_of_throw(all[0]));
  for (std::size_t i = 1; i < all.size(); ++i)
    EXPECT_TRUE(stack_of_throw(all[i])) << i;
}

// FAILURE-4: the next exception often has the address of the last one.
TEST_F(ThrowHook, TakesNoExceptionForOneThatIsGone) {
  auto old = caught(throw_an_error);
  ASSERT_TRUE(stack_of_throw(old));
  const auto* const where = object_of(old);
  old = nullptr;
  const auto made = std::make_exception_ptr(std::runtime_error{"made"});
  EXPECT_FALSE(stack_of_throw(made));
  EXPECT_FALSE(stack_of_throw(caught([&] { std::rethrow_exception(made); })));
#ifndef __SANITIZE_ADDRESS__ // has its own ideas about addresses
  EXPECT_EQ(object_of(made), where) << "this test tests less than it should";
#endif
  static_cast<void>(where);

  old = caught(throw_an_error);
  old = nullptr;
  const stack_capture_off off;
  EXPECT_FALSE(stack_of_throw(caught(throw_an_error)));
}

// FAILURE-4
TEST_F(ThrowHook, FindsNothingWhereNothingIs) {
  EXPECT_FALSE(stack_of_throw(nullptr));
  EXPECT_FALSE(stack_of_throw(std::make_exception_ptr(1)));
}

// FAILURE-4: on another thread there is none, rather than a wrong one.
TEST_F(ThrowHook, FindsNothingOnAnotherThread) {
  const auto mine = caught(throw_an_error);
  std::thread{[&] {
    const throw_capture_scope in_actor_too;
    const auto theirs = caught(throw_a_number);
    EXPECT_FALSE(stack_of_throw(mine));
    EXPECT_TRUE(stack_of_throw(theirs));
  }}.join();
  EXPECT_TRUE(stack_of_throw(mine));
}

// FAILURE-4
TEST_F(ThrowHook, KeepsThreadsApart) {
  std::atomic<int> found{0};
  const auto work = [&found](int depth) {
    const throw_capture_scope in_actor_too;
    for (auto i = 0; i < 500; ++i) {
      const auto e = caught([depth] { throw_from(depth); });
      const auto stack = stack_of_throw(e);
      // All but the first few of them return to the same place.
      if (stack && stack->size() > 20 && (*stack)[2] == (*stack)[depth])
        ++found;
    }
  };
  std::vector<std::thread> all;
  for (auto depth = 5; depth < 9; ++depth)
    all.emplace_back(work, depth * 3);
  for (auto& x : all)
    x.join();
  EXPECT_EQ(found, 4 * 500);
}

} // namespace
} // namespace coppice::test
