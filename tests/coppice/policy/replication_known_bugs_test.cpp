// This file is part of coppice. License: see LICENSE in the source root.

// Bugs that hedging libraries have had, and races that they have lost. One test
// each, named for what must not happen.

#include "support/replication_harness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>

namespace coppice::test {
namespace {

using namespace policy;
using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

using harness = replication_harness;

constexpr copy_budget_spec nothing{.share = 0.0, .reserve = 0};

replication_spec hedged(copy_budget_spec budget = {.share = 63.0},
                        std::uint32_t extra_max = 1) {
  auto spec = replication_spec::hedged(
    {.quantile = std::nullopt, .delay = 10ms, .extra_max = extra_max});
  spec.budget = budget;
  return spec;
}

replication_spec tied(std::uint32_t copies, copy_budget_spec budget = nothing) {
  auto spec = replication_spec::tied(copies);
  spec.budget = budget;
  return spec;
}

// REPLICATE-3
TEST(ReplicationKnownBugs, AnExhaustedBudgetDoesNotCancelTheOriginal) {
  harness h{hedged(nothing)};
  EXPECT_THAT(h.request(), ElementsAre("send 0 original"));
  EXPECT_THAT(h.after(10ms), IsEmpty());
  EXPECT_EQ(h.snapshot().refused.budget, 1u);
  EXPECT_THAT(h.after(1h), IsEmpty());
  EXPECT_EQ(h.snapshot().in_flight, 1u);
  EXPECT_THAT(h.answered(0), ElementsAre("answer 0", "forget"));
}

// REPLICATE-1, REPLICATE-3: there is nothing left to wait for.
TEST(ReplicationKnownBugs, ARequestWhoseHedgesAreAllRefusedDoesNotHang) {
  harness h{hedged(nothing, 8), 8};
  h.request();
  h.after(1s);
  EXPECT_THAT(h.failed(0), ElementsAre("give_up all_failed", "forget"));
}

// REPLICATE-1: it fails over at once; the rest of the delay is not waited for.
TEST(ReplicationKnownBugs, AFailureThatIsNotFatalShortensTheDelay) {
  harness h{hedged()};
  h.request();
  h.after(1ms);
  EXPECT_THAT(h.failed(0), ElementsAre("send 1 failover"));
  EXPECT_EQ(h.now(), h.when(1ms));
  EXPECT_THAT(h.answered(1), ElementsAre("answer 1", "forget"));
}

// REPLICATE-4: nor leaks for ever.
TEST(ReplicationKnownBugs, ADeafLoserDoesNotDelayTheWinner) {
  harness h{replication_spec::race(3)};
  h.request();
  h.started(2);
  EXPECT_THAT(h.answered(1), ElementsAre("answer 1", "cancel 0", "cancel 2"));
  EXPECT_THAT(h.failed(0), IsEmpty());
  EXPECT_EQ(h.core().size(), 1u);
  EXPECT_THAT(h.after(1min), ElementsAre("forget"));
  EXPECT_EQ(h.core().size(), 0u);
  EXPECT_EQ(h.core().next_due(), std::nullopt);
  h.check_counts();
  EXPECT_THAT(h.answered(2), IsEmpty());
  EXPECT_EQ(h.snapshot().late_answers, 1u);
}

// REPLICATE-4: a replica that never reports is not busy for ever.
TEST(ReplicationKnownBugs, DeafLosersDoNotAddUp) {
  harness h{replication_spec::race(2), 2};
  for (int i = 0; i < 1'000; ++i) {
    h.request();
    h.answered(0);
    h.after(1s);
  }
  EXPECT_LE(h.core().size(), 60u);
  h.after(1min);
  EXPECT_EQ(h.core().size(), 0u);
  h.check_counts();
}

// REPLICATE-1
TEST(ReplicationKnownBugs, AQuickErrorDoesNotWinOverAGoodAnswer) {
  harness h{replication_spec::race(2), 2};
  h.request();
  EXPECT_THAT(h.failed(1), IsEmpty());
  h.after(1s);
  EXPECT_THAT(h.answered(0), ElementsAre("answer 0", "forget"));
  EXPECT_EQ(h.snapshot().failed, 0u);
}

// REPLICATE-1: also where the shell cannot call a timer back.
TEST(ReplicationKnownBugs, ATimerAfterCompletionDoesNothing) {
  harness h{hedged()};
  h.request();
  EXPECT_THAT(h.answered(0), ElementsAre("answer 0", "forget"));
  h.pass(10ms);
  EXPECT_THAT(h.tell({.what = replication_fact::kind::timer}), IsEmpty());
  h.pass(1h);
  EXPECT_THAT(h.tell({.what = replication_fact::kind::timer}), IsEmpty());
  EXPECT_EQ(h.snapshot().copies_sent, 1u);
}

// REPLICATE-1: nor to the next request.
TEST(ReplicationKnownBugs, ATimerOfOneRequestIsNotAnothers) {
  harness h{hedged()};
  h.request();
  h.pass(5ms);
  h.answered(0);
  h.request();
  h.pass(5ms); // when the first would have been late
  EXPECT_THAT(h.tell({.what = replication_fact::kind::timer}), IsEmpty());
  EXPECT_THAT(h.after(5ms), ElementsAre("send 1 late"));
}

// REPLICATE-4: the loser hears of its cancel before it hears of its request,
// so it starts and answers all the same.
TEST(ReplicationKnownBugs, ACancelThatOvertakesItsRequestIsHarmless) {
  harness h{replication_spec::race(2), 2};
  h.request();
  EXPECT_THAT(h.answered(0), ElementsAre("answer 0", "cancel 1"));
  EXPECT_THAT(h.started(1), IsEmpty());
  EXPECT_THAT(h.answered(1), ElementsAre("forget"));
  EXPECT_EQ(h.snapshot().late_answers, 1u);
  EXPECT_EQ(h.snapshot().answered, 1u);
}

// REPLICATE-2: on two nodes, no claim can be shared.
TEST(ReplicationKnownBugs, BothCopiesMayStartInTheSameInstant) {
  harness h{tied(2), 2};
  h.request();
  EXPECT_THAT(h.started(0), ElementsAre("cancel 1"));
  EXPECT_THAT(h.started(1), IsEmpty());
  EXPECT_EQ(h.snapshot().double_starts, 1u);
  EXPECT_THAT(h.answered(0), Contains("answer 0"));
  h.answered(1);
  EXPECT_EQ(h.core().size(), 0u);
  EXPECT_EQ(h.snapshot().answered, 1u);
}

// REPLICATE-1, REPLICATE-2: the one that was told to stop was faster.
TEST(ReplicationKnownBugs, OfTwoThatStartedEitherMayAnswerOnce) {
  harness h{tied(2), 2};
  h.request();
  h.started(0);
  h.started(1);
  h.answered(1);
  h.answered(0);
  EXPECT_EQ(h.core().size(), 0u);
  EXPECT_EQ(h.snapshot().answered, 1u);
}

// REPLICATE-1, REPLICATE-2: nobody else had it any more; others get it, and pay
// nothing, since nothing was done by those that they replace.
TEST(ReplicationKnownBugs, AWorkerThatDiesWithTheClaimLosesNothing) {
  harness h{tied(2)};
  h.request();
  EXPECT_THAT(h.started(0), ElementsAre("cancel 1"));
  EXPECT_THAT(h.failed(1, {.is_unstarted = true}), IsEmpty());
  EXPECT_THAT(h.failed(0), ElementsAre("release 0", "send 2 failover"));
  EXPECT_THAT(h.started(2), IsEmpty());
  EXPECT_THAT(h.answered(2), ElementsAre("answer 2", "forget"));
}

// REPLICATE-1, REPLICATE-2: there are two replicas in all; the withdrawn copy's
// takes another.
TEST(ReplicationKnownBugs, TheWithdrawnCopysReplicaCanTakeOver) {
  harness h{tied(2), 2};
  h.request();
  const auto withdrawn = h.place_of(1);
  h.started(0);
  EXPECT_THAT(h.failed(0), ElementsAre("release 0", "send 2 failover"));
  EXPECT_EQ(h.place_of(2), withdrawn);
  EXPECT_THAT(h.failed(1, {.is_unstarted = true}), IsEmpty());
  EXPECT_THAT(h.answered(2), ElementsAre("answer 2", "forget"));
}

// REPLICATE-1, REPLICATE-2: again and again, until there is nobody left.
TEST(ReplicationKnownBugs, ClaimsThatDieOneAfterAnotherEndInAFailure) {
  harness h{tied(3), 3};
  h.request();
  for (std::uint32_t holder = 0; holder < 64 && h.core().size() > 0; ++holder) {
    h.started(holder);
    h.failed(1, {.is_unstarted = true});
    h.failed(2, {.is_unstarted = true});
    h.failed(holder);
  }
  EXPECT_EQ(h.core().size(), 0u);
  EXPECT_EQ(h.snapshot().failed, 1u);
}

// REPLICATE-1, REPLICATE-2: the late copy goes on without it.
TEST(ReplicationKnownBugs, AClaimThatDiesDoesNotEndItsHedge) {
  auto spec
    = replication_spec::tied_and_hedged({.trigger = hedge_trigger::after_start,
                                         .quantile = std::nullopt,
                                         .delay = 10ms});
  spec.budget = {.share = 63.0};
  harness h{spec};
  h.request();
  h.started(0);
  EXPECT_THAT(h.after(10ms), ElementsAre("send 2 late"));
  h.started(2);
  EXPECT_THAT(h.failed(0), Not(Contains("give_up all_failed")));
  EXPECT_THAT(h.answered(2), Contains("answer 2"));
}

} // namespace
} // namespace coppice::test
