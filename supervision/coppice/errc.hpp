// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// coppice's own error codes, named by what the receiver should do next.
///
/// Layer: L1.
/// Threads: values.
/// Rules: docs/semantics.md, FAILURE-1, FAILURE-2, RESTART-1.

#include "coppice/type_ids.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

namespace coppice {

/// What went wrong. The numbers travel: add at the end, remove nothing.
enum class errc : std::uint8_t {
  /// Nothing went wrong.
  none = 0,

  // -- the command was wrong: fix it; repeating cannot help ------------------

  /// The spec breaks a rule. Fix the spec.
  invalid_spec,
  /// The child runs already. Use it.
  already_started,
  /// A child with this id exists, without a life. Restart or delete it.
  already_present,
  /// No child has this id, or had: temporary children are forgotten.
  unknown_child,
  /// Only a stopped child can do this. Stop it first.
  child_running,
  /// The child is between lives. Wait for its next one, or stop it first.
  child_restarting,
  /// No room for one more. End a child first.
  children_max_reached,
  /// The command does not work on pools, whose children have no ids. Name the
  /// child by its handle.
  needs_id,
  /// Children of pools are named by their handles. Give one.
  needs_handle,

  // -- what became of a child: the supervisor deals with it ------------------

  /// The child failed while it started. The cause says why.
  start_failed,
  /// The child was not ready by its start deadline.
  start_timeout,
  /// The child ended by an exception or an error.
  crashed,
  /// The child had work in hand and made no progress.
  stalled,
  /// The child was killed, without being asked to end.
  killed,
  /// The restart budget is spent and the subtree is gone. The parent decides.
  gave_up,

  // -- no answer from here ---------------------------------------------------

  /// The supervisor is ending. Do not ask here again.
  shutting_down,
  /// The child is stopped, and stays so until somebody starts it.
  stopped,
  /// The child is between two lives. Ask again after `retry_after`.
  unavailable,
  /// The child is between two lives and no more messages can wait for the
  /// next one. Ask again after `retry_after`.
  parking_full,
  /// No answer by the deadline. The work may have been done, or be done yet.
  request_timeout,
  /// The node of the child cannot be reached. Ask another node.
  node_lost,

  // -- the rest --------------------------------------------------------------

  /// The child says: do not restart me, it cannot help.
  permanent_failure,
  /// Too many lives would not end. The root decides.
  abandoned_cap,
  /// The child declined to start (OTP's `ignore`). Not a failure.
  declined,
  /// A failure of a class that coppice does not know. Read its text.
  unknown,
  /// Not a failure: the exit reason of an actor that ended as it was asked to,
  /// perhaps with a note. Never sent as an answer.
  shutdown,

  // -- requests that are over ------------------------------------------------

  /// Whoever asked, or somebody on their behalf, called it off. Do not ask
  /// again unless the cause says so.
  cancelled,
  /// The request is over: its deadline has passed. The work may have been
  /// done, or be done yet. Ask again with more time.
  deadline_exceeded,

  // -- requests that a queue turned away -------------------------------------

  /// Too much waits there already. Ask again after `retry_after`.
  overloaded,
  /// It would not be done by its deadline. Ask again with more time.
  cannot_finish,

  // -- a tree that is to change ----------------------------------------------

  /// What runs would have to end for that spec. Stop the tree, start another.
  reload_refused,
};

/// The largest value in use.
inline constexpr auto last_errc = errc::reload_refused;

/// The name of the enumerator, or "unknown(200)".
[[nodiscard]] std::string to_string(errc x);

/// The inverse of `to_string`; leaves `x` alone when it returns `false`.
[[nodiscard]] bool from_string(std::string_view text, errc& x) noexcept;

/// Leaves `x` alone, and returns `false`, unless `value` names an enumerator.
[[nodiscard]] bool from_integer(std::uint8_t value, errc& x) noexcept;

/// One sentence for people, without a full stop.
[[nodiscard]] const char* describe(errc x) noexcept;

/// The category "coppice" of `std::error_code`.
[[nodiscard]] const std::error_category& error_category() noexcept;

[[nodiscard]] std::error_code make_error_code(errc x) noexcept;

COPPICE_INSPECT_ENUM(errc)

} // namespace coppice

template <>
struct std::is_error_code_enum<coppice::errc> : std::true_type {};

COPPICE_ERROR_ENUM(coppice::errc, "coppice")
