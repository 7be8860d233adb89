// This file is part of coppice. License: see LICENSE in the source root.

// Quorums of a replicator: so many answers, or so many that agree.

#include "support/replicator_test.hpp"

namespace coppice::test {
namespace {

using testing::AnyOf;
using testing::SizeIs;

class ReplicatorQuorum : public replicator_test {};

// REPLICATE-2: k of n have come; the rest is recalled.
TEST_F(ReplicatorQuorum, AnswersOnceEnoughHaveCome) {
  start(replication_spec::first_of(2, 3));
  const auto a = ask(4);
  EXPECT_THAT(who_began(4), SizeIs(3));
  pay("a", 4, 8);
  EXPECT_THAT(answer(a), IsNotAnswered());
  pay("c", 4, 9);
  ASSERT_THAT(answer(a), Succeeds());
  EXPECT_THAT(*answer(a), AnyOf(8, 9));
  for (auto i = 0u; i < 3; ++i)
    EXPECT_EQ(copy(4, i).ctx.is_over(), copy(4, i).server == "b");
}

// REPLICATE-2: the majority's answer, not the first.
TEST_F(ReplicatorQuorum, AnswersWithWhatMostSay) {
  start(replication_spec::majority_of(3));
  const auto a = ask(4);
  pay("a", 4, 7);
  pay("b", 4, 8);
  EXPECT_THAT(answer(a), IsNotAnswered());
  pay("c", 4, 8);
  ASSERT_THAT(answer(a), Succeeds());
  EXPECT_EQ(*answer(a), 8);
}

// REPLICATE-2: as soon as it is clear that they do not agree, it fails.
TEST_F(ReplicatorQuorum, FailsWhereThereIsNoMajority) {
  start(replication_spec::majority_of(3));
  const auto a = ask(4);
  const auto b = ask(5);
  pay("a", 4, 7);
  pay("b", 4, 8);
  pay("c", 4, 9);
  pay("a", 5, 7);
  pay("b", 5, 8);
  pay("c", 5, no_disk());
  for (const auto x : {a, b}) {
    ASSERT_THAT(answer(x), FailsWith(errc::unavailable));
    const auto why = answer(x).error();
    EXPECT_EQ(why.failure_class, failure_classes::no_agreement);
    EXPECT_TRUE(is_well_formed(why));
    EXPECT_EQ(why.reference, "r-1");
  }
  EXPECT_THAT(describe(answer(b).error()), HasSubstr("no disk"));
}

// REPLICATE-2: what is equal says the user, if he does.
TEST_F(ReplicatorQuorum, ComparesAsItsUserSays) {
  start(replication_spec::majority_of(3),
        {.equal = [](const caf::message& x, const caf::message& y) {
          if (x.get_as<int>(0) == 13 || y.get_as<int>(0) == 13)
            throw std::runtime_error{"unlucky"};
          return x.get_as<int>(0) % 2 == y.get_as<int>(0) % 2;
        }});
  const auto a = ask(4);
  pay("a", 4, 7);
  pay("b", 4, 10);
  pay("c", 4, 12);
  ASSERT_THAT(answer(a), Succeeds());
  EXPECT_THAT(*answer(a), AnyOf(10, 12));
  EXPECT_EQ(statistics().callback_failures, 0u);
  const auto b = ask(5);
  pay("a", 5, 13);
  pay("b", 5, 13);
  pay("c", 5, 15);
  ASSERT_FALSE(answer(b).has_value());
  EXPECT_EQ(answer(b).error().failure_class, failure_classes::no_agreement);
  EXPECT_GE(statistics().callback_failures, 1u);
}

// REPLICATE-1, REPLICATE-2: one of three may fail, but not two.
TEST_F(ReplicatorQuorum, ToleratesAsManyFailuresAsItCan) {
  start(replication_spec::majority_of(3));
  const auto a = ask(4);
  const auto b = ask(5);
  pay("a", 4, no_disk());
  pay("b", 4);
  EXPECT_THAT(answer(a), IsNotAnswered());
  pay("c", 4);
  ASSERT_THAT(answer(a), Succeeds());
  EXPECT_EQ(*answer(a), 8);
  pay("a", 5, no_disk());
  EXPECT_THAT(answer(b), IsNotAnswered());
  crash("c", 5);
  ASSERT_FALSE(answer(b).has_value());
  EXPECT_THAT(describe(answer(b).error()), HasSubstr("no disk"));
  EXPECT_THAT(describe(answer(b).error()), HasSubstr("unlucky"));
  EXPECT_TRUE(copy(5, 1).ctx.is_over() || copy(5, 1).server != "b");
}

} // namespace
} // namespace coppice::test
