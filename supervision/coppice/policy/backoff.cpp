// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/backoff.hpp"

#include "coppice/policy/limits.hpp"

#include <algorithm>
#include <cmath>

namespace coppice::policy {

namespace {

__extension__ using wide = unsigned __int128;

/// A length as this file computes with it: never negative.
std::int64_t length_of(const time_limit& limit) noexcept {
  return std::max(limit.span(), duration::zero()).count();
}

std::int64_t cap_of(const backoff_spec& spec) noexcept {
  return length_of(spec.cap);
}

std::int64_t grown_exactly(std::int64_t delay, std::int64_t factor,
                           std::uint32_t steps, std::int64_t cap) {
  // Each step at least doubles, so there are at most 63.
  for (; steps > 0 && delay <= cap / factor; --steps)
    delay *= factor;
  return steps > 0 ? cap : std::min(delay, cap);
}

std::int64_t grown(std::int64_t first, double factor, std::uint32_t steps,
                   std::int64_t cap) {
  // By repeated squaring: only multiplications, which IEEE 754 defines to the
  // last bit. Overflow ends as infinity, and that at the cap.
  auto delay = static_cast<double>(first);
  for (; steps > 0; steps >>= 1) {
    if (steps & 1)
      delay *= factor;
    factor *= factor;
  }
  if (!(delay < static_cast<double>(cap)))
    return cap; // NaN lands here as well
  const auto rounded = std::floor(std::max(delay, 0.0) + 0.5);
  return rounded < static_cast<double>(cap) ? static_cast<std::int64_t>(rounded)
                                            : cap;
}

/// The largest integer not above `ratio * delay`, exactly.
std::uint64_t share_of(std::uint64_t delay, double ratio) {
  constexpr auto scale_bits = 53; // of the significand of a double
  if (!(ratio > 0.0))
    return 0;
  const auto sane = std::min(ratio, limits::jitter_ratio_max);
  const auto scaled = static_cast<std::uint64_t>(std::ldexp(sane, scale_bits));
  return static_cast<std::uint64_t>((wide{delay} * scaled) >> scale_bits);
}

} // namespace

duration base_delay(const backoff_spec& spec, std::uint32_t failures) {
  const auto cap = cap_of(spec);
  const auto first = std::min(length_of(spec.first), cap);
  const auto steps = failures > 0 ? failures - 1 : 0;
  const auto factor = spec.factor;
  if (first == 0 || steps == 0 || factor == 1.0)
    return duration{first};
  const auto is_integral = factor >= 2.0 && factor <= limits::backoff_factor_max
                           && std::floor(factor) == factor;
  if (is_integral)
    return duration{
      grown_exactly(first, static_cast<std::int64_t>(factor), steps, cap)};
  return duration{grown(first, factor, steps, cap)};
}

duration next_delay(const backoff_spec& spec, std::uint32_t failures,
                    random_source& random) {
  const auto cap = static_cast<std::uint64_t>(cap_of(spec));
  const auto base
    = static_cast<std::uint64_t>(base_delay(spec, failures).count());
  auto delay = base;
  switch (spec.jitter) {
    case jitter_kind::none:
      break;
    case jitter_kind::full:
      delay = random.up_to(base);
      break;
    case jitter_kind::equal:
      delay = base / 2 + random.up_to(base - base / 2);
      break;
    case jitter_kind::proportional:
      delay = base + random.up_to(share_of(base, spec.jitter_ratio));
      break;
  }
  return duration{static_cast<std::int64_t>(std::min(delay, cap))};
}

} // namespace coppice::policy
