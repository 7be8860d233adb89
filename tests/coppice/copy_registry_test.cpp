// This file is part of coppice. License: see LICENSE in the source root.

// Copies from other nodes, and the recalls that come after or before them.

#include "coppice/copy_registry.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace coppice::test {
namespace {

context copy_with(std::uint64_t serial) {
  return context::without_deadline().with_copy({.serial = serial});
}

// REPLICATE-4: while anybody has the copy.
TEST(CopyRegistry, EndsTheCopyThatIsThere) {
  copy_registry known;
  auto copy = copy_with(7);
  const auto other = copy_with(8);
  known.add(copy);
  known.add(other);
  EXPECT_TRUE(known.cancel({7}));
  EXPECT_TRUE(copy.cancelled());
  EXPECT_EQ(copy.cause()->failure_class, "cancelled");
  EXPECT_FALSE(other.cancelled());
  EXPECT_FALSE(known.cancel({7})); // over already
  EXPECT_EQ(known.recalls(), 0u);
  copy = {};
  EXPECT_EQ(known.copies(), 1u);
}

// REPLICATE-4: a recall that overtakes its copy is not lost, however often the
// copy comes.
TEST(CopyRegistry, EndsTheCopyThatComesAfterItsRecall) {
  copy_registry known;
  EXPECT_FALSE(known.cancel({7}));
  EXPECT_FALSE(known.cancel({7}));
  EXPECT_EQ(known.recalls(), 1u);
  for (auto i = 0; i < 2; ++i) {
    const auto copy = copy_with(7);
    known.add(copy);
    EXPECT_TRUE(copy.cancelled());
  }
  const auto other = copy_with(8);
  known.add(other);
  EXPECT_FALSE(other.cancelled());
}

// REPLICATE-4: it keeps no copy alive, and forgets those that are gone.
TEST(CopyRegistry, ForgetsCopiesThatNobodyHas) {
  copy_registry known;
  for (std::uint64_t i = 1; i <= 1'000; ++i)
    known.add(copy_with(i));
  EXPECT_EQ(known.copies(), 0u);
  EXPECT_FALSE(known.cancel({5}));
}

// REPLICATE-4: one that was passed on, and came back, is not known; the first
// one stays so.
TEST(CopyRegistry, KnowsTheFirstOfEqualOnes) {
  copy_registry known;
  const auto first = copy_with(7);
  known.add(first);
  {
    const auto second = copy_with(7);
    known.add(second);
  }
  EXPECT_EQ(known.copies(), 1u);
  EXPECT_TRUE(known.cancel({7}));
  EXPECT_TRUE(first.cancelled());
}

// REPLICATE-4: bounded: the oldest recalls go; copies beyond the limit are not
// known, and are not ended.
TEST(CopyRegistry, IsBounded) {
  copy_registry known{{.copies_max = 2, .recalls_max = 3}};
  std::vector<context> copies;
  for (std::uint64_t i = 1; i <= 4; ++i) {
    copies.push_back(copy_with(i));
    known.add(copies.back());
  }
  EXPECT_EQ(known.copies(), 2u);
  EXPECT_TRUE(known.cancel({1}));
  EXPECT_FALSE(known.cancel({4}));
  EXPECT_FALSE(copies[3].cancelled());
  for (std::uint64_t i = 11; i <= 20; ++i)
    EXPECT_FALSE(known.cancel({i}));
  EXPECT_EQ(known.recalls(), 3u);
  copies.clear();
  const auto forgotten = copy_with(17);
  const auto remembered = copy_with(18);
  known.add(forgotten);
  known.add(remembered);
  EXPECT_FALSE(forgotten.cancelled());
  EXPECT_TRUE(remembered.cancelled());
}

// REPLICATE-4: recalls race with copies that come and go: whichever is first,
// a copy that is recalled while somebody has it is over.
TEST(CopyRegistry, MayBeUsedByManyThreads) {
  constexpr std::uint64_t rounds = 20'000;
  copy_registry known;
  std::thread recaller{[&] {
    for (std::uint64_t i = 1; i <= rounds; ++i)
      known.cancel({i});
  }};
  for (std::uint64_t i = 1; i <= rounds; ++i)
    known.add(copy_with(i));
  recaller.join();
  EXPECT_EQ(known.copies(), 0u);
  const auto last = copy_with(rounds);
  known.add(last);
  known.cancel({rounds});
  EXPECT_TRUE(last.cancelled());
}

} // namespace
} // namespace coppice::test
