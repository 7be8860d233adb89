// This file is part of coppice. License: see LICENSE in the source root.

// Lost time and learnt rhythms, in virtual time. Catalogue: group P.

#include "coppice/watchdog.hpp"

#include "support/watch_harness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace coppice::test {
namespace {

using policy::duration;
using policy::heartbeat_spec;
using testing::ElementsAre;
using testing::IsEmpty;

using kind = watch_notice::kind;

const heartbeat_spec three_seconds{.stall_timeout = 3s};

// -- the watcher's own lateness ----------------------------------------------

// HEARTBEAT-5
TEST(Watchdog, OneThatOversleptJudgesNobody) {
  watch_harness h;
  auto silent = h.start(three_seconds);
  auto alive = h.start(three_seconds);
  silent.beat.begin_work();
  alive.beat.begin_work();
  h.run_to(2000ms);
  h.oversleep_to(12s);
  EXPECT_THAT(h.transcript(), ElementsAre("12s watcher_late 9900ms"));
  alive.beat.beat();
  h.run_to(1min);
  EXPECT_THAT(h.transcript(),
              ElementsAre("12s watcher_late 9900ms", "12100ms late 0",
                          "13s stalled 0", "14100ms late 1",
                          "15100ms stalled 1"));
  EXPECT_EQ(h.heard[2].notice.age, 3s) << "without what was missed";
  EXPECT_EQ(h.dog.stats().late_scans, 1u);
  EXPECT_EQ(h.dog.stats().longest_lag, 9900ms);
}

// HEARTBEAT-5: who was about to be convicted gets one more interval.
TEST(Watchdog, OneThatOversleptGrantsOneMoreInterval) {
  watch_harness h;
  auto life = h.start(three_seconds);
  life.beat.begin_work();
  h.run_to(3050ms);
  h.oversleep_to(10s);
  h.run_to(10'100ms - 1ns);
  EXPECT_THAT(h.transcript(),
              ElementsAre("2100ms late 0", "10s watcher_late 6900ms"));
  h.run_to(1min);
  EXPECT_THAT(h.transcript().back(), "10100ms stalled 0");
}

// HEARTBEAT-5: timers are not judgements; they fire late.
TEST(Watchdog, OneThatOversleptFiresItsTimers) {
  watch_harness h;
  h.start(three_seconds);
  h.dog.arm(h.owner, at(1s), 7);
  h.oversleep_to(10s);
  EXPECT_THAT(h.transcript(),
              ElementsAre("10s timer 7", "10s watcher_late 9900ms"));
}

// -- phi ---------------------------------------------------------------------

const heartbeat_spec accrual{.stall_timeout = 30s,
                             .detector = policy::detector_kind::phi_accrual};

/// Beats each second for `span`, then stops for good.
void beat_each_second(watch_harness& h, watched_life& life, duration span) {
  for (const auto end = h.now + span; h.now < end;) {
    h.run_for(1s);
    life.beat.beat();
  }
}

// HEARTBEAT-4
TEST(Watchdog, PhiLearnsTheRhythm) {
  watch_harness h;
  auto life = h.start(accrual);
  life.beat.begin_work();
  beat_each_second(h, life, 60s);
  EXPECT_THAT(h.transcript(), IsEmpty());
  h.run_to(5min);
  ASSERT_EQ(h.heard.size(), 2u);
  const auto verdict = h.heard.back();
  EXPECT_EQ(verdict.notice.what, kind::stalled);
  EXPECT_GT(verdict.when, at(61s + 500ms));
  EXPECT_LT(verdict.when, at(62s));
  EXPECT_GE(verdict.notice.suspicion, 1.0);
}

// HEARTBEAT-5: what was cut short by the watcher's absence is no interval.
TEST(Watchdog, PhiDoesNotLearnFromOutages) {
  watch_harness h;
  auto life = h.start(accrual);
  life.beat.begin_work();
  beat_each_second(h, life, 10s);
  for (auto i = 0; i < 300; ++i) {
    h.oversleep_to(h.now.time_since_epoch() + 1h);
    life.beat.beat();
    h.run_for(200ms);
  }
  h.run_for(1min);
  const auto& verdict = h.heard.back().notice;
  ASSERT_EQ(verdict.what, kind::stalled);
  EXPECT_GT(verdict.age, 1500ms);
  EXPECT_LT(verdict.age, 2s);
}

// HEARTBEAT-4: work in pieces has its rhythm; the time in between has none.
TEST(Watchdog, PhiLeavesOutIdleTime) {
  watch_harness h;
  auto life = h.start(accrual);
  for (auto i = 0; i < 20; ++i) {
    life.beat.begin_work();
    h.run_for(500ms);
    life.beat.end_work();
    h.run_for(1min);
  }
  EXPECT_THAT(h.transcript(), IsEmpty());
  life.beat.begin_work();
  const auto begun = h.now;
  h.run_for(1min);
  EXPECT_LT(h.heard.back().when, begun + 2s);
}

// other limits, another detector, the same life.
TEST(Watchdog, PhiCanBeSwitchedOff) {
  watch_harness h;
  auto life = h.start(accrual);
  life.beat.begin_work();
  beat_each_second(h, life, 20s);
  h.dog.watch(life.slot, h.owner, life.id, {.stall_timeout = 30s}, true, h.now);
  h.run_for(1min);
  EXPECT_THAT(h.transcript(),
              ElementsAre("40100ms late 0", "50100ms stalled 0"));
}

} // namespace
} // namespace coppice::test
