// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/heartbeat_judge.hpp"

#include "coppice/policy/detector.hpp"

#include <algorithm>
#include <cassert>
#include <limits>

namespace coppice::policy {

namespace {

constexpr auto never = duration::max();

constexpr auto below_one = 1.0 - std::numeric_limits<double>::epsilon() / 2;

/// At the mean, suspicion is log10(2), about 0.301.
constexpr auto phi_at_mean = 0.302;

duration saturating_sum(duration x, duration y) noexcept {
  return x > never - y ? never : x + y;
}

/// Two thirds, rounded up.
duration warning_age(duration limit) noexcept {
  return limit - limit / 3;
}

judgement by_timeout(duration age, duration limit) {
  judgement result;
  result.suspicion = fixed_suspicion(age, limit);
  if (age >= limit) {
    result.state = liveness::stalled;
  } else if (age >= warning_age(limit)) {
    result.state = liveness::late;
    result.look_again = limit;
  } else {
    result.look_again = warning_age(limit);
  }
  return result;
}

/// The first age above `age` at which suspicion reaches `level`; `bound` if it
/// does not before.
duration age_of(const phi_detector& detector, double level, duration age,
                duration bound) {
  // Cheap, and enough for most: they beat again before the mean.
  const auto mean = detector.mean_nanoseconds();
  if (level > phi_at_mean && static_cast<double>(age.count()) < mean - 1.0)
    return std::min(duration{static_cast<duration::rep>(mean)}, bound);
  auto low = age;
  auto high = bound;
  while (high - low > duration{1}) {
    const auto middle = low + (high - low) / 2;
    (detector.phi(middle) >= level ? high : low) = middle;
  }
  return high;
}

/// `offset`: how much of the age does not count; `limit`: where the timeout
/// decides anyway.
judgement by_phi(const phi_detector& detector, double threshold, duration age,
                 duration offset, duration limit) {
  const auto counted = std::max(age - offset, duration::zero());
  const auto suspicion = detector.phi(counted);
  const auto warning = threshold * 2.0 / 3.0;
  judgement result;
  result.suspicion = suspicion / threshold;
  if (suspicion >= threshold) {
    result.state = liveness::stalled;
    result.suspicion = std::max(result.suspicion, 1.0);
    return result;
  }
  result.suspicion = std::min(result.suspicion, below_one);
  const auto is_late = suspicion >= warning;
  if (is_late)
    result.state = liveness::late;
  if (const auto bound = limit - offset; counted < bound)
    result.look_again = age_of(detector, is_late ? threshold : warning, counted,
                               bound)
                        + offset;
  return result;
}

judgement by_probe(const heartbeat_spec& spec, const silence& what) {
  judgement result;
  if (what.since_probe) {
    if (spec.stall_timeout.is_finite())
      result = by_timeout(*what.since_probe, spec.stall_timeout.span());
    // Counted from the probe; asked for is the age.
    if (result.look_again != never)
      result.look_again = saturating_sum(result.look_again,
                                         what.age - *what.since_probe);
  } else if (spec.probe_every.is_finite()) {
    result.probe_due = what.age >= spec.probe_every.span();
    if (!result.probe_due)
      result.look_again = spec.probe_every.span();
  }
  return result;
}

judgement worse(const judgement& x, const judgement& y) {
  judgement result;
  result.state = std::max(x.state, y.state);
  result.suspicion = std::max(x.suspicion, y.suspicion);
  result.probe_due = x.probe_due || y.probe_due;
  result.look_again = std::min(x.look_again, y.look_again);
  return result;
}

} // namespace

judgement judge(const heartbeat_spec& spec, const silence& what) {
  const auto limit = what.busy ? spec.stall_timeout : spec.idle_timeout;
  const auto extra
    = std::clamp(what.allowance, duration::zero(),
                 std::max(spec.extension_max.span(), duration::zero()));
  judgement result;
  if (limit.is_finite()) {
    const auto total = saturating_sum(limit.span(), extra);
    result = by_timeout(what.age, total);
    if (what.phi != nullptr)
      result = worse(result,
                     by_phi(*what.phi, spec.phi.threshold, what.age,
                            saturating_sum(extra, what.resolution), total));
  }
  if (!what.busy)
    result = worse(result, by_probe(spec, what));
  if (result.state == liveness::stalled)
    result.look_again = never;
  return result;
}

bool idle_matters(const heartbeat_spec& spec) noexcept {
  return spec.idle_timeout.is_finite() || spec.probe_every.is_finite()
         || spec.detector == detector_kind::phi_accrual;
}

scan_clock::scan_clock(duration interval, time_point start) noexcept
  : interval_(interval), planned_(saturating_add(start, interval)) {
  assert(interval > duration::zero());
}

scan_clock::reading scan_clock::begin_scan(time_point now) noexcept {
  reading result;
  result.lag = now > planned_ ? now - planned_ : duration::zero();
  result.was_late = result.lag > interval_;
  if (result.was_late) {
    missed_ += result.lag;
    resumed_ = now;
    if (!was_late_)
      judge_from_ = saturating_add(to_watch(now), interval_);
  }
  was_late_ = result.was_late;
  return result;
}

time_point scan_clock::to_watch(time_point steady) const noexcept {
  return std::max(steady, resumed_) - missed_;
}

time_point scan_clock::to_steady(time_point watch) const noexcept {
  return saturating_add(watch, missed_);
}

bool scan_clock::was_away_since(time_point watch) const noexcept {
  return watch < resumed_ - missed_;
}

} // namespace coppice::policy
