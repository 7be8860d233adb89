// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Hashes that are the same on every platform and in every version.
///
/// Layer: policy. Pure: no clock, no CAF, no I/O.
/// Threads: pure functions.
/// Rules: none yet; which worker has a key must be the same in every process.

#include <cstdint>
#include <string_view>

namespace coppice::policy {

/// Mixes the bits of `x`, one to one: the finaliser of SplitMix64.
[[nodiscard]] constexpr std::uint64_t stable_hash(std::uint64_t x) noexcept {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

/// FNV-1a with 64 bits, mixed. Not for keys that an adversary chooses: who
/// knows the function can send all of them to one worker.
///
/// Cost: O(length), some ns per byte.
[[nodiscard]] constexpr std::uint64_t
stable_hash(std::string_view bytes) noexcept {
  std::uint64_t x = 0xcbf29ce484222325u;
  for (const auto c : bytes)
    x = (x ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return stable_hash(x);
}

} // namespace coppice::policy
