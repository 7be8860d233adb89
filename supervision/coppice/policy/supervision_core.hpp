// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Everything a supervisor decides, as one state machine.
///
/// Layer: policy. Pure: no clock, no CAF, no I/O.
/// Threads: not thread-safe; owned by one supervisor.
/// Rules: docs/semantics.md, START, RESTART, BUDGET, BACKOFF, STOP.

#include "coppice/policy/child_table.hpp"
#include "coppice/policy/directive.hpp"
#include "coppice/policy/random.hpp"
#include "coppice/policy/restart_budget.hpp"
#include "coppice/policy/spec_diff.hpp"
#include "coppice/policy/timer_heap.hpp"

#include <map>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace coppice::policy {

/// Facts and a time go in, directives come out, to be obeyed in order.
///
/// Each call takes the time at which the fact became known; it never goes
/// back. News of lives that are history is recognised and ignored, so the
/// caller may deliver late, but must not deliver twice.
///
/// Cost: O(1) per fact, O(log n) where a timer is involved; a group restart
/// costs O(members); the listing O(children).
class supervision_core {
public:
  /// @pre `validate(spec, ...)` found nothing.
  /// @param seed  Of the jitter; same seed, same delays.
  supervision_core(supervisor_spec spec, std::uint64_t seed);

  supervision_core(const supervision_core&) = delete;
  supervision_core& operator=(const supervision_core&) = delete;

  /// Numbers from where an earlier life of this supervisor left off, so that
  /// no incarnation of a path is used twice. Before `on_start`.
  void continue_from(const child_table::last_incarnations& last);
  [[nodiscard]] child_table::last_incarnations last_incarnations() const;

  // -- facts -----------------------------------------------------------------

  /// Once, first.
  directives on_start(time_point now);
  /// The life acknowledged that it works.
  directives on_ready(life_id life, time_point now);
  /// The start function said `ignore`; there is no life.
  directives on_declined(life_id life, time_point now);
  /// The start function failed; there is no life.
  directives on_start_failed(life_id life, const end_of_life& how,
                             time_point now);
  /// The life is over. Before `on_ready`, that is a failed start.
  directives on_down(life_id life, const end_of_life& how, time_point now);
  /// The watchdog's verdict.
  directives on_stalled(life_id life, time_point now);
  /// The child says that it is healthy: its backoff begins anew.
  directives on_healthy(life_id life, time_point now);
  /// The child says that its start, or its end, takes `span` from now: its
  /// deadline, or its grace, is put off, by `extension_max` in all.
  directives on_more_time(life_id life, duration span, time_point now);
  /// At or after the time of the last `arm_timer`.
  directives on_timer(time_point now);

  // -- commands: each is answered exactly once -------------------------------

  /// @pre `validate(spec, ...)` found nothing.
  directives start_child(command_token token, child_spec spec, time_point now);
  /// Another instance of the pool's template.
  directives start_instance(command_token token, time_point now);
  directives terminate_child(command_token token, child_key key,
                             time_point now);
  directives restart_child(command_token token, child_key key, time_point now);
  directives delete_child(command_token token, child_key key, time_point now);
  /// Ends a backoff early.
  directives retry_now(command_token token, child_key key, time_point now);
  /// Ends the supervisor; a second one joins the first, and may only make it
  /// faster. At `within`, what is left is killed and abandoned.
  directives stop(command_token token, time_limit within, time_point now);

  // -- another spec (TOPOLOGY-3) ---------------------------------------------

  /// What forbids it: a spec that differs in what cannot change while it runs.
  [[nodiscard]] spec_defects reload_defects(const supervisor_spec& next) const;
  /// What it changes, here and below. @param path  Of this supervisor.
  [[nodiscard]] spec_changes changes_to(const supervisor_spec& next,
                                        const std::string& path) const;
  /// Goes by `next` from now on; lives go on. Does nothing while it ends.
  ///
  /// @pre `validate(next, ...)` found nothing, and nothing forbids it: of this
  ///      supervisor's own structure, what the spec it has says counts; a child
  ///      that was added by command and is in the way is replaced.
  /// Cost: O(children).
  directives reload(supervisor_spec next, time_point now);

  // -- questions -------------------------------------------------------------

  [[nodiscard]] const supervisor_spec& spec() const noexcept { return spec_; }
  [[nodiscard]] bool is_pool() const noexcept {
    return spec_.strategy == simple_one_for_one;
  }
  /// Has it begun to end, or ended?
  [[nodiscard]] bool is_ending() const noexcept {
    return phase_ == phase::ending || phase_ == phase::ended;
  }
  /// How it ends, once it is ending.
  [[nodiscard]] const end_supervisor& planned_end() const noexcept {
    return end_;
  }
  [[nodiscard]] bool has_ended() const noexcept {
    return phase_ == phase::ended;
  }
  [[nodiscard]] child_counts counts() const;
  [[nodiscard]] std::vector<child_info> listing(time_point now) const;
  [[nodiscard]] child_info describe(child_key key, time_point now) const;
  [[nodiscard]] std::vector<abandoned_info> abandoned() const;
  /// `no_child` if unknown. In a pool: by number.
  [[nodiscard]] child_key find(std::string_view id) const;
  [[nodiscard]] bool contains(child_key key) const {
    return children_.contains(key);
  }
  /// A temporary child's start function is let go once the child is ready.
  /// Can the questions below be asked? Of a child that was forgotten, until
  /// the next fact or command: the directives in hand may be about it.
  [[nodiscard]] bool knows(child_key key) const {
    return children_.can_be_read(key);
  }
  [[nodiscard]] const child_spec& spec_of(child_key key) const {
    return *children_[key].spec;
  }
  [[nodiscard]] child_state state_of(child_key key) const {
    return children_[key].state;
  }
  [[nodiscard]] std::uint64_t incarnation_of(child_key key) const {
    return children_[key].incarnation;
  }
  /// What the child's backoff counts.
  [[nodiscard]] std::uint32_t failures_in_a_row(child_key key) const {
    return children_[key].failures;
  }
  /// Where in start order; a pool instance's number. Never used twice.
  [[nodiscard]] std::uint64_t serial_of(child_key key) const {
    return children_[key].serial;
  }
  [[nodiscard]] std::string id_of(child_key key) const {
    return children_.id_of(key);
  }
  /// Is this the current life of its child, and not over?
  [[nodiscard]] bool is_current(life_id life) const;
  [[nodiscard]] std::uint64_t restarts_in_window(time_point now) const;

private:
  enum class phase : std::uint8_t { fresh, starting, running, ending, ended };

  /// A walk over the children: from the end back to `first`, stopping them,
  /// then forth from `from`, starting those that were stopped for it.
  struct group_walk {
    enum class stage : std::uint8_t { idle, stopping, starting };
    stage at = stage::idle;
    /// Children from this serial number on are stopped.
    std::uint64_t first = 0;
    /// At most `first`: an earlier walk may have got no further than this.
    std::uint64_t from = 0;
    /// The child being stopped or started; `no_child` past the end.
    child_key cursor = no_child;
  };

  struct pending_command {
    enum class kind : std::uint8_t { start, terminate };
    command_token token;
    kind what;
  };

  struct abandoned_life {
    std::string id;
    std::uint64_t incarnation;
    time_point since;
  };

  struct timer_positions {
    child_table* children;
    std::uint32_t& operator()(child_key key) const {
      return (*children)[key].timer_position;
    }
  };

  // timers (supervision_core.cpp)
  void fire_timers();
  void timer_fired(child_key key);
  void set_timer(child_key key, time_point due);

  // lives (supervision_core_lives.cpp)
  void start_life_of(child_key key, start_purpose purpose);
  void begin_stop(child_key key, after_end after, bool own_idea);
  void begin_kill(child_key key);
  void abandon(child_key key);
  void life_is_over(child_key key);
  void stop_is_over(child_key key);
  void act_after_end(child_key key, after_end after);
  void set_stopped(child_key key, stopped_why why);
  void forget(child_key key);
  void absorb(child_key key);
  void history_ended(life_id life);
  void life_ended(child_key key, const end_of_life& how);
  void note_unclean_end(child_key key, const end_of_life& how);
  void start_timed_out(child_key key);

  // failures (supervision_core_failures.cpp)
  void ended_by_itself(child_key key, const end_of_life& how);
  void start_failed(child_key key, const end_of_life& how);
  void command_start_failed(child_key key);
  [[nodiscard]] bool was_commanded(child_key key) const;
  [[nodiscard]] after_end decide(child_key key, const end_of_life& how);
  [[nodiscard]] after_end charge(child_key key);
  [[nodiscard]] after_end exhausted(child_key key, exhaustion_action action,
                                    std::uint64_t attempts,
                                    const std::optional<restart_limits>& by);
  void give_up(child_key key);
  [[nodiscard]] static duration least_delay(const child_record& child);
  void retry(child_key key);
  [[nodiscard]] duration some_pause();
  void wait(child_key key, duration delay);
  void wait_until(child_key key, time_point due);
  void retry_is_due(child_key key);
  void gone_for_good(child_key key, stopped_why why);
  [[nodiscard]] bool closes_supervisor(const child_record& gone) const;

  // groups (supervision_core_groups.cpp)
  [[nodiscard]] bool restarts_in_groups() const noexcept;
  [[nodiscard]] bool is_being_stopped_in_group(child_key key) const;
  [[nodiscard]] bool belongs_to_group_stop(child_key key) const;
  [[nodiscard]] bool awaits_siblings_retry(child_key key) const;
  void restart_group(child_key origin);
  void bring_group_back(child_key origin);
  void walk();
  void walk_back();
  [[nodiscard]] bool pass_back(child_key key);
  void begin_walk_forth();
  void walk_forth();
  [[nodiscard]] bool walk_waits_at(child_key key);
  [[nodiscard]] bool some_are_to_come() const;

  // another spec (supervision_core_reload.cpp)
  [[nodiscard]] std::vector<const child_spec*>
  specs_of_children(bool declared_alone) const;
  std::uint64_t refit_children(std::vector<child_spec> next);
  std::uint64_t refit_pool(child_spec next);
  [[nodiscard]] bool is_reordered(const std::vector<child_key>& order,
                                  std::uint64_t newest) const;
  child_key refit_child(child_spec next, std::uint64_t& changes);
  child_key welcome(child_key key, std::uint64_t& changes);
  void refit(child_key key, bool adjust);
  void refit_budget(child_record& child);
  void shorten_wait(child_key key);
  void begin_leaving(child_key key);
  void arrange(const std::vector<child_key>& order);
  void drop_lifeless();
  void leave_group();
  void walk_anew();
  [[nodiscard]] child_key find_leaver(std::string_view id) const;
  void see_leavers_off();

  // ending (supervision_core_groups.cpp)
  void begin_end(const end_supervisor& why);
  void end_pool();
  void refuse_waiting_starts();
  void cancel_plans();
  void finish_if_empty();
  void hurry(time_limit within);
  void kill_all();
  void abandon_all();

  // plumbing
  [[nodiscard]] child_info line_of(child_key key, time_point now) const;
  [[nodiscard]] directives finish();
  void enter(time_point now);
  void answer(command_token token, command_result result, life_id life = {});
  void answer_waiting(child_key key, pending_command::kind what,
                      command_result result);
  void report(event_kind kind, child_key key, duration span = {},
              std::uint64_t attempts = 0);
  void report_late(life_id life);
  [[nodiscard]] life_id life_of(child_key key) const;
  [[nodiscard]] end_supervisor because_of(child_key key, end_reason why,
                                          std::uint64_t attempts = 0) const;
  [[nodiscard]] child_record* current(life_id life);
  [[nodiscard]] bool is_waiting(child_key key,
                                pending_command::kind what) const;
  [[nodiscard]] time_point budget_time(time_point now) const;
  void freeze_budget(child_record& child);
  void thaw_budget(child_record& child);
  [[nodiscard]] time_point next_due() const;

  supervisor_spec spec_;
  child_table children_;
  restart_budget budget_;
  random_source random_;
  timer_heap<child_key, timer_positions> timers_;
  phase phase_ = phase::fresh;
  group_walk group_;
  time_point now_{};
  std::optional<time_point> armed_;
  std::optional<time_point> paused_until_;
  bool firing_ = false;

  /// The budget's clock stands still while the supervisor stops children of
  /// its own accord (BUDGET-3).
  std::uint64_t freezing_ = 0;
  time_point frozen_since_{};
  duration frozen_total_{0};

  /// Those that leave, in start order: the last one goes first.
  std::vector<child_key> leaving_;
  /// Ids in the spec whose child was forgotten: finished, or deleted.
  std::unordered_set<std::string> absent_;

  std::unordered_multimap<child_key, pending_command> pending_;
  std::map<life_id, abandoned_life> abandoned_;
  std::uint64_t live_ = 0;
  std::uint64_t running_ = 0;

  end_supervisor end_;
  std::vector<command_token> stop_tokens_;
  time_point kill_all_at_ = time_point::max();
  time_point abandon_all_at_ = time_point::max();

  directives out_;
};

} // namespace coppice::policy
