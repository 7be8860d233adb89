// This file is part of coppice. License: see LICENSE in the source root.

// Failures with several causes, and the bound on all of them together.

#include "coppice/failure.hpp"
#include "coppice/failure_codec.hpp"
#include "coppice/failure_convert.hpp"
#include "coppice/failure_limits.hpp"

#include "support/seed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <utility>

namespace coppice {
namespace {

using testing::HasSubstr;
using testing::Not;

failure named(std::string name) {
  return {.failure_class = std::move(name), .message = "m"};
}

/// Larger than the bound of all by itself.
failure huge(const std::string& name) {
  auto x = named(name);
  x.message.assign(20'000, 'm');
  x.user_message.assign(20'000, 'u');
  x.help_link.assign(20'000, 'h');
  for (int i = 100; i < 200; ++i)
    x.misc[std::to_string(i)].assign(10'000, 'v');
  for (int i = 0; i < 200; ++i)
    x.frames.push_back({.path = std::string(5'000, 'p')});
  x.stack.assign(1'000, UINT64_MAX);
  x.stack_text.assign(1'000, std::string(5'000, 's'));
  x.where.function.assign(5'000, 'f');
  return x;
}

void expect_bounded(const failure& x) {
  EXPECT_TRUE(is_within_limits(x));
  const auto bytes = encode(x);
  EXPECT_LE(bytes.size(), failure_limits::bytes_max);
  failure back;
  ASSERT_TRUE(decode(bytes, back));
  EXPECT_EQ(back, x);
  auto again = x;
  enforce_limits(again);
  EXPECT_EQ(again, x) << "limits change what is within them";
}

// FAILURE-1: all replicas failed; each failure is kept, with its own causes.
TEST(FailureCauses, KeepsWhatFailedBesideTheCause) {
  auto x = named("all_failed");
  add_secondary(x, wrap(named("disk"), named("replica_1")));
  add_secondary(x, named("replica_2"));
  x = wrap(named("replica_3"), std::move(x));
  ASSERT_EQ(x.secondary.size(), 2u);
  EXPECT_EQ(x.secondary[0]->inner->failure_class, "disk");
  EXPECT_EQ(x.secondary[1]->failure_class, "replica_2");
  EXPECT_EQ(root_cause(x).failure_class, "replica_3");
  EXPECT_THAT(to_string(x), HasSubstr("(+ 2 beside it) <- replica_3"));
  const auto text = describe(x);
  EXPECT_THAT(text, HasSubstr("beside it, 1 of 2: replica_1: m"));
  EXPECT_THAT(text, HasSubstr("  caused by disk: m"));
  EXPECT_THAT(text, HasSubstr("beside it, 2 of 2: replica_2: m"));
  expect_bounded(x);
}

// FAILURE-1: they are bounded in number; the first stay, and the cut shows.
TEST(FailureCauses, BoundsTheirNumber) {
  auto x = named("all_failed");
  for (int i = 0; i < 1'000; ++i)
    add_secondary(x, named(std::to_string(i)));
  ASSERT_EQ(x.secondary.size(), failure_limits::secondary_max);
  EXPECT_EQ(x.secondary.back()->failure_class, "15");
  EXPECT_EQ(x.secondary_left_out, 1'000 - failure_limits::secondary_max);
  EXPECT_THAT(describe(x), HasSubstr("[984 failures beside it left out]"));
  expect_bounded(x);
}

// FAILURE-1: trees of them, which would grow without end, are bounded in depth
// and in total.
TEST(FailureCauses, BoundsTheirTrees) {
  auto x = named("leaf");
  for (int level = 0; level < 100; ++level) {
    auto outer = named("level");
    for (int i = 0; i < 3; ++i)
      add_secondary(outer, x);
    x = std::move(outer);
  }
  expect_bounded(x);
  auto chain = named("leaf");
  for (int link = 0; link < 1'000; ++link) {
    auto outer = named("link");
    for (int i = 0; i < 3; ++i)
      add_secondary(outer, wrap(named("1"), named("2")));
    chain = wrap(std::move(chain), std::move(outer));
  }
  EXPECT_EQ(depth(chain), failure_limits::links_max);
  EXPECT_GT(chain.secondary_left_out, 0u);
  expect_bounded(chain);
}

// FAILURE-1: a null cause among them is nothing, not a crash.
TEST(FailureCauses, IgnoresEmptyOnes) {
  auto x = named("a");
  x.secondary.resize(3);
  EXPECT_FALSE(is_within_limits(x));
  EXPECT_THAT(describe(x), Not(HasSubstr("beside")));
  failure back;
  ASSERT_TRUE(decode(encode(x), back));
  EXPECT_TRUE(back.secondary.empty());
}

// FAILURE-1: one failure stays below the bound of all, whatever is in it, and
// the cuts show.
TEST(FailureCauses, BoundsTheSizeOfOne) {
  auto x = huge("huge");
  enforce_limits(x);
  EXPECT_EQ(x.failure_class, "huge");
  EXPECT_EQ(x.reference.size(), 13u);
  EXPECT_GT(x.misc_left_out, 0u);
  EXPECT_GT(x.frames_left_out, 0u);
  EXPECT_GT(x.stack_left_out, 0u);
  EXPECT_THAT(x.message, HasSubstr("[cut from 20000 bytes]"));
  expect_bounded(x);
}

// FAILURE-1: long chains of huge links with huge failures beside them.
TEST(FailureCauses, BoundsTheSizeOfAll) {
  auto x = huge("root_cause");
  for (int i = 0; i < 150; ++i) {
    auto outer = huge(std::to_string(i));
    if (i % 10 == 0)
      add_secondary(outer, huge("beside"));
    x = wrap(std::move(x), std::move(outer));
  }
  EXPECT_EQ(depth(x), failure_limits::links_max);
  EXPECT_EQ(x.failure_class, "149");
  EXPECT_EQ(root_cause(x).failure_class, "root_cause");
  EXPECT_EQ(root_cause(x).reference.size(), 13u);
  expect_bounded(x);
}

// FAILURE-1: a large cause does not cut what is small.
TEST(FailureCauses, CutsTheLargestFirst) {
  auto small = named("small");
  small.message.assign(500, 'x');
  small.misc["query"].assign(900, 'q');
  const auto x = wrap(wrap(huge("huge"), small), huge("huger"));
  EXPECT_EQ(x.inner->message, small.message);
  EXPECT_EQ(x.inner->misc, small.misc);
  expect_bounded(x);
}

// FAILURE-1: whatever comes together in whatever order is bounded.
TEST(FailureCauses, BoundsWhateverComesTogether) {
  test::seeded seeded_test;
  auto& random = seeded_test.random;
  auto x = named("x");
  auto y = named("y");
  for (int round = 0; round < 300; ++round) {
    switch (random.up_to(5)) {
      case 0:
        x = wrap(std::move(x), named("outer"));
        break;
      case 1:
        add_secondary(x, y);
        break;
      case 2:
        y = wrap(x, std::move(y));
        break;
      case 3:
        add_secondary(y, wrap(y, huge("huge")));
        break;
      case 4:
        x.message.assign(random.up_to(40'000), 'x');
        enforce_limits(x);
        break;
      default:
        append_frame(x, {.path = std::string(random.up_to(2'000), 'p')});
    }
    ASSERT_NO_FATAL_FAILURE(expect_bounded(x)) << round;
    ASSERT_NO_FATAL_FAILURE(expect_bounded(y)) << round;
  }
}

// FAILURE-5: nothing that prints a failure, or its parts, prints secrets.
TEST(FailureCauses, PrintsNoSecrets) {
  failure x{.message = "no such card: {card}",
            .sensitive = {{"card", "4711-0815"}}};
  EXPECT_EQ(x.sensitive.at("card").reveal(), "4711-0815");
  std::ostringstream out;
  out << x.sensitive.at("card") << to_string(x.sensitive.at("card"));
  EXPECT_EQ(out.str(), "[sensitive][sensitive]");
  EXPECT_THAT(describe(wrap(x, {})), HasSubstr("card = [sensitive]"));
  for (const auto& text :
       {to_string(x), describe(wrap(x, {})), caf::deep_to_string(x),
        to_string(to_error(x)), testing::PrintToString(x.sensitive)})
    EXPECT_THAT(text, Not(HasSubstr("4711")));
}

// FAILURE-2: a count that a stranger sent does not turn around.
TEST(FailureCauses, CountsToTheEndAndNoFurther) {
  constexpr auto many = UINT32_MAX - 1;
  failure x{.links_left_out = many};
  for (std::size_t i = 0; i < 2 * failure_limits::links_max; ++i)
    x = attach({.links_left_out = many}, std::move(x));
  for (const failure* at = &x; at != nullptr; at = at->inner.shared().get())
    EXPECT_GE(at->links_left_out, many);
}

} // namespace
} // namespace coppice
