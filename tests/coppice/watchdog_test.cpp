// This file is part of coppice. License: see LICENSE in the source root.

// Verdicts in virtual time. Catalogue: group P, A17.

#include "coppice/watchdog.hpp"

#include "support/seed.hpp"
#include "support/watch_harness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

namespace coppice::test {
namespace {

using policy::duration;
using policy::heartbeat_spec;
using policy::time_point;
using testing::ElementsAre;
using testing::IsEmpty;

using kind = watch_notice::kind;

const heartbeat_spec three_seconds{.stall_timeout = 3s};

// HEARTBEAT-7: no false verdicts.
TEST(Watchdog, ABeatingLifeIsLeftAlone_P01) {
  watch_harness h;
  auto life = h.start(three_seconds);
  life.beat.begin_work();
  for (auto t = 1s; t <= 1h; t += 1s) {
    h.run_to(t);
    life.beat.beat();
  }
  EXPECT_THAT(h.transcript(), IsEmpty());
  EXPECT_EQ(h.dog.stats().scans, 36'000u);
}

// HEARTBEAT-4, HEARTBEAT-6, HEARTBEAT-7
TEST(Watchdog, SilenceIsAStallOnce_P02) {
  watch_harness h;
  auto life = h.start(three_seconds);
  h.run_to(1250ms);
  life.beat.begin_work();
  life.beat.beat("phase 2");
  h.run_to(1min);
  EXPECT_THAT(h.transcript(), ElementsAre("3300ms late 0", "4300ms stalled 0"));
  const auto& verdict = h.heard.back().notice;
  EXPECT_EQ(verdict.life, life.id);
  EXPECT_EQ(verdict.age, 3s);
  EXPECT_DOUBLE_EQ(verdict.suspicion, 1.0);
  EXPECT_STREQ(verdict.note, "phase 2");
  EXPECT_TRUE(verdict.was_busy);
  EXPECT_EQ(h.dog.stats().verdicts, 1u);
  life.beat.beat();
  h.run_to(2min);
  EXPECT_EQ(h.heard.size(), 2u) << "convicted once and for all";
}

// HEARTBEAT-4: one warning per silence.
TEST(Watchdog, ALateBeatIsAWarning_P03) {
  watch_harness h;
  auto life = h.start(three_seconds);
  life.beat.begin_work();
  h.run_to(2500ms);
  life.beat.beat();
  h.run_to(5s);
  life.beat.beat();
  h.run_to(5500ms);
  life.beat.end_work();
  h.run_to(1min);
  EXPECT_THAT(h.transcript(), ElementsAre("2100ms late 0", "4600ms late 0"));
}

// HEARTBEAT-7: a beat in the last nanosecond counts, though no scan saw it.
TEST(Watchdog, ABeatJustBeforeTheVerdictCounts_P04) {
  watch_harness h;
  auto life = h.start({.stall_timeout = 3050ms});
  life.beat.begin_work();
  h.run_to(3150ms - 1ns);
  life.beat.beat();
  h.run_to(6150ms);
  life.beat.end_work();
  h.run_to(1min);
  for (const auto& x : h.transcript())
    EXPECT_EQ(x.find("stalled"), std::string::npos) << x;
  life.beat.begin_work();
  h.run_to(2min);
  EXPECT_EQ(h.transcript().back(), "63150ms stalled 0");
}

// HEARTBEAT-7: between scans the watchdog wakes when a verdict falls due.
TEST(Watchdog, WakesWhenTheVerdictFallsDue) {
  watch_harness h;
  auto life = h.start({.stall_timeout = 3033ms});
  life.beat.begin_work();
  h.run_to(10s);
  EXPECT_THAT(h.transcript(), ElementsAre("2122ms late 0", "3133ms stalled 0"));
}

// Timeouts below the scan interval cost no more than a few looks per scan.
TEST(Watchdog, ShortTimeoutsDoNotMakeItSpin) {
  watch_harness h;
  auto life = h.start({.stall_timeout = 1us});
  life.beat.begin_work();
  h.run_to(100ms);
  auto runs = 0;
  for (; h.dog.next_due() <= at(1100ms); ++runs) {
    life.beat.beat();
    h.now = h.dog.next_due();
    h.dog.run(h.now);
  }
  EXPECT_LE(runs, 30);
  EXPECT_THAT(h.transcript(), IsEmpty());
}

// HEARTBEAT-3
TEST(Watchdog, AnIdleLifeIsHealthy_P05) {
  watch_harness h;
  auto life = h.start(three_seconds);
  life.beat.begin_work();
  h.run_to(1s);
  life.beat.end_work();
  h.run_to(1h);
  EXPECT_THAT(h.transcript(), IsEmpty());
}

// HEARTBEAT-3: one whose mailbox is not drained.
TEST(Watchdog, AProbeThatNobodyDrainsIsAStall_P05) {
  watch_harness h;
  h.start({.stall_timeout = 3s, .probe_every = 10s});
  h.run_to(1min);
  EXPECT_THAT(h.transcript(),
              ElementsAre("10s probe_due 0", "12s late 0", "13s stalled 0"));
  EXPECT_EQ(h.heard.back().notice.age, 13s);
  EXPECT_FALSE(h.heard.back().notice.was_busy);
}

// HEARTBEAT-3
TEST(Watchdog, AProbeThatIsDrainedIsHealth_P05) {
  watch_harness h;
  auto life = h.start({.stall_timeout = 3s, .probe_every = 10s});
  h.on_notice = [&](const watch_notice& x) {
    if (x.what != kind::probe_due)
      return;
    life.beat.begin_work(); // the probe goes through its own mailbox
    life.beat.end_work();
  };
  h.run_to(31s);
  EXPECT_THAT(h.transcript(),
              ElementsAre("10s probe_due 0", "20100ms probe_due 0",
                          "30200ms probe_due 0"));
}

// HEARTBEAT-3: the probe is slow, but on its way.
TEST(Watchdog, WorkTakesThePlaceOfAProbe_P05) {
  watch_harness h;
  auto life = h.start({.stall_timeout = 3s, .probe_every = 10s});
  h.run_to(12500ms);
  life.beat.begin_work();
  h.run_to(15s);
  life.beat.end_work();
  h.run_to(25s);
  EXPECT_THAT(h.transcript(),
              ElementsAre("10s probe_due 0", "12s late 0", "14600ms late 0"));
}

// HEARTBEAT-3: without a limit on work there is none on probes.
TEST(Watchdog, ProbesConvictNobodyWithoutALimit) {
  watch_harness h;
  h.start({.stall_timeout = policy::infinity, .probe_every = 10s});
  h.run_to(1h);
  EXPECT_THAT(h.transcript(), ElementsAre("10s probe_due 0"));
}

// HEARTBEAT-4: more time, up to a cap.
TEST(Watchdog, AnExtensionPutsOffTheVerdict_P06) {
  watch_harness h;
  auto life = h.start({.stall_timeout = 3s, .extension_max = 30s});
  life.beat.begin_work();
  h.run_to(2s);
  life.beat.extend(6s);
  h.run_to(1min);
  EXPECT_THAT(h.transcript(), ElementsAre("6100ms late 0", "9100ms stalled 0"));
}

// HEARTBEAT-4: asking again without progress gains nothing above the cap.
TEST(Watchdog, ExtensionsAreCapped_P06) {
  watch_harness h;
  auto life = h.start({.stall_timeout = 3s, .extension_max = 30s});
  life.beat.begin_work();
  for (auto t = 1s; t <= 1min; t += 1s) {
    h.run_to(t);
    life.beat.extend(10s);
  }
  EXPECT_THAT(h.transcript(),
              ElementsAre("22100ms late 0", "33100ms stalled 0"));
}

// HEARTBEAT-4: it is for the one silence only.
TEST(Watchdog, ABeatEndsTheExtension_P06) {
  watch_harness h;
  auto life = h.start({.stall_timeout = 3s, .extension_max = 30s});
  life.beat.begin_work();
  life.beat.extend(20s);
  h.run_to(10s);
  life.beat.beat();
  h.run_to(1min);
  EXPECT_THAT(h.transcript(),
              ElementsAre("12100ms late 0", "13100ms stalled 0"));
}

// HEARTBEAT-4: each limit in its phase only.
TEST(Watchdog, UsesTheLimitOfThePhase_P12) {
  watch_harness h;
  auto life = h.start({.stall_timeout = 3s, .idle_timeout = 30s});
  h.run_to(15s);
  life.beat.begin_work();
  h.run_to(16900ms);
  life.beat.end_work();
  h.run_to(1min);
  EXPECT_THAT(h.transcript(), ElementsAre("37s late 0", "47s stalled 0"));
  EXPECT_FALSE(h.heard.back().notice.was_busy);
}

// HEARTBEAT-3: judged from ready, not healthy for ever.
TEST(Watchdog, ALifeThatNeverBeatIsJudgedFromReady_A17) {
  watch_harness h;
  const auto slot = h.dog.acquire();
  h.run_to(5s); // its start took as long
  h.dog.watch(slot, h.owner, {7, 1}, {.idle_timeout = 3s}, true, at(4950ms));
  h.run_to(1min);
  EXPECT_THAT(h.transcript(), ElementsAre("6950ms late 7", "7950ms stalled 7"));
  EXPECT_EQ(h.heard.back().notice.age, 3s);
}

// HEARTBEAT-1: work that began before `watch` counts from the next scan.
TEST(Watchdog, WorkBeforeReadyIsSeen_A17) {
  watch_harness h;
  const auto slot = h.dog.acquire();
  auto beat = h.dog.writer(slot);
  beat.begin_work();
  h.run_to(950ms);
  h.dog.watch(slot, h.owner, {7, 1}, three_seconds, true, h.now);
  h.run_to(1min);
  EXPECT_THAT(h.transcript(), ElementsAre("3s late 7", "4s stalled 7"));
}

// -- detection time ----------------------------------------------------------

/// A life that beats at random until it stops, and when it did so.
struct random_life {
  watched_life life;
  duration timeout;
  duration next_beat;
  duration stops_at;
  duration last_beat{0};
};

// HEARTBEAT-7: between the timeout and one interval later, for all lives; the
// watchdog itself may be up to one interval late.
TEST(Watchdog, DetectsInTime) {
  seeded seeded_test;
  const auto up_to = [&seeded_test](duration span) {
    return duration{static_cast<duration::rep>(
      seeded_test.random.up_to(static_cast<std::uint64_t>(span.count())))};
  };
  watch_harness h;
  std::vector<random_life> lives(300);
  for (auto& x : lives) {
    x.timeout = 100ms + up_to(5s);
    x.life = h.start({.stall_timeout = x.timeout});
    x.next_beat = up_to(1s);
    x.stops_at = 1s + up_to(30s);
  }
  const auto is_next = [](const random_life& x, const random_life& y) {
    return x.next_beat < y.next_beat;
  };
  for (;;) {
    auto& x = *std::ranges::min_element(lives, is_next);
    if (x.next_beat == duration::max())
      break;
    h.run_to(x.next_beat);
    if (x.last_beat == 0s)
      x.life.beat.begin_work();
    else
      x.life.beat.beat();
    x.last_beat = x.next_beat;
    x.next_beat += 1ns + up_to(x.timeout - 2ns);
    if (x.next_beat >= x.stops_at)
      x.next_beat = duration::max();
  }
  h.run_for(10s);
  std::map<policy::life_id, time_point> verdicts;
  for (const auto& [when, x] : h.heard) {
    if (x.what == kind::stalled) {
      EXPECT_TRUE(verdicts.emplace(x.life, when).second);
    }
  }
  for (const auto& x : lives) {
    ASSERT_TRUE(verdicts.contains(x.life.id));
    const auto silent = verdicts.at(x.life.id) - at(x.last_beat);
    EXPECT_GE(silent, x.timeout);
    EXPECT_LE(silent, x.timeout + 100ms);
  }
}

} // namespace
} // namespace coppice::test
