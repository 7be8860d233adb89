// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The way in: brings a supervision tree up, and holds on to it.
///
/// Layer: L2.
/// Threads: thread-safe, from outside of the actor system; the calls that wait
/// must not be made from inside an actor that shares the pool of threads.
/// Rules: docs/semantics.md, START-2, STOP-3, STOP-4, BUDGET-7, TOPOLOGY-3.

#include "coppice/child_ref.hpp"
#include "coppice/outcome.hpp"
#include "coppice/spec.hpp"
#include "coppice/start_context.hpp"
#include "coppice/supervisor_messages.hpp"
#include "coppice/tree_context.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace coppice {

/// What happens when the root ends by itself (BUDGET-7).
enum class root_end_action : std::uint8_t {
  /// `supervision_tree::wait` returns the failure. If nobody has looked at it
  /// when the tree's handle goes, it is written to standard error.
  return_failure,
  /// Writes the failure to standard error and ends the process with
  /// `exit_code`, by `std::quick_exit`.
  exit_process,
  /// Writes the failure to standard error and aborts the process.
  abort_process,
  /// Writes the failure to standard error; the process goes on without it.
  keep,
};

/// Everything about a tree that is not in its specs.
struct supervise_options : tree_settings {
  root_end_action on_root_end = root_end_action::return_failure;
  /// EX_SOFTWARE of sysexits.h. Range: 0 to 255.
  int exit_code = 70;
  /// The whole tree has to be ready by then.
  time_limit start_within = infinity;
  /// Used by the destructor of the handle.
  time_limit stop_within = std::chrono::seconds{10};
  /// A thread of its own: the root then works even if stuck handlers hold all
  /// threads of the pool.
  isolation_kind root_isolation = isolation_kind::thread;
};

/// How a tree ended.
struct stop_report {
  /// Lives that would not end, by path: each holds a thread.
  std::vector<left_behind> left;
  /// Did the root itself end in time?
  bool complete = false;
};

/// How long an answer of a supervisor may take, unless told otherwise.
inline constexpr auto default_command_timeout = std::chrono::seconds{5};

/// Commands for one supervisor, and questions (OTP's names where OTP has
/// them). Each waits for the answer, or for its timeout.
class supervisor_ref {
public:
  supervisor_ref() = default;
  explicit supervisor_ref(caf::actor supervisor)
    : supervisor_(std::move(supervisor)) {}

  [[nodiscard]] const caf::actor& handle() const noexcept {
    return supervisor_;
  }

  /// The actor of its first life; a null handle if it declined. Its start may
  /// take as long as its start deadline: choose `timeout` above that.
  outcome<caf::actor>
  start_child(child_spec spec,
              time_limit timeout = default_command_timeout) const;
  /// One more instance of a pool. Its start function finds `arguments` in the
  /// context, in each of its lives.
  outcome<caf::actor>
  start_instance(caf::message arguments = {},
                 time_limit timeout = default_command_timeout) const;
  /// Returns when it is gone. It stays so (RESTART-4).
  outcome_of_nothing
  terminate_child(child_name child,
                  time_limit timeout = default_command_timeout) const;
  /// The same, with a reason that listings show until it is started again or
  /// deleted. A child between two lives gets no other one.
  outcome_of_nothing
  hold_child(child_name child, std::string reason,
             time_limit timeout = default_command_timeout) const;
  outcome<caf::actor>
  restart_child(child_name child,
                time_limit timeout = default_command_timeout) const;
  /// Forgets the spec of a stopped child.
  outcome_of_nothing
  delete_child(child_name child,
               time_limit timeout = default_command_timeout) const;
  /// Ends a backoff.
  outcome_of_nothing
  retry_now(child_name child,
            time_limit timeout = default_command_timeout) const;
  outcome<std::vector<child_line>>
  which_children(time_limit timeout = default_command_timeout) const;
  outcome<policy::child_counts>
  count_children(time_limit timeout = default_command_timeout) const;
  /// One line of the listing, with the actor of the current life.
  outcome<child_line>
  get_child(child_name child,
            time_limit timeout = default_command_timeout) const;

  /// Posts a command and returns at once; the callback runs once, on a thread
  /// of the actor system. For use inside actors.
  template <class Command>
  void submit(Command what, command_callback callback) const {
    compat::post(supervisor_,
                 supervisor_command{std::move(what),
                                    command_ticket{std::move(callback)}});
  }

private:
  caf::actor supervisor_;
};

/// A tree that runs. Moving it is fine; the end of it stops the tree. It has
/// to go before its actor system.
class supervision_tree {
public:
  supervision_tree(supervision_tree&&) noexcept;
  /// Ends the tree that this was.
  supervision_tree& operator=(supervision_tree&&) noexcept;
  /// Stops the tree, delivers the events that wait, and lets go of the
  /// observer: it never runs again, even if lives were left behind.
  ~supervision_tree();

  [[nodiscard]] const supervisor_ref& root() const noexcept { return root_; }

  /// The supervisor at `path`, such as "/app/db"; its current life.
  outcome<supervisor_ref>
  supervisor(const std::string& path,
             time_limit timeout = default_command_timeout) const;

  /// A reference to the child at `path`, across all its lives, and those of
  /// the supervisors above it. In a pool, the last part is its number.
  outcome<child_ref> child(const std::string& path,
                           time_limit timeout = default_command_timeout) const;

  /// Gives the running tree another spec, as a whole or not at all
  /// (TOPOLOGY-3): lives that go on are not touched.
  ///
  /// Refused, with nothing changed, is a spec that `supervise` would refuse
  /// (class `invalid_spec`), and one that cannot be had without ending what
  /// runs (class `reload_refused`): another name of the root, a pool in place
  /// of no pool or the reverse, a worker in place of a supervisor or the
  /// reverse; and any while the tree ends (`shutting_down`).
  ///
  /// Limits, graces and start functions count from their next use on, except
  /// for heartbeats, which are judged by the new limits at once. Children that
  /// are new are started, and those that are gone stopped; the call does not
  /// wait for that, only for each supervisor to go by the new spec. A child
  /// that cannot be started is retried, like any other.
  ///
  /// @returns What changed. After `timeout`: a failure of class
  ///          `request_timeout`, though the new spec may be in force.
  outcome<reload_report> reload(supervisor_spec spec,
                                time_limit timeout = default_command_timeout);

  /// Of the spec: 1, and one more with each reload.
  [[nodiscard]] std::uint64_t version() const noexcept {
    return context_->events().version();
  }

  /// Ends the tree in order, within `deadline`; what is left shortly before is
  /// killed, what is left then is abandoned and named. Again: joins.
  stop_report stop(time_limit deadline);

  /// Waits for the root to end, by whatever cause. Nothing: still running.
  /// The inner optional is empty for a clean end.
  std::optional<std::optional<failure>> wait(time_limit timeout = infinity);

  [[nodiscard]] bool has_ended() const;
  [[nodiscard]] std::vector<left_behind> abandoned() const;
  [[nodiscard]] const std::shared_ptr<tree_context>& context() const noexcept {
    return context_;
  }

private:
  friend outcome<supervision_tree> launch(caf::actor_system&, supervisor_spec,
                                          supervise_options);
  friend outcome<supervision_tree>
  supervise(caf::actor_system&, supervisor_spec, supervise_options);
  supervision_tree() = default;

  std::shared_ptr<tree_context> context_;
  supervisor_ref root_;
  time_limit stop_within_;
  /// Somebody has seen how it ended.
  bool seen_ = false;
};

/// Validates `spec` with all that is nested in it, starts the tree, and waits
/// until all of it is ready.
///
/// On failure nothing is left running, and the failure names the child and
/// nests the cause; its class is `invalid_spec`, `start_failure` or
/// `start_timeout`.
outcome<supervision_tree> supervise(caf::actor_system& system,
                                    supervisor_spec spec,
                                    supervise_options options = {});

/// The same without waiting: for tests in virtual time.
outcome<supervision_tree> launch(caf::actor_system& system,
                                 supervisor_spec spec,
                                 supervise_options options = {});

} // namespace coppice
