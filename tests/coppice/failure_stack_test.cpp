// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/failure_stack.hpp"

#include "coppice/failure_convert.hpp"
#include "coppice/failure_limits.hpp"
#include "coppice/throw_stack.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace coppice {
namespace {

using namespace std::literals;

using testing::ElementsAre;
using testing::IsEmpty;

source_frame numbered(std::uintptr_t x) {
  const auto name = "f" + std::to_string(x);
  if (x < 10)
    return {.address = x, .function = "std::" + name};
  return {.address = x,
          .function = name,
          .file = "src/" + name + ".cpp",
          .line = static_cast<std::uint32_t>(x)};
}

failure with_stack(std::vector<std::uint64_t> stack) {
  return {.failure_class = "x",
          .message = "m",
          .user_message = "u",
          .where = here("/app", 1, "", 0, ""),
          .stack = std::move(stack)};
}

struct FailureStack : testing::Test {
  symboliser names{{.look_up = numbered}};
};

// FAILURE-4: addresses first, their meaning later.
TEST_F(FailureStack, IsExplainedOnDemand) {
  raw_stack stack;
  stack.push_back(7);
  stack.push_back(42);
  auto x = with_stack({});
  attach_stack(x, stack);
  EXPECT_THAT(x.stack, ElementsAre(7U, 42U));
  EXPECT_THAT(x.stack_text, IsEmpty());
  EXPECT_TRUE(lacks_stack_text(x));
  EXPECT_TRUE(fill_stack_text(x, 1min, names));
  EXPECT_FALSE(lacks_stack_text(x));
  EXPECT_THAT(x.stack_text, ElementsAre("std::f7", "f42 at src/f42.cpp:42"));
}

// FAILURE-1, FAILURE-4: the place is the user's, and a known one is kept.
TEST_F(FailureStack, SaysWhere) {
  auto x = with_stack({7, 42, 43});
  EXPECT_TRUE(fill_stack_text(x, 1min, names));
  EXPECT_EQ(x.where.file, "src/f42.cpp");
  EXPECT_EQ(x.where.line, 42U);
  EXPECT_EQ(x.where.function, "f42");
  auto y = with_stack({42});
  y.where.file = "known.cpp";
  EXPECT_TRUE(fill_stack_text(y, 1min, names));
  EXPECT_EQ(y.where.file, "known.cpp");
}

// FAILURE-4
TEST_F(FailureStack, IsExplainedInAllLinks) {
  auto outer = attach(with_stack({}), with_stack({42}));
  add_secondary(outer, with_stack({43}));
  EXPECT_TRUE(lacks_stack_text(outer));
  EXPECT_TRUE(fill_stack_text(outer, 1min, names));
  EXPECT_FALSE(lacks_stack_text(outer));
  EXPECT_THAT(outer.inner->stack_text, ElementsAre("f42 at src/f42.cpp:42"));
  EXPECT_THAT(outer.secondary.at(0)->stack_text,
              ElementsAre("f43 at src/f43.cpp:43"));
}

// FAILURE-4: addresses of another process mean something else here.
TEST_F(FailureStack, IsNotExplainedByAnotherProcess) {
  auto x = with_stack({42});
  ++x.where.process;
  auto y = with_stack({42});
  y.where.host += ".example";
  for (auto* one : {&x, &y}) {
    const auto before = *one;
    EXPECT_FALSE(lacks_stack_text(*one));
    EXPECT_TRUE(fill_stack_text(*one, 1min, names));
    EXPECT_EQ(*one, before);
  }
}

// FAILURE-4: nor are those of an earlier one that had the same number.
TEST_F(FailureStack, IsNotExplainedByALaterProcess) {
  auto x = with_stack({42});
  x.when -= 24h;
  EXPECT_FALSE(lacks_stack_text(x));
  EXPECT_TRUE(fill_stack_text(x, 1min, names));
  EXPECT_THAT(x.stack_text, IsEmpty());
}

// FAILURE-4: to wait forever is not to wait at all.
TEST_F(FailureStack, IsWaitedForHoweverLong) {
  auto x = with_stack({42});
  EXPECT_TRUE(fill_stack_text(x, std::chrono::nanoseconds::max(), names));
  EXPECT_THAT(x.stack_text, ElementsAre("f42 at src/f42.cpp:42"));
  EXPECT_EQ(names.look_up(raw_stack{}, std::chrono::nanoseconds::max()).size(),
            0U);
}

// FAILURE-4: a failure is within its limits with its text as well.
TEST_F(FailureStack, StaysWithinTheLimits) {
  symboliser verbose{{.look_up = [](std::uintptr_t x) -> source_frame {
    return {.address = x, .function = std::string(100'000, 'f')};
  }}};
  auto x = with_stack(std::vector<std::uint64_t>(64, 42));
  EXPECT_TRUE(fill_stack_text(x, 1min, verbose));
  EXPECT_TRUE(is_within_limits(x));
  EXPECT_FALSE(lacks_stack_text(x));
}

// FAILURE-4
TEST_F(FailureStack, StaysAsItIsIfNobodyKnows) {
  names.stop();
  auto x = with_stack({42});
  const auto before = x;
  EXPECT_FALSE(fill_stack_text(x, 1min, names));
  EXPECT_EQ(x, before);
}

// FAILURE-4: the stack of where it came from counts.
TEST_F(FailureStack, IsNotReplaced) {
  raw_stack stack;
  stack.push_back(7);
  auto x = with_stack({42});
  attach_stack(x, stack);
  EXPECT_THAT(x.stack, ElementsAre(42U));
}

// FAILURE-4: a program without the hook works, without stacks.
TEST_F(FailureStack, IsEmptyWithoutTheHook) {
  ASSERT_FALSE(has_throw_hook());
  set_throw_capture(throw_capture::always);
  try {
    throw std::runtime_error{"no hook"};
  } catch (...) {
    const auto e = std::current_exception();
    EXPECT_FALSE(stack_of_throw(e));
    auto x = from_exception(e);
    attach_stack(x, e);
    EXPECT_THAT(x.stack, IsEmpty());
  }
  set_throw_capture(throw_capture::in_actors);
}

} // namespace
} // namespace coppice
