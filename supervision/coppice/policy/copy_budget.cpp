// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/copy_budget.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace coppice::policy {

namespace {

/// Unit: copies per request. One of 64 copies is the request itself.
constexpr double share_max = 63.0;

/// Below, a window has hardly any request that counts; above, a burst could
/// spend what an hour has saved.
constexpr duration window_min = std::chrono::milliseconds{1};
constexpr duration window_max = std::chrono::hours{1};

constexpr std::uint64_t billion = 1'000'000'000;

// Whole numbers, because 0.29 of 100 would be 28 if doubles were multiplied.
std::uint64_t in_billionths(double share) noexcept {
  if (std::isnan(share))
    return 0;
  const auto sane = std::clamp(share, 0.0, share_max);
  return static_cast<std::uint64_t>(
    std::llround(sane * static_cast<double>(billion)));
}

} // namespace

copy_budget::copy_budget(double share, duration window, std::uint32_t reserve)
  : share_(in_billionths(share)),
    reserve_(reserve),
    ring_(std::clamp(window, window_min, window_max), slices) {}

void copy_budget::on_request(time_point now) {
  advance(now);
  ++slices_[ring_.slice()].requests;
  ++total_.requests;
}

bool copy_budget::take(time_point now) {
  advance(now);
  if (total_.taken >= allowed())
    return false;
  ++slices_[ring_.slice()].taken;
  ++total_.taken;
  return true;
}

void copy_budget::give_back(time_point taken) {
  const auto found = ring_.slice_at(taken);
  if (!found || slices_[*found].taken == 0)
    return;
  --slices_[*found].taken;
  --total_.taken;
}

std::uint64_t copy_budget::requests(time_point now) {
  advance(now);
  return total_.requests;
}

std::uint64_t copy_budget::taken(time_point now) {
  advance(now);
  return total_.taken;
}

void copy_budget::advance(time_point now) noexcept {
  const auto begun = ring_.advance(now);
  for (std::size_t ago = 0; ago < begun; ++ago) {
    auto& slice = slices_[ring_.slice(ago)];
    total_.requests -= slice.requests;
    total_.taken -= slice.taken;
    slice = {};
  }
}

std::uint64_t copy_budget::allowed() const noexcept {
  __extension__ using wide = unsigned __int128;
  const auto paid_for = wide{share_} * total_.requests / billion;
  return static_cast<std::uint64_t>(paid_for) + reserve_;
}

} // namespace coppice::policy
