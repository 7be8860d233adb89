// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/time.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <ratio>
#include <string>
#include <vector>

namespace coppice::policy {
namespace {

using namespace std::literals;

using years = std::chrono::duration<std::int64_t, std::ratio<31'556'952>>;
using exact_seconds = std::chrono::duration<double>;

constexpr time_point at(duration t) {
  return time_point{} + t;
}

// BUDGET-1: a step of the wall clock cannot reach the policy layer.
static_assert(time_point::clock::is_steady);

// BUDGET-1: no overflow for huge windows.
TEST(TimePoint, SaturatesInsteadOfWrappingAround_F05) {
  EXPECT_EQ(saturating_add(at(1s), 2s), at(3s));
  EXPECT_EQ(saturating_add(at(1s), -2s), at(-1s));
  EXPECT_EQ(saturating_add(at(1s), duration::max()), time_point::max());
  EXPECT_EQ(saturating_add(at(-1s), duration::min()), time_point::min());
  EXPECT_EQ(saturating_add(at(0s), duration::max()), time_point::max());
  EXPECT_EQ(saturating_add(time_point::max(), 0s), time_point::max());
  EXPECT_EQ(saturating_add(time_point::max(), -1ns), time_point::max() - 1ns);
}

// BUDGET-1, STOP-1: a limit is finite unless infinity is spelled out.
TEST(TimeLimit, IsFiniteUnlessSpelledOut) {
  constexpr time_limit none;
  constexpr time_limit five = 5s;
  constexpr time_limit never = infinity;
  EXPECT_TRUE(none.is_finite());
  EXPECT_EQ(none.span(), 0s);
  EXPECT_TRUE(five.is_finite());
  EXPECT_EQ(five.span(), 5s);
  EXPECT_EQ(five.after(at(1s)), at(6s));
  EXPECT_TRUE(never.is_infinite());
  EXPECT_FALSE(never.is_finite());
  EXPECT_EQ(never.span(), duration::max());
  EXPECT_EQ(never.after(at(-1h)), time_point::max());
  EXPECT_EQ(time_limit{5000ms}, five);
  EXPECT_NE(five, never);
}

// BUDGET-1: the longest duration is a length like any other.
TEST(TimeLimit, TakesTheLongestAndTheShortestDuration_F05) {
  EXPECT_TRUE(time_limit{duration::max()}.is_finite());
  EXPECT_EQ(time_limit{duration::max()}.span(), duration::max());
  EXPECT_TRUE(time_limit{duration::min()}.is_finite());
  EXPECT_EQ(time_limit{duration::min()}.span(), duration::min());
  EXPECT_EQ(time_limit{292 * years{1}}.span(), 292 * years{1});
}

// TOPOLOGY-1: what does not fit is remembered as such, never wrapped around.
TEST(TimeLimit, RemembersAnOverflow) {
  const auto sec = std::chrono::seconds::max();
  const time_limit overflowed[] = {
    years{293},
    -years{293},
    sec,
    std::chrono::seconds::min(),
    std::chrono::hours::max(),
    std::chrono::duration<std::uint64_t, std::nano>{UINT64_MAX},
    exact_seconds{1e300},
    exact_seconds{std::numeric_limits<double>::infinity()},
    exact_seconds{-std::numeric_limits<double>::infinity()},
    exact_seconds{std::nan("")},
    std::chrono::duration<double, std::nano>{0x1p63},
    std::chrono::duration<std::uint64_t, std::nano>{1ull << 63},
  };
  for (const auto& limit : overflowed) {
    EXPECT_TRUE(limit.has_overflowed());
    EXPECT_FALSE(limit.is_finite());
    EXPECT_FALSE(limit.is_infinite());
    EXPECT_EQ(limit.after(at(0s)), time_point::max());
  }
}

// TOPOLOGY-1: the conversion is exact, whatever unit it comes from.
TEST(TimeLimit, ConvertsExactly) {
  // count * 10^9 does not fit, count * 10^9 / 3 does.
  using thirds = std::chrono::duration<std::int64_t, std::ratio<1, 3>>;
  EXPECT_EQ(time_limit{thirds{20'000'000'000}}.span(),
            6'666'666'666'666'666'666ns);
  EXPECT_EQ(time_limit{exact_seconds{0.25}}.span(), 250ms);
  EXPECT_EQ(time_limit{exact_seconds{-1.5}}.span(), -1500ms);
  EXPECT_EQ(time_limit{9'007'199'254'740'993ns}.span(),
            9'007'199'254'740'993ns); // 2^53 + 1
  EXPECT_EQ(time_limit{duration::max() - 1ns}.span(), duration::max() - 1ns);
}

// TOPOLOGY-1: counts of any integral type, with the sign remembered.
TEST(CountLimit, KeepsCountsOfAnyTypeAndTheSign) {
  EXPECT_EQ(count_limit{}.count(), 0u);
  EXPECT_EQ(count_limit{7}.count(), 7u);
  EXPECT_EQ(count_limit{std::uint8_t{255}}.count(), 255u);
  EXPECT_EQ(count_limit{UINT64_MAX}.count(), UINT64_MAX);
  EXPECT_FALSE(count_limit{UINT64_MAX}.is_infinite());
  EXPECT_TRUE(count_limit{infinity}.is_infinite());
  EXPECT_EQ(count_limit{infinity}.count(), UINT64_MAX);
  EXPECT_NE(count_limit{infinity}, count_limit{UINT64_MAX});
  EXPECT_TRUE(count_limit{-1}.is_negative());
  EXPECT_EQ(count_limit{INT64_MIN}.count(), 0u);
  EXPECT_NE(count_limit{-1}, count_limit{0});
}

// TOPOLOGY-1: values in defects are exact and as short as can be.
TEST(TimeText, IsExactInTheLargestUnitThatDivides) {
  struct {
    duration span;
    const char* text;
  } const cases[] = {
    {0s, "0s"},
    {1ns, "1ns"},
    {250ms, "250ms"},
    {1500us, "1500us"},
    {5s, "5s"},
    {60s, "1min"},
    {90min, "90min"},
    {2h, "2h"},
    {-5s, "-5s"},
    {1h + 1ns, "3600000000001ns"},
    {duration::max(), "9223372036854775807ns"},
    {duration::min(), "-9223372036854775808ns"},
  };
  for (const auto& [span, text] : cases)
    EXPECT_EQ(to_string(span), text);
  EXPECT_EQ(to_string(time_limit{250ms}), "250ms");
  EXPECT_EQ(to_string(time_limit{infinity}), "infinity");
  EXPECT_EQ(to_string(time_limit{years{300}}), "a duration beyond 292 years");
  EXPECT_EQ(to_string(count_limit{3}), "3");
  EXPECT_EQ(to_string(count_limit{infinity}), "infinity");
  EXPECT_EQ(to_string(count_limit{-3}), "a negative number");
}

} // namespace
} // namespace coppice::policy
