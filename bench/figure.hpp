// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What the benchmark program `figures` is made of: samples, and one table.
///
/// Layer: L4.
/// Threads: the main thread only, unless said otherwise.
/// Rules: none; bench/README.md.

#include "coppice/caf_compat.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <future>
#include <optional>
#include <string>
#include <vector>

namespace figures {

using coppice::compat::host_type;
using clock = std::chrono::steady_clock;
namespace compat = coppice::compat;

/// One number per round.
using samples = std::vector<double>;

[[nodiscard]] double median(samples x);
/// @param share  0 to 1. By nearest rank.
[[nodiscard]] double quantile(samples x, double share);

/// One line of the table.
struct figure {
  std::string what;
  std::string unit;
  samples ours = {};
  /// The same by hand, or of the smaller case; round by round beside `ours`.
  /// Empty: the figure stands for itself.
  samples base = {};
  /// Most that the median may be: of the ratio, or of `ours` without a base.
  std::optional<double> target = {};
  /// The target is about `ours - base`, not about the ratio.
  bool is_difference = false;

  /// Round by round.
  [[nodiscard]] samples compared() const;
};

/// Prints a line to standard output as it comes, and remembers it.
class table {
public:
  void add(figure x);
  /// As Markdown. Returns how many targets were missed.
  std::size_t print() const;

private:
  std::vector<figure> lines_;
};

struct settings {
  /// Of each side, alternating. Range: at least 5 for figures to be shown.
  std::size_t rounds = 7;
  /// Divides all counts; above 1 for a quick look.
  std::size_t divisor = 1;

  [[nodiscard]] std::size_t of(std::size_t count) const {
    return count / divisor > 0 ? count / divisor : 1;
  }
};

// -- the figures -------------------------------------------------------------

void start_figures(table& out, const settings& how);
void restart_figures(table& out, const settings& how);
void memory_figures(table& out, const settings& how);
void heartbeat_figures(table& out, const settings& how);
void group_figures(table& out, const settings& how);
void budget_figures(table& out, const settings& how);
void stall_figures(table& out, const settings& how);
void message_figures(table& out, const settings& how);
void pool_figures(table& out, const settings& how);
void reload_figures(table& out, const settings& how);
void replicator_figures(table& out, const settings& how);
void check_figures(table& out, const settings& how);

/// Of the processes that `memory_figures` starts.
int memory_process(const std::string& kind, std::size_t count);

// -- helpers -----------------------------------------------------------------

/// Wall time and CPU time of the process.
struct spent {
  double wall; ///< Unit: ns.
  double cpu;  ///< Unit: ns.
};

class stopwatch {
public:
  stopwatch();
  [[nodiscard]] spent read() const;

private:
  clock::time_point wall_;
  double cpu_;
};

/// Waits until no more than `count` actors are left.
void await_actors(caf::actor_system& system, std::size_t count);

} // namespace figures
