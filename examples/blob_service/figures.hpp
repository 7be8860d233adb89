// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What the service shows of itself: a line per second, and JSON.
///
/// Layer: L4, an example.
/// Threads: `traffic` is thread-safe; a `live_line` is for one thread.
/// Rules: docs/semantics.md, REPLICATE-7.

#include "coppice/policy/latency_digest.hpp"

#include "service.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace blob_service {

/// Requests for blobs as their users see them.
class traffic {
public:
  using clock = std::chrono::steady_clock;

  /// Latencies are of the last so many seconds.
  static constexpr std::chrono::seconds window{5};

  struct snapshot {
    std::uint64_t requests = 0;
    std::map<int, std::uint64_t> by_status = {};
    std::optional<coppice::policy::duration> p50 = {};
    std::optional<coppice::policy::duration> p99 = {};
    std::optional<coppice::policy::duration> p999 = {};
  };

  void add(clock::time_point begin, int status);
  [[nodiscard]] snapshot look();
  /// The window begins anew: another mode is measured now.
  void begin_window();

private:
  std::mutex guard_;
  coppice::policy::latency_digest digest_{window};
  std::uint64_t requests_ = 0;
  std::map<int, std::uint64_t> by_status_;
};

/// What the replication costs and wins, summed over all modes.
struct replication_sums {
  std::uint64_t requests = 0; ///< That were sent to any replica.
  std::uint64_t reads = 0;    ///< That were begun, by all replicas.
  std::uint64_t won = 0;      ///< By extra copies.
  std::uint64_t refused = 0;  ///< Extra copies.
  std::uint64_t wasted = 0;   ///< Reads.
};

[[nodiscard]] replication_sums sums_of(const service& x);

/// One line per call, of what has happened since the last one.
class live_line {
public:
  [[nodiscard]] std::string next(const service& of, traffic& seen);

private:
  replication_sums before_ = {};
  std::uint64_t requests_before_ = 0;
  traffic::clock::time_point at_ = traffic::clock::now();
};

/// All of it; see README.md.
[[nodiscard]] std::string to_json(const service& of, traffic& seen);

} // namespace blob_service
