// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// An actor system for tests: one thread, virtual time, nothing sleeps.
///
/// Layer: L3.
/// Threads: one; no detached actors, no blocking receives with timeouts.
/// Rules: none; catalogue, 2.0.

#include "coppice/deadline_clock.hpp"
#include "coppice/policy/time.hpp"
#include "coppice/testkit/virtual_clock_compat.hpp"
#include "coppice/tree_context.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace coppice::testkit {

using policy::duration;
using policy::time_point;

/// Steps through virtual time: from one due time to the next, over the timers
/// of CAF, the deadlines of contexts, and the watchdogs of the trees. After
/// each step it delivers messages until there are none.
class virtual_system {
public:
  /// Beyond them, the test fails instead of hanging.
  struct limits {
    /// Messages until nothing moves any more, without time passing.
    std::uint64_t messages_max = 1'000'000;
    /// Steps at one point in time: a timer that is always due is a loop.
    std::uint64_t steps_at_once_max = 10'000;
    /// Steps of one run. A day with a scan each 100 ms has 864,000.
    std::uint64_t steps_max = 10'000'000;
  };

  explicit virtual_system(compat::configure_function configure = {});
  virtual_system(compat::configure_function configure, limits bounds);
  /// Actors that are left would keep CAF from ending: then the system is
  /// leaked.
  ~virtual_system();

  [[nodiscard]] caf::actor_system& system() { return host_->system(); }

  /// Since the beginning.
  [[nodiscard]] duration now();
  [[nodiscard]] time_point clock_now() { return host_->now(); }
  /// `when`, on the same scale as `now`.
  [[nodiscard]] duration since_begin(time_point when) const {
    return when - begin_;
  }

  /// Has the watchdog of this tree run, too.
  void add(const std::shared_ptr<tree_context>& tree);

  /// Delivers messages until there are none. Time stands still.
  void settle();

  /// Everything that is due within `span`, each at its own time.
  void run_for(duration span);

  /// As `run_for`, but stops as soon as `condition` holds, and says whether.
  bool run_until(const std::function<bool()>& condition, duration at_most);

  /// The clock moves on while nobody gets to run, as when the machine was
  /// suspended; then everything happens at once.
  void suspend_for(duration span);

  /// Actors that have not ended; without those that CAF itself needs.
  [[nodiscard]] std::size_t running_actors();

  /// Has a limit been hit? Nothing runs from then on but a few messages per
  /// call, so that a test can still stop its actors.
  [[nodiscard]] bool has_run_away() const noexcept { return runaway_; }

private:
  [[nodiscard]] time_point next_due();
  void advance_to(time_point when);
  void run_away(const char* what, std::uint64_t count);

  std::unique_ptr<compat::deterministic_system> host_;
  std::shared_ptr<deadline_clock> deadlines_;
  deadline_clock::scope current_deadlines_;
  limits limits_;
  time_point begin_;
  std::size_t own_actors_;
  std::vector<std::weak_ptr<tree_context>> trees_;
  bool runaway_ = false;
};

} // namespace coppice::testkit
