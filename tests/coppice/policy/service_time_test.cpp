// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/service_time.hpp"

#include "support/seed.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <vector>

namespace coppice::policy {
namespace {

using namespace std::literals;

constexpr time_point at(duration t) {
  return time_point{} + t;
}

// DEADLINE-2: no estimate below a number of samples.
TEST(ServiceTime, HasNoEstimateBeforeThereAreEnoughSamples) {
  service_time_estimator times{{.samples_min = 3}};
  EXPECT_EQ(times.estimate(), std::nullopt);
  times.learn(at(0s), 1ms);
  times.learn(at(0s), 1ms);
  EXPECT_EQ(times.estimate(), std::nullopt);
  EXPECT_EQ(times.mean(), std::nullopt);
  times.learn(at(0s), 1ms);
  EXPECT_TRUE(times.estimate());
  EXPECT_EQ(times.mean(), duration{1ms});
}

// DEADLINE-2: exact where it can be, to tell where the ranks are.
TEST(ServiceTime, EstimatesByNearestRank) {
  service_time_estimator times{{.quantile = 0.9, .samples_min = 1}};
  for (int i = 1; i <= 10; ++i) {
    times.learn(at(0s), duration{i});
    const auto rank = static_cast<int>(std::ceil(0.9 * i));
    EXPECT_EQ(times.estimate(), duration{rank}) << i;
  }
}

// DEADLINE-2: the error bound, against the exact quantile of a window that is
// kept beside it; for lengths over all magnitudes, and windows that turn over.
TEST(ServiceTime, IsNeverTooLowAndLessThanAnEighthTooHigh) {
  test::seeded seeded;
  auto& random = seeded.random;
  for (const auto quantile : {0.5, 0.9, 0.99, 0.999}) {
    service_time_estimator times{{.quantile = quantile, .samples_min = 1}};
    std::vector<std::int64_t> all;
    for (int i = 0; i < 2'000; ++i) {
      const auto magnitude = random.up_to(41);
      all.push_back(
        static_cast<std::int64_t>(random.up_to(std::uint64_t{1} << magnitude)));
      times.learn(at(0s), duration{all.back()});
      const auto rank = static_cast<std::ptrdiff_t>(
        std::ceil(quantile * static_cast<double>(all.size())));
      auto sorted = all;
      std::nth_element(sorted.begin(), sorted.begin() + rank - 1, sorted.end());
      const auto exact = sorted[static_cast<std::size_t>(rank - 1)];
      const auto found = times.estimate().value().count();
      ASSERT_GE(found, exact);
      ASSERT_LE(found - exact, exact / 8) << exact;
    }
  }
}

// DEADLINE-2: it follows the recent past; older samples go in quarters.
TEST(ServiceTime, ForgetsWhatIsOlderThanTheWindow) {
  service_time_estimator times{{.samples_min = 1, .window = 8s}};
  times.learn(at(0s), 100ms);
  times.learn(at(2s), 1ms);
  EXPECT_EQ(times.samples(), 2u);
  times.advance(at(8s - 1ns));
  EXPECT_EQ(times.samples(), 2u);
  times.advance(at(8s));
  EXPECT_EQ(times.samples(), 1u);
  EXPECT_EQ(times.mean(), duration{1ms});
  EXPECT_LT(times.estimate().value(), duration{2ms});
  times.advance(at(10s));
  EXPECT_EQ(times.samples(), 0u);
  EXPECT_EQ(times.estimate(), std::nullopt);
}

// DEADLINE-2: the estimate that is followed step by step is the one that a
// search finds, also while samples go.
TEST(ServiceTime, AgreesWithAFreshOneOfTheSameSamples) {
  test::seeded seeded;
  auto& random = seeded.random;
  const service_time_spec spec{.samples_min = 1, .window = 4s};
  service_time_estimator times{spec};
  times.advance(at(0s));
  std::vector<std::pair<duration, duration>> all; // when, how long
  duration now{0s};
  for (int i = 0; i < 1'500; ++i) {
    now += duration{static_cast<std::int64_t>(random.up_to(20'000'000))};
    const duration service{static_cast<std::int64_t>(
      random.up_to(std::uint64_t{1} << random.up_to(40)))};
    times.learn(at(now), service);
    all.emplace_back(now, service);
    // Slices begin with whole seconds: this one and the three before count.
    const auto oldest = std::chrono::floor<std::chrono::seconds>(now) - 3s;
    service_time_estimator fresh{spec};
    std::erase_if(all, [&](const auto& x) { return x.first < oldest; });
    for (const auto& [when, length] : all)
      fresh.learn(at(0s), length);
    ASSERT_EQ(times.samples(), all.size());
    ASSERT_EQ(times.estimate(), fresh.estimate());
    ASSERT_EQ(times.mean(), fresh.mean());
  }
}

// DEADLINE-2: a window of years would overflow what counts its samples.
TEST(ServiceTime, RemembersNoMoreThanAnHour) {
  service_time_estimator times{{.samples_min = 1, .window = 24h * 365}};
  times.learn(at(0s), 1ms);
  times.advance(at(30min));
  EXPECT_EQ(times.samples(), 1u);
  times.advance(at(2h));
  EXPECT_EQ(times.samples(), 0u);
}

// DEADLINE-2: no input is too odd, and none makes it wrap around.
TEST(ServiceTime, TakesWhateverIsPutIn) {
  service_time_estimator times{{.quantile = std::nan(""), .samples_min = 0}};
  times.learn(time_point::min(), duration::min());
  EXPECT_EQ(times.estimate(), duration{0});
  times.learn(at(0s), duration::max());
  EXPECT_EQ(times.samples(), 1u) << "the first one is 292 years old";
  EXPECT_EQ(times.estimate(), limits::service_time_max);
  EXPECT_EQ(times.mean(), limits::service_time_max);
  times.learn(time_point::max(), 1ms);
  times.learn(time_point::max(), 1ms);
  EXPECT_GE(times.samples(), 1u);
  times.clear();
  EXPECT_EQ(times.estimate(), std::nullopt);
}

} // namespace
} // namespace coppice::policy
