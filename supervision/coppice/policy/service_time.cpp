// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/service_time.hpp"

#include <algorithm>
#include <cmath>

namespace coppice::policy {

service_time_estimator::service_time_estimator(const service_time_spec& spec)
  : quantile_(std::clamp(spec.quantile, limits::service_quantile_min,
                         limits::service_quantile_max)),
    samples_min_(std::max(spec.samples_min, limits::service_samples_min)),
    ring_(std::min(spec.window.span(), limits::service_window_max),
          limits::service_window_slices) {
  if (std::isnan(quantile_))
    quantile_ = service_time_spec{}.quantile;
}

void service_time_estimator::advance(time_point now) {
  const auto begun = ring_.advance(now);
  if (begun == 0)
    return;
  for (std::size_t ago = 0; ago < begun; ++ago)
    forget(slices_[ring_.slice(ago)]);
  below_ = 0;
  cursor_ = 0;
  follow_quantile();
}

void service_time_estimator::learn(time_point now, duration service) {
  advance(now);
  const auto sane = steps::clamp(service);
  const auto step = steps::of(sane);
  for (auto* x : {&slices_[ring_.slice()], &total_}) {
    ++x->counts[step];
    ++x->samples;
    x->sum += sane;
  }
  if (step < cursor_)
    ++below_;
  follow_quantile();
}

void service_time_estimator::clear() {
  slices_.fill({});
  total_ = {};
  cursor_ = 0;
  below_ = 0;
}

std::optional<duration> service_time_estimator::estimate() const noexcept {
  if (total_.samples < samples_min_)
    return std::nullopt;
  return steps::last_of(cursor_);
}

std::optional<duration> service_time_estimator::mean() const noexcept {
  if (total_.samples < samples_min_)
    return std::nullopt;
  return duration{static_cast<std::int64_t>(total_.sum / total_.samples)};
}

void service_time_estimator::forget(histogram& slice) noexcept {
  if (slice.samples == 0)
    return;
  for (std::size_t i = 0; i < steps::count; ++i)
    total_.counts[i] -= slice.counts[i];
  total_.samples -= slice.samples;
  total_.sum -= slice.sum;
  slice = {};
}

// A sample moves the quantile by a step at most, empty steps not counted: so
// it is followed, not searched for.
void service_time_estimator::follow_quantile() noexcept {
  if (total_.samples == 0)
    return;
  const auto exact = quantile_ * static_cast<double>(total_.samples);
  const auto rank = std::clamp(static_cast<std::uint64_t>(std::ceil(exact)),
                               std::uint64_t{1}, total_.samples);
  while (below_ >= rank)
    below_ -= total_.counts[--cursor_];
  // The last step has what is left: rank is no more than all samples are.
  while (cursor_ + 1 < steps::count && below_ + total_.counts[cursor_] < rank)
    below_ += total_.counts[cursor_++];
}

} // namespace coppice::policy
