// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Random lives of random supervisors, in virtual time, under a checker.
///
/// Layer: tests. Children start late or never, crash, finish, stall, ignore
/// stops and kills; news comes late and sometimes twice; timers fire late; and
/// operators interfere.
/// Threads: not thread-safe.
/// Rules: docs/semantics.md, START, RESTART, BUDGET, BACKOFF, STOP.

#include "support/core_checker.hpp"

#include <functional>
#include <memory>
#include <queue>
#include <string>
#include <vector>

namespace coppice::test {

/// How a policy is broken on purpose, to see whether the checker objects.
struct sabotage {
  /// The core gets another spec than the checker.
  std::function<void(policy::supervisor_spec&)> spec = {};
  /// The checker and the world get other directives than the core gave.
  std::function<void(policy::directives&)> directives = {};
};

class simulation {
public:
  explicit simulation(std::uint64_t seed, const sabotage& broken = {});

  /// Lives through one schedule. Returns the first objection, or nothing.
  std::string run();

  /// What happened; empty unless asked for before.
  void keep_transcript() { keeps_transcript_ = true; }
  [[nodiscard]] const std::string& transcript() const { return transcript_; }

  /// Facts told so far.
  [[nodiscard]] std::size_t steps() const { return steps_; }

private:
  struct news {
    policy::time_point at;
    std::uint64_t number;
    fact what;

    bool operator<(const news& other) const {
      return at != other.at ? at > other.at : number > other.number;
    }
  };

  // time and news
  void live_for_a_while();
  void end_and_drain();
  bool let_something_happen();
  void tell_core(const fact& x);
  void expect(policy::duration after, fact x);

  // the world
  void obey(const policy::start_life& x);
  void obey(const policy::stop_life& x);
  void obey(const policy::kill_life& x);
  void obey(const policy::abandon_life& x);
  void obey(const policy::arm_timer& x);
  template <class Other>
  void obey(const Other&) {}
  void plan_life(policy::life_id life);
  void plan_death(policy::life_id life);

  // operators
  void command();
  fact random_command();
  [[nodiscard]] policy::child_key random_key();
  const policy::child_spec* random_addition();
  void reload();
  void stop_within(policy::time_limit within);

  policy::duration some_delay();
  policy::end_of_life some_end();
  [[nodiscard]] bool has_objection() const {
    return !checker_.objection().empty();
  }

  policy::random_source random_;
  const sabotage broken_;
  const policy::supervisor_spec spec_;
  policy::supervision_core core_;
  /// The higher, the fewer starts fail.
  const std::uint64_t calm_;
  core_checker checker_;
  policy::time_point now_{std::chrono::hours{1}};
  policy::time_point timer_at_ = policy::time_point::max();
  std::priority_queue<news> queue_;
  std::vector<std::unique_ptr<policy::child_spec>> additions_;
  /// The last one is in force.
  std::vector<std::unique_ptr<policy::supervisor_spec>> specs_;
  std::uint64_t numbers_ = 0;
  policy::command_token tokens_ = 0;
  std::size_t steps_ = 0;
  bool keeps_transcript_ = false;
  std::string transcript_;
};

} // namespace coppice::test
