// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/stack_capture.hpp"

#include "support/stacks.hpp"

#include <gtest/gtest.h>

namespace coppice::test {
namespace {

using testing::Contains;
using testing::IsEmpty;
using testing::Not;

volatile int sink = 0;

[[gnu::noinline, gnu::noclone]] raw_stack capture_in_here(std::size_t skip) {
  const auto result = capture_here(skip);
  sink = 1;
  return result;
}

[[gnu::noinline, gnu::noclone]] raw_stack capture_from_depth(int depth) {
  const auto result = depth == 0 ? capture_in_here(0)
                                 : capture_from_depth(depth - 1);
  sink = depth;
  return result;
}

struct StackCapture : testing::Test {
  ~StackCapture() override { set_stack_depth(default_stack_depth); }
};

// FAILURE-4
TEST_F(StackCapture, BeginsWithTheCaller) {
  const auto frames = explained(capture_in_here(0));
  ASSERT_THAT(frames, Not(IsEmpty()));
  EXPECT_THAT(frames[0], is_in("capture_in_here"));
  EXPECT_TRUE(frames[0].file.ends_with("stack_capture_test.cpp"));
  EXPECT_GT(frames[0].line, 0U);
}

// FAILURE-4
TEST_F(StackCapture, LeavesOutAsManyAsItShould) {
  const auto all = capture_in_here(0);
  const auto rest = capture_in_here(2);
  ASSERT_GT(all.size(), 2U);
  EXPECT_EQ(rest.size() + 2, all.size());
  EXPECT_EQ(rest[rest.size() - 1], all[all.size() - 1]);
  EXPECT_TRUE(capture_in_here(1'000).empty());
}

// FAILURE-4: depth is bounded.
TEST_F(StackCapture, IsBounded) {
  EXPECT_EQ(capture_from_depth(200).size(), default_stack_depth);
  set_stack_depth(100'000);
  EXPECT_EQ(stack_depth(), raw_stack::frames_max);
  EXPECT_EQ(capture_from_depth(200).size(), raw_stack::frames_max);
  set_stack_depth(0);
  EXPECT_TRUE(capture_from_depth(200).empty());
}

// FAILURE-4
TEST_F(StackCapture, IsWholeIfTheFirstFrameIsNotThere) {
  raw_stack all;
  capture_from(nullptr, 5, all);
  EXPECT_THAT(explained(all), Contains(is_in("StackCapture")));
}

// FAILURE-4
TEST_F(StackCapture, DropsWhatIsTooMuch) {
  raw_stack stack;
  for (std::uintptr_t i = 0; i < 1'000; ++i)
    stack.push_back(i);
  EXPECT_EQ(stack.size(), raw_stack::frames_max);
  EXPECT_EQ(stack[127], 127U);
  stack.clear();
  EXPECT_TRUE(stack.empty());
  EXPECT_EQ(stack.begin(), stack.end());
}

} // namespace
} // namespace coppice::test
