// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/spec_check_loops.hpp"

#include "coppice/policy/backoff.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace coppice::policy {

namespace {

/// Delays that are looked at one by one. With the usual factors the cap is
/// reached long before.
constexpr std::uint32_t steps_max = 1'000;

constexpr auto count_max = std::numeric_limits<std::uint64_t>::max();

duration longest_delay(const backoff_spec& spec, std::uint32_t n) {
  const auto base = base_delay(spec, n);
  const auto cap = std::max(spec.cap.span(), duration::zero());
  if (spec.jitter != jitter_kind::proportional)
    return base;
  const auto extra = std::floor(static_cast<long double>(base.count())
                                * static_cast<long double>(spec.jitter_ratio));
  return std::min(cap, base + duration{static_cast<duration::rep>(extra)});
}

duration shortest_delay(const backoff_spec& spec, std::uint32_t n) {
  switch (spec.jitter) {
    case jitter_kind::full:
      return duration{0};
    case jitter_kind::equal:
      return base_delay(spec, n) / 2;
    case jitter_kind::none:
    case jitter_kind::proportional:
      break;
  }
  return base_delay(spec, n);
}

/// Are this delay and all after it the same?
bool is_last_step(const backoff_spec& spec, std::uint32_t n) {
  return spec.factor == 1.0 || spec.first.span() <= duration::zero()
         || base_delay(spec, n) >= spec.cap.span();
}

/// Of the `count` delays after the `last` one: a geometric row up to the cap.
time_limit tail_of(const backoff_spec& spec, duration last,
                   std::uint64_t count) {
  const auto delay = static_cast<long double>(last.count());
  const auto factor = static_cast<long double>(spec.factor);
  const auto cap = static_cast<long double>(spec.cap.span().count());
  const auto steps = std::floor(std::log(cap / delay) / std::log(factor));
  const auto growing = std::min(steps, static_cast<long double>(count));
  const auto grown = delay * factor * (std::pow(factor, growing) - 1.0L)
                     / (factor - 1.0L);
  const auto at_cap = (static_cast<long double>(count) - growing) * cap;
  return std::chrono::duration<long double, std::nano>{grown + at_cap};
}

/// The least average distance of failures, where each row of them begins with
/// a healthy run. Unit: ns.
long double least_distance(const backoff_spec& spec) {
  auto total = static_cast<long double>(spec.reset_after.span().count());
  auto least = total;
  for (std::uint32_t n = 1; n <= steps_max; ++n) {
    const auto delay
      = static_cast<long double>(shortest_delay(spec, n).count());
    if (delay >= least)
      return least;
    if (is_last_step(spec, n) || n == steps_max)
      return delay;
    total += delay;
    least = total / (static_cast<long double>(n) + 1.0L);
  }
  return least;
}

} // namespace

// -- sums --------------------------------------------------------------------

time_limit sum(time_limit x, time_limit y) noexcept {
  if (!x.is_finite() || !y.is_finite())
    return infinity;
  const auto room = duration::max() - std::max(y.span(), duration::zero());
  return x.span() > room ? time_limit{infinity} : x.span() + y.span();
}

time_limit product(time_limit x, count_limit n) noexcept {
  if (n.count() == 0 || (x.is_finite() && x.span() <= duration::zero()))
    return duration{0};
  if (!x.is_finite() || n.is_infinite())
    return infinity;
  __extension__ using wide = unsigned __int128;
  const auto total = wide{static_cast<std::uint64_t>(x.span().count())}
                     * n.count();
  if (total > static_cast<std::uint64_t>(duration::max().count()))
    return infinity;
  return duration{static_cast<duration::rep>(total)};
}

count_limit sum(count_limit x, count_limit y) noexcept {
  if (x.is_infinite() || y.is_infinite())
    return infinity;
  const auto room = count_max - y.count();
  return x.count() > room ? count_max : x.count() + y.count();
}

count_limit product(count_limit x, count_limit y) noexcept {
  if (x.count() == 0 || y.count() == 0)
    return 0;
  if (x.is_infinite() || y.is_infinite())
    return infinity;
  return x.count() > count_max / y.count() ? count_max : x.count() * y.count();
}

bool is_less(time_limit x, time_limit y) noexcept {
  return x.is_finite() && (!y.is_finite() || x.span() < y.span());
}

time_limit lesser(time_limit x, time_limit y) noexcept {
  return is_less(y, x) ? y : x;
}

time_limit greater(time_limit x, time_limit y) noexcept {
  return is_less(x, y) ? y : x;
}

count_limit lesser(count_limit x, count_limit y) noexcept {
  return x.is_infinite() || (!y.is_infinite() && y.count() < x.count()) ? y : x;
}

count_limit greater(count_limit x, count_limit y) noexcept {
  return lesser(x, y) == x ? y : x;
}

// -- loops -------------------------------------------------------------------

count_limit affordable(const restart_limits& limits,
                       std::uint32_t weight) noexcept {
  if (limits.restarts_max.is_infinite() || weight == 0)
    return infinity;
  return limits.restarts_max.count() / weight;
}

time_limit longest_delays(const backoff_spec& spec, count_limit retries) {
  time_limit total = duration{0};
  const auto count = retries.count();
  for (std::uint32_t n = 1; n <= count; ++n) {
    const auto delay = longest_delay(spec, n);
    if (delay == duration::zero() && is_last_step(spec, n))
      return total;
    if (retries.is_infinite())
      return infinity;
    total = sum(total, delay);
    if (is_last_step(spec, n))
      return sum(total, product(delay, count - n));
    if (n == steps_max)
      return sum(total, tail_of(spec, delay, count - n));
  }
  return total;
}

count_limit most_failures(const backoff_spec& spec, time_limit window) {
  const auto& reset = spec.reset_after;
  if (!window.is_finite() || reset.span() <= duration::zero()
      || spec.first.span() <= duration::zero()
      || spec.jitter == jitter_kind::full)
    return infinity;
  // After a healthy run, the first restart is immediate.
  std::uint64_t count = reset.is_infinite() ? 1 : 2;
  auto left = window.span();
  for (std::uint32_t n = 1;; ++n) {
    const auto delay = std::max(shortest_delay(spec, n), duration{1});
    if (delay > left)
      break;
    if (is_last_step(spec, n) || n == steps_max) {
      count += static_cast<std::uint64_t>(left / delay);
      break;
    }
    left -= delay;
    ++count;
  }
  if (is_less(window, reset))
    return count;
  const auto rows = static_cast<long double>(window.span().count())
                    / std::max(least_distance(spec), 1.0L);
  return count + static_cast<std::uint64_t>(rows);
}

} // namespace coppice::policy
