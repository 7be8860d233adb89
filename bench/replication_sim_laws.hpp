// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// How long the work of a copy takes: the same for every mode of one seed.
///
/// Layer: L4.
/// Threads: functions of their arguments.
/// Rules: none; bench/README.md.

#include "coppice/policy/random.hpp"

#include <cstdint>

namespace replication_sim {

using coppice::policy::random_source;

/// Uniform, above 0, up to 1.
[[nodiscard]] double uniform(random_source& from) noexcept;

/// Numbers of one copy of one request. Modes that are compared draw the same
/// ones, which takes most of the noise out of what is compared.
[[nodiscard]] random_source source_of(std::uint64_t seed, std::uint64_t request,
                                      std::uint32_t copy) noexcept;

/// Of a leaf of The Tail at Scale. Unit: ms.
///
/// Made of three figures that the article gives for 1,000 leaves: 2 % are
/// slower than 10 ms, one in a thousand slower than 70, one in a million slower
/// than 1,800. Exponential up to 10 ms, by powers beyond.
[[nodiscard]] double leaf_latency(random_source& from) noexcept;

/// Service times with a mean of 1.
struct service_law {
  /// Share of copies that take as long as the original, because that is how
  /// long the request takes; the others draw anew. Range: 0 to 1.
  double correlation = 0.0;
  /// Instead: the request's size is inherent in it (exponential, mean 1/2), and
  /// each run is eleven times as long with a chance of 1/10. The S&X model.
  bool is_slow_servers = false;

  [[nodiscard]] double draw(std::uint64_t seed, std::uint64_t request,
                            std::uint32_t copy) const noexcept;
};

} // namespace replication_sim
