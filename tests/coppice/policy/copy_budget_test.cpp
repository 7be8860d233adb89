// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/copy_budget.hpp"

#include "support/seed.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace coppice::policy {
namespace {

using namespace std::literals;

constexpr time_point at(duration t) {
  return time_point{} + t;
}

/// How many can be taken now, one after the other.
std::uint64_t take_all(copy_budget& budget, time_point now,
                       std::uint64_t most = 100'000) {
  std::uint64_t taken = 0;
  while (taken < most && budget.take(now))
    ++taken;
  return taken;
}

void request(copy_budget& budget, time_point now, int times) {
  for (int i = 0; i < times; ++i)
    budget.on_request(now);
}

/// The same by definition: a list of all that happened, counted each time.
class recount {
public:
  /// @param share  Unit: thousandths.
  recount(std::uint64_t share, duration window, std::uint64_t reserve)
    : share_(share), slice_(window / 10), reserve_(reserve) {}

  void advance(duration now) {
    latest_ = std::max(latest_, now);
    if (!begin_ || latest_ - *begin_ >= 10 * slice_)
      begin_ = latest_;
    begin_ = *begin_ + (latest_ - *begin_) / slice_ * slice_;
    std::erase_if(requests_, [this](duration x) { return is_over(x); });
    std::erase_if(taken_, [this](duration x) { return is_over(x); });
  }

  void on_request() { requests_.push_back(latest_); }
  void on_taken() { taken_.push_back(latest_); }
  void on_given_back(duration when) {
    taken_.erase(std::ranges::find(taken_, when));
  }

  [[nodiscard]] bool holds(std::uint64_t taken) const {
    return taken * 1'000 <= share_ * requests_.size() + reserve_ * 1'000;
  }

  [[nodiscard]] const std::vector<duration>& requests() const {
    return requests_;
  }
  [[nodiscard]] const std::vector<duration>& taken() const { return taken_; }
  [[nodiscard]] duration latest() const { return latest_; }

private:
  [[nodiscard]] bool is_over(duration x) const {
    return x < *begin_ - 9 * slice_;
  }

  std::uint64_t share_;
  duration slice_;
  std::uint64_t reserve_;
  duration latest_{0};
  std::optional<duration> begin_;
  std::vector<duration> requests_;
  std::vector<duration> taken_;
};

// REPLICATE-3: a share of the requests, to the copy, for shares that doubles
// have not exactly.
TEST(CopyBudget, AllowsExactlyTheShare) {
  for (std::uint64_t hundredths = 0; hundredths <= 300; ++hundredths) {
    copy_budget budget{static_cast<double>(hundredths) / 100.0, 10s, 0};
    request(budget, at(0s), 100);
    EXPECT_EQ(take_all(budget, at(0s)), hundredths);
  }
}

// REPLICATE-3: whoever asks seldom still gets some.
TEST(CopyBudget, AddsAReservePerWindow) {
  copy_budget budget{0.05, 10s, 2};
  EXPECT_EQ(take_all(budget, at(0s)), 2u) << "without any request";
  request(budget, at(0s), 40);
  EXPECT_EQ(take_all(budget, at(1s)), 2u);
  EXPECT_EQ(budget.requests(at(1s)), 40u);
  EXPECT_EQ(budget.taken(at(1s)), 4u);
  EXPECT_EQ(take_all(budget, at(11s)), 2u);
}

// REPLICATE-3: none at all.
TEST(CopyBudget, AllowsNothingForNothing) {
  for (const auto share : {0.0, -0.0, -1.0, std::nan(""),
                           -std::numeric_limits<double>::infinity()}) {
    copy_budget budget{share, 10s, 0};
    request(budget, at(0s), 1'000);
    EXPECT_FALSE(budget.take(at(0s))) << share;
    EXPECT_EQ(budget.taken(at(0s)), 0u);
  }
}

// REPLICATE-3: the most that a request may have.
TEST(CopyBudget, AllowsNoMoreThan63CopiesPerRequest) {
  for (const auto share :
       {63.0, 64.0, 1e300, std::numeric_limits<double>::infinity()}) {
    copy_budget budget{share, 10s, 0};
    request(budget, at(0s), 3);
    EXPECT_EQ(take_all(budget, at(0s)), 189u) << share;
  }
}

// REPLICATE-3: two takers do not spend one copy, and a refusal is free.
TEST(CopyBudget, TakesWithTheAsking) {
  copy_budget budget{0.1, 10s, 0};
  request(budget, at(0s), 10);
  EXPECT_TRUE(budget.take(at(1s)));
  EXPECT_FALSE(budget.take(at(1s)));
  EXPECT_FALSE(budget.take(at(1s)));
  EXPECT_EQ(budget.taken(at(1s)), 1u);
  request(budget, at(1s), 10);
  EXPECT_TRUE(budget.take(at(1s)));
}

// REPLICATE-3: requests count for a window, and not a nanosecond longer.
TEST(CopyBudget, ForgetsRequestsAndCopiesAfterTheWindow) {
  copy_budget budget{1.0, 10s, 0};
  request(budget, at(0s), 5);
  EXPECT_EQ(take_all(budget, at(9s)), 5u);
  request(budget, at(9s), 1);
  EXPECT_EQ(budget.requests(at(10s - 1ns)), 6u);
  EXPECT_EQ(budget.requests(at(10s)), 1u);
  EXPECT_EQ(budget.taken(at(10s)), 5u);
  EXPECT_FALSE(budget.take(at(10s))) << "what was spent is still spent";
  EXPECT_EQ(budget.taken(at(19s)), 0u);
  EXPECT_EQ(budget.requests(at(19s)), 0u);
}

// REPLICATE-3
TEST(CopyBudget, TakesEarlierTimesForTheLatest) {
  copy_budget budget{1.0, 10s, 0};
  request(budget, at(20s), 1);
  request(budget, at(0s), 1);
  EXPECT_TRUE(budget.take(at(5s)));
  EXPECT_TRUE(budget.take(time_point::min()));
  EXPECT_FALSE(budget.take(at(20s)));
  EXPECT_EQ(budget.requests(at(30s - 1ns)), 2u);
  EXPECT_EQ(budget.taken(at(30s)), 0u);
}

// REPLICATE-3: what is given back can be taken again.
TEST(CopyBudget, TakesBackIntoTheSliceItCameFrom) {
  copy_budget budget{0.0, 10s, 2};
  EXPECT_TRUE(budget.take(at(0s)));
  EXPECT_TRUE(budget.take(at(5s)));
  budget.give_back(at(5s));
  EXPECT_EQ(budget.taken(at(6s)), 1u);
  EXPECT_TRUE(budget.take(at(6s)));
  EXPECT_FALSE(budget.take(at(6s)));
  budget.give_back(at(0s));
  EXPECT_EQ(budget.taken(at(6s)), 1u);
  EXPECT_EQ(budget.taken(at(10s)), 1u) << "the one of 0 s is not gone twice";
}

// REPLICATE-3: and nobody gains by giving what is not there.
TEST(CopyBudget, TakesNothingBackThatItDoesNotCount) {
  copy_budget budget{0.0, 10s, 1};
  budget.give_back(at(0s));
  EXPECT_TRUE(budget.take(at(0s)));
  EXPECT_TRUE(budget.take(at(12s)));
  for (const auto when :
       {at(0s), at(11s), at(13s), at(1h), time_point::min(), time_point::max()})
    budget.give_back(when);
  EXPECT_EQ(budget.taken(at(12s)), 1u);
  budget.give_back(at(12s));
  budget.give_back(at(12s));
  EXPECT_EQ(take_all(budget, at(12s)), 1u);
}

// REPLICATE-3: windows too short and too long are made to fit.
TEST(CopyBudget, ClampsItsWindow) {
  for (const auto window : {duration::max(), duration{24h}, duration{1h}}) {
    copy_budget budget{1.0, window, 0};
    request(budget, at(0s), 1);
    EXPECT_EQ(budget.requests(at(1h - 1ns)), 1u);
    EXPECT_EQ(budget.requests(at(1h)), 0u);
  }
  for (const auto window : {duration::min(), duration{0}, duration{1ms}}) {
    copy_budget budget{1.0, window, 0};
    request(budget, at(0s), 1);
    EXPECT_EQ(budget.requests(at(1ms - 1ns)), 1u);
    EXPECT_EQ(budget.requests(at(1ms)), 0u);
  }
}

// REPLICATE-3: no time is too odd.
TEST(CopyBudget, CountsToTheEndOfTime) {
  copy_budget budget{1.0, 1h, 0};
  request(budget, time_point::min(), 1);
  request(budget, time_point::max(), 2);
  EXPECT_EQ(take_all(budget, time_point::max()), 2u);
  request(budget, time_point::max(), 1);
  EXPECT_EQ(take_all(budget, time_point::max()), 1u);
}

// REPLICATE-3: in any order of events, with times that go back and pauses: a
// copy is granted if, and only if, the share holds with it.
TEST(CopyBudget, AgreesWithARecountOfAllEvents) {
  test::seeded seeded;
  auto& random = seeded.random;
  for (int run = 0; run < 40; ++run) {
    const auto share = random.up_to(random.up_to(1) == 0 ? 100 : 5'000);
    const duration window{1'000'000
                          * static_cast<std::int64_t>(1 + random.up_to(5'000))};
    const auto reserve = static_cast<std::uint32_t>(random.up_to(3));
    SCOPED_TRACE("share " + std::to_string(share) + "/1000");
    copy_budget budget{static_cast<double>(share) / 1'000.0, window, reserve};
    recount model{share, window, reserve};
    duration now{1h};
    for (int i = 0; i < 1'000; ++i) {
      const auto slices = random.up_to(200) == 0 ? 25 : 1;
      now += duration{static_cast<std::int64_t>(random.up_to(
        static_cast<std::uint64_t>(window.count() / 50 * slices)))};
      const auto told = random.up_to(9) == 0 ? now - window / 7 : now;
      model.advance(told);
      const auto event = random.up_to(9);
      if (event < 5) {
        budget.on_request(at(told));
        model.on_request();
      } else if (event < 9) {
        const bool fits = model.holds(model.taken().size() + 1);
        ASSERT_EQ(budget.take(at(told)), fits);
        if (fits)
          model.on_taken();
      } else if (!model.taken().empty()) {
        const auto which = random.up_to(model.taken().size() - 1);
        const auto when = model.taken()[which];
        budget.give_back(at(when));
        model.on_given_back(when);
      }
      ASSERT_EQ(budget.requests(at(told)), model.requests().size());
      ASSERT_EQ(budget.taken(at(told)), model.taken().size());
    }
  }
}

// REPLICATE-3: no request pays for two copies where it should pay for one, over
// any stretch of time, however greedily copies are taken.
TEST(CopyBudget, KeepsTheShareOverAnyStretch) {
  test::seeded seeded;
  auto& random = seeded.random;
  constexpr duration window = 10s;
  constexpr std::uint64_t reserve = 2;
  copy_budget budget{0.25, window, reserve};
  struct event {
    duration when;
    std::uint64_t requests, copies; // until then, this event included
  };
  std::vector<event> all{{-1h, 0, 0}};
  duration now{0};
  for (int i = 0; i < 1'500; ++i) {
    // Bursts of requests, then of copies that wait until the last moment.
    now += duration{static_cast<std::int64_t>(random.up_to(2'000'000'000))};
    auto next = event{now, all.back().requests, all.back().copies};
    if (random.up_to(3) == 0) {
      const auto burst = static_cast<int>(random.up_to(30));
      request(budget, at(now), burst);
      next.requests += static_cast<std::uint64_t>(burst);
    } else if (random.up_to(2) == 0) {
      next.copies += take_all(budget, at(now));
    }
    all.push_back(next);
  }
  for (std::size_t from = 1; from < all.size(); ++from) {
    const auto paying = std::ranges::lower_bound(all, all[from].when - window,
                                                 {}, &event::when);
    const auto requests_before = std::prev(paying)->requests;
    for (auto to = from; to < all.size(); ++to) {
      const auto copies = all[to].copies - all[from - 1].copies;
      const auto requests = all[to].requests - requests_before;
      // Whole windows of ten slices, one of them cut, and the first one.
      const auto span = all[to].when - all[from].when;
      const auto windows = static_cast<std::uint64_t>(span / window) + 2;
      ASSERT_LE(copies * 4, requests + windows * reserve * 4);
    }
  }
}

} // namespace
} // namespace coppice::policy
