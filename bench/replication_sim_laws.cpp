// This file is part of coppice. License: see LICENSE in the source root.

#include "replication_sim_laws.hpp"

#include <cmath>

namespace replication_sim {

namespace {

double exponential(random_source& from) noexcept {
  return -std::log(uniform(from));
}

} // namespace

double uniform(random_source& from) noexcept {
  return (static_cast<double>(from.next() >> 11) + 1.0) * 0x1p-53;
}

random_source source_of(std::uint64_t seed, std::uint64_t request,
                        std::uint32_t copy) noexcept {
  random_source mix{seed};
  mix = random_source{mix.next() ^ request};
  mix = random_source{mix.next() ^ copy};
  return random_source{mix.next()};
}

double leaf_latency(random_source& from) noexcept {
  const auto longer = uniform(from);
  if (longer > 0.02)
    return -2.556 * std::log(longer);
  if (longer > 0.001)
    return 10.0 * std::pow(longer / 0.02, -1.0 / 1.54);
  return 70.0 * std::pow(longer / 0.001, -1.0 / 2.13);
}

double service_law::draw(std::uint64_t seed, std::uint64_t request,
                         std::uint32_t copy) const noexcept {
  auto from = source_of(seed, request, copy);
  if (is_slow_servers) {
    auto size_from = source_of(seed, request, 0);
    const auto size = 0.5 * exponential(size_from);
    (void) from.next();
    return uniform(from) <= 0.1 ? 11.0 * size : size;
  }
  const auto own = exponential(from);
  if (copy == 0 || uniform(from) > correlation)
    return own;
  auto original = source_of(seed, request, 0);
  return exponential(original);
}

} // namespace replication_sim
