// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// One random schedule for one replication core: random policy, random
/// replicas, random facts, also late, double, unknown ones and from the past.
/// The same seed is the same schedule.
///
/// Layer: tests.
/// Threads: use from one thread.
/// Rules: docs/semantics.md, REPLICATE-1 to REPLICATE-6.

#include "coppice/policy/random.hpp"

#include "support/replication_harness.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace coppice::test {

[[nodiscard]] std::vector<policy::replica_spec>
random_replicas(policy::random_source& random);

/// Sound for these replicas, by `validate`.
[[nodiscard]] policy::replication_spec
random_replication(policy::random_source& random,
                   const std::vector<policy::replica_spec>& replicas);

class replication_simulation {
public:
  explicit replication_simulation(std::uint64_t seed,
                                  replication_sabotage broken = {});

  /// @returns what is wrong, and how it came to that; empty if nothing is.
  std::string run();
  [[nodiscard]] std::size_t facts() const { return facts_; }

private:
  replication_simulation(policy::random_source random, std::uint64_t seed,
                         const std::vector<policy::replica_spec>& replicas,
                         replication_sabotage broken);

  void step();
  void tell(replication_fact x);
  void ask();
  void report(replication_fact::kind what);
  void report_nonsense();
  void pass_time();
  void toggle_replica();
  void end();
  [[nodiscard]] replication_fact about_a_copy(replication_fact::kind what);
  [[nodiscard]] policy::copy_failure random_failure();
  [[nodiscard]] std::uint32_t answer_of(policy::copy_name copy);

  policy::random_source random_;
  std::size_t replicas_;
  replication_world world_;
  policy::request_id ids_ = 0;
  std::size_t facts_ = 0;
};

} // namespace coppice::test
