// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/service_time.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace coppice::policy {

namespace {

constexpr auto per_octave = limits::service_steps_per_octave;
constexpr auto bits = static_cast<unsigned>(std::bit_width(per_octave)) - 1;

} // namespace

// From 16 ns on, a step is named by the four leading bits of its lengths and
// by how many follow.
std::size_t service_time_estimator::step_of(std::uint64_t ns) noexcept {
  if (ns < 2 * per_octave)
    return ns;
  const auto shift = static_cast<unsigned>(std::bit_width(ns)) - bits - 1;
  return shift * per_octave + (ns >> shift);
}

std::uint64_t service_time_estimator::last_of(std::size_t step) noexcept {
  if (step < 2 * per_octave)
    return step;
  const auto shift = step / per_octave - 1;
  const auto leading = step % per_octave + per_octave;
  return ((leading + 1) << shift) - 1;
}

service_time_estimator::service_time_estimator(const service_time_spec& spec)
  : quantile_(std::clamp(spec.quantile, limits::service_quantile_min,
                         limits::service_quantile_max)),
    samples_min_(std::max(spec.samples_min, limits::service_samples_min)),
    slice_length_(
      std::max(std::min(spec.window.span(), limits::service_window_max)
                 / static_cast<std::int64_t>(limits::service_window_slices),
               duration{1})) {
  if (std::isnan(quantile_))
    quantile_ = service_time_spec{}.quantile;
}

void service_time_estimator::advance(time_point now) {
  if (!current_end_) {
    current_end_ = saturating_add(now, slice_length_);
    return;
  }
  if (now < *current_end_)
    return;
  // The whole window is over: nothing to turn over one by one.
  const auto window = slice_length_
                      * static_cast<std::int64_t>(slices_.size() - 1);
  if (now >= saturating_add(*current_end_, window)) {
    clear();
    current_end_ = saturating_add(now, slice_length_);
    return;
  }
  while (now >= *current_end_) {
    current_ = (current_ + 1) % slices_.size();
    forget(slices_[current_]);
    current_end_ = saturating_add(*current_end_, slice_length_);
  }
  below_ = 0;
  cursor_ = 0;
  follow_quantile();
}

void service_time_estimator::learn(time_point now, duration service) {
  advance(now);
  const auto sane = static_cast<std::uint64_t>(
    std::clamp(service, duration::zero(), duration{limits::service_time_max})
      .count());
  const auto step = step_of(sane);
  for (auto* x : {&slices_[current_], &total_}) {
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
  return duration{static_cast<std::int64_t>(last_of(cursor_))};
}

std::optional<duration> service_time_estimator::mean() const noexcept {
  if (total_.samples < samples_min_)
    return std::nullopt;
  return duration{static_cast<std::int64_t>(total_.sum / total_.samples)};
}

void service_time_estimator::forget(histogram& slice) noexcept {
  for (std::size_t i = 0; i < steps; ++i)
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
  while (cursor_ + 1 < steps && below_ + total_.counts[cursor_] < rank)
    below_ += total_.counts[cursor_++];
}

} // namespace coppice::policy
