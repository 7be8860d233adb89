// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What the supervision core is told, and what it wants done.
///
/// Layer: policy. Pure: no clock, no CAF, no I/O.
/// Threads: values.
/// Rules: docs/semantics.md, "Words"; OBSERVE-1 (the events).

#include "coppice/policy/spec.hpp"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace coppice::policy {

/// Names a child inside its supervisor; reused after the child is forgotten.
using child_key = std::uint32_t;
inline constexpr child_key no_child = UINT32_MAX;

/// Names one life inside one supervisor. Unlike the incarnation, which counts
/// the lives of one path for people, it never names two lives.
struct life_id {
  child_key key = no_child;
  std::uint32_t generation = 0;

  friend auto operator<=>(const life_id&, const life_id&) = default;
};

/// The caller's name for a command; comes back in its `answer`.
using command_token = std::uint64_t;

// -- what happened -----------------------------------------------------------

/// What made a restart necessary; the budget weighs by it (BUDGET-4).
enum class end_cause : std::uint8_t {
  crash,
  stall,
  start_failure,
  start_timeout,
  node_loss,
  clean_end,
};

/// How a life ended, as far as policy cares.
struct end_of_life {
  end_cause cause = end_cause::crash;
  /// Matched against the rules of the spec. Empty for clean ends.
  std::string_view failure_class = {};
};

// -- states ------------------------------------------------------------------

enum class child_state : std::uint8_t {
  starting, ///< Spawned, not ready yet.
  running,
  stopping, ///< Asked to end, or killed.
  backoff,  ///< Between lives; will be tried again. OTP's `restarting`.
  stopped,  ///< Has no life, and `stopped_why` says why.
};

/// Why a child has no life (RESTART-5).
enum class stopped_why : std::uint8_t {
  none,
  by_operator,
  by_group, ///< Stopped, or not started, for a sibling's sake.
  finished,
  failed,
  exhausted,
  declined,
};

// -- what is to be done ------------------------------------------------------

/// Call the start function; the life starts now.
struct start_life {
  life_id life;
  std::uint64_t incarnation = 0;
  friend bool operator==(const start_life&, const start_life&) = default;
};

/// Ask it to end.
struct stop_life {
  life_id life;
  /// How long it has; what is asked of an inner supervisor is bounded by it.
  time_limit grace;
  friend bool operator==(const stop_life&, const stop_life&) = default;
};

/// End it without asking.
struct kill_life {
  life_id life;
  friend bool operator==(const kill_life&, const kill_life&) = default;
};

/// It would not end: fence it off, drop the handle, count it.
struct abandon_life {
  life_id life;
  std::uint64_t incarnation = 0;
  friend bool operator==(const abandon_life&, const abandon_life&) = default;
};

/// Forget what is kept for this child; its key may be reused from now on.
struct forget_child {
  child_key key = no_child;
  friend bool operator==(const forget_child&, const forget_child&) = default;
};

/// Its spec has other limits for its heartbeat, or for messages that wait for
/// it: they hold from now on, for this life too.
struct adjust_child {
  life_id life;
  friend bool operator==(const adjust_child&, const adjust_child&) = default;
};

/// This inner supervisor goes by another spec from now on.
struct hand_down {
  life_id life;
  friend bool operator==(const hand_down&, const hand_down&) = default;
};

/// Call `on_timer` at `due`, instead of at what was asked for before.
struct arm_timer {
  time_point due;
  friend bool operator==(const arm_timer&, const arm_timer&) = default;
};

enum class command_result : std::uint8_t {
  ok,
  declined, ///< The child said `ignore`; ok without a life.
  already_started,
  already_present,
  not_found,
  running,
  restarting,
  start_failed,
  children_max,
  shutting_down,
  needs_key,  ///< A pool has no ids.
  superseded, ///< Another command undid this one before it was through.
};

/// A command is through.
struct answer_command {
  command_token token = 0;
  command_result result = command_result::ok;
  life_id life = {};
  friend bool operator==(const answer_command&, const answer_command&)
    = default;
};

enum class event_kind : std::uint8_t {
  started = 1,
  ready,
  failed, ///< A life ended that should not have; `cause` says how.
  stalled,
  restarting,
  backing_off, ///< `span` until the next attempt.
  stopped,     ///< `why` says why.
  abandoned,
  abandoned_ended, ///< An abandoned life ended at last.
  gave_up,
  budget_spent, ///< And `on_exhausted` applies to the child.
  paused,       ///< No restarts for `span`.
  resumed,
  late_news, ///< Something came from a life that is history; ignored.
  forgotten, ///< The spec of the child is gone.
  // Of the shell, which alone sees them:
  beat_late,       ///< Two thirds of a heartbeat's limit are over.
  watcher_late,    ///< The watchdog itself was late by `span`.
  pool_stuck,      ///< All threads of the scheduler are held by stalled lives.
  pool_free,       ///< And one of them is free again.
  message_ignored, ///< Somebody sent what a supervisor does not know.
  late_reply,      ///< An abandoned life answered; nobody listens any more.
  /// A supervisor goes by a new spec; `attempts` says how much of it changed.
  reloaded,
  replicated, ///< A replicator changed its mind about a replica, or a limit.
};

/// The largest value in use.
inline constexpr auto last_event_kind = event_kind::replicated;

/// Something to tell the observers.
struct report_event {
  event_kind kind = event_kind::started;
  life_id life = {};
  std::uint64_t incarnation = 0;
  end_cause cause = end_cause::crash;
  stopped_why why = stopped_why::none;
  duration span{0};
  /// Attempts in the window, this one included.
  std::uint64_t attempts = 0;
  friend bool operator==(const report_event&, const report_event&) = default;
};

/// All static children are ready, or declined.
struct report_ready {
  friend bool operator==(const report_ready&, const report_ready&) = default;
};

enum class end_reason : std::uint8_t {
  stopped,       ///< Asked to; clean.
  auto_shutdown, ///< Significant children ended; clean.
  start_failed,  ///< A static child did not start; abnormal.
  gave_up,       ///< The budget is spent, or a rule says escalate; abnormal.
};

/// This supervisor ends now; it has no live children any more.
struct end_supervisor {
  end_reason reason = end_reason::stopped;
  /// Who caused it, for the two abnormal reasons; the child itself may have
  /// been forgotten in the meantime.
  life_id life = {};
  std::string id = {};
  std::uint64_t incarnation = 0;
  end_cause cause = end_cause::crash;
  std::uint64_t attempts = 0;
  /// For `gave_up`: the budget that was spent, the supervisor's or the child's
  /// own. None: a rule about the class of the failure said so.
  std::optional<restart_limits> spent = {};
  friend bool operator==(const end_supervisor&, const end_supervisor&)
    = default;
};

/// What the core wants done. The supervisor obeys in order.
using directive
  = std::variant<start_life, stop_life, kill_life, abandon_life, forget_child,
                 arm_timer, answer_command, report_event, report_ready,
                 end_supervisor, adjust_child, hand_down>;
using directives = std::vector<directive>;

// -- what one can ask --------------------------------------------------------

/// OTP's four counts.
struct child_counts {
  std::uint64_t specs = 0;
  std::uint64_t running = 0;
  std::uint64_t supervisors = 0;
  std::uint64_t workers = 0;
  friend bool operator==(const child_counts&, const child_counts&) = default;
};

/// One line of the listing.
struct child_info {
  child_key key = no_child;
  /// The id; a pool's instance has its number here.
  std::string id = {};
  child_kind kind = child_kind::worker;
  restart_type restart = permanent;
  child_state state = child_state::stopped;
  stopped_why why = stopped_why::none;
  life_id life = {};
  std::uint64_t incarnation = 0;
  std::uint64_t restarts_total = 0;
  /// In the window of the child's own budget, if it has one.
  std::uint64_t restarts_in_window = 0;
  /// Abandoned lives of this child that have not ended yet.
  std::uint64_t abandoned = 0;
  /// Its budget is spent, and it is tried at the longest delay.
  bool parked = false;
  /// In `backoff`: when it is tried again.
  time_point next_retry = {};
};

/// An abandoned life.
struct abandoned_info {
  life_id life = {};
  std::string id = {};
  std::uint64_t incarnation = 0;
  time_point since = {};
};

[[nodiscard]] const char* to_string(end_cause x) noexcept;
[[nodiscard]] const char* to_string(child_state x) noexcept;
[[nodiscard]] const char* to_string(stopped_why x) noexcept;
[[nodiscard]] const char* to_string(command_result x) noexcept;
[[nodiscard]] const char* to_string(event_kind x) noexcept;
[[nodiscard]] const char* to_string(end_reason x) noexcept;
/// One line for logs, transcripts and test output.
[[nodiscard]] std::string to_string(const directive& x);

} // namespace coppice::policy
