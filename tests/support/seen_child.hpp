// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// A child and its current life, as seen from outside of the core.
///
/// Layer: tests. The books of `core_checker`.
/// Threads: values.
/// Rules: none.

#include "coppice/policy/directive.hpp"

#include "support/budget_recount.hpp"

#include <cstdint>
#include <string>

namespace coppice::test {

struct seen_life {
  policy::life_id life;
  std::uint64_t incarnation = 0;
  policy::time_point started = {};
  /// When it is to be killed, once it was asked to end.
  policy::time_point kill_due = policy::time_point::max();
  /// When it is to be abandoned, once it was killed.
  policy::time_point abandon_due = policy::time_point::max();
  bool is_alive = false;
  bool is_ready = false;
  bool is_asked = false;
  bool is_killed = false;
  /// Started for a command, which waits for it.
  bool is_commanded = false;
  /// Part of the supervisor's own start.
  bool is_initial = false;
  bool freezes = false;
  /// The group restart that is going on stops it before it starts anybody.
  bool must_end = false;
  /// Started under a spec that is history.
  bool is_of_another_spec = false;
  /// When it counts as failed, unless it is ready.
  policy::time_point start_due = policy::time_point::max();

  [[nodiscard]] bool is_stopping() const noexcept {
    return is_asked || is_killed;
  }
};

struct seen_child {
  const policy::child_spec* spec = nullptr;
  std::string id = {};
  seen_life life = {};
  budget_recount budget{{}};
  policy::time_point retry_not_before = policy::time_point::min();
  std::uint32_t lives = 0;
  bool is_static = false;
  /// In the supervisor's spec.
  bool is_declared = false;
  /// Not any more: stopped in its turn.
  bool is_leaving = false;
  /// By another of its id, which waits until it has left.
  bool is_replaced = false;
  /// A reload added it, and it had no life yet.
  bool is_new = false;
  /// The strategy changed while it may have waited for a sibling, or what
  /// ending means: some checks do not hold for it.
  bool is_excused = false;
  /// The supervisor's start need not wait for it any more.
  bool is_settled = false;
  /// Stays stopped until somebody asks for it.
  bool is_sticky = false;
  bool is_parked = false;
  bool pauses_alone = false;
  bool is_backing_off = false;
  /// Its retry was announced, in the directives under examination.
  bool is_announced = false;
  /// Likewise: its failure.
  bool has_failed = false;
};

} // namespace coppice::test
