// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/latency_digest.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace coppice::policy {

namespace {

/// What took an hour ago so long says little about now.
constexpr duration window_max = std::chrono::hours{1};

/// The estimate lags by less than this share of the samples.
constexpr std::uint64_t lag_share = 64;

/// A product of 600 quotients is off by less than this, and so is 1 - share;
/// a sample of an hour of a million per second weighs 200 times as much.
constexpr double rounding = 1e-12;

} // namespace

latency_digest::latency_digest(duration window)
  : ring_(std::clamp(window, duration{1}, window_max), slices) {
  survival_.fill(1.0);
}

void latency_digest::learn(time_point now, duration latency) {
  advance(now);
  const auto step = steps::of(steps::clamp(latency));
  for (auto* x : {&slices_[ring_.slice()], &total_}) {
    ++x->answered[step];
    ++x->samples;
  }
  on_sample();
}

void latency_digest::learn_censored(time_point now, duration at_least) {
  advance(now);
  const auto step = steps::of(steps::clamp(at_least));
  for (auto* x : {&slices_[ring_.slice()], &total_}) {
    ++x->censored[step];
    ++x->samples_censored;
  }
  on_sample();
}

void latency_digest::advance(time_point now) {
  const auto begun = ring_.advance(now);
  if (begun == 0)
    return;
  for (std::size_t ago = 0; ago < begun; ++ago)
    forget(slices_[ring_.slice(ago)]);
  estimate();
}

std::optional<duration> latency_digest::quantile(double share) const {
  if (std::isnan(share))
    return std::nullopt;
  // Longer than the shortest answer takes no more than all but that one.
  const auto longer = std::min(1.0 - std::clamp(share, 0.0, 1.0) + rounding,
                               1.0 - rounding);
  const auto first
    = std::partition_point(survival_.begin(), survival_.end(),
                           [longer](double x) { return x > longer; });
  if (first == survival_.end())
    return std::nullopt;
  return steps::last_of(static_cast<std::size_t>(first - survival_.begin()));
}

void latency_digest::on_sample() noexcept {
  ++unseen_;
  const auto all = total_.samples + total_.samples_censored;
  if (unseen_ * lag_share >= all)
    estimate();
}

void latency_digest::forget(histogram& slice) noexcept {
  if (slice.samples == 0 && slice.samples_censored == 0)
    return;
  for (std::size_t i = 0; i < steps::count; ++i) {
    total_.answered[i] -= slice.answered[i];
    total_.censored[i] -= slice.censored[i];
  }
  total_.samples -= slice.samples;
  total_.samples_censored -= slice.samples_censored;
  slice = {};
}

// The share that takes longer than a step is the share that takes longer than
// the one before, times the share of those that were seen to get so far, and
// did not end there. Those that were cut short in the step got that far.
void latency_digest::estimate() noexcept {
  unseen_ = 0;
  auto longer = 1.0;
  auto at_risk = total_.samples + total_.samples_censored;
  for (std::size_t i = 0; i < steps::count; ++i) {
    const auto ended = total_.answered[i];
    if (ended > 0)
      longer *= static_cast<double>(at_risk - ended)
                / static_cast<double>(at_risk);
    survival_[i] = longer;
    at_risk -= ended + std::uint64_t{total_.censored[i]};
  }
}

} // namespace coppice::policy
