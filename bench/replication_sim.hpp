// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What the program `replication_sim` is made of: settings, tables, targets.
///
/// Layer: L4.
/// Threads: tables from the main thread only; the rest is functions.
/// Rules: none; bench/README.md.

#include "coppice/policy/replication_spec.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace replication_sim {

namespace policy = coppice::policy;

/// One number per seed.
using samples = std::vector<double>;

[[nodiscard]] double median(samples x);
[[nodiscard]] double mean(const std::vector<float>& x);
/// By nearest rank. Reorders `x`.
/// @param share  0 to 1.
[[nodiscard]] double quantile(std::vector<float>& x, double share);

struct settings {
  /// Tables show the medians over so many.
  std::uint64_t seeds = 3;
  /// Divides the counts of requests; above 1 for a quick look, by which no
  /// target is judged.
  std::size_t divisor = 1;
  /// Where to write the heat maps. Empty: nowhere.
  std::string svg_directory = {};

  [[nodiscard]] std::size_t of(std::size_t count) const {
    return count / divisor > 0 ? count / divisor : 1;
  }
};

/// Calls `f` with 0 to `count` - 1, on two threads; runs are independent.
void in_parallel(std::size_t count, const std::function<void(std::size_t)>& f);

/// What must be reached, and whether it was.
struct target {
  std::string name;
  double value;
  /// Most that `value` may be.
  double bound;

  [[nodiscard]] bool is_met() const noexcept { return value <= bound; }
};

using targets = std::vector<target>;

// -- specs that the tables share ---------------------------------------------

/// `count` of them, of one server each, with nothing in common.
[[nodiscard]] std::vector<policy::replica_spec> replicas(std::size_t count);

/// One copy, never another. A hedge that is never paid for, so that it goes
/// through the same core as the rest.
[[nodiscard]] policy::replication_spec single();

/// Another copy after `delay` since `trigger`.
[[nodiscard]] policy::hedge_spec fixed(policy::duration delay,
                                       policy::hedge_trigger trigger);

/// Without the off switch: what the mode does by itself.
[[nodiscard]] policy::replication_spec never_off(policy::replication_spec spec);

/// Without setting replicas aside: they are equal here, by construction, and
/// those who look slow are unlucky.
/// @throws std::invalid_argument  If the spec is not sound.
void prepare(policy::replication_spec& spec, std::size_t replica_count);

// -- the tables --------------------------------------------------------------

/// 1,000 leaves in 100 servers; wait for all.
void print_tail(const settings& how, targets& out);
/// 50 queueing servers at several loads.
void print_queues(const settings& how, targets& out);
/// Where the modes help, by load and by what is inherent in the request.
void print_boundary(const settings& how);
/// The same load with the off switch, and without it.
void print_switch(const settings& how);

} // namespace replication_sim
