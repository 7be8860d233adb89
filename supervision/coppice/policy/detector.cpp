// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/detector.hpp"

#include "coppice/policy/limits.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace coppice::policy {

namespace {

double nanoseconds(const time_limit& limit) noexcept {
  return static_cast<double>(std::max(limit.span(), duration::zero()).count());
}

/// log(1 + exp(x)) without overflow and without cancellation.
double softplus(double x) noexcept {
  return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
}

} // namespace

double fixed_suspicion(duration age, time_limit timeout) {
  if (!timeout.is_finite() || age <= duration::zero())
    return 0.0;
  const auto limit = std::max(timeout.span(), duration{1});
  const auto ratio = static_cast<double>(age.count())
                     / static_cast<double>(limit.count());
  // Doubles know 53 bits of 63: do not let rounding reach the verdict early.
  constexpr auto below_one = 1.0 - std::numeric_limits<double>::epsilon() / 2;
  return age < limit ? std::min(ratio, below_one) : std::max(ratio, 1.0);
}

double phi(duration age, double mean_ns, double deviation_ns) {
  if (!std::isfinite(mean_ns) || !std::isfinite(deviation_ns))
    return 0.0;
  const auto y = (static_cast<double>(age.count()) - mean_ns)
                 / std::max(deviation_ns, 1.0);
  const auto z = y * (1.5976 + 0.070566 * y * y);
  // The tail is 1 / (1 + e^z), on both sides of the mean.
  return std::min(softplus(z) / std::numbers::ln10, limits::phi_max);
}

phi_detector::phi_detector(const phi_spec& spec) : spec_(spec) {
  spec_.samples_max = std::clamp(spec.samples_max, limits::phi_samples_min,
                                 limits::phi_samples_max);
}

void phi_detector::learn(duration interval) {
  const auto sane = std::clamp(interval, duration::zero(),
                               duration{limits::phi_interval_max});
  if (ring_.size() < spec_.samples_max) {
    ring_.push_back(sane.count());
  } else {
    account_for(ring_[next_], -1);
    ring_[next_] = sane.count();
    next_ = (next_ + 1) % ring_.size();
  }
  account_for(sane.count(), 1);
}

double phi_detector::phi(duration age) const {
  auto mean = mean_nanoseconds();
  auto deviation = std::max(std::sqrt(variance()),
                            nanoseconds(spec_.deviation_min));
  if (ring_.size()
      < std::min<std::size_t>(limits::phi_samples_trusted, spec_.samples_max)) {
    const auto estimate = nanoseconds(spec_.first_estimate);
    mean = std::max(mean, estimate);
    deviation = std::max(deviation, limits::phi_first_deviation * estimate);
  }
  return policy::phi(age, mean + nanoseconds(spec_.acceptable_pause),
                     deviation);
}

bool phi_detector::suspects(duration age) const {
  return phi(age) >= spec_.threshold;
}

double phi_detector::mean_nanoseconds() const noexcept {
  if (ring_.empty())
    return nanoseconds(spec_.first_estimate);
  return static_cast<double>(sum_) / static_cast<double>(ring_.size());
}

// Measured from the whole part of the mean, so that the subtraction of large
// squares happens in integers, where it is exact.
double phi_detector::variance() const noexcept {
  if (ring_.empty())
    return 0.0;
  const auto count = static_cast<wide>(ring_.size());
  const auto pivot = sum_ / count;
  const auto about_pivot = sum_of_squares_ - 2 * pivot * sum_
                           + count * pivot * pivot;
  const auto n = static_cast<double>(count);
  const auto fraction = static_cast<double>(sum_ % count) / n;
  const auto mean_square = static_cast<double>(about_pivot) / n;
  return std::max(mean_square - fraction * fraction, 0.0);
}

void phi_detector::account_for(std::int64_t interval, int sign) noexcept {
  sum_ += sign * wide{interval};
  sum_of_squares_ += sign * wide{interval} * interval;
}

} // namespace coppice::policy
