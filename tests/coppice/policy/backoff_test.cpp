// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/backoff.hpp"

#include "support/seed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace coppice::policy {
namespace {

using namespace std::literals;
using testing::ElementsAre;

/// The first `count` delays without jitter.
std::vector<duration> delays(const backoff_spec& spec, std::uint32_t count) {
  std::vector<duration> out;
  for (std::uint32_t failures = 1; failures <= count; ++failures)
    out.push_back(base_delay(spec, failures));
  return out;
}

backoff_spec from_to(time_limit first, time_limit cap, double factor = 2.0) {
  return {
    .first = first, .cap = cap, .factor = factor, .jitter = jitter_kind::none};
}

// BACKOFF-1: min(cap, first * factor^(n-1)).
TEST(Backoff, DoublesUpToTheCap_M01) {
  EXPECT_THAT(delays(from_to(200ms, 1600ms), 6),
              ElementsAre(200ms, 400ms, 800ms, 1600ms, 1600ms, 1600ms));
}

// BACKOFF-1: the cap need not be a power of the factor.
TEST(Backoff, CutsTheLastStepAtTheCap_M01) {
  EXPECT_THAT(delays(from_to(100ms, 300ms), 4),
              ElementsAre(100ms, 200ms, 300ms, 300ms));
  EXPECT_THAT(delays(from_to(1ns, 8ns, 3.0), 4),
              ElementsAre(1ns, 3ns, 8ns, 8ns));
  EXPECT_THAT(delays(from_to(4ns, 9ns), 3), ElementsAre(4ns, 8ns, 9ns));
  EXPECT_THAT(delays(from_to(7ns, 14ns), 3), ElementsAre(7ns, 14ns, 14ns));
}

// BACKOFF-1: any number gives the cap, nothing overflows.
TEST(Backoff, StaysAtTheCapForEver_M03) {
  const auto year = 24h * 365;
  const struct {
    duration first, cap;
    double factor;
  } cases[] = {
    {100ms, 30s, 2.0}, {1ns, year, 2.0},    {1ns, year, 1000.0},
    {1ns, year, 1.5},  {1s, year, 999.999}, {year, year, 1000.0},
    {1ns, year, 1.1},
  };
  for (const auto& [first, cap, factor] : cases)
    for (const auto failures : {10'000u, 1u << 31, UINT32_MAX})
      EXPECT_EQ(base_delay(from_to(first, cap, factor), failures), cap)
        << to_string(first) << " * " << factor << "^" << failures - 1;
}

// BACKOFF-1: a spec that was not validated gives odd delays, but no overflow
// (under the sanitizer) and nothing outside 0 to cap.
TEST(Backoff, SurvivesSpecsThatWereNotValidated_M03) {
  const auto nan = std::numeric_limits<double>::quiet_NaN();
  const auto inf = std::numeric_limits<double>::infinity();
  const time_limit lengths[] = {-1s, 0s, 1ns, 1s, duration::max(), infinity};
  random_source random{1};
  for (const auto& first : lengths)
    for (const auto& cap : lengths)
      for (const auto factor : {nan, inf, -inf, -2.0, 0.0, 0.5, 1e300})
        for (const auto ratio : {nan, inf, -1.0, 0.5, 1.0, 7.0})
          for (const auto failures : {0u, 1u, 2u, 10'000u}) {
            const backoff_spec spec{.first = first,
                                    .cap = cap,
                                    .factor = factor,
                                    .jitter_ratio = ratio};
            const auto delay = next_delay(spec, failures, random);
            ASSERT_GE(delay, 0s);
            ASSERT_LE(delay, std::max(cap.span(), duration::zero()));
          }
}

// BACKOFF-1: exact in integers beyond the 53 bits of a double.
TEST(Backoff, IsExactForIntegralFactors_M01) {
  const auto year = 24h * 365;
  const duration odd{3'333'333'333'333'333};
  EXPECT_EQ(base_delay(from_to(odd, year, 9.0), 2), 9 * odd);
  EXPECT_EQ(base_delay(from_to(1ns, year, 3.0), 34),
            5'559'060'566'555'523ns); // 3^33
  EXPECT_EQ(base_delay(from_to(1ns, year, 7.0), 20),
            11'398'895'185'373'143ns); // 7^19, above 2^53
  EXPECT_EQ(base_delay(from_to(250ms, year, 1.0), 10'000), 250ms);
}

// BACKOFF-1: other factors are rounded to the nearest nanosecond.
TEST(Backoff, RoundsForOtherFactors_M01) {
  EXPECT_THAT(delays(from_to(100ms, 10s, 1.5), 4),
              ElementsAre(100ms, 150ms, 225ms, 337'500us));
  EXPECT_THAT(delays(from_to(1ns, 10s, 1.5), 5),
              ElementsAre(1ns, 2ns, 2ns, 3ns, 5ns)); // 1 1.5 2.25 3.375 5.06
}

// BACKOFF-1: systemd's "four steps from 100 ms to 10 s" is a factor.
TEST(Backoff, ExpressesGeometricSteps_M13) {
  const auto spec = from_to(100ms, 10s, std::pow(10s / 100ms, 1.0 / 4));
  const auto found = delays(spec, 7);
  EXPECT_EQ(found[0], 100ms);
  EXPECT_EQ(found[1], 316'227'766ns);
  EXPECT_EQ(found[2], 1s);
  EXPECT_EQ(found[3], 3'162'277'660ns);
  EXPECT_EQ(found[4], 10s);
  EXPECT_EQ(found[5], 10s);
  EXPECT_EQ(found[6], 10s);
}

// BACKOFF-1: 0 makes retries immediate, and stays 0 for ever.
TEST(Backoff, IsImmediateAtZero) {
  for (const auto failures : {1u, 2u, 10'000u, UINT32_MAX}) {
    EXPECT_EQ(base_delay(from_to(0s, 30s), failures), 0s);
    EXPECT_EQ(base_delay(from_to(0s, 30s, 1.5), failures), 0s);
    EXPECT_EQ(base_delay(from_to(0s, 0s), failures), 0s);
  }
}

// BACKOFF-1: never decreasing, never above the cap, at random.
TEST(Backoff, NeverShrinks_M01_M03) {
  test::seeded seeded;
  auto& random = seeded.random;
  for (int round = 0; round < 2'000; ++round) {
    const duration cap{1LL << random.up_to(54)};
    const duration first{static_cast<std::int64_t>(
      random.up_to(static_cast<std::uint64_t>(cap.count())))};
    const auto milli = static_cast<double>(random.up_to(4'000));
    const auto spec = from_to(first, cap, 1.0 + milli / 1000.0);
    auto last = duration::zero();
    for (std::uint32_t failures = 1; failures < 60; ++failures) {
      const auto next = base_delay(spec, failures);
      ASSERT_GE(next, last) << to_string(first) << " " << spec.factor;
      ASSERT_LE(next, cap);
      last = next;
    }
  }
}

/// What a kind of jitter makes of a delay of 1 s, by 1'000 seeds.
struct bounds {
  duration least, most;
};

bounds bounds_of(const backoff_spec& spec, std::uint32_t failures) {
  bounds out{duration::max(), duration::min()};
  for (std::uint64_t seed = 0; seed < 1'000; ++seed) {
    random_source random{seed};
    const auto delay = next_delay(spec, failures, random);
    out = {std::min(out.least, delay), std::max(out.most, delay)};
  }
  return out;
}

// BACKOFF-1: each kind stays in its bounds, and fills them.
TEST(BackoffJitter, FillsItsBounds_M02) {
  const struct {
    jitter_kind kind;
    duration least, most;
  } cases[] = {
    {jitter_kind::none, 1s, 1s},
    {jitter_kind::full, 0s, 1s},
    {jitter_kind::equal, 500ms, 1s},
    {jitter_kind::proportional, 1s, 1200ms},
  };
  for (const auto& [kind, least, most] : cases) {
    SCOPED_TRACE(to_string(kind));
    const backoff_spec spec{.first = 500ms, .cap = 1min, .jitter = kind};
    const auto found = bounds_of(spec, 2);
    EXPECT_GE(found.least, least);
    EXPECT_LE(found.most, most);
    const auto slack = (most - least) / 100;
    EXPECT_LE(found.least, least + slack);
    EXPECT_GE(found.most, most - slack);
  }
}

// BACKOFF-1: the cap is hard, jitter included.
TEST(BackoffJitter, NeverExceedsTheCap_M02) {
  for (const auto kind : {jitter_kind::none, jitter_kind::full,
                          jitter_kind::equal, jitter_kind::proportional})
    for (const auto cap : {1ns, 3ns, duration{1100ms}, duration{24h * 365}}) {
      const backoff_spec spec{.first = std::min<duration>(1s, cap),
                              .cap = cap,
                              .jitter = kind,
                              .jitter_ratio = 1.0};
      EXPECT_LE(bounds_of(spec, 1).most, cap) << to_string(kind);
      EXPECT_LE(bounds_of(spec, 10'000).most, cap) << to_string(kind);
    }
}

// BACKOFF-1: a ratio of 1 doubles at most, to the nanosecond.
TEST(BackoffJitter, HasAnExactRatio_M02) {
  for (const auto& [base, ratio, most] : {std::tuple{1ns, 1.0, 2ns},
                                          {1ns, 0.999, 1ns},
                                          {10ns, 0.25, 12ns},
                                          {3ns, 0.0, 3ns}}) {
    const backoff_spec spec{.first = base, .cap = 1h, .jitter_ratio = ratio};
    const auto found = bounds_of(spec, 1);
    EXPECT_EQ(found.least, base);
    EXPECT_EQ(found.most, most);
  }
}

// BACKOFF-1: same seed, same delays; another seed, others.
TEST(BackoffJitter, IsRepeatedBySeed_M02) {
  const auto ten_delays = [](std::uint64_t seed) {
    random_source random{seed};
    std::vector<duration> out;
    for (std::uint32_t failures = 1; failures <= 10; ++failures)
      out.push_back(next_delay({}, failures, random));
    return out;
  };
  test::seeded seeded;
  EXPECT_EQ(ten_delays(seeded.seed), ten_delays(seeded.seed));
  EXPECT_NE(ten_delays(seeded.seed), ten_delays(seeded.seed + 1));
}

// BACKOFF-1: one number per delay, whatever the delay; none without jitter.
TEST(BackoffJitter, DrawsOneNumberPerDelay) {
  for (const auto kind : {jitter_kind::none, jitter_kind::full,
                          jitter_kind::equal, jitter_kind::proportional})
    for (const time_limit first : {time_limit{0s}, time_limit{1s}}) {
      random_source used{7};
      random_source untouched{7};
      (void) next_delay({.first = first, .jitter = kind}, 1, used);
      if (kind != jitter_kind::none)
        (void) untouched.next();
      EXPECT_EQ(used.next(), untouched.next()) << to_string(kind);
    }
}

// BACKOFF-1: the same numbers on every platform (known answers of SplitMix64).
TEST(RandomSource, GivesTheKnownNumbers_M02) {
  random_source random{1234567};
  EXPECT_EQ(random.next(), 6457827717110365317u);
  EXPECT_EQ(random.next(), 3203168211198807973u);
  EXPECT_EQ(random.next(), 9817491932198370423u);
  EXPECT_EQ(random.next(), 4593380528125082431u);
  EXPECT_EQ(random.next(), 16408922859458223821u);
}

// BACKOFF-1: jitter is uniform, the ends of its range included.
TEST(RandomSource, IsUniformUpToItsBound_M02) {
  test::seeded seeded;
  std::vector<int> hits(6);
  for (int i = 0; i < 60'000; ++i)
    ++hits.at(seeded.random.up_to(5));
  for (const auto count : hits)
    EXPECT_NEAR(count, 10'000, 600); // 6.5 standard deviations
  EXPECT_EQ(seeded.random.up_to(0), 0u);
  EXPECT_NO_FATAL_FAILURE((void) seeded.random.up_to(UINT64_MAX));
}

} // namespace
} // namespace coppice::policy
