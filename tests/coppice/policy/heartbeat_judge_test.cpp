// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/heartbeat_judge.hpp"

#include "coppice/policy/detector.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <vector>

namespace coppice::policy {
namespace {

using namespace std::literals;

constexpr auto never = duration::max();

constexpr time_point at(duration span) {
  return time_point{} + span;
}

judgement busy_for(duration age, const heartbeat_spec& spec,
                   duration allowance = 0s) {
  return judge(spec, {.busy = true, .age = age, .allowance = allowance});
}

judgement idle_for(duration age, const heartbeat_spec& spec) {
  return judge(spec, {.busy = false, .age = age});
}

const heartbeat_spec three_seconds{.stall_timeout = 3s};

// HEARTBEAT-4: the warning at two thirds, the verdict at the timeout.
TEST(HeartbeatJudge, IsExactToTheNanosecond_P02_P03) {
  EXPECT_EQ(busy_for(0s, three_seconds).state, liveness::healthy);
  EXPECT_EQ(busy_for(2s - 1ns, three_seconds).state, liveness::healthy);
  EXPECT_EQ(busy_for(2s, three_seconds).state, liveness::late);
  EXPECT_EQ(busy_for(3s - 1ns, three_seconds).state, liveness::late);
  EXPECT_EQ(busy_for(3s, three_seconds).state, liveness::stalled);
  EXPECT_EQ(busy_for(never, three_seconds).state, liveness::stalled);
}

// HEARTBEAT-4: where two thirds are no whole number of nanoseconds.
TEST(HeartbeatJudge, RoundsTheWarningUp) {
  const heartbeat_spec spec{.stall_timeout = 10ns};
  EXPECT_EQ(busy_for(6ns, spec).state, liveness::healthy);
  EXPECT_EQ(busy_for(7ns, spec).state, liveness::late);
  const heartbeat_spec shortest{.stall_timeout = 1ns};
  EXPECT_EQ(busy_for(0ns, shortest).state, liveness::healthy);
  EXPECT_EQ(busy_for(1ns, shortest).state, liveness::stalled);
}

TEST(HeartbeatJudge, SuspicionIsAShareOfTheTimeout) {
  EXPECT_DOUBLE_EQ(busy_for(0s, three_seconds).suspicion, 0.0);
  EXPECT_DOUBLE_EQ(busy_for(1500ms, three_seconds).suspicion, 0.5);
  EXPECT_DOUBLE_EQ(busy_for(3s, three_seconds).suspicion, 1.0);
  EXPECT_LT(busy_for(3s - 1ns, three_seconds).suspicion, 1.0);
}

// HEARTBEAT-7: whoever asks again when told to misses nothing.
TEST(HeartbeatJudge, SaysWhenToLookAgain) {
  EXPECT_EQ(busy_for(0s, three_seconds).look_again, 2s);
  EXPECT_EQ(busy_for(2s - 1ns, three_seconds).look_again, 2s);
  EXPECT_EQ(busy_for(2s, three_seconds).look_again, 3s);
  EXPECT_EQ(busy_for(3s, three_seconds).look_again, never);
}

// HEARTBEAT-3
TEST(HeartbeatJudge, AnIdleWorkerIsHealthy_P05) {
  const auto result = idle_for(24h * 365, three_seconds);
  EXPECT_EQ(result, judgement{});
  EXPECT_FALSE(idle_matters(three_seconds));
}

// HEARTBEAT-4: each phase has its own limit.
TEST(HeartbeatJudge, UsesTheLimitOfThePhase_P12) {
  const heartbeat_spec spec{.stall_timeout = 3s, .idle_timeout = 9s};
  EXPECT_TRUE(idle_matters(spec));
  EXPECT_EQ(busy_for(5s, spec).state, liveness::stalled);
  EXPECT_EQ(idle_for(5s, spec).state, liveness::healthy);
  EXPECT_EQ(idle_for(6s, spec).state, liveness::late);
  EXPECT_EQ(idle_for(9s, spec).state, liveness::stalled);
  const heartbeat_spec only_idle{.stall_timeout = infinity, .idle_timeout = 9s};
  EXPECT_EQ(busy_for(24h, only_idle), judgement{});
  EXPECT_EQ(idle_for(24h, only_idle).state, liveness::stalled);
}

// HEARTBEAT-4: more time, up to a cap.
TEST(HeartbeatJudge, AnAllowanceExtendsTheTimeoutUpToTheCap_P06) {
  const heartbeat_spec spec{.stall_timeout = 3s, .extension_max = 30s};
  EXPECT_EQ(busy_for(3s, spec, 6s).state, liveness::healthy);
  EXPECT_EQ(busy_for(6s, spec, 6s).state, liveness::late);
  EXPECT_EQ(busy_for(9s - 1ns, spec, 6s).state, liveness::late);
  EXPECT_EQ(busy_for(9s, spec, 6s).state, liveness::stalled);
  EXPECT_EQ(busy_for(33s - 1ns, spec, 24h).state, liveness::late);
  EXPECT_EQ(busy_for(33s, spec, 24h).state, liveness::stalled);
  EXPECT_EQ(busy_for(0s, spec, 24h).look_again, 22s);
  EXPECT_EQ(busy_for(3s, spec, -1s).state, liveness::stalled);
}

TEST(HeartbeatJudge, SurvivesTheLongestTimes) {
  const heartbeat_spec spec{.stall_timeout = never,
                            .idle_timeout = never,
                            .extension_max = never,
                            .probe_every = never};
  for (const auto age : {duration{0}, never - 1ns, never})
    for (const auto is_busy : {false, true}) {
      const auto result = judge(
        spec,
        {.busy = is_busy, .age = age, .allowance = never, .since_probe = age});
      EXPECT_EQ(result.state == liveness::stalled, age == never);
    }
}

// -- probes ------------------------------------------------------------------

const heartbeat_spec probed{.stall_timeout = 3s, .probe_every = 10s};

// HEARTBEAT-3
TEST(HeartbeatJudge, AsksForAProbeOfAnIdleWorkerOnly) {
  EXPECT_TRUE(idle_matters(probed));
  EXPECT_FALSE(idle_for(10s - 1ns, probed).probe_due);
  EXPECT_EQ(idle_for(0s, probed).look_again, 10s);
  EXPECT_TRUE(idle_for(10s, probed).probe_due);
  EXPECT_EQ(idle_for(10s, probed).state, liveness::healthy);
  EXPECT_FALSE(busy_for(10s, probed).probe_due);
}

// HEARTBEAT-3: one whose mailbox is not drained.
TEST(HeartbeatJudge, AProbeThatIsNotDrainedIsAStall_P05) {
  const auto after = [](duration since_probe) {
    return judge(probed, {.busy = false,
                          .age = 10s + since_probe,
                          .since_probe = since_probe});
  };
  EXPECT_EQ(after(0s).state, liveness::healthy);
  EXPECT_EQ(after(0s).look_again, 12s);
  EXPECT_FALSE(after(0s).probe_due) << "one is out";
  EXPECT_EQ(after(2s).state, liveness::late);
  EXPECT_EQ(after(2s).look_again, 13s);
  EXPECT_EQ(after(3s - 1ns).state, liveness::late);
  EXPECT_EQ(after(3s).state, liveness::stalled);
}

// HEARTBEAT-3: of the two limits of an idle life the nearer one counts.
TEST(HeartbeatJudge, ProbesDoNotHideTheIdleTimeout) {
  const heartbeat_spec spec{.stall_timeout = 3s,
                            .idle_timeout = 12s,
                            .probe_every = 10s};
  const auto result = judge(spec,
                            {.busy = false, .age = 11s, .since_probe = 1s});
  EXPECT_EQ(result.state, liveness::late);
  EXPECT_EQ(result.look_again, 12s);
  EXPECT_EQ(judge(spec, {.busy = false, .age = 12s, .since_probe = 2s}).state,
            liveness::stalled);
}

// -- phi ---------------------------------------------------------------------

const heartbeat_spec accrual{
  .stall_timeout = 30s,
  .detector = detector_kind::phi_accrual,
  .phi = {.threshold = 8.0, .deviation_min = 100ms, .first_estimate = 1s}};

phi_detector trained_on(duration interval) {
  phi_detector result{accrual.phi};
  for (auto i = 0; i < 50; ++i)
    result.learn(interval);
  return result;
}

judgement by_phi(const phi_detector& phi, duration age,
                 duration resolution = 0s, duration allowance = 0s) {
  return judge(accrual, {.busy = true,
                         .age = age,
                         .allowance = allowance,
                         .phi = &phi,
                         .resolution = resolution});
}

// HEARTBEAT-4: suspicion 1 is the threshold, 2/3 the warning.
TEST(HeartbeatJudge, PhiConvictsLongBeforeTheTimeout) {
  const auto phi = trained_on(1s);
  EXPECT_EQ(by_phi(phi, 1s).state, liveness::healthy);
  EXPECT_EQ(by_phi(phi, 1300ms).state, liveness::healthy);
  EXPECT_EQ(by_phi(phi, 1500ms).state, liveness::late);
  EXPECT_EQ(by_phi(phi, 1600ms).state, liveness::stalled);
  EXPECT_NEAR(by_phi(phi, 1600ms).suspicion, 10.8 / 8.0, 0.02);
}

// HEARTBEAT-7: the next age is exact, and never after the change.
TEST(HeartbeatJudge, PhiSaysWhenToLookAgain) {
  const auto phi = trained_on(1s);
  for (const auto resolution : {0ms, 100ms}) {
    auto state = liveness::healthy;
    auto looks = 0;
    for (auto age = duration{0}; state != liveness::stalled; ++looks) {
      const auto next = by_phi(phi, age, resolution).look_again;
      ASSERT_GT(next, age);
      ASSERT_LT(next, 30s);
      ASSERT_EQ(by_phi(phi, next - 1ns, resolution).state, state);
      age = next;
      state = by_phi(phi, age, resolution).state;
    }
    EXPECT_LE(looks, 4);
  }
}

// HEARTBEAT-4: the timeout stays the upper bound.
TEST(HeartbeatJudge, PhiIsBoundedByTheTimeout) {
  const auto phi = trained_on(29900ms);
  EXPECT_EQ(by_phi(phi, 30s - 1ns).state, liveness::late);
  EXPECT_EQ(by_phi(phi, 30s).state, liveness::stalled);
  EXPECT_EQ(by_phi(phi, 20s).look_again, 29900ms); // the mean
  EXPECT_EQ(by_phi(phi, 29900ms).look_again, 30s);
}

// A beat may be one scan younger than it looks, and the time that was asked
// for is no silence.
TEST(HeartbeatJudge, PhiLeavesOutResolutionAndAllowance) {
  const auto phi = trained_on(1s);
  EXPECT_EQ(by_phi(phi, 1600ms, 100ms), [&] {
    auto result = by_phi(phi, 1500ms);
    result.look_again += 100ms;
    return result;
  }());
  EXPECT_EQ(by_phi(phi, 6500ms, 0s, 5s).state, liveness::late);
  EXPECT_EQ(by_phi(phi, 6600ms, 0s, 5s).state, liveness::stalled);
}

// Idle lives that promise to beat have a rhythm as well.
TEST(HeartbeatJudge, PhiCountsWhereThePhaseIsJudged) {
  const auto phi = trained_on(1s);
  EXPECT_TRUE(idle_matters(accrual)) << "to learn";
  EXPECT_EQ(judge(accrual, {.busy = false, .age = 1h, .phi = &phi}),
            judgement{});
  auto spec = accrual;
  spec.idle_timeout = 10s;
  EXPECT_EQ(judge(spec, {.busy = false, .age = 2s, .phi = &phi}).state,
            liveness::stalled);
  EXPECT_EQ(judge(spec, {.busy = false, .age = 2s}).state, liveness::healthy);
}

// -- the watcher's own lateness ----------------------------------------------

using reading = scan_clock::reading;

// HEARTBEAT-5
TEST(ScanClock, ALittleLateIsNotLate) {
  scan_clock clock{100ms, at(0s)};
  EXPECT_EQ(clock.planned(), at(100ms));
  EXPECT_EQ(clock.begin_scan(at(90ms)), (reading{false, 0ms}));
  EXPECT_EQ(clock.begin_scan(at(100ms)), (reading{false, 0ms}));
  EXPECT_EQ(clock.begin_scan(at(200ms)), (reading{false, 100ms}));
  EXPECT_EQ(clock.missed(), 0ms);
  EXPECT_EQ(clock.to_watch(at(200ms)), at(200ms));
  EXPECT_TRUE(clock.may_judge(at(200ms)));
}

// HEARTBEAT-5: judges nobody, shifts by what was missed, grants one interval.
TEST(ScanClock, StopsForAsLongAsItWasLate) {
  scan_clock clock{100ms, at(0s)};
  EXPECT_EQ(clock.begin_scan(at(200ms + 1ns)), (reading{true, 100ms + 1ns}));
  EXPECT_EQ(clock.to_watch(at(200ms + 1ns)), at(100ms));
  EXPECT_FALSE(clock.may_judge(clock.to_watch(at(200ms + 1ns))));
  EXPECT_FALSE(clock.may_judge(clock.to_watch(at(300ms))));
  EXPECT_TRUE(clock.may_judge(clock.to_watch(at(300ms + 1ns))));
  EXPECT_EQ(clock.to_steady(clock.judge_from()), at(300ms + 1ns));
  EXPECT_TRUE(clock.was_away_since(at(100ms - 1ns)));
  EXPECT_FALSE(clock.was_away_since(at(100ms)));
}

TEST(ScanClock, MissedTimeAddsUp) {
  scan_clock clock{100ms, at(0s)};
  clock.begin_scan(at(5100ms));
  clock.plan(at(5200ms));
  clock.begin_scan(at(5200ms));
  clock.plan(at(5300ms));
  EXPECT_EQ(clock.begin_scan(at(7300ms)), (reading{true, 2s}));
  EXPECT_EQ(clock.missed(), 7s);
  EXPECT_EQ(clock.to_watch(at(7300ms)), at(300ms));
  EXPECT_EQ(clock.to_steady(at(300ms)), at(7300ms));
}

// What was before an outage cannot be older than its end.
TEST(ScanClock, NothingAgesInAnOutage) {
  scan_clock clock{100ms, at(0s)};
  clock.begin_scan(at(5100ms));
  EXPECT_EQ(clock.to_watch(at(0s)), at(100ms));
  EXPECT_EQ(clock.to_watch(at(3s)), at(100ms));
  EXPECT_EQ(clock.to_watch(at(5100ms)), at(100ms));
  EXPECT_EQ(clock.to_watch(at(5101ms)), at(101ms));
}

// HEARTBEAT-5: a watcher that never gets to run in time is slow, not blind.
TEST(ScanClock, JudgesOnItsOwnTimeWhereEachScanIsLate) {
  scan_clock clock{100ms, at(0s)};
  auto now = at(0s);
  auto watch = at(0s);
  for (auto i = 0; i < 10; ++i) {
    now = clock.planned() + 1s;
    ASSERT_TRUE(clock.begin_scan(now).was_late);
    ASSERT_EQ(clock.to_watch(now), watch + 100ms);
    ASSERT_EQ(clock.may_judge(clock.to_watch(now)), i > 0);
    watch = clock.to_watch(now);
    clock.plan(now + 100ms);
  }
}

TEST(ScanClock, NothingIsLateWhenNoneIsPlanned) {
  scan_clock clock{100ms, at(0s)};
  clock.plan(time_point::max());
  EXPECT_EQ(clock.begin_scan(at(24h * 365)), (reading{false, 0ms}));
  EXPECT_EQ(clock.to_steady(time_point::max()), time_point::max());
}

} // namespace
} // namespace coppice::policy
