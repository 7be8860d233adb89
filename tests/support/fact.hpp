// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What a supervision core can be told, as a value: to queue, to print, and
/// to hand to a checker before the core gets it.
///
/// Layer: tests.
/// Threads: values.
/// Rules: none.

#include "coppice/policy/supervision_core.hpp"

#include <cstdint>
#include <string>

namespace coppice::test {

enum class fact_kind : std::uint8_t {
  // of the supervisor
  start,
  timer,
  // of a life
  ready,
  declined,
  start_failed,
  down,
  stalled,
  healthy,
  // another spec
  reload,
  // commands
  add,
  add_instance,
  terminate,
  restart,
  remove,
  retry_now,
  stop,
};

struct fact {
  fact_kind kind = fact_kind::timer;
  policy::life_id life = {};
  policy::end_of_life how = {};
  policy::child_key key = policy::no_child;
  policy::command_token token = 0;
  /// Of `stop`.
  policy::time_limit within = policy::infinity;
  /// Of `add`. Not owned.
  const policy::child_spec* spec = nullptr;
  /// Of `reload`. Not owned.
  const policy::supervisor_spec* next = nullptr;

  [[nodiscard]] bool is_command() const noexcept {
    return kind >= fact_kind::add;
  }
  /// The life has ended, or there never was one.
  [[nodiscard]] bool is_end() const noexcept {
    return kind == fact_kind::declined || kind == fact_kind::start_failed
           || kind == fact_kind::down;
  }
  [[nodiscard]] bool is_about_life() const noexcept {
    return kind >= fact_kind::ready && kind <= fact_kind::healthy;
  }
};

[[nodiscard]] policy::directives tell(policy::supervision_core& core,
                                      const fact& x, policy::time_point now);

[[nodiscard]] std::string to_string(const fact& x);

} // namespace coppice::test
