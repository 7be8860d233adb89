// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What services of the shipped kinds do: answer requests, and ask for answers.
///
/// Layer: L4.
/// Threads: as any CAF actor; options are values.
/// Rules: docs/semantics.md, DEADLINE-4, REPLICATE-1 to REPLICATE-7.

#include "coppice/actors/worker.hpp"
#include "coppice/policy/random.hpp"
#include "coppice/policy/replication_spec.hpp"

#include "kind_environment.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace coppice::tool {

// -- responder ---------------------------------------------------------------

enum class delay_kind : std::uint8_t {
  fixed,       ///< The mean, always.
  uniform,     ///< From half of the mean to one and a half of it.
  exponential, ///< As of random arrivals: often short, seldom long.
  heavy_tail,  ///< Pareto, with a shape of 2: one in 10'000 takes 50 means.
};

/// How long a request takes. Requests are numbers, and the answer is the same
/// number.
struct responder_options {
  duration mean = std::chrono::milliseconds{10};
  delay_kind kind = delay_kind::exponential;
  /// This share of the requests takes `slow` longer. Range: 0 to 1.
  double slow_share = 0;
  duration slow = std::chrono::milliseconds{200};
  /// This share fails, after its time. Range: 0 to 1.
  double failing = 0;
  std::uint64_t seed = 1;
};

/// The time that a request takes: a pure function, but for the random numbers.
[[nodiscard]] duration service_time_of(const responder_options& how,
                                       policy::random_source& random);

/// One request at a time. What was called off is left at once.
[[nodiscard]] caf::behavior responder(worker* self, responder_options how);

// -- load --------------------------------------------------------------------

struct load_options {
  /// Paths of children, or of pools.
  std::vector<std::string> over;
  /// Nothing: each request goes to one of them, in turns.
  std::optional<policy::replication_spec> policy;
  double rate = 50; ///< Requests per second, at random times (Poisson).
  duration deadline = std::chrono::seconds{1};
  time_limit report_every = std::chrono::seconds{2};
  std::uint64_t seed = 1;
};

/// Asks whether or not answers come, as users do (an open loop).
[[nodiscard]] caf::behavior load(worker* self, load_options how,
                                 std::shared_ptr<kind_environment> world);

} // namespace coppice::tool
