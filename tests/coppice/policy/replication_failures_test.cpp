// This file is part of coppice. License: see LICENSE in the source root.

// What becomes of a request when copies fail, servers push back, replicas go,
// or nobody waits any more.

#include "support/replication_harness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <ostream>
#include <set>
#include <string>

namespace coppice::test {
namespace {

using namespace policy;
using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

using harness = replication_harness;

replication_spec hedged(std::uint32_t extra_max = 1) {
  auto spec = replication_spec::hedged(
    {.quantile = std::nullopt, .delay = 10ms, .extra_max = extra_max});
  spec.budget.share = 63.0;
  spec.off_switch.wins_min = 0.0;
  spec.ejection.share_max = 0.0;
  return spec;
}

/// Where originals of so many requests go; each is answered.
std::set<replica_id> places(harness& h, int n = 100) {
  std::set<replica_id> result;
  for (int i = 0; i < n; ++i) {
    h.request();
    result.insert(h.place_of(0));
    h.answered(0);
    h.failed(1);
  }
  return result;
}

// -- failures ----------------------------------------------------------------

// REPLICATE-1: an error does not win while a copy is out.
TEST(ReplicationFailures, AFailureDoesNotEndARace) {
  harness h{replication_spec::race(2), 2};
  h.request();
  EXPECT_THAT(h.failed(0), IsEmpty());
  EXPECT_THAT(h.answered(1), ElementsAre("answer 1", "forget"));
}

// REPLICATE-1: if all fail, the requester hears of it at once.
TEST(ReplicationFailures, WhenAllHaveFailedItIsOver) {
  harness h{replication_spec::race(3)};
  h.request();
  EXPECT_THAT(h.failed(2), IsEmpty());
  EXPECT_THAT(h.failed(0), IsEmpty());
  EXPECT_THAT(h.failed(1), ElementsAre("give_up all_failed", "forget"));
  EXPECT_EQ(h.snapshot().failed, 1u);
}

// REPLICATE-1: unless it is fatal.
TEST(ReplicationFailures, AFatalFailureEndsItAtOnce) {
  harness h{replication_spec::race(3)};
  h.request();
  EXPECT_THAT(h.failed(1, {.is_fatal = true}),
              ElementsAre("give_up fatal", "cancel 0", "cancel 2"));
  EXPECT_THAT(h.answered(0), IsEmpty());
  EXPECT_THAT(h.failed(2), ElementsAre("forget"));
}

// REPLICATE-1: of a late copy, too.
TEST(ReplicationFailures, AFatalFailureOfALateCopyEndsIt) {
  harness h{hedged()};
  h.request();
  h.after(10ms);
  EXPECT_THAT(h.failed(1, {.is_fatal = true}),
              ElementsAre("give_up fatal", "cancel 0"));
}

// REPLICATE-1: a quick failure is tried again, as often as it may be.
TEST(ReplicationFailures, FailoversAreCounted) {
  harness h{hedged(2), 4};
  h.request();
  EXPECT_THAT(h.failed(0), ElementsAre("send 1 failover"));
  EXPECT_THAT(h.failed(1), ElementsAre("send 2 failover"));
  EXPECT_THAT(h.failed(2), ElementsAre("give_up all_failed", "forget"));
  EXPECT_EQ(h.snapshot().failovers, 2u);
  EXPECT_EQ(h.snapshot().extra_sent, 2u);
  EXPECT_EQ(h.snapshot().late_sent, 0u);
}

// REPLICATE-1: never to where it has failed.
TEST(ReplicationFailures, FailoversGoElsewhere) {
  for (int i = 0; i < 20; ++i) {
    harness h{hedged(2)};
    h.request();
    h.failed(0);
    h.failed(1);
    const std::set<replica_id> used{h.place_of(0), h.place_of(1),
                                    h.place_of(2)};
    EXPECT_EQ(used.size(), 3u);
  }
}

// REPLICATE-1: there is nowhere else to go.
TEST(ReplicationFailures, WithoutAnotherReplicaThereIsNoFailover) {
  harness h{hedged(2), 2};
  h.request();
  EXPECT_THAT(h.failed(0), ElementsAre("send 1 failover"));
  EXPECT_THAT(h.failed(1), ElementsAre("give_up all_failed", "forget"));
  EXPECT_GE(h.snapshot().refused.no_replica, 1u);
}

// REPLICATE-1: what failed once is not heard again.
TEST(ReplicationFailures, ACopyFailsOnce) {
  harness h{hedged(2), 4};
  h.request();
  EXPECT_THAT(h.failed(0), ElementsAre("send 1 failover"));
  EXPECT_THAT(h.failed(0), IsEmpty());
  EXPECT_THAT(h.failed(0, {.is_fatal = true}), IsEmpty());
  EXPECT_THAT(h.answered(1), ElementsAre("answer 1", "forget"));
}

// -- pushback ----------------------------------------------------------------

// REPLICATE-3: who pushes back gets nothing for that long, and then again.
TEST(ReplicationFailures, AReplicaThatPushesBackIsLeftAlone) {
  harness h{hedged()};
  h.request();
  const auto who = h.place_of(0);
  EXPECT_THAT(h.failed(0, {.is_unstarted = true, .pushback = 1s}),
              ElementsAre("send 1 failover"));
  h.answered(1);
  EXPECT_THAT(places(h), Not(Contains(who)));
  h.after(1s - 1ns);
  EXPECT_THAT(places(h), Not(Contains(who)));
  h.after(1ns);
  EXPECT_THAT(places(h), Contains(who));
}

struct long_time {
  const char* name;
  duration length;
};

void PrintTo(const long_time& x, std::ostream* out) {
  *out << x.name;
}

class ReplicationPushback : public testing::TestWithParam<long_time> {};

// REPLICATE-3: longer than a request lives: no further copies of this one.
TEST_P(ReplicationPushback, ForGoodEndsFurtherCopies) {
  harness h{hedged(2), 4};
  h.request();
  EXPECT_THAT(h.failed(0,
                       {.is_unstarted = true, .pushback = GetParam().length}),
              ElementsAre("give_up all_failed", "forget"));
  EXPECT_GE(h.snapshot().refused.pushback, 1u);
  EXPECT_THAT(h.request(), ElementsAre("send 0 original"));
}

// REPLICATE-3: those that are out go on.
TEST_P(ReplicationPushback, ForGoodDoesNotTouchOtherCopies) {
  harness h{hedged(2), 4};
  h.request();
  EXPECT_THAT(h.after(10ms), ElementsAre("send 1 late"));
  EXPECT_THAT(h.failed(1,
                       {.is_unstarted = true, .pushback = GetParam().length}),
              IsEmpty());
  EXPECT_THAT(h.after(1h), IsEmpty());
  EXPECT_THAT(h.answered(0), ElementsAre("answer 0", "forget"));
}

INSTANTIATE_TEST_SUITE_P(
  OfAnyLength, ReplicationPushback,
  testing::Values(long_time{"TwoHours", 2h},
                  long_time{"Infinite", duration::max()}),
  [](const auto& x) { return std::string{x.param.name}; });

// REPLICATE-3: to turn requests away is their business; they get no others.
TEST(ReplicationFailures, WhenAllPushBackOriginalsAreSentAlone) {
  harness h{hedged(2), 2};
  h.request();
  h.failed(0, {.is_unstarted = true, .pushback = 1min});
  h.failed(1, {.is_unstarted = true, .pushback = 1min});
  EXPECT_THAT(h.request(), ElementsAre("send 0 original"));
  EXPECT_THAT(h.after(1s), IsEmpty());
  EXPECT_THAT(h.failed(0), ElementsAre("give_up all_failed", "forget"));
  h.after(1min);
  EXPECT_THAT(h.request(), ElementsAre("send 0 original"));
  EXPECT_THAT(h.failed(0), ElementsAre("send 1 failover"));
}

// -- replicas that go --------------------------------------------------------

// REPLICATE-1: at once, and not in time for nothing.
TEST(ReplicationFailures, WithoutReplicasARequestFailsAtOnce) {
  harness h{replication_spec::race(2), 2};
  h.set_present(0, false);
  h.set_present(1, false);
  EXPECT_THAT(h.request(), ElementsAre("give_up no_replica", "forget"));
  h.set_present(1, true);
  EXPECT_THAT(h.request(), ElementsAre("send 0 original"));
  EXPECT_EQ(h.place_of(0), 1u);
}

// REPLICATE-1: its copies fail one by one, and nothing is lost.
TEST(ReplicationFailures, AReplicaThatDiesInMidRaceLosesNothing) {
  harness h{hedged()};
  h.request();
  h.set_present(h.place_of(0), false);
  EXPECT_THAT(h.failed(0), ElementsAre("send 1 failover"));
  EXPECT_THAT(h.answered(1), ElementsAre("answer 1", "forget"));
}

// -- nobody waits ------------------------------------------------------------

// REPLICATE-1, REPLICATE-4
TEST(ReplicationFailures, WhatIsOverIsCancelled) {
  harness h{replication_spec::race(2), 2};
  h.request();
  EXPECT_THAT(h.over(), ElementsAre("give_up over", "cancel 0", "cancel 1"));
  EXPECT_THAT(h.over(), IsEmpty());
  EXPECT_THAT(h.answered(0), IsEmpty());
  EXPECT_THAT(h.answered(1), ElementsAre("forget"));
  const auto seen = h.snapshot();
  EXPECT_EQ(seen.over, 1u);
  EXPECT_EQ(seen.failed, 1u);
  EXPECT_EQ(seen.late_answers, 2u);
}

// REPLICATE-1
TEST(ReplicationFailures, WhatHasAnAnswerIsNotOverAgain) {
  harness h{replication_spec::race(2), 2};
  h.request();
  h.answered(1);
  EXPECT_THAT(h.over(), IsEmpty());
  EXPECT_EQ(h.snapshot().over, 0u);
}

// REPLICATE-1: a deadline that passes while the hedge is due.
TEST(ReplicationFailures, WhatIsOverIsNotHedged) {
  harness h{hedged()};
  h.request();
  h.pass(10ms);
  EXPECT_THAT(h.over(), ElementsAre("give_up over", "cancel 0"));
  EXPECT_THAT(h.after(1s), IsEmpty());
  EXPECT_THAT(h.answered(0), ElementsAre("forget"));
}

// -- facts that make no sense ------------------------------------------------

// REPLICATE-4: strangers, and those that were forgotten, change nothing.
TEST(ReplicationFailures, NewsOfStrangersChangeNothing) {
  harness h{hedged()};
  h.request();
  EXPECT_THAT(h.answered(1), IsEmpty());
  EXPECT_THAT(h.failed(7), IsEmpty());
  EXPECT_THAT(h.started(UINT32_MAX), IsEmpty());
  EXPECT_THAT(h.answered(0), ElementsAre("answer 0", "forget"));
  EXPECT_THAT(h.started(0), IsEmpty());
  EXPECT_THAT(h.answered(0), IsEmpty());
  EXPECT_THAT(h.failed(0), IsEmpty());
  EXPECT_THAT(h.over(), IsEmpty());
  h.check_counts();
}

// The latest time is taken, so that nothing is due too early or too late.
TEST(ReplicationFailures, TimeThatGoesBackIsIgnored) {
  harness h{hedged()};
  h.request();
  h.tell_at(h.now() - 1h,
            {.what = replication_fact::kind::request, .copy = {1'000, 0}});
  EXPECT_THAT(h.after(10ms - 1ns), IsEmpty());
  EXPECT_THAT(h.after(1ns), ElementsAre("send 1 late", "send 1 late"));
}

} // namespace
} // namespace coppice::test
