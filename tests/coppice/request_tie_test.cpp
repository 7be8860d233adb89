// This file is part of coppice. License: see LICENSE in the source root.

// The claim that tied copies share, and the marks of contexts that carry it.

#include "coppice/request_tie.hpp"

#include "coppice/context.hpp"
#include "coppice/request_copy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace coppice::test {
namespace {

using namespace std::literals;
using testing::ElementsAre;
using testing::SizeIs;

/// Remembers what the replicator would be told.
class recording_tie : public request_tie {
public:
  using request_tie::request_tie;

  std::vector<std::uint32_t> begun;

private:
  void on_begin(std::uint32_t number) noexcept override {
    begun.push_back(number);
  }
};

// -- the claim ---------------------------------------------------------------

// REPLICATE-2: the first to start claims the work; again, it still has it.
TEST(RequestTie, LetsOneOfThoseTiedBegin) {
  request_tie tie{3};
  EXPECT_EQ(tie.holder(), request_tie::nobody);
  EXPECT_TRUE(tie.begin(2));
  EXPECT_FALSE(tie.begin(0));
  EXPECT_FALSE(tie.begin(1));
  EXPECT_TRUE(tie.begin(2));
  EXPECT_EQ(tie.holder(), 2u);
}

// REPLICATE-2: a copy that was sent because one is late begins in any case,
// and takes nothing from those tied.
TEST(RequestTie, LetsOthersBegin) {
  request_tie tie{2};
  EXPECT_TRUE(tie.begin(2));
  EXPECT_EQ(tie.holder(), request_tie::nobody);
  EXPECT_TRUE(tie.begin(1));
  EXPECT_TRUE(tie.begin(3));
  EXPECT_FALSE(tie.begin(0));
}

// REPLICATE-2: only its holder gives it back, and once.
TEST(RequestTie, IsReleasedByItsHolderAlone) {
  request_tie tie{2};
  EXPECT_FALSE(tie.release(0));
  EXPECT_TRUE(tie.begin(0));
  EXPECT_FALSE(tie.release(1));
  EXPECT_FALSE(tie.release(2));
  EXPECT_FALSE(tie.begin(1));
  EXPECT_TRUE(tie.release(0));
  EXPECT_FALSE(tie.release(0));
  EXPECT_TRUE(tie.begin(1));
}

// REPLICATE-2: the start of service is what a hedge waits for.
TEST(RequestTie, TellsOfEachThatBegins) {
  recording_tie tie{2};
  static_cast<void>(tie.begin(1));
  static_cast<void>(tie.begin(0));
  static_cast<void>(tie.begin(2));
  EXPECT_THAT(tie.begun, ElementsAre(1, 2));
}

// -- marks -------------------------------------------------------------------

// REPLICATE-6: idempotent is what is said to be, and nothing else.
TEST(ContextMark, IsSaidNotAssumed) {
  const auto root = context::with_default_deadline();
  EXPECT_FALSE(root.is_idempotent());
  EXPECT_EQ(root.dedup_key(), "");
  EXPECT_EQ(root.copy(), nullptr);
  EXPECT_FALSE(context{}.is_idempotent());
  EXPECT_TRUE(root.idempotent().is_idempotent());
  EXPECT_EQ(root.idempotent("order 7").dedup_key(), "order 7");
  EXPECT_EQ(root.idempotent("order 7").copy(), nullptr);
  const auto entered = context::lasting(1s, {.dedup_key = "order 8"});
  EXPECT_TRUE(entered.is_idempotent());
  EXPECT_EQ(entered.dedup_key(), "order 8");
  EXPECT_TRUE(entered.deadline());
}

// REPLICATE-6: what is asked on its behalf is another request, which need not
// be idempotent.
TEST(ContextMark, IsNotInherited) {
  const auto marked = context::without_deadline().idempotent("order 7");
  for (const auto& child : {marked.with_cancel(), marked.with_timeout(1s)}) {
    EXPECT_FALSE(child.is_idempotent());
    EXPECT_EQ(child.dedup_key(), "");
  }
  EXPECT_NE(marked.idempotent().dedup_key(), "order 7");
  const auto copy = marked.with_copy({.number = 1});
  EXPECT_EQ(copy.with_cancel().copy(), nullptr);
  EXPECT_FALSE(copy.with_cancel().is_idempotent());
}

// REPLICATE-6: a key of its own if none is given; a long one is made short, but
// never equal to another.
TEST(ContextMark, HasKeysThatDiffer) {
  const auto root = context::without_deadline();
  EXPECT_NE(root.idempotent().dedup_key(), root.idempotent().dedup_key());
  const std::string beginning(500, 'x');
  const auto a = root.idempotent(beginning + "a");
  const auto b = root.idempotent(beginning + "b");
  EXPECT_THAT(a.dedup_key(), SizeIs(context_limits::dedup_key_bytes_max));
  EXPECT_NE(a.dedup_key(), b.dedup_key());
  EXPECT_EQ(a.dedup_key(), root.idempotent(beginning + "a").dedup_key());
  const std::string longest(context_limits::dedup_key_bytes_max, 'y');
  EXPECT_EQ(root.idempotent(longest).dedup_key(), longest);
}

// REPLICATE-6: one key for all copies, a serial for each.
TEST(ContextMark, SaysWhichCopyItIs) {
  const auto tie = std::make_shared<request_tie>(2);
  const auto request = context::without_deadline().idempotent("order 7");
  const auto first = request.with_copy({.number = 0, .tie = tie});
  const auto second = request.with_copy({.number = 1, .tie = tie});
  ASSERT_NE(second.copy(), nullptr);
  EXPECT_EQ(second.copy()->number, 1u);
  EXPECT_EQ(second.copy()->tie, tie);
  EXPECT_EQ(first.dedup_key(), "order 7");
  EXPECT_EQ(second.dedup_key(), "order 7");
  EXPECT_TRUE(second.is_idempotent());
  EXPECT_NE(first.copy()->serial, second.copy()->serial);
  EXPECT_NE(first.copy()->serial, 0u);
  const auto keyed = context::without_deadline().with_copy({.dedup_key = "k"});
  EXPECT_EQ(keyed.dedup_key(), "k");
  EXPECT_TRUE(context{}.with_copy({}).empty());
  EXPECT_TRUE(context{}.idempotent().empty());
}

// REPLICATE-4: a loser is cancelled without the others; all end with the
// request.
TEST(ContextMark, LeavesTheEndAsItIs) {
  const auto request = context::lasting(1h);
  const auto first = request.with_copy({.number = 0});
  const auto second = request.with_copy({.number = 1});
  EXPECT_EQ(first.deadline(), request.deadline());
  EXPECT_TRUE(first.cancel());
  EXPECT_FALSE(second.cancelled());
  EXPECT_FALSE(request.cancelled());
  request.cancel();
  EXPECT_TRUE(second.cancelled());
  EXPECT_TRUE(request.with_copy({.number = 2}).cancelled());
  EXPECT_TRUE(request.idempotent().cancelled());
}

} // namespace
} // namespace coppice::test
