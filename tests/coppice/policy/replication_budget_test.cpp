// This file is part of coppice. License: see LICENSE in the source root.

// What extra copies may cost, and what becomes of requests when that is spent.

#include "support/replication_harness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>

namespace coppice::test {
namespace {

using namespace policy;
using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::Ge;
using testing::IsEmpty;
using testing::Le;
using testing::SizeIs;

using harness = replication_harness;

replication_spec with(replication_spec spec, copy_budget_spec budget) {
  spec.budget = budget;
  spec.off_switch.wins_min = 0.0;
  spec.ejection.share_max = 0.0;
  return spec;
}

replication_spec hedged(copy_budget_spec budget, std::uint32_t extra_max = 1) {
  return with(replication_spec::hedged({.quantile = std::nullopt,
                                        .delay = 10ms,
                                        .extra_max = extra_max}),
              budget);
}

/// Each is hedged if it may be, then answered by its original.
void ask_slowly(harness& h, int requests) {
  for (int i = 0; i < requests; ++i) {
    h.request();
    h.after(10ms);
    h.answered(0);
    h.failed(1);
  }
}

// REPLICATE-3: the default: what the mode sends at once, always.
TEST(ReplicationBudget, OfARacePaysForAllOfIt) {
  auto spec = replication_spec::race(3);
  spec.off_switch.wins_min = 0.0;
  harness h{spec};
  for (int i = 0; i < 100; ++i) {
    EXPECT_THAT(h.request(), SizeIs(3));
    h.answered(0);
    h.failed(1);
    h.failed(2);
  }
  EXPECT_EQ(h.snapshot().refused.budget, 0u);
}

// REPLICATE-3: the default: 5 % of requests, and one per window.
TEST(ReplicationBudget, OfHedgesIsFivePercent) {
  harness h{hedged({})};
  ask_slowly(h, 900); // within a window
  const auto seen = h.snapshot();
  EXPECT_THAT(seen.extra_sent, AllOf(Ge(45u), Le(46u)));
  EXPECT_EQ(seen.refused.budget, 900 - seen.extra_sent);
}

// REPLICATE-3
TEST(ReplicationBudget, IsAShareOfRequests) {
  harness h{hedged({.share = 0.5, .reserve = 0})};
  ask_slowly(h, 100);
  EXPECT_EQ(h.snapshot().extra_sent, 50u);
}

// REPLICATE-3: for those who ask seldom; once per window.
TEST(ReplicationBudget, HasAReserve) {
  harness h{hedged({.share = 0.0, .window = 10s, .reserve = 2})};
  ask_slowly(h, 20);
  EXPECT_EQ(h.snapshot().extra_sent, 2u);
  h.after(20s);
  ask_slowly(h, 20);
  EXPECT_EQ(h.snapshot().extra_sent, 4u);
}

// REPLICATE-3: it may pay for a part of a race.
TEST(ReplicationBudget, MayPayForSomeOfTheCopies) {
  harness h{with(replication_spec::race(3), {.share = 1.0, .reserve = 0})};
  EXPECT_THAT(h.request(), ElementsAre("send 0 original", "send 1 at_once"));
  EXPECT_THAT(h.answered(1), ElementsAre("answer 1", "cancel 0"));
  EXPECT_EQ(h.snapshot().refused.budget, 1u);
}

// REPLICATE-3: failovers are extra copies like others.
TEST(ReplicationBudget, PaysForFailovers) {
  harness h{hedged({.share = 0.0, .reserve = 1})};
  h.request();
  EXPECT_THAT(h.failed(0), ElementsAre("send 1 failover"));
  h.answered(1);
  h.request();
  EXPECT_THAT(h.failed(0), ElementsAre("give_up all_failed", "forget"));
  EXPECT_EQ(h.snapshot().refused.budget, 1u);
}

// REPLICATE-3: the post-start hedges of tied copies are extra copies.
TEST(ReplicationBudget, PaysForHedgesOfTiedCopies) {
  const hedge_spec hedge{.trigger = hedge_trigger::after_start,
                         .quantile = std::nullopt,
                         .delay = 10ms};
  harness h{with(replication_spec::tied_and_hedged(hedge),
                 {.share = 0.0, .reserve = 1})};
  h.request();
  h.started(0);
  EXPECT_THAT(h.after(10ms), ElementsAre("send 2 late"));
  h.answered(0);
  h.request();
  h.started(0);
  h.failed(1, {.is_unstarted = true});
  EXPECT_THAT(h.after(20ms), IsEmpty());
  EXPECT_THAT(h.answered(0), ElementsAre("answer 0", "forget"));
}

// REPLICATE-3: an empty budget touches no original, in any mode.
TEST(ReplicationBudget, NeverTouchesTheOriginal) {
  const copy_budget_spec nothing{.share = 0.0, .reserve = 0};
  for (const auto& spec :
       {with(replication_spec::race(3), nothing), hedged(nothing)}) {
    harness h{spec};
    for (int i = 0; i < 10; ++i) {
      EXPECT_THAT(h.request(), ElementsAre("send 0 original"));
      EXPECT_THAT(h.after(1s), IsEmpty());
      EXPECT_THAT(h.answered(0), ElementsAre("answer 0", "forget"));
    }
    EXPECT_GE(h.snapshot().refused.budget, 10u);
  }
}

// REPLICATE-3: those that a quorum needs are originals.
TEST(ReplicationBudget, NeverTouchesAQuorum) {
  harness h{
    with(replication_spec::first_of(2, 3), {.share = 0.0, .reserve = 0})};
  EXPECT_THAT(h.request(), ElementsAre("send 0 original", "send 1 original"));
  EXPECT_THAT(h.answered(1), IsEmpty());
  EXPECT_THAT(h.answered(0), SizeIs(2));
  EXPECT_EQ(h.snapshot().answered, 1u);
}

// REPLICATE-3: taken by one request, it is not there for the next.
TEST(ReplicationBudget, IsNotSpentTwiceAtOneInstant) {
  harness h{hedged({.share = 0.0, .reserve = 3})};
  for (int i = 0; i < 10; ++i)
    h.request();
  EXPECT_THAT(h.after(10ms),
              ElementsAre("send 1 late", "send 1 late", "send 1 late"));
  EXPECT_EQ(h.snapshot().refused.budget, 7u);
}

} // namespace
} // namespace coppice::test
