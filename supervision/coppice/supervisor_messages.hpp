// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What can be asked of a supervisor, as messages within one process.
///
/// Layer: L2.
/// Threads: values; a reply is called once, on the supervisor's thread.
/// Rules: docs/semantics.md, START-3, STOP-3, STOP-4, TOPOLOGY-3.

#include "coppice/child_ref.hpp"
#include "coppice/outcome.hpp"
#include "coppice/policy/spec_diff.hpp"
#include "coppice/spec.hpp"
#include "coppice/watchdog.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace coppice {

/// One child, as a supervisor sees it.
struct child_line {
  policy::child_info info;
  std::string path;
  /// Of the current life, or null.
  caf::actor actor;
  /// Of the current life, if it is on the heartbeat board.
  std::optional<watchdog::vital_signs> signs;
  /// Of those: how long the silence may last in the phase that it is in.
  time_limit silence_max = infinity;
  std::shared_ptr<const failure> last_failure;
  /// Why an operator holds it. Empty: nobody does, or did not say.
  std::string hold_reason = {};
};

/// What came of a reload.
struct reload_report {
  /// Of the spec that is in force now; the first one was 1.
  std::uint64_t version = 0;
  policy::spec_changes changes;
};

/// What came of a command. Empty are the fields that it is not about.
struct command_reply {
  caf::actor actor;
  policy::child_counts counts;
  std::vector<child_line> children;
  std::vector<policy::abandoned_info> abandoned;
  std::uint64_t restarts_in_window = 0;
  // Of a listing: the supervisor itself.
  restart_strategy strategy = one_for_one;
  restart_limits limits = {};
  bool is_ending = false;
  reload_report reloaded = {};
};

using command_callback = std::function<void(outcome<command_reply>)>;

/// Calls back exactly once, even if the supervisor is gone.
class command_ticket {
public:
  command_ticket() = default;
  explicit command_ticket(command_callback callback);

  /// Later calls do nothing.
  void answer(outcome<command_reply> what) const;

private:
  struct pending;
  std::shared_ptr<pending> pending_;
};

/// Names a child: by id, or in a pool by its actor.
using child_name = std::variant<std::string, caf::actor>;

namespace command {

struct start_child {
  child_spec spec;
};
/// One more instance of a pool; `arguments` go to each of its lives.
struct start_instance {
  caf::message arguments;
};
struct terminate_child {
  child_name child;
  /// Shown until it is started again. Empty: none.
  std::string reason = {};
};
struct restart_child {
  child_name child;
};
struct delete_child {
  child_name child;
};
struct retry_now {
  child_name child;
};
struct stop {
  time_limit within;
};
struct list_children {};
struct count_children {};
/// The actor of the current life.
struct find_child {
  child_name child;
};

/// The cell behind references to this child.
struct refer_to_child {
  std::string id;
};

/// To the root: another spec for the whole tree, as `supervision_tree::reload`
/// says. Answered when all supervisors go by it.
struct reload {
  /// Taken over; not to be looked at again.
  std::shared_ptr<supervisor_spec> spec;
  /// Validated already, on somebody else's thread.
  bool is_sound = false;
};

} // namespace command

/// Internal message.
struct supervisor_command {
  std::variant<command::start_child, command::start_instance,
               command::terminate_child, command::restart_child,
               command::delete_child, command::retry_now, command::stop,
               command::list_children, command::count_children,
               command::find_child, command::refer_to_child, command::reload>
    what;
  command_ticket ticket;
};

/// Internal message, parent to inner supervisor: end in order within.
struct stop_order {
  time_limit within;
};

/// Answers a reload when the last supervisor that goes by it lets go.
class reload_progress {
public:
  reload_progress(command_ticket ticket, reload_report report)
    : ticket_(std::move(ticket)), report_(std::move(report)) {}
  ~reload_progress();
  reload_progress(const reload_progress&) = delete;
  reload_progress& operator=(const reload_progress&) = delete;

private:
  command_ticket ticket_;
  reload_report report_;
};

/// Internal message, parent to inner supervisor: go by this spec. One that
/// ends before it gets there begins its next life with it anyway.
struct reload_order {
  nested_supervisor spec;
  std::shared_ptr<const reload_progress> progress;
};

/// Internal message, to the root: too many lives are abandoned.
struct abandoned_cap_reached {
  std::uint64_t count;
};

/// Internal message from the watchdog.
struct watch_news {
  watch_notice notice;
};

} // namespace coppice

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(coppice::supervisor_command)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(coppice::stop_order)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(coppice::reload_order)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(coppice::abandoned_cap_reached)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(coppice::watch_news)
