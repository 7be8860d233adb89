// This file is part of coppice. License: see LICENSE in the source root.

// What becomes of lives, slots and the pool.

#include "coppice/heartbeat_scan.hpp"
#include "coppice/watchdog.hpp"

#include "support/watch_harness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

namespace coppice::test {
namespace {

using policy::heartbeat_spec;
using policy::time_point;
using testing::ElementsAre;
using testing::IsEmpty;

using kind = watch_notice::kind;

const heartbeat_spec three_seconds{.stall_timeout = 3s};

// -- lives -------------------------------------------------------------------

// STOP-2: given up: nobody hears of it, and it is counted until it is back.
TEST(WatchdogLives, AFencedLifeIsSilencedAndCounted) {
  watch_harness h{2};
  auto life = h.start(three_seconds);
  life.beat.begin_work();
  h.run_to(1s);
  h.dog.fence(life.slot);
  EXPECT_TRUE(life.beat.fenced());
  EXPECT_TRUE(life.beat.stop_requested());
  h.run_to(1min);
  EXPECT_THAT(h.transcript(), IsEmpty());
  EXPECT_EQ(h.dog.stats().stuck, 1u);
  h.dog.unwatch(life.slot);
  h.run_to(2min);
  EXPECT_EQ(h.dog.stats().stuck, 1u);
  EXPECT_EQ(h.dog.stats().lives, 1u);
  life.beat.beat();
  life.beat.release();
  h.run_to(3min);
  EXPECT_EQ(h.dog.stats().stuck, 0u);
  EXPECT_EQ(h.dog.stats().lives, 0u);
  EXPECT_EQ(h.dog.next_due(), time_point::max()) << "nothing left to do";
}

TEST(WatchdogLives, AReleasedLifeIsNotTalkedAbout) {
  watch_harness h;
  auto life = h.start(three_seconds);
  life.beat.begin_work();
  h.run_to(2500ms);
  h.dog.release_writer(life.slot);
  h.dog.unwatch(life.slot);
  h.run_to(1min);
  EXPECT_THAT(h.transcript(), ElementsAre("2100ms late 0"));
  EXPECT_EQ(h.dog.stats().lives, 0u);
}

// Both were found in one scan; the first verdict takes the second life along.
TEST(WatchdogLives, AVerdictThatIsOnItsWayCanBeTakenBack) {
  watch_harness h;
  auto first = h.start(three_seconds);
  auto second = h.start(three_seconds);
  first.beat.begin_work();
  second.beat.begin_work();
  h.on_notice = [&](const watch_notice& x) {
    if (x.what == kind::stalled)
      h.dog.unwatch(x.life == first.id ? second.slot : first.slot);
  };
  h.run_to(1min);
  EXPECT_EQ(h.heard.size(), 3u);
}

// A new life in the slot of an old one is judged for itself.
TEST(WatchdogLives, ASlotIsUsedAgain) {
  watch_harness h;
  auto old = h.start(three_seconds);
  old.beat.begin_work();
  h.run_to(2s);
  old.beat.release();
  h.dog.unwatch(old.slot);
  auto life = h.start(three_seconds);
  ASSERT_EQ(life.slot, old.slot);
  h.run_to(1min);
  EXPECT_THAT(h.transcript(), IsEmpty());
  EXPECT_EQ(h.look(life).beats, 0u);
}

// STOP-2: a beat of a life that is history is counted, and keeps nobody alive.
TEST(WatchdogLives, StaleBeatsAreIgnoredAndCounted) {
  watch_harness h;
  auto old = h.start(three_seconds);
  auto stale = old.beat;
  old.beat.release();
  h.dog.unwatch(old.slot);
  auto life = h.start(three_seconds);
  ASSERT_EQ(life.slot, old.slot);
  life.beat.begin_work();
  for (auto i = 0; i < 50; ++i) {
    stale.beat();
    stale.beat();
    h.run_for(100ms);
  }
  EXPECT_THAT(h.transcript(), ElementsAre("2100ms late 1", "3100ms stalled 1"));
  EXPECT_EQ(h.dog.stats().stale_beats, 50u) << "one per slot and scan";
}

// STOP-2: even one that was half done when the slot changed hands.
TEST(WatchdogLives, AMarkThatWasWrittenOverIsPutBack) {
  auto now = at(0s);
  heartbeat_scan scan{100ms, [&] { return now; }};
  const auto pass = [&] {
    now = scan.next_due();
    scan.begin(now);
    while (scan.step()) {}
    scan.finish();
  };
  const auto slot = scan.acquire();
  auto& shared = const_cast<heartbeat_slot&>(scan.board().slot(slot));
  const auto old_mark = shared.mark.load();
  scan.release_writer(slot);
  scan.unwatch(slot);
  ASSERT_EQ(scan.acquire(), slot);
  auto beat = scan.writer(slot);
  scan.watch(slot, 1, {1, 1}, three_seconds, true, now);
  beat.begin_work();
  pass();
  const auto good = shared.mark.load();
  shared.mark.store(old_mark + heartbeat_slot::one_beat);
  pass();
  EXPECT_EQ(shared.mark.load(), good);
  EXPECT_EQ(scan.stats().stale_beats, 1u);
  beat.beat();
  EXPECT_EQ(shared.mark.load(), good + heartbeat_slot::one_beat);
  while (scan.findings().size() < 2)
    pass();
  EXPECT_EQ(scan.findings().back().what, heartbeat_finding::kind::stalled);
  EXPECT_EQ(now, at(3300ms));
}

// HEARTBEAT-7: the beat that ends an extension falls between the look at the
// mark and the look at the allowance.
TEST(WatchdogLives, ABeatInTheMiddleOfALookCounts_P06) {
  auto now = at(0s);
  heartbeat beat;
  auto beats_now = false;
  heartbeat_scan scan{100ms, [&] { // asked between the two
                        if (std::exchange(beats_now, false))
                          beat.beat();
                        return now;
                      }};
  const auto slot = scan.acquire();
  beat = scan.writer(slot);
  scan.watch(slot, 1, {1, 1}, three_seconds, true, now);
  beat.begin_work();
  beat.extend(1s);
  const auto pass = [&] {
    now = scan.next_due();
    scan.begin(now);
    while (scan.step()) {}
    scan.finish();
  };
  while (scan.next_due() < at(4100ms))
    pass();
  beats_now = true;
  pass();
  EXPECT_FALSE(beats_now);
  EXPECT_EQ(scan.look(slot, now).age, 0s);
  EXPECT_EQ(scan.stats().verdicts, 0u);
}

// other limits for a life that goes on.
TEST(WatchdogLives, LimitsCanChangeMeanwhile) {
  watch_harness h;
  auto life = h.start({.stall_timeout = 1h});
  life.beat.begin_work();
  h.run_to(10s);
  h.dog.watch(life.slot, h.owner, life.id, three_seconds, true, h.now);
  h.run_to(1min);
  EXPECT_THAT(h.transcript(), ElementsAre("12s late 0", "13s stalled 0"));
  h.dog.watch(life.slot, h.owner, life.id, {.stall_timeout = 1s}, true, h.now);
  h.run_to(2min);
  EXPECT_EQ(h.heard.size(), 2u) << "once per life";
}

// HEARTBEAT-4
TEST(WatchdogLives, VitalSignsCanBeLookedAt) {
  watch_harness h;
  auto life = h.start(three_seconds);
  EXPECT_TRUE(h.look(life).watched);
  EXPECT_FALSE(h.look(life).busy);
  h.run_to(1s);
  life.beat.begin_work();
  life.beat.beat("phase 2");
  EXPECT_EQ(h.look(life).age, 0s);
  h.run_to(2600ms);
  const auto busy = h.look(life);
  EXPECT_TRUE(busy.busy);
  EXPECT_EQ(busy.age, 1500ms);
  EXPECT_DOUBLE_EQ(busy.suspicion, 0.5);
  EXPECT_STREQ(busy.note, "phase 2");
  EXPECT_EQ(busy.beats, 2u);
  h.run_to(1min);
  const auto convicted = h.look(life);
  EXPECT_FALSE(convicted.watched);
  EXPECT_GT(convicted.suspicion, 1.0);
}

// The entry of an idle life is not read by each scan, but now and then.
TEST(WatchdogLives, TheAgeOfAnIdleLifeIsRoughlyRight) {
  watch_harness h;
  auto life = h.start(three_seconds);
  h.run_to(1s);
  life.beat.begin_work();
  life.beat.end_work();
  h.run_to(1h);
  const auto signs = h.look(life);
  EXPECT_LE(signs.age, 1h - 1s);
  EXPECT_GE(signs.age, 1h - 1s - 1700ms);
  EXPECT_EQ(signs.suspicion, 0.0);
}

TEST(WatchdogLives, ALifeThatIsOnlyAcquiredIsNotJudged) {
  watch_harness h;
  const auto slot = h.dog.acquire();
  auto beat = h.dog.writer(slot);
  beat.begin_work();
  h.run_to(1h);
  EXPECT_THAT(h.transcript(), IsEmpty());
  EXPECT_FALSE(h.dog.look(slot, h.now).watched);
  EXPECT_TRUE(h.dog.look(slot, h.now).busy);
  h.dog.request_stop(slot);
  EXPECT_TRUE(beat.stop_requested());
  EXPECT_FALSE(beat.fenced());
}

// With nobody to watch it sleeps, and is not late afterwards.
TEST(WatchdogLives, RestsWithoutLives) {
  watch_harness h;
  EXPECT_EQ(h.dog.next_due(), time_point::max());
  auto life = h.start(three_seconds);
  EXPECT_EQ(h.dog.next_due(), at(100ms));
  life.beat.release();
  h.dog.unwatch(life.slot);
  h.run_to(1h);
  EXPECT_EQ(h.dog.next_due(), time_point::max());
  life = h.start(three_seconds);
  life.beat.begin_work();
  EXPECT_EQ(h.dog.next_due(), at(1h + 100ms));
  h.run_to(2h);
  EXPECT_THAT(h.transcript(),
              ElementsAre("3602100ms late 1", "3603100ms stalled 1"));
  EXPECT_EQ(h.dog.stats().late_scans, 0u);
}

// -- the pool ----------------------------------------------------------------

// HEARTBEAT-5: where all threads of the pool are stuck, that is an event.
TEST(WatchdogPool, SaysWhenAllItsThreadsAreStuck) {
  watch_harness h{2};
  auto own_thread = h.start(three_seconds, false);
  auto first = h.start(three_seconds);
  auto second = h.start(three_seconds);
  own_thread.beat.begin_work();
  first.beat.begin_work();
  h.run_to(10s);
  EXPECT_EQ(h.dog.stats().stuck, 1u);
  second.beat.begin_work();
  h.run_to(20s);
  second.beat.end_work();
  h.dog.release_writer(second.slot);
  h.run_to(30s);
  EXPECT_THAT(h.transcript(),
              ElementsAre("2100ms late 0", "2100ms late 1", "3100ms stalled 0",
                          "3100ms stalled 1", "12100ms late 2",
                          "13100ms stalled 2", "13100ms pool_stuck",
                          "20100ms pool_free"));
}

// STOP-2: abandoned lives count as well, once.
TEST(WatchdogPool, CountsEachLifeOnce) {
  watch_harness h{2};
  auto first = h.start(three_seconds);
  auto second = h.start(three_seconds);
  first.beat.begin_work();
  h.run_to(5s);
  h.dog.fence(first.slot);
  h.dog.unwatch(first.slot);
  h.run_to(6s);
  EXPECT_EQ(h.dog.stats().stuck, 1u);
  h.dog.fence(second.slot);
  h.run_to(7s);
  EXPECT_THAT(h.transcript().back(), "6100ms pool_stuck");
  first.beat.release();
  h.run_to(8s);
  EXPECT_THAT(h.transcript().back(), "7100ms pool_free");
  // The slot has another life now, which is well.
  auto third = h.start(three_seconds);
  EXPECT_EQ(third.slot, first.slot);
  h.run_to(9s);
  EXPECT_EQ(h.dog.stats().stuck, 1u);
}

TEST(WatchdogNotice, EachKindHasAName) {
  EXPECT_STREQ(to_string(kind::probe_due), "probe_due");
  EXPECT_STREQ(to_string(static_cast<kind>(250)), "unknown");
}

} // namespace
} // namespace coppice::test
