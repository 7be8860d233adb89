// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/replica_set.hpp"

#include "support/seed.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace coppice::policy {
namespace {

using namespace std::literals;
using enum copy_outcome;

using ids = std::vector<replica_id>;

constexpr time_point at(duration t) {
  return time_point{} + t;
}

/// Replicas, and one copy at a time to each.
struct bench {
  explicit bench(std::size_t count, const ejection_spec& spec = {})
    : set(specs(count), replica_choice::uniform, spec, 1) {}

  static std::vector<replica_spec> specs(std::size_t count) {
    std::vector<replica_spec> result;
    for (std::size_t i = 0; i < count; ++i)
      result.push_back({.name = std::to_string(i)});
    return result;
  }

  void resolve(replica_id who, copy_outcome how, duration latency = 1ms) {
    set.on_sent(who);
    now += latency;
    set.on_resolved(now, who, how, latency);
  }

  void repeat(int times, replica_id who, copy_outcome how,
              duration latency = 1ms) {
    for (int i = 0; i < times; ++i)
      resolve(who, how, latency);
  }

  /// All but the first answer within 1 ms.
  void warm_up(int times = 20) {
    for (replica_id i = 1; i < set.size(); ++i)
      repeat(times, i, answered);
  }

  bool is_aside(replica_id who) { return set.snapshot(now, who).is_set_aside; }

  /// The copy for which only `who` is left.
  std::optional<replica_set::choice> choose_only(replica_id who,
                                                 bool may_probe = true) {
    ids others;
    for (replica_id i = 0; i < set.size(); ++i)
      if (i != who)
        others.push_back(i);
    return set.choose(now, others, may_probe);
  }

  /// What becomes of the copy that probes `who`.
  void probe(replica_id who, copy_outcome how, duration latency = 1ms) {
    ASSERT_TRUE(choose_only(who).value().is_probe);
    resolve(who, how, latency);
  }

  /// How long until it is probed.
  duration time_aside(replica_id who) {
    const auto begin = now;
    while (!choose_only(who).value().is_probe)
      now += 100ms;
    return now - begin;
  }

  replica_set set;
  time_point now = at(1h);
};

// -- failures ----------------------------------------------------------------

// REPLICATE-5: failures in a row, and no other ones.
TEST(Ejection, SetsAsideWhoFailsInARow) {
  bench x{4, {.failures_max = 3}};
  x.repeat(2, 0, failed);
  x.resolve(0, answered);
  x.repeat(2, 0, failed);
  EXPECT_FALSE(x.is_aside(0));
  x.resolve(0, failed);
  EXPECT_TRUE(x.is_aside(0));
  EXPECT_EQ(x.set.available(x.now), 3u);
  for (int i = 0; i < 100; ++i)
    EXPECT_NE(x.set.choose(x.now, {}, true).value().who, 0u);
}

// REPLICATE-5: a copy that was cancelled says nothing for a replica, nor
// against it.
TEST(Ejection, IsNotChangedByCancelledCopies) {
  bench x{4, {.failures_max = 2}};
  x.resolve(0, failed);
  x.repeat(10, 0, cancelled);
  EXPECT_FALSE(x.is_aside(0));
  x.resolve(0, failed);
  EXPECT_TRUE(x.is_aside(0));
}

// REPLICATE-5: what fails of the copies that were under way prolongs nothing.
TEST(Ejection, BlamesNobodyTwiceForTheSameTrouble) {
  bench x{4, {.failures_max = 2}};
  for (int i = 0; i < 10; ++i)
    x.set.on_sent(0);
  const auto fail_one = [&] {
    x.set.on_resolved(x.now, 0, failed, x.now - at(1h));
  };
  for (int i = 0; i < 6; ++i)
    fail_one();
  EXPECT_EQ(x.set.snapshot(x.now, 0).times_set_aside, 1u);
  EXPECT_EQ(x.time_aside(0), 1s);
  x.probe(0, answered);
  EXPECT_FALSE(x.is_aside(0));
  for (int i = 0; i < 4; ++i)
    fail_one(); // sent before it came back
  EXPECT_FALSE(x.is_aside(0));
  EXPECT_EQ(x.set.snapshot(x.now, 0).outstanding, 0u);
}

// REPLICATE-5: at most the configured share, rounded down.
TEST(Ejection, SetsAsideNoMoreThanTheShare) {
  struct sample {
    std::size_t replicas;
    double share;
    std::size_t expected;
  };
  for (const auto& [replicas, share, expected] :
       {sample{4, 0.5, 2}, sample{5, 0.5, 2}, sample{3, 0.0, 0},
        sample{3, 1.0, 3}, sample{100, 0.29, 29}, sample{1, 0.5, 0}}) {
    bench x{replicas, {.failures_max = 1, .share_max = share}};
    std::size_t aside = 0;
    for (replica_id i = 0; i < replicas; ++i) {
      x.resolve(i, failed);
      aside += x.is_aside(i) ? 1 : 0;
    }
    EXPECT_EQ(aside, expected) << share << " of " << replicas;
  }
}

// REPLICATE-5: once another one is back, the next failure counts.
TEST(Ejection, WaitsForAPlace) {
  bench x{2, {.failures_max = 2}};
  x.repeat(2, 0, failed);
  x.repeat(5, 1, failed);
  EXPECT_FALSE(x.is_aside(1));
  x.now += 1s;
  x.probe(0, answered);
  x.resolve(1, failed);
  EXPECT_TRUE(x.is_aside(1));
}

// REPLICATE-5: where nobody is available, those set aside are used again.
TEST(Ejection, UsesThoseSetAsideWhereNobodyElseIsLeft) {
  bench x{2, {.failures_max = 1}};
  x.resolve(0, failed);
  x.set.set_present(1, false);
  const auto choice = x.set.choose(x.now, {}, false).value();
  EXPECT_EQ(choice.who, 0u);
  EXPECT_FALSE(choice.is_probe) << "too early";
  EXPECT_EQ(x.set.available(x.now), 1u);
  x.resolve(0, answered);
  EXPECT_TRUE(x.is_aside(0)) << "no probe, no way back";
  x.now += 1s;
  EXPECT_TRUE(x.set.choose(x.now, {}, false).value().is_probe);
}

// -- probes ------------------------------------------------------------------

// REPLICATE-5: probes are further copies, unless nobody else is left.
TEST(Ejection, ProbesByFurtherCopies) {
  bench x{2, {.failures_max = 1}};
  x.resolve(0, failed);
  x.now += 1s - 1ns;
  EXPECT_EQ(x.set.choose(x.now, {}, true).value().who, 1u);
  x.now += 1ns;
  EXPECT_EQ(x.set.available(x.now), 2u);
  EXPECT_EQ(x.set.choose(x.now, {}, false).value().who, 1u);
  const auto probe = x.set.choose(x.now, {}, true).value();
  EXPECT_EQ(probe.who, 0u);
  EXPECT_TRUE(probe.is_probe);
  EXPECT_TRUE(x.set.choose(x.now, ids{1}, false).value().is_probe);
}

// REPLICATE-5: one probe at a time; one that is not sent is none.
TEST(Ejection, ProbesOnceAtATime) {
  bench x{2, {.failures_max = 1}};
  x.resolve(0, failed);
  x.now += 1s;
  EXPECT_TRUE(x.set.choose(x.now, {}, true).value().is_probe);
  EXPECT_TRUE(x.set.choose(x.now, {}, true).value().is_probe);
  x.set.on_sent(0);
  EXPECT_EQ(x.set.choose(x.now, {}, true).value().who, 1u);
  EXPECT_FALSE(x.choose_only(0).value().is_probe);
  EXPECT_EQ(x.set.available(x.now), 1u);
  x.set.on_resolved(x.now + 1ms, 0, cancelled, 1ms);
  EXPECT_TRUE(x.is_aside(0)) << "cancelled: says nothing";
  EXPECT_TRUE(x.set.choose(x.now, {}, true).value().is_probe);
}

// REPLICATE-5: an answer brings it back, as if nothing had been.
TEST(Ejection, BringsBackWhoAnswers) {
  bench x{4, {.failures_max = 2}};
  x.repeat(2, 0, failed);
  x.now += 1s;
  x.probe(0, answered);
  EXPECT_FALSE(x.is_aside(0));
  EXPECT_TRUE(x.set.snapshot(x.now, 0).is_available);
  x.resolve(0, failed);
  EXPECT_FALSE(x.is_aside(0)) << "one failure of two";
}

// REPLICATE-5: a failure sets it aside for twice as long, up to the cap.
TEST(Ejection, DoublesTheTimeUpToTheCap) {
  bench x{4, {.failures_max = 1, .first = 1s, .cap = 5s}};
  x.resolve(0, failed);
  for (const auto expected : {1s, 2s, 4s, 5s, 5s}) {
    EXPECT_EQ(x.time_aside(0), expected);
    x.probe(0, failed);
  }
  EXPECT_EQ(x.set.snapshot(x.now, 0).times_set_aside, 6u);
}

// REPLICATE-5: coming back does not start it over, being well for `cap` does.
TEST(Ejection, ForgetsThePastAfterAGoodTime) {
  bench x{4, {.failures_max = 1, .first = 1s, .cap = 8s}};
  const auto fail_and_return = [&] {
    x.resolve(0, failed);
    const auto length = x.time_aside(0);
    x.probe(0, answered);
    return length;
  };
  EXPECT_EQ(fail_and_return(), 1s);
  x.now += 8s - 2ms; // with the copy that fails, 1 ms less
  EXPECT_EQ(fail_and_return(), 2s);
  x.now += 8s;
  EXPECT_EQ(fail_and_return(), 1s);
}

// REPLICATE-5: where no further copies are sent, someone has to take the risk:
// after another `cap` it is chosen like all others, as a probe.
TEST(Ejection, ComesBackWhereRequestsHaveOneCopy) {
  bench x{2, {.failures_max = 1, .first = 1s, .cap = 4s}};
  x.resolve(0, failed);
  const auto times_chosen = [&] {
    int count = 0;
    for (int i = 0; i < 100; ++i) {
      const auto choice = x.set.choose(x.now, {}, false).value();
      EXPECT_EQ(choice.is_probe, choice.who == 0);
      count += choice.who == 0 ? 1 : 0;
    }
    return count;
  };
  x.now += 5s - 1ns;
  EXPECT_EQ(times_chosen(), 0);
  x.now += 1ns;
  EXPECT_GT(times_chosen(), 20);
}

// -- slowness ----------------------------------------------------------------

// REPLICATE-5: the mean, over the median of those of the others.
TEST(Ejection, SetsAsideWhoIsSlow) {
  bench x{4};
  x.warm_up();
  x.repeat(19, 0, answered, 6ms);
  EXPECT_FALSE(x.is_aside(0)) << "too few to judge by";
  x.resolve(0, answered, 6ms);
  EXPECT_TRUE(x.is_aside(0));
}

// REPLICATE-5
TEST(Ejection, ToleratesSlownessUpToTheFactor) {
  bench x{4};
  x.warm_up();
  x.repeat(500, 0, answered, 5ms);
  EXPECT_FALSE(x.is_aside(0));
  bench never{4, {.slow_factor = std::numeric_limits<double>::infinity()}};
  never.warm_up();
  never.repeat(500, 0, answered, 1h);
  EXPECT_FALSE(never.is_aside(0));
}

// REPLICATE-5: of two, each is compared with the other one.
TEST(Ejection, ComparesWithTheOthers) {
  bench x{2};
  x.warm_up();
  x.repeat(20, 0, answered, 6ms);
  EXPECT_TRUE(x.is_aside(0));
  bench alone{1, {.share_max = 1.0}};
  alone.repeat(1'000, 0, answered, 1h);
  EXPECT_FALSE(alone.is_aside(0)) << "nobody to compare with";
}

// REPLICATE-5: the median does not follow one that is slower still.
TEST(Ejection, ComparesWithTheMedian) {
  bench x{4, {.share_max = 0.25}};
  x.warm_up();
  x.repeat(300, 3, answered, 1s); // which is set aside, or not
  x.now += 1s;
  EXPECT_TRUE(x.is_aside(3));
  bench four{5, {.slow_factor = 5.0}};
  const duration means[] = {0s, 1ms, 2ms, 4ms, 9ms};
  for (replica_id i = 1; i < 5; ++i)
    four.repeat(20, i, answered, means[i]);
  four.repeat(40, 0, answered, 15ms);
  EXPECT_FALSE(four.is_aside(0)) << "five times the median of 3 ms";
  four.repeat(40, 0, answered, 16ms);
  EXPECT_TRUE(four.is_aside(0));
}

// REPLICATE-4, REPLICATE-5: one whose copies always lose has no answers, but
// they were waited for: for 12 ms or so where others take 1 ms.
TEST(Ejection, FindsTheSlowOneThatAlwaysLoses) {
  bench x{4};
  x.warm_up();
  for (const auto latency : {12ms, 9ms, 14ms, 11ms}) {
    EXPECT_FALSE(x.is_aside(0));
    x.repeat(5, 0, cancelled, latency);
  }
  EXPECT_TRUE(x.is_aside(0));
  EXPECT_EQ(x.set.snapshot(x.now, 0).answered, 0u);
}

// REPLICATE-4, REPLICATE-5: copies that were cancelled at once hide nothing:
// of them it is known only that they took longer than no time.
TEST(Ejection, IsNotMisledByCopiesThatWereCancelledEarly) {
  bench x{4};
  x.warm_up();
  for (int i = 0; i < 20; ++i) {
    x.resolve(0, cancelled, 12ms);
    x.repeat(5, 0, cancelled, 1ms);
  }
  EXPECT_TRUE(x.is_aside(0));
}

// REPLICATE-5: also if it was the first to lose, when nobody could tell.
TEST(Ejection, FindsTheSlowOneOnceOthersAreKnown) {
  bench x{4};
  x.repeat(200, 0, cancelled, 12ms);
  x.warm_up();
  x.repeat(20, 0, cancelled, 12ms);
  EXPECT_TRUE(x.is_aside(0));
}

// REPLICATE-4: a race that ends for all at the same time says who lost, not by
// how much.
TEST(Ejection, BlamesNobodyForLosing) {
  bench x{4};
  x.warm_up();
  x.repeat(1'000, 0, cancelled, 1ms);
  EXPECT_FALSE(x.is_aside(0));
}

// REPLICATE-5: a single answer that took for ever is a tail, not a slow
// replica; and neither is a bad start.
TEST(Ejection, ForgivesAFewOutliers) {
  bench x{4};
  x.warm_up();
  for (int i = 0; i < 100; ++i) {
    x.resolve(0, answered, i % 20 == 0 ? 10s : 1ms);
    ASSERT_FALSE(x.is_aside(0)) << i;
  }
  bench cold{4};
  cold.resolve(0, answered, 10s);
  cold.repeat(18, 0, answered);
  cold.warm_up();
  cold.repeat(100, 0, answered);
  EXPECT_FALSE(cold.is_aside(0));
}

// REPLICATE-5: one that becomes slow is found, however long it was fast.
TEST(Ejection, FindsWhoBecomesSlow) {
  bench x{4};
  x.warm_up();
  x.repeat(10'000, 0, answered);
  int needed = 0;
  for (; !x.is_aside(0) && needed < 1'000; ++needed)
    x.resolve(0, answered, 100ms);
  EXPECT_GE(needed, 14) << "two thirds of 20";
  EXPECT_LE(needed, 40);
}

// REPLICATE-5: microseconds are the scheduler's.
TEST(Ejection, ComparesNoMicroseconds) {
  bench x{4};
  for (replica_id i = 1; i < 4; ++i)
    x.repeat(20, i, answered, 1us);
  x.repeat(100, 0, answered, 50us);
  EXPECT_FALSE(x.is_aside(0));
  x.repeat(100, 0, answered, 60us);
  EXPECT_TRUE(x.is_aside(0));
}

// REPLICATE-5: an answer that is slow, or a copy that was waited for so long,
// is no way back.
TEST(Ejection, SetsAsideForLongerWhoIsStillSlow) {
  bench x{4};
  x.warm_up();
  x.repeat(20, 0, answered, 100ms);
  EXPECT_EQ(x.time_aside(0), 1s);
  x.probe(0, answered, 100ms);
  EXPECT_EQ(x.time_aside(0), 2s);
  x.probe(0, cancelled, 6ms);
  EXPECT_EQ(x.time_aside(0), 4s);
  x.probe(0, cancelled, 5ms);
  EXPECT_EQ(x.time_aside(0), 0s) << "not known to be slow";
  x.probe(0, answered, 5ms);
  EXPECT_FALSE(x.is_aside(0));
  x.repeat(19, 0, answered, 100ms);
  EXPECT_FALSE(x.is_aside(0)) << "judged anew";
}

// REPLICATE-5: with many replicas, not after each answer, but not much later.
TEST(Ejection, FindsTheSlowOneOfMany) {
  bench x{1'000};
  x.warm_up();
  int needed = 0;
  for (; !x.is_aside(0) && needed < 1'000; ++needed)
    x.resolve(0, answered, 100ms);
  EXPECT_GE(needed, 20);
  EXPECT_LE(needed, 40);
}

} // namespace
} // namespace coppice::policy
