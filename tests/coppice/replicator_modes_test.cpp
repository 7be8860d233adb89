// This file is part of coppice. License: see LICENSE in the source root.

// The modes of a replicator, end to end: who is asked when, whose answer
// counts, and what becomes of the others.

#include "support/replicator_test.hpp"

namespace coppice::test {
namespace {

using testing::SizeIs;
using testing::UnorderedElementsAre;

class ReplicatorModes : public replicator_test {
public:
  /// Pools of one worker each, which are busy: with 1 for "a", 2 for "b", ...
  void start_busy_pools(replication_spec policy, int count = 2) {
    for (auto i = 0; i < count; ++i)
      add(name_of(i), kind::pool, {.workers = 1, .admission = plain_queue(10)});
    start(std::move(policy));
    for (auto i = 0; i < count; ++i)
      compat::post(pools.at(name_of(i))->handle(), i + 1);
    settle();
    ASSERT_THAT(seen->begun, SizeIs(count));
  }

  static std::string name_of(int i) {
    return std::string(1, static_cast<char>('a' + i));
  }
};

// -- race --------------------------------------------------------------------

class ReplicatorRace
  : public ReplicatorModes,
    public testing::WithParamInterface<replicator_test::kind> {};

// REPLICATE-1, REPLICATE-2, REPLICATE-4: before child references, actors and
// pools: the first good answer; the others are recalled, and what they say all
// the same is counted, and dropped.
TEST_P(ReplicatorRace, GivesTheFirstGoodAnswer) {
  for (const auto* name : {"a", "b", "c"})
    add(name, GetParam());
  start(replication_spec::race(3));
  const auto a = ask(4);
  EXPECT_THAT(who_began(4), UnorderedElementsAre("a", "b", "c"));
  EXPECT_EQ(core().in_flight, 1u);
  pay("b", 4);
  ASSERT_THAT(answer(a), Succeeds());
  EXPECT_EQ(*answer(a), 8);
  std::uint64_t won = 0;
  for (auto i = 0u; i < 3; ++i) {
    EXPECT_EQ(copy(4, i).ctx.is_over(), copy(4, i).server != "b");
    won += copy(4, i).server == "b" && copy(4, i).number > 0 ? 1 : 0;
  }
  pay("a", 4, 9);
  pay("c", 4, no_disk());
  EXPECT_EQ(*answer(a), 8);
  const auto x = core();
  EXPECT_EQ(x.answered, 1u);
  EXPECT_EQ(x.in_flight, 0u);
  EXPECT_EQ(x.copies_sent, 3u);
  EXPECT_EQ(x.extra_sent, 2u);
  EXPECT_EQ(x.extra_won, won);
  EXPECT_EQ(x.wasted, 2u);
  EXPECT_EQ(x.withdrawn, 0u);
  EXPECT_GE(x.late_answers, 1u);
}

INSTANTIATE_TEST_SUITE_P(Replicas, ReplicatorRace,
                         testing::Values(replicator_test::kind::child,
                                         replicator_test::kind::plain,
                                         replicator_test::kind::pool),
                         [](const auto& x) -> std::string {
                           switch (x.param) {
                             case replicator_test::kind::child:
                               return "Children";
                             case replicator_test::kind::plain:
                               return "Actors";
                             default:
                               return "Pools";
                           }
                         });

// REPLICATE-3: without a budget there is the original, at once, and no other.
TEST_F(ReplicatorModes, RaceWithinTheirBudget) {
  auto policy = replication_spec::race(3);
  policy.budget = {.share = 0.0, .reserve = 0};
  start(policy);
  const auto a = ask(4);
  ASSERT_THAT(who_began(4), SizeIs(1));
  pay(who_began(4)[0], 4);
  EXPECT_THAT(answer(a), Succeeds());
  EXPECT_GE(core().refused.budget, 1u);
  EXPECT_EQ(core().copies_sent, 1u);
}

// REPLICATE-5: copies of one request never share a failure domain, or are
// counted where they do.
TEST_F(ReplicatorModes, KeepCopiesApart) {
  for (const auto* name : {"a", "b", "c"})
    add(name);
  replicas[0].about.domain.host = replicas[1].about.domain.host = "one";
  start(replication_spec::race(2));
  for (auto n = 0; n < 30; ++n) {
    ask(n);
    ASSERT_THAT(who_began(n), SizeIs(2));
    EXPECT_THAT(who_began(n), testing::Contains("c"));
  }
  EXPECT_EQ(core().shared_domain, 0u);
}

// REPLICATE-5
TEST_F(ReplicatorModes, FlagCopiesThatShareADomain) {
  for (const auto* name : {"a", "b"}) {
    add(name);
    replicas.back().about.domain.data_path = "/disk";
  }
  auto policy = replication_spec::race(2);
  policy.shared_domain = policy::shared_domain_rule::flag;
  start(policy);
  ask(4);
  EXPECT_THAT(who_began(4), UnorderedElementsAre("a", "b"));
  EXPECT_EQ(core().shared_domain, 1u);
}

// -- hedge -------------------------------------------------------------------

// REPLICATE-2: another copy after the delay, not before, and not a third.
TEST_F(ReplicatorModes, HedgeAfterADelay) {
  start(hedged_after(10ms));
  const auto a = ask(4);
  pass(10ms - 1ns);
  ASSERT_THAT(who_began(4), SizeIs(1));
  pass(1ns);
  ASSERT_THAT(who_began(4), SizeIs(2));
  pass(1min);
  ASSERT_THAT(who_began(4), SizeIs(2));
  EXPECT_NE(who_began(4)[0], who_began(4)[1]);
  EXPECT_FALSE(copy(4, 0).ctx.is_over());
  pay(who_began(4)[1], 4);
  EXPECT_THAT(answer(a), Succeeds());
  EXPECT_TRUE(copy(4, 0).ctx.is_over());
  EXPECT_EQ(core().late_sent, 1u);
  EXPECT_EQ(core().extra_won, 1u);
}

// REPLICATE-2: as many as it is told to, one delay after the other.
TEST_F(ReplicatorModes, HedgeAgain) {
  start(hedged_after(10ms, 2));
  ask(4);
  pass(19ms);
  EXPECT_THAT(who_began(4), SizeIs(2));
  pass(1ms);
  EXPECT_THAT(who_began(4), UnorderedElementsAre("a", "b", "c"));
}

// REPLICATE-2: answered in time, there is none; its timer finds nothing.
TEST_F(ReplicatorModes, HedgeNothingThatIsAnswered) {
  start(hedged_after(10ms));
  const auto a = ask(4);
  pass(9ms);
  pay(who_began(4)[0], 4);
  const auto b = ask(5);
  pass(5ms);
  EXPECT_THAT(answer(a), Succeeds());
  EXPECT_THAT(who_began(4), SizeIs(1));
  EXPECT_THAT(who_began(5), SizeIs(1));
  pass(5ms);
  EXPECT_THAT(who_began(5), SizeIs(2));
  EXPECT_THAT(answer(b), IsNotAnswered());
  EXPECT_EQ(core().late_sent, 1u);
}

// REPLICATE-3: an empty budget neither cancels nor delays the original.
TEST_F(ReplicatorModes, HedgeWithinTheirBudget) {
  auto policy = hedged_after(10ms);
  policy.budget = {.share = 0.0, .reserve = 1};
  start(policy);
  const auto a = ask(4);
  const auto b = ask(5);
  pass(1s);
  EXPECT_EQ(who_began(4).size() + who_began(5).size(), 3u);
  EXPECT_EQ(core().refused.budget, 1u);
  EXPECT_FALSE(copy(4, 0).ctx.is_over());
  EXPECT_FALSE(copy(5, 0).ctx.is_over());
  pay(who_began(4)[0], 4);
  pay(who_began(5)[0], 5);
  EXPECT_THAT(answer(a), Succeeds());
  EXPECT_THAT(answer(b), Succeeds());
}

// REPLICATE-2: by quantile; none before there are enough samples.
TEST_F(ReplicatorModes, HedgeByQuantile) {
  auto policy = replication_spec::hedged(
    {.quantile = 0.5, .floor = 1ms, .samples_min = 10});
  policy.budget.share = 1.0;
  start(policy);
  for (auto n = 0; n < 10; ++n) {
    EXPECT_FALSE(core().hedge_delay);
    const auto a = ask(n);
    pass(10ms);
    ASSERT_THAT(who_began(n), SizeIs(1)) << "hedged without samples";
    pay(who_began(n)[0], n);
    ASSERT_THAT(answer(a), Succeeds());
  }
  EXPECT_EQ(core().refused.samples, 10u);
  ASSERT_TRUE(core().hedge_delay);
  EXPECT_GE(*core().hedge_delay, 9ms);
  EXPECT_LE(*core().hedge_delay, 11ms);
  ask(100);
  pass(*core().hedge_delay - 1ns);
  EXPECT_THAT(who_began(100), SizeIs(1));
  pass(1ns);
  EXPECT_THAT(who_began(100), SizeIs(2));
}

// REPLICATE-2: floor and cap hold whatever is measured.
TEST_F(ReplicatorModes, HedgeNeverBeforeTheFloor) {
  auto policy = replication_spec::hedged(
    {.quantile = 0.5, .floor = 5ms, .cap = 20ms, .samples_min = 1});
  policy.budget.share = 1.0;
  start(policy);
  ask(4);
  pay(who_began(4)[0], 4);
  EXPECT_EQ(core().hedge_delay, 5ms);
  for (auto n = 10; n < 13; ++n) {
    ask(n);
    pass(100ms);
    pay(who_began(n)[0], n);
  }
  EXPECT_EQ(core().hedge_delay, 20ms);
}

// REPLICATE-2: after the start of service: time in queues does not count.
TEST_F(ReplicatorModes, HedgeAfterTheStart) {
  auto policy
    = replication_spec::hedged({.trigger = policy::hedge_trigger::after_start,
                                .quantile = std::nullopt,
                                .delay = 10ms});
  policy.budget.share = 1.0;
  start_busy_pools(policy);
  const auto a = ask(4);
  pass(1s);
  ASSERT_THAT(who_began(4), IsEmpty());
  pay("a", 1);
  pay("b", 2);
  ASSERT_THAT(who_began(4), SizeIs(1));
  pass(9ms);
  ASSERT_THAT(who_began(4), SizeIs(1));
  pass(1ms);
  ASSERT_THAT(who_began(4), SizeIs(2));
  pay(who_began(4)[1], 4);
  EXPECT_THAT(answer(a), Succeeds());
}

// -- tied --------------------------------------------------------------------

// REPLICATE-2: copies queue together; the first to start has the request, and
// the other one is dropped unstarted.
TEST_F(ReplicatorModes, TieCopiesInQueues) {
  start_busy_pools(replication_spec::tied());
  const auto a = ask(4);
  EXPECT_EQ(core().copies_sent, 2u);
  ASSERT_THAT(who_began(4), IsEmpty());
  pay("b", 2);
  EXPECT_THAT(who_began(4), ElementsAre("b"));
  pay("a", 1);
  EXPECT_THAT(who_began(4), ElementsAre("b"));
  pay("b", 4);
  ASSERT_THAT(answer(a), Succeeds());
  EXPECT_EQ(*answer(a), 8);
  EXPECT_EQ(core().withdrawn, 1u);
  EXPECT_EQ(core().wasted, 0u);
  EXPECT_EQ(core().double_starts, 0u);
}

class ReplicatorTie
  : public ReplicatorModes,
    public testing::WithParamInterface<replicator_test::kind> {};

// REPLICATE-2: both are idle: one handler runs, and no other ever.
TEST_P(ReplicatorTie, RunsOneHandler) {
  for (const auto* name : {"a", "b", "c"})
    add(name, GetParam());
  start(replication_spec::tied(3));
  for (auto n = 0; n < 20; ++n) {
    const auto a = ask(n);
    ASSERT_THAT(who_began(n), SizeIs(1));
    pass(1s);
    pay(who_began(n)[0], n);
    EXPECT_THAT(answer(a), Succeeds());
    EXPECT_THAT(who_began(n), SizeIs(1));
  }
  EXPECT_EQ(core().copies_sent, 60u);
  EXPECT_EQ(core().withdrawn, 40u);
  EXPECT_EQ(core().wasted, 0u);
  EXPECT_EQ(core().double_starts, 0u);
}

INSTANTIATE_TEST_SUITE_P(Replicas, ReplicatorTie,
                         testing::Values(replicator_test::kind::child,
                                         replicator_test::kind::plain,
                                         replicator_test::kind::pool));

// REPLICATE-2: with another copy where the service takes long.
TEST_F(ReplicatorModes, TieAndHedge) {
  auto policy = replication_spec::tied_and_hedged(
    {.trigger = policy::hedge_trigger::after_start,
     .quantile = std::nullopt,
     .delay = 10ms});
  policy.budget.share = 1.0;
  start_busy_pools(policy, 3);
  const auto a = ask(4);
  pass(1s);
  EXPECT_THAT(who_began(4), IsEmpty());
  for (auto i = 0; i < 3; ++i)
    pay(name_of(i), i + 1);
  ASSERT_THAT(who_began(4), SizeIs(1));
  pass(10ms - 1ns);
  EXPECT_THAT(who_began(4), SizeIs(1));
  pass(1ns);
  ASSERT_THAT(who_began(4), SizeIs(2));
  EXPECT_NE(who_began(4)[0], who_began(4)[1]);
  pay(who_began(4)[1], 4);
  EXPECT_THAT(answer(a), Succeeds());
  EXPECT_TRUE(copy(4, 0).ctx.is_over());
  EXPECT_EQ(core().extra_won, 1u);
  EXPECT_EQ(core().double_starts, 0u);
}

} // namespace
} // namespace coppice::test
