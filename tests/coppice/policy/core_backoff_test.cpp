// This file is part of coppice. License: see LICENSE in the source root.

// How long a child waits before it comes back. Catalogue: group M. The
// arithmetic of a delay alone: backoff_test.cpp.

#include "coppice/policy/backoff.hpp"

#include "support/core_harness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace coppice::test {
namespace {

using namespace policy;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr restart_limits unlimited{.restarts_max = infinity};

/// 200, 400, 800, 1600, 1600 ms ...
constexpr backoff_spec doubling{.first = 200ms,
                                .cap = 1600ms,
                                .factor = 2,
                                .jitter = jitter_kind::none,
                                .reset_after = 10s};

supervisor_spec one(backoff_spec backoff, restart_limits limits = unlimited) {
  return tree(one_for_one, {worker("w").backs_off(backoff)}, limits);
}

/// Crashes `w` `n` times, each time as soon as it is ready again.
std::vector<duration> delays(core_harness& h, int n) {
  std::vector<duration> result;
  for (int i = 0; i < n; ++i) {
    h.crash("w");
    const auto from = h.clock();
    while (h.state("w") != "running")
      h.run_for(h.until_retry("w"));
    result.push_back(h.clock() - from);
  }
  return result;
}

// BACKOFF-1
TEST(CoreBackoff, GrowsUpToTheCap_M01) {
  core_harness h{one(doubling)};
  h.start();
  EXPECT_THAT(delays(h, 6),
              ElementsAre(200ms, 400ms, 800ms, 1600ms, 1600ms, 1600ms));
}

// BACKOFF-1, RESTART-6
TEST(CoreBackoff, GrowsOverFailedStartsToo_M01) {
  core_harness h{one(doubling)};
  h.start();
  h.always("w", start_error);
  h.crash("w");
  h.run_for(5s);
  EXPECT_THAT(h.times("startfail w"),
              ElementsAre(200ms, 600ms, 1400ms, 3000ms, 4600ms));
}

// BACKOFF-1: hard, jitter included; and the same seed gives the same delays.
TEST(CoreBackoff, JitterStaysWithinItsBoundsAndUnderTheCap_M02) {
  auto backoff = doubling;
  backoff.jitter = jitter_kind::proportional;
  backoff.jitter_ratio = 0.2;
  std::set<duration> seen;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    core_harness h{one(backoff), seed};
    h.start();
    const auto d = delays(h, 5);
    for (std::size_t i = 0; i < d.size(); ++i) {
      const duration base = std::min<duration>(200ms * (1 << i), 1600ms);
      EXPECT_GE(d[i], base);
      EXPECT_LE(d[i], std::min<duration>(base * 6 / 5, 1600ms));
    }
    seen.insert(d[0]);
    if (seed >= 10)
      continue;
    core_harness again{one(backoff), seed};
    again.start();
    EXPECT_EQ(delays(again, 5), d);
  }
  EXPECT_GT(seen.size(), 900u) << "jitter that always says the same is none";
}

// BACKOFF-1
TEST(CoreBackoff, TenThousandFailuresDoNotOverflow_M03) {
  core_harness h{one(doubling)};
  h.start();
  const auto d = delays(h, 10'000);
  EXPECT_EQ(d.back(), 1600ms);
  EXPECT_EQ(*std::max_element(d.begin(), d.end()), 1600ms);
}

// BACKOFF-2, RESTART-6: the first restart after a healthy run is immediate,
// and the next delay is the first one again.
TEST(CoreBackoff, ResetsAfterAHealthyRun_M04) {
  core_harness h{one(doubling)};
  h.start();
  EXPECT_THAT(delays(h, 2), ElementsAre(200ms, 400ms));
  h.run_for(10s);
  EXPECT_THAT(delays(h, 3), ElementsAre(0ms, 200ms, 400ms));
}

// BACKOFF-2
TEST(CoreBackoff, GoesOnAfterARunThatWasJustTooShort_M04) {
  core_harness h{one(doubling)};
  h.start();
  EXPECT_THAT(delays(h, 2), ElementsAre(200ms, 400ms));
  h.run_for(10s - 1ns);
  EXPECT_THAT(delays(h, 2), ElementsAre(800ms, 1600ms));
}

// BACKOFF-2: two short runs do not add up to a healthy one.
TEST(CoreBackoff, FailureInBetweenBeginsTheRunAnew_M04) {
  core_harness h{one(doubling)};
  h.start();
  h.run_for(6s);
  EXPECT_THAT(delays(h, 1), ElementsAre(200ms));
  h.run_for(6s);
  EXPECT_THAT(delays(h, 1), ElementsAre(400ms));
}

// BACKOFF-2: a healthy run is counted from ready, not from the start.
TEST(CoreBackoff, TimeToGetReadyIsNoHealthyRun_M04) {
  auto spec = one(doubling);
  spec.children[0].start_deadline = time_limit{1min};
  core_harness h{spec};
  h.script("w", {start_slow(20s)});
  h.start();
  h.run_for(20s);
  h.crash("w");
  EXPECT_EQ(h.until_retry("w"), 200ms);
}

// BACKOFF-2: the healthy run before excuses one failure, and no more.
TEST(CoreBackoff, FailedStartsAfterAHealthyRunGrowToo_M04) {
  core_harness h{one(doubling)};
  h.start();
  h.run_for(1min);
  h.always("w", start_error);
  h.crash("w");
  h.run_for(1400ms);
  EXPECT_THAT(h.times("startfail w"),
              ElementsAre(1min, 1min + 200ms, 1min + 600ms, 1min + 1400ms));
}

// BACKOFF-2
TEST(CoreBackoff, OnlyTheChildsReportResets_M05) {
  auto backoff = doubling;
  backoff.reset_after = infinity;
  core_harness h{one(backoff)};
  h.start();
  EXPECT_THAT(delays(h, 2), ElementsAre(200ms, 400ms));
  h.run_for(24h);
  EXPECT_THAT(delays(h, 1), ElementsAre(800ms));
  h.report_healthy("w");
  EXPECT_THAT(delays(h, 2), ElementsAre(0ms, 200ms));
}

// BACKOFF-2
TEST(CoreBackoff, ReadyAloneDoesNotReset_M06) {
  core_harness h{one(doubling)};
  h.start();
  for (auto expected : {200ms, 400ms, 800ms, 1600ms, 1600ms}) {
    h.run_for(10ms);
    EXPECT_THAT(delays(h, 1), ElementsAre(expected));
  }
}

// BACKOFF-2
TEST(CoreBackoff, CleanExitLoopBacksOffLikeACrashLoop_M07) {
  core_harness h{one(doubling)};
  h.start();
  for (auto expected : {200ms, 400ms, 800ms, 1600ms}) {
    h.finish("w");
    EXPECT_EQ(h.until_retry("w"), expected);
    h.run_for(expected);
  }
}

// BACKOFF-1: delays are each child's own.
TEST(CoreBackoff, ChildrenDoNotShareTheirDelays) {
  core_harness h{
    tree(one_for_one,
         {worker("a").backs_off(doubling), worker("b").backs_off(doubling)},
         unlimited)};
  h.start();
  h.crash("a");
  h.run_for(200ms);
  h.crash("a");
  h.crash("b");
  EXPECT_EQ(h.until_retry("a"), 400ms);
  EXPECT_EQ(h.until_retry("b"), 200ms);
}

// START-2, RESTART-6: the very first start is not retried, a restart is.
TEST(CoreBackoff, StartFailureIsRetriedOnlyInARestart_M10) {
  core_harness first{one(doubling)};
  first.script("w", {start_error});
  first.start();
  EXPECT_EQ(first.outcome(), "start_failed");
  EXPECT_EQ(first.count("startfail w"), 1u);

  core_harness later{one(doubling)};
  later.start();
  later.script("w", {start_error});
  later.crash("w");
  later.run_for(200ms);
  EXPECT_EQ(later.state("w"), "backoff");
  later.run_for(400ms);
  EXPECT_EQ(later.state("w"), "running");
}

// BACKOFF-1: "from 100 ms to 10 s in 4 steps" is a factor, too.
TEST(CoreBackoff, GeometricSteps_M13) {
  core_harness h{one({.first = 100ms,
                      .cap = 10s,
                      .factor = std::pow(100.0, 0.25),
                      .jitter = jitter_kind::none,
                      .reset_after = infinity})};
  h.start();
  const double expected[] = {100, 316.2278, 1000, 3162.278, 10000, 10000};
  const auto d = delays(h, 6);
  for (std::size_t i = 0; i < d.size(); ++i) {
    const std::chrono::duration<double, std::milli> waited = d[i];
    EXPECT_NEAR(waited.count(), expected[i], 0.01);
  }
}

// BACKOFF-2
TEST(CoreBackoff, LateTimerStartsOnce_M14) {
  core_harness h{one(doubling)};
  h.start();
  h.crash("w");
  h.oversleep(5s);
  EXPECT_EQ(h.count("start w"), 2u);
  h.run_for(1h);
  EXPECT_EQ(h.count("start w"), 2u);
}

// BACKOFF-2
TEST(CoreBackoff, OperatorCanRetryNow_M15) {
  core_harness h{one(doubling)};
  h.start();
  h.crash("w");
  EXPECT_EQ(h.answer_to(h.retry_now("w")), "ok");
  EXPECT_EQ(h.state("w"), "running");
  EXPECT_EQ(h.clock(), 0ms);
  h.run_for(1h);
  EXPECT_EQ(h.count("start w"), 2u) << "the timer was cancelled";
}

// BACKOFF-2, BUDGET-2: hurrying is no extra attempt.
TEST(CoreBackoff, RetryNowIsTheAttemptThatWasPaidForAlready_M15) {
  core_harness h{one(doubling, {.restarts_max = 1, .window = 60s})};
  h.start();
  h.crash("w");
  ASSERT_EQ(h.restarts_in_window(), 1u);
  h.retry_now("w");
  EXPECT_EQ(h.restarts_in_window(), 1u);
  EXPECT_EQ(h.outcome(), "runs");
}

// BACKOFF-2: for a stopped child it is what restarting it is, and for a
// running one nothing.
TEST(CoreBackoff, RetryNowOutsideABackoff_M15) {
  core_harness h{one(doubling)};
  h.start();
  EXPECT_EQ(h.answer_to(h.retry_now("w")), "running");
  EXPECT_EQ(h.answer_to(h.retry_now("x")), "not_found");
  h.terminate("w");
  EXPECT_EQ(h.answer_to(h.retry_now("w")), "ok");
  EXPECT_EQ(h.state("w"), "running");
}

// OBSERVE-1
TEST(CoreBackoff, EachWaitIsTold) {
  core_harness h{one(doubling)};
  h.start();
  delays(h, 2);
  const auto told = h.events(event_kind::backing_off);
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].what.span, 200ms);
  EXPECT_EQ(told[1].what.span, 400ms);
}

// BACKOFF-1, RESTART-2: siblings serve on while the origin waits; the group
// restarts when the wait is over.
TEST(CoreBackoff, GroupRestartsWhenTheWaitIsOver) {
  core_harness h{
    tree(one_for_all, {worker("w").backs_off(doubling), worker("b")})};
  h.start();
  h.crash("w");
  EXPECT_THAT(h.listing(), ElementsAre("w backoff", "b running"));
  h.run_for(200ms);
  EXPECT_EQ(h.incarnation("w"), 2u);
  EXPECT_EQ(h.incarnation("b"), 2u);
}

} // namespace
} // namespace coppice::test
