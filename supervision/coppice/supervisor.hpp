// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The supervisor actor: carries out what the supervision core decides.
///
/// Layer: L2.
/// Threads: as any CAF actor.
/// Rules: docs/semantics.md, START, RESTART, STOP, HEARTBEAT-6, FAILURE-3.

#include "coppice/policy/supervision_core.hpp"
#include "coppice/supervised_actor.hpp"
#include "coppice/supervisor_messages.hpp"
#include "coppice/tree_context.hpp"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace coppice {

/// One per supervisor of a tree. Users do not spawn it: `supervise` does.
class supervisor_actor : public supervised_actor {
public:
  /// @param path  Of this supervisor, `/app/db`.
  supervisor_actor(caf::actor_config& cfg, std::shared_ptr<tree_context> tree,
                   supervisor_spec spec, std::string path);
  ~supervisor_actor() override;

  const char* name() const override { return "coppice.supervisor"; }

protected:
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  /// How a life ended, and what was decided about it. Most ends are followed
  /// by a restart and nobody asks: only who does makes a failure of it.
  struct end_record {
    bool is_open = false;
    caf::error reason;
    wall_time when = {};
    std::uint64_t incarnation = 0;
    /// Without the path, which is this supervisor's.
    std::vector<failure_frame> frames = {};
  };

  struct child_extras {
    /// What came before the end that is open, if one is.
    std::shared_ptr<const failure> last_failure;
    end_record last_end;
    caf::message arguments;
    std::string hold_reason;
  };

  /// What the shell keeps for a child, beside the core's record.
  struct child_slot {
    caf::strong_actor_ptr actor;
    slot_id beats = no_slot;
    policy::life_id life;
    /// The actor took the ticket, so it is a `supervised_actor`.
    bool is_ours = false;
    /// Its start function spawned it, and then threw: it was killed.
    bool start_has_failed = false;
    std::unique_ptr<child_extras> extras;
  };
  static constexpr slot_id no_slot = UINT32_MAX;

  struct abandoned_life {
    std::string path;
    std::uint64_t incarnation;
    slot_id beats;
    bool is_ours;
  };

  // what arrives
  void on_exit_message(caf::exit_msg& x);
  void on_life_news(const life_news& x);
  void on_life_end(const life_end& x);
  void on_watch_news(const watch_news& x);
  void on_command(const supervisor_command& x);
  void on_reload_order(const reload_order& x);
  void on_abandoned_cap(const abandoned_cap_reached& x);
  void on_abandoned_end(policy::life_id life);

  [[nodiscard]] policy::end_of_life end_of(const life_end& x,
                                           std::string& failure_class);
  void life_is_ready(policy::child_key key);
  void life_is_gone(child_slot& child);

  // commands
  void run(const command::start_child& x, const command_ticket& ticket);
  void run(const command::start_instance& x, const command_ticket& ticket);
  void run(const command::terminate_child& x, const command_ticket& ticket);
  void run(const command::restart_child& x, const command_ticket& ticket);
  void run(const command::delete_child& x, const command_ticket& ticket);
  void run(const command::retry_now& x, const command_ticket& ticket);
  void run(const command::stop& x, const command_ticket& ticket);
  void run(const command::list_children& x, const command_ticket& ticket);
  void run(const command::count_children& x, const command_ticket& ticket);
  void run(const command::find_child& x, const command_ticket& ticket);
  void run(const command::refer_to_child& x, const command_ticket& ticket);
  void run(const command::reload& x, const command_ticket& ticket);
  [[nodiscard]] policy::command_token remember(const command_ticket& ticket);
  [[nodiscard]] outcome<policy::child_key> resolve(const child_name& name);
  [[nodiscard]] child_line line_of(policy::child_info info);

  // directives
  void obey(policy::directives todo);
  void carry_out(const policy::start_life& x);
  void carry_out(const policy::stop_life& x);
  void carry_out(const policy::kill_life& x);
  void carry_out(const policy::abandon_life& x);
  void carry_out(const policy::forget_child& x);
  void carry_out(const policy::adjust_child& x);
  void carry_out(const policy::hand_down& x);
  void carry_out(const policy::arm_timer& x);
  void carry_out(const policy::answer_command& x);
  void carry_out(const policy::report_event& x);
  void carry_out(const policy::report_ready& x);
  void carry_out(const policy::end_supervisor& x);

  // starting
  void call_start_function(const policy::start_life& x);
  void adopt(const policy::start_life& x, const caf::actor& child,
             bool will_say_ready, bool is_ours);
  void start_went_wrong(policy::life_id life, failure why);

  // failures
  void note_failure(policy::child_key key, failure why);
  void note_end(policy::child_key key, const caf::error& reason);
  void annotate(const policy::report_event& x);
  void add_frame(policy::child_key key, std::string decision,
                 const policy::report_event& x);
  /// Makes one of an end that is open.
  [[nodiscard]] std::shared_ptr<const failure>
  last_failure(policy::child_key key) const;
  [[nodiscard]] failure failure_of(const end_record& end,
                                   policy::child_key key) const;
  [[nodiscard]] failure stall_failure(const watch_notice& notice) const;
  [[nodiscard]] failure timeout_failure(policy::child_key key) const;
  [[nodiscard]] failure clean_end_failure(policy::child_key key) const;
  [[nodiscard]] failure end_failure(const policy::end_supervisor& x,
                                    std::optional<failure> cause) const;
  [[nodiscard]] failure command_failure(policy::command_result result,
                                        policy::child_key key) const;

  // plumbing
  [[nodiscard]] policy::time_point now() const;
  [[nodiscard]] child_slot& slot(policy::child_key key);
  [[nodiscard]] child_extras& extras(policy::child_key key);
  [[nodiscard]] std::string path_of(policy::child_key key) const;
  [[nodiscard]] failure_where where_is(policy::child_key key) const;
  [[nodiscard]] caf::actor cell_of(policy::child_key key) const;
  void detach_cell(policy::child_key key);
  void close_cell(policy::child_key key, policy::stopped_why why);
  void publish(supervision_event event);
  void publish_beat_late(const watch_notice& notice);
  void publish_end(const failure& why);
  void root_was_killed();
  void tell_self(life_news news);
  [[nodiscard]] bool is_root() const noexcept;

  std::shared_ptr<tree_context> tree_;
  std::string own_path_;
  std::shared_ptr<const supervisor_link> link_;
  policy::supervision_core core_;
  std::deque<child_slot> slots_;
  std::map<policy::life_id, abandoned_life> abandoned_;
  /// Commands that wait for an answer: token n is the entry n - 1. Tokens are
  /// used again, as the core answers each exactly once.
  std::vector<command_ticket> waiting_;
  std::vector<policy::command_token> free_tokens_;
  /// While a reload goes on.
  std::shared_ptr<const reload_progress> reloading_;
  owner_id owner_ = 0;
  std::uint64_t timer_generation_ = 0;
  /// Why this supervisor is about to end abnormally.
  std::optional<failure> because_;
  bool has_ended_ = false;
};

} // namespace coppice
