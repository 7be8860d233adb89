// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/slice_ring.hpp"

#include <algorithm>
#include <cassert>
#include <cstdint>

namespace coppice::policy {

namespace {

// Unsigned, because the two may be further apart than a duration is long.
std::uint64_t nanoseconds_between(time_point a, time_point b) noexcept {
  assert(a <= b);
  return static_cast<std::uint64_t>(b.time_since_epoch().count())
         - static_cast<std::uint64_t>(a.time_since_epoch().count());
}

} // namespace

slice_ring::slice_ring(duration window, std::size_t slices) noexcept
  : length_(std::max(window / static_cast<std::int64_t>(slices), duration{1})),
    slices_(slices) {}

std::size_t slice_ring::advance(time_point now) noexcept {
  if (!end_) {
    end_ = saturating_add(now, length_);
    return 0;
  }
  // The slice that would end after the end of time never does.
  if (now < *end_ || *end_ == time_point::max())
    return 0;
  const auto length = static_cast<std::uint64_t>(length_.count());
  const auto begun = nanoseconds_between(*end_, now) / length + 1;
  if (begun >= slices_) {
    end_ = saturating_add(now, length_);
    return slices_;
  }
  current_ = (current_ + begun) % slices_;
  end_ = saturating_add(*end_, length_ * static_cast<std::int64_t>(begun));
  return begun;
}

std::optional<std::size_t>
slice_ring::slice_at(time_point when) const noexcept {
  if (!end_ || when >= *end_)
    return std::nullopt;
  const auto ago = (nanoseconds_between(when, *end_) - 1)
                   / static_cast<std::uint64_t>(length_.count());
  if (ago >= slices_)
    return std::nullopt;
  return slice(ago);
}

} // namespace coppice::policy
