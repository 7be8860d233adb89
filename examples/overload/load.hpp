// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// A service, and users who do not wait for each other.
///
/// Layer: L4.
/// Threads: `offer` from the main thread; counts are read after it.
/// Rules: docs/semantics.md, DEADLINE-1 to DEADLINE-3.

#include "coppice/actors/pool.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace example {

using milliseconds = std::chrono::duration<double, std::milli>;

struct load_options {
  /// Mean of the service time, which is exponentially distributed.
  milliseconds service{2.0};
  /// How long a user waits.
  milliseconds deadline{100.0};
  std::chrono::duration<double> length{5.0};
  std::uint64_t seed = 1;
};

/// What came of one run.
struct load_result {
  std::uint64_t offered = 0;
  /// Answers in time.
  std::uint64_t good = 0;
  /// Of those, in ms.
  std::vector<double> latencies{};
  /// Class of the failure, or the reason of a refusal.
  std::map<std::string, std::uint64_t> failures{};

  /// Per second.
  [[nodiscard]] double goodput(const load_options& how) const;
  [[nodiscard]] double median_latency() const;
};

/// One server that takes its time: it waits, as for a disk.
[[nodiscard]] caf::behavior server(caf::event_based_actor* self,
                                   load_options how);

/// Requests per second that a server answers if there is always another one.
[[nodiscard]] double capacity_of(caf::actor_system& system,
                                 const load_options& how);

/// Users arrive at random, `per_second` of them, whether or not the others
/// have been served.
[[nodiscard]] load_result offer(caf::actor_system& system,
                                const caf::actor& service, double per_second,
                                const load_options& how);

/// The service as it is: a mailbox, first come, first served.
[[nodiscard]] load_result without_admission(caf::actor_system& system,
                                            double per_second,
                                            const load_options& how);

/// The same server as the only worker of a pool.
[[nodiscard]] load_result with_admission(caf::actor_system& system,
                                         double per_second,
                                         const load_options& how);

} // namespace example
