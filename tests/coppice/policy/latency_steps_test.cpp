// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/latency_steps.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>

namespace coppice::policy {
namespace {

template <class Steps>
class LatencySteps : public testing::Test {};

template <unsigned PerOctave>
struct sized : latency_steps<PerOctave> {
  static constexpr std::int64_t per_octave = PerOctave;
};

using sizes = testing::Types<sized<8>, sized<16>>;
TYPED_TEST_SUITE(LatencySteps, sizes);

// REPLICATE-2, DEADLINE-2: each length is in one step, none is left out, and
// a step is narrow: all by its two ends.
TYPED_TEST(LatencySteps, FollowEachOtherWithoutGaps) {
  std::int64_t first = 0;
  for (std::size_t i = 0; i < TypeParam::count; ++i) {
    const auto last = TypeParam::last_of(i).count();
    ASSERT_LE(first, last);
    ASSERT_EQ(TypeParam::of(static_cast<std::uint64_t>(first)), i);
    ASSERT_EQ(TypeParam::of(static_cast<std::uint64_t>(last)), i);
    ASSERT_TRUE(first == last || (last - first) * TypeParam::per_octave < first)
      << first;
    first = last + 1;
  }
  EXPECT_EQ(first - 1, TypeParam::longest.count());
}

// REPLICATE-2, DEADLINE-2
TYPED_TEST(LatencySteps, ClampWhatIsPutIn) {
  EXPECT_EQ(TypeParam::clamp(duration::min()), 0u);
  EXPECT_EQ(TypeParam::clamp(duration{17}), 17u);
  EXPECT_EQ(TypeParam::of(TypeParam::clamp(duration::max())),
            TypeParam::count - 1);
}

} // namespace
} // namespace coppice::policy
