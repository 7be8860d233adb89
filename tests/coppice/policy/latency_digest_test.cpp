// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/latency_digest.hpp"

#include "coppice/policy/latency_steps.hpp"

#include "support/seed.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <tuple>
#include <vector>

namespace coppice::policy {
namespace {

using namespace std::literals;

constexpr time_point at(duration t) {
  return time_point{} + t;
}

constexpr double shares[] = {0.0, 0.1, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0};

struct sample {
  duration when;
  duration length;
  bool is_censored;
};

void learn(latency_digest& digest, const sample& x) {
  if (x.is_censored)
    digest.learn_censored(at(x.when), x.length);
  else
    digest.learn(at(x.when), x.length);
}

/// Kaplan and Meier by definition, one sample after the other.
std::optional<duration> exact_quantile(std::vector<sample> all, double share) {
  std::ranges::sort(all, {}, [](const sample& x) {
    return std::tuple{x.length, x.is_censored};
  });
  long double longer = 1;
  auto at_risk = all.size();
  for (const auto& x : all) {
    if (!x.is_censored) {
      longer *= static_cast<long double>(at_risk - 1)
                / static_cast<long double>(at_risk);
      if (longer <= 1.0L - static_cast<long double>(share) + 1e-12L)
        return x.length;
    }
    --at_risk;
  }
  return std::nullopt;
}

std::vector<sample> rounded_up(std::vector<sample> all) {
  using steps = latency_steps<16>;
  for (auto& x : all)
    x.length = steps::last_of(steps::of(steps::clamp(x.length)));
  return all;
}

/// Of any magnitude up to an hour.
duration random_length(random_source& random) {
  const auto bound = std::uint64_t{1} << random.up_to(41);
  return duration{static_cast<std::int64_t>(random.up_to(bound))};
}

void expect_exact(const latency_digest& digest,
                  const std::vector<sample>& seen) {
  const auto rounded = rounded_up(seen);
  for (const auto share : shares) {
    const auto found = digest.quantile(share);
    ASSERT_EQ(found, exact_quantile(rounded, share)) << share;
    if (found) {
      ASSERT_GE(*found, exact_quantile(seen, share).value()) << share;
    }
  }
}

// REPLICATE-2
TEST(LatencyDigest, KnowsNothingWithoutSamples) {
  latency_digest digest{10s};
  for (const auto share : shares)
    EXPECT_EQ(digest.quantile(share), std::nullopt);
  digest.learn_censored(at(0s), 1ms);
  EXPECT_EQ(digest.quantile(0.0), std::nullopt) << "no answer yet";
  EXPECT_EQ(digest.samples(), 0u);
  EXPECT_EQ(digest.censored(), 1u);
}

// REPLICATE-4: a worked example. 1 and 3 ns are answers: of four, a quarter
// ends at 1; of the two that got beyond 2, half ends at 3.
TEST(LatencyDigest, TakesCutShortSamplesForLongerOnes) {
  latency_digest digest{10s};
  digest.learn(at(0s), 1ns);
  digest.learn_censored(at(0s), 2ns);
  digest.learn(at(0s), 3ns);
  digest.learn_censored(at(0s), 9ns);
  EXPECT_EQ(digest.quantile(0.25), duration{1ns});
  EXPECT_EQ(digest.quantile(0.26), duration{3ns});
  EXPECT_EQ(digest.quantile(0.625), duration{3ns});
  EXPECT_EQ(digest.quantile(0.63), std::nullopt) << "nobody waited for it";
  EXPECT_EQ(digest.samples(), 2u);
  EXPECT_EQ(digest.censored(), 2u);
}

// REPLICATE-4: of the same length, the answer comes first.
TEST(LatencyDigest, PutsAnswersBeforeCutShortSamplesOfTheSameLength) {
  latency_digest digest{10s};
  digest.learn_censored(at(0s), 5ns);
  digest.learn(at(0s), 5ns);
  EXPECT_EQ(digest.quantile(0.5), duration{5ns});
  EXPECT_EQ(digest.quantile(0.51), std::nullopt);
}

// REPLICATE-2: the error bound without cut short samples, against the nearest
// rank of a sorted list, for lengths of all magnitudes.
TEST(LatencyDigest, IsTheNearestRankWithinASixteenth) {
  test::seeded seeded;
  latency_digest digest{4s};
  std::vector<duration> all;
  digest.advance(at(0s));
  for (int i = 1; i <= 3'000; ++i) {
    const auto length = random_length(seeded.random);
    digest.learn(at(0s), length);
    all.insert(std::ranges::upper_bound(all, length), length);
    if (i == 3'000)
      digest.advance(at(1s)); // nothing is left to be seen
    else if (i > 64)
      continue;
    for (const std::size_t thousandths : {1u, 100u, 500u, 900u, 950u, 999u}) {
      const auto rank = (thousandths * all.size() + 999) / 1'000;
      const auto exact = all[rank - 1];
      const auto share = static_cast<double>(thousandths) / 1'000.0;
      const auto found = digest.quantile(share).value();
      ASSERT_GE(found, exact) << share << " of " << i;
      ASSERT_LE((found - exact) * 16, exact) << share << " of " << i;
    }
  }
}

// REPLICATE-4: exactly Kaplan and Meier's estimate of the samples rounded up
// to the ends of their steps; never below that of the samples themselves.
// From no cut short samples at all to hardly anything else.
TEST(LatencyDigest, IsExactForRoundedSamples) {
  test::seeded seeded;
  auto& random = seeded.random;
  for (std::uint64_t cut_of_ten = 0; cut_of_ten <= 10; ++cut_of_ten)
    for (int run = 0; run < 2; ++run) {
      latency_digest digest{10s};
      std::vector<sample> all;
      const auto narrow = random.up_to(1) == 0;
      for (int i = 0; i < 64; ++i) {
        const auto length
          = narrow
              ? duration{1'000'000
                         + static_cast<std::int64_t>(random.up_to(1'000'000))}
              : random_length(random);
        all.push_back({0s, length, random.up_to(9) < cut_of_ten});
        learn(digest, all.back());
        ASSERT_NO_FATAL_FAILURE(expect_exact(digest, all));
      }
    }
}

// REPLICATE-2: with many samples the estimate lags, as documented; and what is
// forgotten with a quarter of the window is forgotten at once.
TEST(LatencyDigest, LagsByASixtyFourthAndForgetsByQuarters) {
  test::seeded seeded;
  auto& random = seeded.random;
  latency_digest digest{4s};
  std::vector<sample> all;
  std::vector<sample> seen;
  duration now{0};
  for (int i = 0; i < 8'000; ++i) {
    const auto second = std::chrono::floor<std::chrono::seconds>(now);
    now += duration{static_cast<std::int64_t>(random.up_to(2'000'000))};
    if (std::chrono::floor<std::chrono::seconds>(now) != second) {
      const auto oldest = std::chrono::floor<std::chrono::seconds>(now) - 3s;
      std::erase_if(all, [=](const sample& x) { return x.when < oldest; });
      seen = all;
    }
    all.push_back({now, random_length(random), random.up_to(3) == 0});
    if (i == 0)
      digest.advance(at(0s));
    learn(digest, all.back());
    const auto unseen = all.size() - seen.size();
    if (unseen * 64 >= all.size())
      seen = all;
    ASSERT_EQ(digest.samples() + digest.censored(), all.size());
    if (random.up_to(499) == 0) {
      ASSERT_NO_FATAL_FAILURE(expect_exact(digest, seen)) << i;
    }
  }
}

// REPLICATE-2: the window, to the nanosecond; times that go back are now.
TEST(LatencyDigest, ForgetsWhatIsOlderThanTheWindow) {
  latency_digest digest{8s};
  digest.learn(at(0s), 100ms);
  digest.learn_censored(at(2s), 1ms);
  digest.learn(at(1s), 1ms);
  digest.advance(at(8s - 1ns));
  EXPECT_EQ(digest.samples(), 2u);
  digest.advance(at(8s));
  EXPECT_EQ(digest.samples(), 1u);
  EXPECT_LT(digest.quantile(0.5).value(), duration{2ms});
  digest.advance(at(10s));
  EXPECT_EQ(digest.samples(), 0u);
  EXPECT_EQ(digest.censored(), 0u);
  EXPECT_EQ(digest.quantile(0.5), std::nullopt);
}

// REPLICATE-2: no input is too odd, and none makes it wrap around.
TEST(LatencyDigest, TakesWhateverIsPutIn) {
  for (const auto window : {duration::min(), duration{0}, duration::max()}) {
    latency_digest digest{window};
    digest.learn(time_point::min(), duration::min());
    EXPECT_EQ(digest.quantile(1.0), duration{0});
    digest.learn(at(0s), duration::max());
    EXPECT_EQ(digest.samples(), 1u) << "the first one is 292 years old";
    EXPECT_EQ(digest.quantile(0.5), latency_steps<16>::longest);
    digest.learn_censored(time_point::max(), duration::max());
    digest.learn(time_point::max(), 1ns);
    EXPECT_EQ(digest.quantile(-1.0), duration{1ns});
    EXPECT_EQ(digest.quantile(2.0), std::nullopt);
    EXPECT_EQ(digest.quantile(std::nan("")), std::nullopt);
  }
}

/// What a client learns that asks a second server after a delay, and cancels
/// the slower one. A tenth of the answers takes 80 to 120 ms, the others 5 to
/// 15: the p95 is 100 ms.
class hedging_client {
public:
  explicit hedging_client(random_source& random) : random_(random) {}

  void ask(duration delay) {
    const auto first = latency();
    if (first <= delay) {
      answered_.push_back(first);
      return;
    }
    const auto second = latency();
    if (first <= delay + second)
      settle(first, first - delay);
    else
      settle(second, delay + second);
  }

  [[nodiscard]] const std::vector<duration>& answered() const {
    return answered_;
  }
  [[nodiscard]] const std::vector<duration>& cancelled() const {
    return cancelled_;
  }

private:
  duration latency() {
    const auto microseconds = random_.up_to(9) == 0
                                ? 80'000 + random_.up_to(40'000)
                                : 5'000 + random_.up_to(10'000);
    return std::chrono::microseconds{microseconds};
  }

  void settle(duration winner, duration loser) {
    answered_.push_back(winner);
    cancelled_.push_back(loser);
  }

  random_source& random_;
  std::vector<duration> answered_;
  std::vector<duration> cancelled_;
};

// REPLICATE-4: hedging hides the tail from those who count answers only. Ten
// standard errors of the estimate fit between the bounds and the truth.
TEST(LatencyDigest, SeesTheTailThatHedgingCutsOff) {
  test::seeded seeded;
  hedging_client client{seeded.random};
  for (int i = 0; i < 40'000; ++i)
    client.ask(20ms);
  latency_digest honest{1h};
  latency_digest answers_only{1h};
  latency_digest all_as_answers{1h};
  for (const auto x : client.answered())
    for (auto* digest : {&honest, &answers_only, &all_as_answers})
      digest->learn(at(0s), x);
  for (const auto x : client.cancelled()) {
    honest.learn_censored(at(0s), x);
    all_as_answers.learn(at(0s), x);
  }
  for (auto* digest : {&honest, &answers_only, &all_as_answers})
    digest->advance(at(15min)); // nothing is left to be seen
  const auto p95 = honest.quantile(0.95).value();
  EXPECT_GT(p95, duration{88ms});
  EXPECT_LT(p95, duration{118ms});
  EXPECT_LT(answers_only.quantile(0.95).value(), duration{20ms});
  EXPECT_LT(all_as_answers.quantile(0.95).value(), duration{40ms});
}

} // namespace
} // namespace coppice::policy
