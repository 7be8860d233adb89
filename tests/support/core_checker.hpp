// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Watches a supervision core and objects when it breaks the contract.
///
/// Layer: tests. Knows what the core is told and what it orders, keeps its own
/// books, and compares them with what the core says of itself.
/// Threads: not thread-safe.
/// Rules: docs/semantics.md, START, RESTART, BUDGET, BACKOFF, STOP.

#include "support/budget_recount.hpp"
#include "support/fact.hpp"
#include "support/seen_child.hpp"

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace coppice::test {

class core_checker {
public:
  /// @param core  Not started yet; must outlive the checker.
  core_checker(const policy::supervisor_spec& spec,
               const policy::supervision_core& core);

  core_checker(const core_checker&) = delete;
  core_checker& operator=(const core_checker&) = delete;

  /// Before the core is told.
  void before(const fact& x, policy::time_point now);
  /// After it answered.
  void after(const policy::directives& todo);

  /// Of the checker, or of whoever uses it.
  void object(const std::string& what);
  /// The first objection; empty while all is well.
  [[nodiscard]] const std::string& objection() const { return objection_; }

  [[nodiscard]] const std::map<policy::child_key, seen_child>&
  children() const {
    return children_;
  }
  [[nodiscard]] const std::set<policy::life_id>& abandoned() const {
    return abandoned_;
  }
  [[nodiscard]] std::optional<policy::time_point> armed() const {
    return armed_;
  }
  [[nodiscard]] bool has_ended() const { return has_ended_; }

private:
  struct pending {
    fact_kind kind;
    policy::child_key key;
  };

  /// Reported, and what follows from it not seen yet.
  struct open_failure {
    policy::child_key key = policy::no_child;
    policy::end_cause cause = {};
  };

  // another spec (core_checker_reload.cpp)
  void note_reload(const policy::supervisor_spec& next);
  void note_other_spec(seen_child& x, const policy::child_spec& next);
  void note_new_children();
  [[nodiscard]] bool some_leave() const;
  void check_leaving(const seen_child& x);

  // facts (core_checker.cpp)
  void note_end(const fact& x);
  void note_command(const fact& x);
  void life_is_over(seen_life& x);

  // directives (core_checker_directives.cpp)
  void see(const policy::start_life& x);
  void see(const policy::stop_life& x);
  void see(const policy::kill_life& x);
  void see(const policy::abandon_life& x);
  void see(const policy::forget_child& x);
  void see(const policy::arm_timer& x);
  void see(const policy::adjust_child& x);
  void see(const policy::hand_down& x);
  void see(const policy::answer_command& x);
  void see(const policy::report_ready& x);
  void see(const policy::end_supervisor& x);
  seen_child& child_to_start(policy::child_key key);
  void check_start(const seen_child& x);
  void check_group_start(const seen_child& x);
  void check_static_order(const seen_child& x);
  void check_stop_order(policy::child_key key);
  void begins_to_stop(policy::child_key key);
  [[nodiscard]] bool joins_a_retry(policy::child_key key) const;
  [[nodiscard]] policy::time_point soon(policy::time_point due) const;
  [[nodiscard]] seen_life* living(policy::life_id life, const char* what);
  void check_answer(const pending& asked, const policy::answer_command& x);

  // events and the budget (core_checker_budget.cpp)
  void see(const policy::report_event& x);
  void note_retry(const policy::report_event& x);
  void note_backoff(const policy::report_event& x);
  void note_pause(const policy::report_event& x);
  void note_resume(const policy::report_event& x);
  void note_decision(policy::child_key key, bool is_affordable);
  void check_refusal(seen_child& x, bool by_child);
  [[nodiscard]] policy::failure_action action_for(const seen_child& x) const;
  [[nodiscard]] std::uint32_t weight_of(policy::end_cause cause) const;

  // the state afterwards (core_checker_state.cpp)
  void check_state();
  void check_child(const policy::child_info& said, seen_child& x);
  void check_life(const policy::child_info& said, const seen_child& x);
  void check_stopped(const policy::child_info& said, seen_child& x);
  void check_counts(const std::vector<policy::child_info>& listing);
  void check_group(const std::vector<policy::child_info>& listing);
  void check_pending();
  void check_timers(const policy::child_info& said, const seen_child& x);
  void check_due(policy::time_point due, const char* what);
  void check_stale(const policy::directives& todo);

  [[nodiscard]] bool is_group() const noexcept {
    return spec_.strategy == policy::one_for_all
           || spec_.strategy == policy::rest_for_one;
  }
  [[nodiscard]] bool is_awaited(policy::child_key key) const;
  [[nodiscard]] std::uint64_t place_of(policy::child_key key) const;
  void object(const std::string& what, policy::child_key key);

  policy::supervisor_spec spec_;
  /// Those before, and this one: children refer to them.
  std::deque<policy::supervisor_spec> specs_;
  const policy::supervision_core& core_;
  std::deque<policy::child_spec> added_;
  std::map<policy::child_key, seen_child> children_;
  /// Start order.
  std::vector<policy::child_key> order_;
  std::map<std::string, std::uint64_t> last_incarnation_;
  std::map<policy::command_token, pending> pending_;
  std::set<policy::life_id> abandoned_;
  std::optional<policy::time_point> armed_;
  budget_recount budget_;
  budget_clock clock_;
  /// The longest that there was.
  policy::duration pause_max_{0};
  std::optional<policy::time_point> paused_until_;
  policy::time_point kill_all_at_ = policy::time_point::max();
  policy::time_point end_at_ = policy::time_point::max();
  bool is_started_ = false;
  bool is_ready_ = false;
  bool is_ending_ = false;
  bool has_ended_ = false;

  // of the fact under examination
  fact fact_;
  policy::time_point now_{};
  open_failure open_;
  bool is_stale_ = false;
  bool must_give_up_ = false;
  bool must_pause_ = false;

  std::string objection_;
};

} // namespace coppice::test
