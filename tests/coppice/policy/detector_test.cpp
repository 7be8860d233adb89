// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/detector.hpp"

#include "support/seed.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace coppice::policy {
namespace {

using namespace std::literals;

constexpr double per_ms = 1e6; // nanoseconds

// -- fixed timeout -----------------------------------------------------------

// HEARTBEAT-4: suspicion is a number; 1 is the verdict, 2/3 the warning.
TEST(FixedSuspicion, IsTheShareOfTheTimeout) {
  EXPECT_EQ(fixed_suspicion(0s, 30s), 0.0);
  EXPECT_EQ(fixed_suspicion(15s, 30s), 0.5);
  EXPECT_EQ(fixed_suspicion(20s, 30s), 2.0 / 3.0);
  EXPECT_LT(fixed_suspicion(20s - 1ns, 30s), 2.0 / 3.0);
  EXPECT_EQ(fixed_suspicion(30s, 30s), 1.0);
  EXPECT_EQ(fixed_suspicion(60s, 30s), 2.0);
}

// HEARTBEAT-4, HEARTBEAT-7: the verdict comes at the timeout, not before,
// also where a double cannot tell one nanosecond from the next.
TEST(FixedSuspicion, ReachesTheVerdictToTheNanosecond) {
  for (const duration timeout :
       {duration{1}, duration{30s}, duration{24h * 1000}, duration::max()}) {
    EXPECT_LT(fixed_suspicion(timeout - 1ns, timeout), 1.0);
    EXPECT_GE(fixed_suspicion(timeout, timeout), 1.0);
  }
}

// HEARTBEAT-3: an idle worker is healthy; nobody is judged by infinity.
TEST(FixedSuspicion, IsZeroForAnInfiniteTimeout) {
  EXPECT_EQ(fixed_suspicion(24h * 365 * 100, infinity), 0.0);
  EXPECT_EQ(fixed_suspicion(-1s, 30s), 0.0);
  EXPECT_EQ(fixed_suspicion(0s, 0s), 0.0);
  EXPECT_GE(fixed_suspicion(1ns, 0s), 1.0);
  EXPECT_TRUE(std::isfinite(fixed_suspicion(duration::max(), 0s)));
}

// -- phi: the formula --------------------------------------------------------

// HEARTBEAT-4: the published values.
TEST(Phi, HasThePublishedValues_P13) {
  const struct {
    duration age;
    double expected;
  } cases[] = {
    {500ms, 0.0},  {500ms, 0.1},   {1000ms, 0.3},  {1200ms, 1.6},
    {1400ms, 4.7}, {1600ms, 10.8}, {1700ms, 15.3},
  };
  for (const auto& [age, expected] : cases)
    EXPECT_NEAR(phi(age, 1000 * per_ms, 100 * per_ms), expected, 0.1)
      << to_string(age);
}

// HEARTBEAT-4: monotone in time, in 0 to 300, for any mean and deviation.
TEST(Phi, GrowsWithTheAge_P13) {
  test::seeded seeded;
  auto& random = seeded.random;
  for (int round = 0; round < 2'000; ++round) {
    const auto mean = std::ldexp(1.0, static_cast<int>(random.up_to(63)));
    const auto deviation = std::ldexp(1.0, static_cast<int>(random.up_to(63)));
    auto last = 0.0;
    for (std::int64_t age = 1; age > 0 && age < INT64_MAX / 3;
         age += age / 3 + 1) {
      const auto next = phi(duration{age}, mean, deviation);
      ASSERT_GE(next, last) << mean << " " << deviation << " " << age;
      ASSERT_LE(next, 300.0);
      last = next;
    }
  }
}

// HEARTBEAT-4: no NaN, and nothing outside 0 to 300, whatever is put in.
TEST(Phi, IsANumberForWhateverIsPutIn_P13) {
  const auto inf = std::numeric_limits<double>::infinity();
  const auto nan = std::numeric_limits<double>::quiet_NaN();
  const double numbers[] = {-inf, -1e308, -1.0,  -0.0, 0.0, 5e-324,
                            1.0,  1e9,    1e308, inf,  nan};
  for (const auto age : {duration::min(), duration{-1}, duration{0},
                         duration{1}, duration{1s}, duration::max()})
    for (const auto mean : numbers)
      for (const auto deviation : numbers) {
        const auto found = phi(age, mean, deviation);
        ASSERT_GE(found, 0.0) << mean << " " << deviation;
        ASSERT_LE(found, 300.0) << mean << " " << deviation;
      }
  EXPECT_EQ(phi(duration::max(), 0.0, 0.0), 300.0);
  EXPECT_EQ(phi(0s, nan, 1.0), 0.0);
}

// -- phi: the detector -------------------------------------------------------

// HEARTBEAT-4: after one beat, and before any interval, the estimate decides.
TEST(PhiDetector, BeginsWithItsEstimate_P14) {
  const phi_detector detector{{.first_estimate = 1s}};
  EXPECT_EQ(detector.mean_nanoseconds(), 1e9);
  EXPECT_EQ(detector.variance(), 0.0);
  EXPECT_NEAR(detector.phi(1s), 0.3, 0.2);
  EXPECT_NEAR(detector.phi(2s), 4.5, 0.2);
  EXPECT_GT(detector.phi(3s), 15.0);
}

// HEARTBEAT-4: the estimate scales.
TEST(PhiDetector, ScalesItsEstimate_P14) {
  const phi_detector detector{{.deviation_min = 1us, .first_estimate = 10ms}};
  EXPECT_NEAR(detector.phi(10ms), 0.3, 0.2);
  EXPECT_NEAR(detector.phi(20ms), 4.5, 0.2);
  EXPECT_GT(detector.phi(30ms), 15.0);
}

phi_detector after(const phi_spec& spec,
                   const std::vector<duration>& intervals) {
  phi_detector detector{spec};
  for (const auto interval : intervals)
    detector.learn(interval);
  return detector;
}

// HEARTBEAT-4: mean and population variance of what was seen, nothing else.
TEST(PhiDetector, KnowsMeanAndVariance_P15) {
  const auto found = after({}, {100ms, 200ms, 125ms, 340ms, 130ms});
  EXPECT_DOUBLE_EQ(found.mean_nanoseconds(), 179 * per_ms);
  EXPECT_DOUBLE_EQ(found.variance(), 7584 * per_ms * per_ms);
  const auto in_nanoseconds = after({}, {100ns, 200ns, 125ns, 340ns, 130ns});
  EXPECT_DOUBLE_EQ(in_nanoseconds.mean_nanoseconds(), 179);
  EXPECT_DOUBLE_EQ(in_nanoseconds.variance(), 7584);
}

// HEARTBEAT-4: the window keeps only the last ones.
TEST(PhiDetector, RemembersTheLastIntervals_P15) {
  const auto found = after({.samples_max = 3},
                           {9h, 100ms, 100ms, 200ms, 125ms, 1s, 340ms, 130ms,
                            100ms, 200ms, 300ms});
  EXPECT_DOUBLE_EQ(found.mean_nanoseconds(), 200 * per_ms);
  EXPECT_NEAR(found.variance(), 20000.0 / 3 * per_ms * per_ms, 1.0);
}

// HEARTBEAT-4: an outage is recognised, so that it need not be learned.
TEST(PhiDetector, LeavesOutAnOutage_P15) {
  auto detector = after({}, {1s, 1s, 1s, 1s, 1s, 1s});
  for (const auto interval : {duration{1s}, duration{3h}, duration{1s}})
    if (!detector.suspects(interval))
      detector.learn(interval);
  EXPECT_EQ(detector.mean_nanoseconds(), 1e9);
  EXPECT_EQ(detector.variance(), 0.0);
}

// HEARTBEAT-4: suspicion that has reached the threshold is the verdict.
TEST(PhiDetector, SuspectsAtItsThreshold) {
  const auto detector = after({.threshold = 4.7},
                              std::vector(10, duration{1s}));
  EXPECT_FALSE(detector.suspects(1390ms)); // y = 3.9: phi = 4.52
  EXPECT_TRUE(detector.suspects(1400ms));  // y = 4.0: phi = 4.74
}

// HEARTBEAT-4, HEARTBEAT-7: quick beats right after ready do not make the
// detector nervous; five intervals are enough to be believed.
TEST(PhiDetector, DoesNotTrustTheFirstFewIntervals_P14_P15) {
  const auto nervous = after({}, std::vector(4, duration{1ms}));
  EXPECT_LE(nervous.phi(1s), phi_detector{{}}.phi(1s));
  EXPECT_FALSE(nervous.suspects(2s));
  const auto sure = after({}, std::vector(5, duration{1ms}));
  EXPECT_FALSE(sure.suspects(500ms));
  EXPECT_TRUE(sure.suspects(600ms));
  const auto short_memory = after({.samples_max = 2}, {1ms, 1ms});
  EXPECT_TRUE(short_memory.suspects(600ms));
}

// HEARTBEAT-4: a pause that is no reason to worry moves the whole curve.
TEST(PhiDetector, GrantsTheAcceptablePause) {
  const std::vector<duration> beats(10, 1s);
  const auto strict = after({}, beats);
  const auto patient = after({.acceptable_pause = 3s}, beats);
  EXPECT_TRUE(strict.suspects(2s));
  EXPECT_FALSE(patient.suspects(4s));
  EXPECT_DOUBLE_EQ(patient.phi(4400ms), strict.phi(1400ms));
}

// HEARTBEAT-4: clockwork beats leave the floor of the deviation in force.
TEST(PhiDetector, KeepsTheFloorOfTheDeviation_P13) {
  const auto detector = after({.deviation_min = 100ms},
                              std::vector(10, duration{1s}));
  EXPECT_EQ(detector.variance(), 0.0);
  EXPECT_NEAR(detector.phi(1400ms), 4.7, 0.1);
}

// HEARTBEAT-4: the variance is never negative, NaN, or spoilt by a large
// interval that has long left the window.
TEST(PhiDetector, ForgetsALargeIntervalWithoutATrace_P15) {
  auto detector = after({.samples_max = 10}, {24h * 365 * 200});
  EXPECT_TRUE(std::isfinite(detector.variance()));
  for (int i = 0; i < 10; ++i)
    detector.learn(1ms);
  EXPECT_EQ(detector.mean_nanoseconds(), per_ms);
  EXPECT_EQ(detector.variance(), 0.0);
}

// HEARTBEAT-4: the largest window, full of the largest intervals.
TEST(PhiDetector, HoldsTheLargestIntervals_P15) {
  phi_detector detector{{.samples_max = 10'000}};
  const duration year = 24h * 365;
  for (int i = 0; i < 20'000; ++i)
    detector.learn(i % 2 == 0 ? duration::max() : duration::min());
  const auto half = static_cast<double>(year.count()) / 2;
  EXPECT_DOUBLE_EQ(detector.mean_nanoseconds(), half);
  EXPECT_DOUBLE_EQ(detector.variance(), half * half);
  EXPECT_TRUE(std::isfinite(detector.phi(duration::max())));
}

// HEARTBEAT-4: specs that were not validated give odd numbers, never NaN.
TEST(PhiDetector, SurvivesSpecsThatWereNotValidated_P13) {
  const time_limit lengths[] = {-1s, 0s, 1s, duration::max(), infinity};
  for (const auto samples : {0u, 1u, UINT32_MAX})
    for (const auto& length : lengths) {
      auto detector = after({.samples_max = samples,
                             .deviation_min = length,
                             .acceptable_pause = length,
                             .first_estimate = length},
                            {1s, 2s, -5s});
      const auto found = detector.phi(4s);
      EXPECT_GE(found, 0.0);
      EXPECT_LE(found, 300.0);
    }
}

// HEARTBEAT-4: as the two-pass definition says, at random, for ever.
TEST(PhiDetector, AgreesWithTheDefinition_P15) {
  test::seeded seeded;
  auto& random = seeded.random;
  for (int round = 0; round < 100; ++round) {
    const auto keep = static_cast<std::uint32_t>(2 + random.up_to(30));
    phi_detector detector{{.samples_max = keep}};
    std::vector<long double> all;
    for (int step = 0; step < 200; ++step) {
      const auto bits = random.up_to(50);
      const auto interval
        = static_cast<std::int64_t>(random.up_to(std::uint64_t{1} << bits));
      detector.learn(duration{interval});
      all.push_back(static_cast<long double>(interval));
      const auto from = all.size() > keep ? all.size() - keep : 0;
      const auto n = static_cast<long double>(all.size() - from);
      long double mean = 0;
      for (auto i = from; i < all.size(); ++i)
        mean += all[i] / n;
      long double variance = 0;
      for (auto i = from; i < all.size(); ++i)
        variance += (all[i] - mean) * (all[i] - mean) / n;
      const auto near = [](double found, long double truth) {
        return std::abs(found - truth) <= 1e-9L * truth + 1e-6L;
      };
      ASSERT_TRUE(near(detector.mean_nanoseconds(), mean));
      ASSERT_TRUE(near(detector.variance(), variance));
      ASSERT_GE(detector.variance(), 0.0);
    }
  }
}

} // namespace
} // namespace coppice::policy
