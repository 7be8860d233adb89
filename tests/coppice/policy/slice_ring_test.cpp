// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/slice_ring.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <optional>

namespace coppice::policy {
namespace {

using namespace std::literals;

constexpr time_point at(duration t) {
  return time_point{} + t;
}

// REPLICATE-3, DEADLINE-2: the edges of slices, to the nanosecond.
TEST(SliceRing, SaysHowManySlicesHaveBegun) {
  slice_ring ring{4s, 4};
  EXPECT_EQ(ring.advance(at(100s)), 0u);
  EXPECT_EQ(ring.advance(at(101s - 1ns)), 0u);
  EXPECT_EQ(ring.advance(at(101s)), 1u);
  EXPECT_EQ(ring.advance(at(103s + 1ns)), 2u);
  EXPECT_EQ(ring.slice(), 3u);
  EXPECT_EQ(ring.slice(3), 0u);
  EXPECT_EQ(ring.advance(at(104s)), 1u);
  EXPECT_EQ(ring.slice(), 0u);
}

// REPLICATE-3, DEADLINE-2
TEST(SliceRing, NeverMovesBack) {
  slice_ring ring{4s, 4};
  EXPECT_EQ(ring.advance(at(5s)), 0u);
  EXPECT_EQ(ring.advance(at(0s)), 0u);
  EXPECT_EQ(ring.advance(at(6s - 1ns)), 0u);
  EXPECT_EQ(ring.advance(at(6s)), 1u);
}

// REPLICATE-3, DEADLINE-2: a pause of a window begins the slices anew.
TEST(SliceRing, BeginsAnewAfterAWholeWindow) {
  slice_ring ring{4s, 4};
  EXPECT_EQ(ring.advance(at(0s)), 0u);
  EXPECT_EQ(ring.advance(at(4s + 500ms)), 4u);
  EXPECT_EQ(ring.advance(at(5s)), 0u) << "half a second of it";
  EXPECT_EQ(ring.advance(at(5s + 500ms)), 1u);
}

// REPLICATE-3: which slice a copy is given back to.
TEST(SliceRing, FindsTheSliceOfATimeWithinTheWindow) {
  slice_ring ring{4s, 4};
  EXPECT_EQ(ring.slice_at(at(0s)), std::nullopt);
  EXPECT_EQ(ring.advance(at(10s)), 0u);
  EXPECT_EQ(ring.advance(at(12s)), 2u);
  EXPECT_EQ(ring.slice_at(at(12s)), 2u);
  EXPECT_EQ(ring.slice_at(at(12s - 1ns)), 1u);
  EXPECT_EQ(ring.slice_at(at(10s)), 0u);
  EXPECT_EQ(ring.slice_at(at(9s)), 3u);
  EXPECT_EQ(ring.slice_at(at(9s - 1ns)), std::nullopt);
  EXPECT_EQ(ring.slice_at(at(13s - 1ns)), 2u);
  EXPECT_EQ(ring.slice_at(at(13s)), std::nullopt);
  EXPECT_EQ(ring.slice_at(time_point::min()), std::nullopt);
}

// REPLICATE-3, DEADLINE-2: no time makes it wrap around, or never return.
TEST(SliceRing, EndsWithTime) {
  slice_ring ring{duration{1}, 10};
  EXPECT_EQ(ring.advance(time_point::min()), 0u);
  EXPECT_EQ(ring.advance(at(0s)), 10u);
  EXPECT_EQ(ring.advance(at(1ns)), 1u) << "a slice is a nanosecond at least";
  EXPECT_EQ(ring.advance(time_point::max()), 10u);
  EXPECT_EQ(ring.advance(time_point::max()), 0u);
}

} // namespace
} // namespace coppice::policy
