// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/restart_budget.hpp"

#include "support/seed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

namespace coppice::policy {
namespace {

using namespace std::literals;
using testing::ElementsAre;

constexpr time_point at(duration t) {
  return time_point{} + t;
}

/// The verdicts on failures at `times`, in order.
std::vector<bool> verdicts(restart_budget budget,
                           const std::vector<duration>& times) {
  std::vector<bool> out;
  for (const auto time : times)
    out.push_back(budget.spend(at(time)));
  return out;
}

// BUDGET-1 (and F01): the limit is what is tolerated; one more is too many.
TEST(RestartBudget, ToleratesAsManyRestartsAsItSays_F01) {
  EXPECT_THAT(verdicts(restart_budget{{.restarts_max = 2, .window = 60s}},
                       {1s, 2s, 3s}),
              ElementsAre(true, true, false));
}

// BUDGET-1: 0 means that the first failure is one too many.
TEST(RestartBudget, RefusesTheFirstRestartAtZero_F02) {
  EXPECT_THAT(verdicts(restart_budget{{.restarts_max = 0, .window = 60s}},
                       {0s, 2min}),
              ElementsAre(false, false));
}

// BUDGET-1: an entry exactly one window old still counts.
TEST(RestartBudget, CountsARestartExactlyOneWindowOld_F03) {
  restart_budget budget{{.restarts_max = 1, .window = 1s}};
  EXPECT_TRUE(budget.spend(at(7s)));
  EXPECT_FALSE(budget.spend(at(8s)));
}

// BUDGET-1, inside the line.
TEST(RestartBudget, CountsARestartJustYoungerThanTheWindow_F03) {
  restart_budget budget{{.restarts_max = 1, .window = 1s}};
  EXPECT_TRUE(budget.spend(at(7s)));
  EXPECT_FALSE(budget.spend(at(8s - 1ns)));
}

// BUDGET-1, the other side of the line.
TEST(RestartBudget, ForgetsARestartJustOlderThanTheWindow_F03) {
  restart_budget budget{{.restarts_max = 1, .window = 1s}};
  EXPECT_TRUE(budget.spend(at(7s)));
  EXPECT_TRUE(budget.spend(at(8s + 1ns)));
}

// BUDGET-1: sliding. A fixed window, opened at 0 s and again at 11 s, would
// tolerate all four.
TEST(RestartBudget, SlidesItsWindow_F04) {
  EXPECT_THAT(verdicts(restart_budget{{.restarts_max = 2, .window = 10s}},
                       {0s, 9s, 11s, 12s}),
              ElementsAre(true, true, true, false));
}

// BUDGET-1: no overflow for huge windows, and the limit still works.
TEST(RestartBudget, WorksWithHugeWindows_F05) {
  const auto late = duration::max() - 1ns;
  for (const auto& window : {time_limit{24h * 30}, time_limit{duration::max()},
                             time_limit{infinity}}) {
    SCOPED_TRACE(to_string(window));
    EXPECT_THAT(verdicts(restart_budget{{.restarts_max = 2, .window = window}},
                         {0s, 24h, 24h * 29, 24h * 30}),
                ElementsAre(true, true, false, false));
  }
  EXPECT_THAT(
    verdicts(restart_budget{{.restarts_max = 1, .window = duration::max()}},
             {-2s, -1s, late}),
    ElementsAre(true, false, true))
    << "at the end of time, what came before time 0 is older than the window";
  EXPECT_THAT(verdicts(restart_budget{{.restarts_max = 1, .window = infinity}},
                       {duration::min(), late}),
              ElementsAre(true, false));
}

// BUDGET-1: an infinite window is a limit for life; a finite one recovers.
TEST(RestartBudget, NeverForgetsInAnInfiniteWindow_F14) {
  restart_budget for_life{{.restarts_max = 2, .window = infinity}};
  restart_budget for_a_while{{.restarts_max = 2, .window = 1h}};
  for (const auto time : {0h, 1000h}) {
    EXPECT_TRUE(for_life.spend(at(time)));
    EXPECT_TRUE(for_a_while.spend(at(time)));
  }
  EXPECT_EQ(for_life.spent(at(9000h)), 2u);
  EXPECT_EQ(for_a_while.spent(at(9000h)), 0u);
  EXPECT_FALSE(for_life.spend(at(9000h)));
  EXPECT_TRUE(for_a_while.spend(at(9000h)));
}

// BUDGET-4: causes weigh differently; node loss is free.
TEST(RestartBudget, ChargesCausesByTheirWeight_F15) {
  const cause_weights weights;
  restart_budget budget{{.restarts_max = 3, .window = 60s}};
  for (int i = 0; i < 50; ++i)
    EXPECT_TRUE(budget.spend(at(1s), weights.node_loss));
  EXPECT_EQ(budget.spent(at(1s)), 0u);
  EXPECT_EQ(budget.entries_held(), 0u);
  EXPECT_TRUE(budget.spend(at(2s), weights.stall));
  EXPECT_TRUE(budget.spend(at(3s), weights.start_failure));
  EXPECT_TRUE(budget.spend(at(4s), weights.crash));
  EXPECT_EQ(budget.spent(at(4s)), 3u);
  EXPECT_FALSE(budget.spend(at(5s), weights.clean_end));
}

// BUDGET-4: one heavy cause may be too many at once.
TEST(RestartBudget, SumsWeights_F15) {
  restart_budget budget{{.restarts_max = 5, .window = 10s}};
  EXPECT_TRUE(budget.spend(at(0s), 3));
  EXPECT_FALSE(budget.spend(at(10s), 3));
  EXPECT_EQ(budget.spent(at(10s)), 6u);
  EXPECT_TRUE(budget.spend(at(10s + 1ns), 2));
  EXPECT_EQ(budget.spent(at(10s + 1ns)), 5u);
  restart_budget none{{.restarts_max = 0, .window = 10s}};
  EXPECT_TRUE(none.spend(at(0s), 0));
  EXPECT_FALSE(none.spend(at(0s), 1000));
}

// BUDGET-4: what is free is not refused for what others have spent.
TEST(RestartBudget, NeverRefusesAFreeRestart_F15) {
  restart_budget budget{{.restarts_max = 0, .window = 10s}};
  EXPECT_FALSE(budget.spend(at(0s)));
  EXPECT_TRUE(budget.spend(at(1s), 0));
}

// BUDGET-1: on the steady clock. Should a time step back, no window is long
// enough to be fooled by it.
TEST(RestartBudget, TakesAnEarlierTimeAsTheLatest_F18) {
  restart_budget budget{{.restarts_max = 2, .window = 10s}};
  EXPECT_TRUE(budget.spend(at(100s)));
  EXPECT_TRUE(budget.spend(at(1s)));
  EXPECT_EQ(budget.spent(at(0s)), 2u);
  EXPECT_FALSE(budget.spend(at(110s)));
  EXPECT_EQ(budget.entries_held(), 2u) << "the first two share an entry";
}

// BUDGET-3: the caller leaves out of the times what it spent stopping others.
// Each crash costs 3 s of stopping a slow sibling; the window is 2 s.
TEST(RestartBudget, SeesACrashLoopBehindASlowSibling) {
  restart_budget budget{{.restarts_max = 2, .window = 2s}};
  const auto stopping = 3s;
  std::vector<bool> affordable;
  for (int i = 0; i < 3; ++i) {
    const auto now = at(i * (stopping + 10ms));
    affordable.push_back(budget.spend(now - i * stopping));
  }
  EXPECT_THAT(affordable, ElementsAre(true, true, false));
}

// BUDGET-5: a pause begins anew.
TEST(RestartBudget, BeginsAnewAfterClear) {
  restart_budget budget{{.restarts_max = 1, .window = 60s}};
  EXPECT_TRUE(budget.spend(at(0s)));
  EXPECT_FALSE(budget.spend(at(1s)));
  budget.clear();
  EXPECT_EQ(budget.spent(at(1s)), 0u);
  EXPECT_TRUE(budget.spend(at(1s)));
  EXPECT_FALSE(budget.spend(at(1s)));
}

// what was spent stays spent.
TEST(RestartBudget, KeepsWhatWasSpentAcrossAChange_F17) {
  restart_budget budget{{.restarts_max = 1, .window = 60s}};
  EXPECT_TRUE(budget.spend(at(0s)));
  budget.change({.restarts_max = 3, .window = 60s});
  EXPECT_EQ(budget.limits().restarts_max, count_limit{3});
  EXPECT_TRUE(budget.spend(at(1s)));
  EXPECT_TRUE(budget.spend(at(2s)));
  EXPECT_FALSE(budget.spend(at(3s)));
  budget.change({.restarts_max = 0, .window = 1s});
  EXPECT_FALSE(budget.spend(at(60s)));
}

// BUDGET-1: bounded by the limit, in memory and in work: each spend adds at
// most one entry, and what was added is dropped once. (An implementation that
// looked at all entries each time would need 5 * 10^11 steps here.)
TEST(RestartBudget, HoldsAMillionRestartsAndNoMore_T03) {
  constexpr std::uint64_t million = 1'000'000;
  restart_budget budget{{.restarts_max = million, .window = 1s}};
  std::uint64_t dropped = 0;
  for (std::uint64_t i = 0; i < million; ++i) {
    const auto before = budget.entries_held();
    ASSERT_TRUE(budget.spend(at(duration{i})));
    dropped += before + 1 - budget.entries_held();
  }
  EXPECT_EQ(dropped, 0u);
  EXPECT_EQ(budget.entries_held(), million);
  EXPECT_EQ(budget.spent(at(1ms)), million);
  EXPECT_FALSE(budget.spend(at(1ms)));
  for (std::uint64_t i = 1; i <= million; ++i)
    ASSERT_FALSE(budget.spend(at(1ms + duration{i})));
  EXPECT_EQ(budget.entries_held(), million + 1);
  EXPECT_TRUE(budget.spend(at(1h)));
  EXPECT_EQ(budget.entries_held(), 1u);
}

// BUDGET-1: bounded also if it is overspent for ever, as by a parked child.
TEST(RestartBudget, StaysSmallWhenOverspentForEver) {
  restart_budget budget{{.restarts_max = 3, .window = 24h}};
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(budget.spend(at(i * 1s)));
  for (int i = 3; i < 10'000; ++i) {
    ASSERT_FALSE(budget.spend(at(i * 1s)));
    ASSERT_LE(budget.entries_held(), 4u);
    ASSERT_GE(budget.spent(at(i * 1s)), 4u);
  }
}

// BUDGET-1: a million restarts at one time, of the greatest weight.
TEST(RestartBudget, KeepsEqualTimesInOneEntry) {
  restart_budget budget{{.restarts_max = 3, .window = 24h}};
  for (int i = 0; i < 1'000'000; ++i)
    ASSERT_EQ(budget.spend(at(1s)), i < 3);
  EXPECT_EQ(budget.entries_held(), 1u);
  EXPECT_EQ(budget.spent(at(1s)), 1'000'000u);
  for (int i = 0; i < 1000; ++i)
    EXPECT_FALSE(budget.spend(at(1s), UINT32_MAX));
  EXPECT_TRUE(budget.spend(at(48h)));
}

// BUDGET-1: without a limit, or without an end to the window, a million
// restarts cost little, and the number shown is right to a thousandth.
TEST(RestartBudget, StaysSmallWithoutALimit) {
  restart_budget no_limit{{.restarts_max = infinity, .window = 1s}};
  restart_budget no_end{{.restarts_max = 1'000'000, .window = infinity}};
  for (int i = 0; i < 1'000'000; ++i) {
    const auto now = at(i * 10us); // 100'000 per window
    ASSERT_TRUE(no_limit.spend(now));
    ASSERT_TRUE(no_end.spend(now));
  }
  EXPECT_LE(no_limit.entries_held(), 1'030u);
  EXPECT_NEAR(static_cast<double>(no_limit.spent(at(10s))), 100'000, 100);
  EXPECT_LE(no_end.entries_held(), 1'030u);
  EXPECT_EQ(no_end.spent(at(10s)), 1'000'000u);
  EXPECT_FALSE(no_end.spend(at(10s)));
}

/// The contract in its plainest form: remember all, look at all.
class plain_budget {
public:
  explicit plain_budget(std::uint64_t most, duration window)
    : most_(most), window_(window) {}

  bool spend(time_point now, std::uint32_t weight) {
    all_.emplace_back(now, weight);
    return weight == 0 || spent(now) <= most_;
  }

  [[nodiscard]] std::uint64_t spent(time_point now) const {
    return std::accumulate(all_.begin(), all_.end(), std::uint64_t{0},
                           [&](auto sum, const auto& x) {
                             return now - x.first <= window_ ? sum + x.second
                                                             : sum;
                           });
  }

private:
  std::uint64_t most_;
  duration window_;
  std::vector<std::pair<time_point, std::uint32_t>> all_;
};

// BUDGET-1, BUDGET-4: as the plain one, at random.
TEST(RestartBudget, AgreesWithThePlainContract_F03_F04_F15) {
  test::seeded seeded;
  auto& random = seeded.random;
  for (int round = 0; round < 300; ++round) {
    const auto most = random.up_to(6);
    const duration window{1 + static_cast<std::int64_t>(random.up_to(20))};
    restart_budget budget{{.restarts_max = most, .window = window}};
    plain_budget plain{most, window};
    auto now = at(duration{static_cast<std::int64_t>(random.up_to(100)) - 50});
    for (int step = 0; step < 100; ++step) {
      now += duration{static_cast<std::int64_t>(random.up_to(8))};
      const auto weight = static_cast<std::uint32_t>(random.up_to(3));
      ASSERT_EQ(budget.spend(now, weight), plain.spend(now, weight));
      ASSERT_LE(budget.entries_held(), most + 1);
      const auto later = now + duration{static_cast<int>(random.up_to(20))};
      const auto truth = plain.spent(later);
      if (truth <= most)
        ASSERT_EQ(budget.spent(later), truth);
      else
        ASSERT_GT(budget.spent(later), most);
    }
  }
}

} // namespace
} // namespace coppice::policy
