// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// A small random source whose numbers are the same on every platform.
///
/// Layer: policy. Pure: no clock, no CAF, no I/O.
/// Threads: not thread-safe; owned by one supervisor.
/// Rules: docs/semantics.md, BACKOFF-1.

#include <cstdint>

namespace coppice::policy {

/// SplitMix64. The distributions of the standard library are not specified bit
/// for bit, so a seed would not replay across compilers; this one does.
///
/// Source: Steele, Lea, Flood: Fast splittable pseudorandom number generators
/// (2014).
class random_source {
public:
  explicit constexpr random_source(std::uint64_t seed) noexcept
    : state_(seed) {}

  constexpr std::uint64_t next() noexcept {
    state_ += 0x9e3779b97f4a7c15u;
    auto x = state_;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
  }

  /// Uniform in [0, bound]; 0 for a bound of 0. Bias below 2^-64 * bound.
  constexpr std::uint64_t up_to(std::uint64_t bound) noexcept {
    const auto x = next();
    if (bound == UINT64_MAX)
      return x;
    __extension__ using wide = unsigned __int128;
    return static_cast<std::uint64_t>((wide{x} * (wide{bound} + 1)) >> 64);
  }

private:
  std::uint64_t state_;
};

} // namespace coppice::policy
