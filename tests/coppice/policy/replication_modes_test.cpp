// This file is part of coppice. License: see LICENSE in the source root.

// What each mode does with a request when nothing goes wrong.

#include "support/replication_harness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <ostream>
#include <string>

namespace coppice::test {
namespace {

using namespace policy;
using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::Ge;
using testing::IsEmpty;
using testing::Le;

using harness = replication_harness;

/// After `delay`, always; the budget pays for all.
replication_spec hedged(duration delay, std::uint32_t extra_max = 1,
                        hedge_trigger from = hedge_trigger::after_send) {
  auto spec = replication_spec::hedged({.trigger = from,
                                        .quantile = std::nullopt,
                                        .delay = delay,
                                        .extra_max = extra_max});
  spec.budget.share = 63.0;
  spec.off_switch.wins_min = 0.0;
  return spec;
}

/// After most have come.
replication_spec hedged_by_quantile(hedge_spec hedge) {
  auto spec = hedged(1h);
  spec.hedge = hedge;
  return spec;
}

replication_spec tied_and_hedged(duration delay) {
  auto spec
    = replication_spec::tied_and_hedged({.trigger = hedge_trigger::after_start,
                                         .quantile = std::nullopt,
                                         .delay = delay});
  spec.budget.share = 63.0;
  return spec;
}

// -- race --------------------------------------------------------------------

// REPLICATE-2: all at once; REPLICATE-4: losers are cancelled, and waited for.
TEST(ReplicationModes, ARaceSendsAllAndBelievesTheFirst) {
  harness h{replication_spec::race(3)};
  EXPECT_THAT(h.request(), ElementsAre("send 0 original", "send 1 at_once",
                                       "send 2 at_once"));
  EXPECT_THAT(h.started(0), IsEmpty());
  EXPECT_THAT(h.answered(1), ElementsAre("answer 1", "cancel 0", "cancel 2"));
  EXPECT_EQ(h.snapshot().in_flight, 0u);
  EXPECT_THAT(h.answered(0), IsEmpty());
  EXPECT_THAT(h.failed(2), ElementsAre("forget"));
  EXPECT_EQ(h.core().size(), 0u);
  EXPECT_EQ(h.snapshot().late_answers, 1u);
  EXPECT_EQ(h.snapshot().extra_won, 1u);
}

// REPLICATE-2: with fewer replicas than copies, those that there are race.
TEST(ReplicationModes, ARaceGoesOnWithoutOneThatIsGone) {
  harness h{replication_spec::race(3)};
  h.set_present(1, false);
  EXPECT_THAT(h.request(), ElementsAre("send 0 original", "send 1 at_once"));
  EXPECT_THAT(h.answered(0), ElementsAre("answer 0", "cancel 1"));
  EXPECT_EQ(h.snapshot().refused.no_replica, 1u);
}

// REPLICATE-7: what the losers did is known.
TEST(ReplicationModes, ARaceCountsWhatItWasted) {
  harness h{replication_spec::race(3)};
  h.request();
  h.started(0);
  h.started(1);
  h.after(10ms);
  h.answered(0);
  h.after(5ms);
  h.failed(1);
  h.failed(2, {.is_unstarted = true});
  const auto seen = h.snapshot();
  EXPECT_EQ(seen.wasted, 1u);
  EXPECT_EQ(seen.withdrawn, 1u);
  EXPECT_THAT(seen.wasted_time, AllOf(Ge(10ms), Le(15ms)));
}

// -- hedge -------------------------------------------------------------------

// REPLICATE-2
TEST(ReplicationModes, AHedgeSendsAnotherCopyAfterTheDelayAndNotBefore) {
  harness h{hedged(10ms)};
  EXPECT_THAT(h.request(), ElementsAre("send 0 original"));
  EXPECT_THAT(h.after(10ms - 1ns), IsEmpty());
  EXPECT_THAT(h.after(1ns), ElementsAre("send 1 late"));
  EXPECT_NE(h.place_of(0), h.place_of(1));
  EXPECT_THAT(h.after(1h), IsEmpty());
  EXPECT_THAT(h.answered(0), ElementsAre("answer 0", "cancel 1"));
  EXPECT_THAT(h.failed(1), ElementsAre("forget"));
}

// REPLICATE-2
TEST(ReplicationModes, AHedgeThatIsAnsweredInTimeSendsNothing) {
  harness h{hedged(10ms)};
  h.request();
  EXPECT_THAT(h.after(9ms), IsEmpty());
  EXPECT_THAT(h.answered(0), ElementsAre("answer 0", "forget"));
  EXPECT_EQ(h.core().next_due(), std::nullopt);
  EXPECT_EQ(h.snapshot().extra_sent, 0u);
}

// REPLICATE-2: a late copy may be late as well.
TEST(ReplicationModes, AHedgeCountsAgainFromTheLateCopy) {
  harness h{hedged(10ms, 2)};
  h.request();
  EXPECT_THAT(h.after(10ms), ElementsAre("send 1 late"));
  EXPECT_THAT(h.after(10ms - 1ns), IsEmpty());
  EXPECT_THAT(h.after(1ns), ElementsAre("send 2 late"));
  EXPECT_THAT(h.answered(2), ElementsAre("answer 2", "cancel 0", "cancel 1"));
  EXPECT_EQ(h.snapshot().late_sent, 2u);
}

// REPLICATE-2: time in the queue does not count.
TEST(ReplicationModes, AHedgeAfterTheStartWaitsForTheStart) {
  harness h{hedged(10ms, 2, hedge_trigger::after_start)};
  h.request();
  EXPECT_THAT(h.after(1h), IsEmpty());
  EXPECT_THAT(h.started(0), IsEmpty());
  EXPECT_THAT(h.after(10ms - 1ns), IsEmpty());
  EXPECT_THAT(h.after(1ns), ElementsAre("send 1 late"));
  EXPECT_THAT(h.after(1h), IsEmpty());
  h.started(1);
  EXPECT_THAT(h.after(10ms), ElementsAre("send 2 late"));
  EXPECT_THAT(h.answered(0), ElementsAre("answer 0", "cancel 1", "cancel 2"));
}

// REPLICATE-2: a shell that is late itself catches up with one copy.
TEST(ReplicationModes, AHedgeThatIsToldLateSendsOneCopyOnly) {
  harness h{hedged(10ms, 2)};
  h.request();
  h.pass(1s);
  EXPECT_THAT(h.after(0ms), ElementsAre("send 1 late"));
  EXPECT_THAT(h.after(10ms), ElementsAre("send 2 late"));
}

// -- quantiles ---------------------------------------------------------------

// REPLICATE-2, REPLICATE-7: nobody knows yet what is late.
TEST(ReplicationModes, NothingIsLateBeforeThereAreSamples) {
  harness h{hedged_by_quantile({.samples_min = 100})};
  h.warm_up(99, 5ms);
  EXPECT_EQ(h.snapshot().hedge_delay, std::nullopt);
  h.request();
  EXPECT_THAT(h.after(1s), IsEmpty());
  EXPECT_GE(h.snapshot().refused.samples, 1u);
  EXPECT_THAT(h.answered(0), ElementsAre("answer 0", "forget"));
}

// REPLICATE-2: the digest errs by a sixteenth, and upwards.
TEST(ReplicationModes, WithSamplesTheQuantileIsTheDelay) {
  harness h{hedged_by_quantile({.samples_min = 100})};
  h.warm_up(130, 5ms);
  ASSERT_TRUE(h.snapshot().hedge_delay);
  EXPECT_THAT(*h.snapshot().hedge_delay, AllOf(Ge(5ms), Le(5400us)));
  h.request();
  EXPECT_THAT(h.after(5ms - 1ns), IsEmpty());
  EXPECT_THAT(h.after(400us), ElementsAre("send 1 late"));
}

// REPLICATE-2: quick answers do not make for quick hedges.
TEST(ReplicationModes, TheFloorHolds) {
  harness h{hedged_by_quantile({.floor = 7ms, .samples_min = 10})};
  h.warm_up(100, 1ms);
  h.request();
  EXPECT_THAT(h.after(7ms - 1ns), IsEmpty());
  EXPECT_THAT(h.after(1ns), ElementsAre("send 1 late"));
}

// REPLICATE-2: where everybody is slow, it is still worth a try.
TEST(ReplicationModes, TheCapHolds) {
  harness h{hedged_by_quantile({.cap = 20ms, .samples_min = 10})};
  h.warm_up(9, 100ms);
  h.warm_up(60, 100ms); // hedged ones; their originals take as long
  h.request();
  EXPECT_THAT(h.after(20ms - 1ns), IsEmpty());
  EXPECT_THAT(h.after(1ns), ElementsAre("send 1 late"));
}

// REPLICATE-2, REPLICATE-4: failures say nothing about latency.
TEST(ReplicationModes, QuickFailuresAreNoSamples) {
  harness h{hedged_by_quantile({.samples_min = 10})};
  for (int i = 0; i < 200; ++i) {
    h.request();
    h.failed(0, {.is_fatal = true});
  }
  EXPECT_EQ(h.snapshot().hedge_delay, std::nullopt);
}

// -- tied --------------------------------------------------------------------

// REPLICATE-2: the first to start has it; the others go, unstarted.
TEST(ReplicationModes, OfTiedCopiesTheFirstToStartStays) {
  harness h{replication_spec::tied(3)};
  EXPECT_THAT(h.request(), ElementsAre("send 0 original", "send 1 at_once",
                                       "send 2 at_once"));
  EXPECT_THAT(h.started(1), ElementsAre("cancel 0", "cancel 2"));
  EXPECT_THAT(h.failed(0, {.is_unstarted = true}), IsEmpty());
  EXPECT_THAT(h.answered(1), ElementsAre("answer 1"));
  EXPECT_THAT(h.failed(2, {.is_unstarted = true}), ElementsAre("forget"));
  EXPECT_EQ(h.snapshot().withdrawn, 2u);
  EXPECT_EQ(h.snapshot().wasted, 0u);
}

// REPLICATE-2: workers need not say when they begin.
TEST(ReplicationModes, TiedCopiesMayAnswerWithoutAStart) {
  harness h{replication_spec::tied(2)};
  h.request();
  EXPECT_THAT(h.answered(0), ElementsAre("answer 0", "cancel 1"));
  EXPECT_THAT(h.failed(1), ElementsAre("forget"));
}

// REPLICATE-2: another copy where the service takes long, not the queue.
TEST(ReplicationModes, TiedCopiesAreHedgedAfterTheStart) {
  harness h{tied_and_hedged(10ms)};
  EXPECT_THAT(h.request(), ElementsAre("send 0 original", "send 1 at_once"));
  EXPECT_THAT(h.after(1h), IsEmpty());
  EXPECT_THAT(h.started(1), ElementsAre("cancel 0"));
  EXPECT_THAT(h.failed(0, {.is_unstarted = true}), IsEmpty());
  EXPECT_THAT(h.after(10ms - 1ns), IsEmpty());
  EXPECT_THAT(h.after(1ns), ElementsAre("send 2 late"));
  EXPECT_THAT(h.started(2), IsEmpty());
  EXPECT_THAT(h.answered(2), ElementsAre("answer 2", "cancel 1"));
  EXPECT_THAT(h.answered(1), ElementsAre("forget"));
}

// REPLICATE-2: they did not cost anything, so nobody pays.
TEST(ReplicationModes, TiedCopiesNeedNoBudget) {
  auto spec = replication_spec::tied(2);
  spec.budget = {.share = 0.0, .reserve = 0};
  harness h{spec};
  for (int i = 0; i < 100; ++i) {
    EXPECT_THAT(h.request(), ElementsAre("send 0 original", "send 1 at_once"));
    EXPECT_THAT(h.started(0), ElementsAre("cancel 1"));
    EXPECT_THAT(h.failed(1, {.is_unstarted = true}), IsEmpty());
    EXPECT_THAT(h.answered(0), ElementsAre("answer 0", "forget"));
  }
  EXPECT_EQ(h.snapshot().refused.budget, 0u);
}

// -- idempotency -------------------------------------------------------------

struct any_mode {
  const char* name;
  replication_spec spec;
};

void PrintTo(const any_mode& x, std::ostream* out) {
  *out << x.name;
}

class ReplicationOfOthers : public testing::TestWithParam<any_mode> {};

// REPLICATE-6: one copy, whatever the mode and whatever happens.
TEST_P(ReplicationOfOthers, HasOneCopy) {
  harness h{GetParam().spec};
  EXPECT_THAT(h.request(false), ElementsAre("send 0 original"));
  h.started(0);
  EXPECT_THAT(h.after(1h), IsEmpty());
  EXPECT_THAT(h.answered(0), ElementsAre("answer 0", "forget"));
  h.request(false);
  EXPECT_THAT(h.failed(0, {.is_unstarted = true}),
              ElementsAre("give_up all_failed", "forget"));
  EXPECT_EQ(h.snapshot().copies_sent, 2u);
}

// REPLICATE-6, REPLICATE-7: the user sees why there are no copies.
TEST_P(ReplicationOfOthers, CountsWhatItDoesNotSend) {
  harness h{GetParam().spec};
  h.request(false);
  h.started(0);
  h.after(1h);
  h.failed(0);
  EXPECT_GE(h.snapshot().refused.not_idempotent, 1u);
}

INSTANTIATE_TEST_SUITE_P(
  OfEachMode, ReplicationOfOthers,
  testing::Values(any_mode{"Race", replication_spec::race(3)},
                  any_mode{"Hedge", hedged(10ms)},
                  any_mode{"Tied", replication_spec::tied(2)},
                  any_mode{"TiedAndHedged", tied_and_hedged(10ms)}),
  [](const auto& x) { return std::string{x.param.name}; });

} // namespace
} // namespace coppice::test
