// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The base of workers: CAF actors that beat by themselves.
///
/// Layer: L3.
/// Threads: as any CAF actor; all members only from inside its handlers.
/// Rules: docs/semantics.md, HEARTBEAT-1 to HEARTBEAT-4, BACKOFF-2, DEADLINE-4,
/// REPLICATE-2.

#include "coppice/context.hpp"
#include "coppice/request_handler.hpp"
#include "coppice/spec.hpp"
#include "coppice/start_context.hpp"
#include "coppice/supervised_actor.hpp"

#include <string>

namespace coppice {

/// An event-based actor whose units of work are marked on the heartbeat board.
///
/// Write it as a CAF actor function, and give it to `spawns` or to
/// `start_context::spawn`:
///
///     caf::behavior indexer(coppice::worker* self, std::string directory);
///
/// or, with a state, `caf::stateful_actor<state, coppice::worker>*`. Outside
/// of a supervision tree it is an ordinary actor.
class worker : public supervised_actor {
public:
  using supervised_actor::supervised_actor;

  const char* name() const override;

  /// Progress inside a long handler. Cost: about 1 ns.
  void beat() noexcept { beats().beat(); }

  /// Progress, and where: a stall names the last mark.
  /// @param mark  A string literal, or what lives as long as the process.
  void beat(const char* mark) noexcept { beats().beat(mark); }

  /// More time until the next beat, for what cannot beat: a call into a
  /// library, say. Bounded by `heartbeat_spec::extension_max`.
  void extend(duration span) noexcept { beats().extend(span); }

  /// Has the supervisor asked this life to end, or given it up? Long handlers
  /// look now and then, and return. Cost: about 1 ns.
  [[nodiscard]] bool cancelled() const noexcept {
    return beats().stop_requested();
  }

  /// For long work on behalf of a request: beats, and says whether to go on.
  /// `false`: the request is over, or this life is asked to end. Cost: about
  /// 2 ns.
  [[nodiscard]] bool checkpoint(const coppice::context& ctx) noexcept {
    beat();
    return !ctx.cancelled() && !cancelled();
  }

  /// Are requests that are over, and copies that may not begin, dropped before
  /// they reach a handler? Where not, `coppice::handles` does it (DEADLINE-4).
  static constexpr bool drops_what_is_over = marks_messages;

  /// As in CAF, for answers that take more than one message; if this life ends
  /// before, the requester gets the failure instead of a time-out (FAILURE-6).
  /// So it is for the last 256 promises, kept ones included: CAF does not show
  /// whether a promise was kept. Older ones fail as CAF has it, or by deadline.
  caf::response_promise make_response_promise() {
    return remember_promise(caf::event_based_actor::make_response_promise());
  }

  /// Do not acknowledge at the end of the initial function: `ready()` will,
  /// once it works (START-1). Only inside the initial function.
  using supervised_actor::defer_ready;

  /// After `defer_ready`.
  void ready() { say_ready(); }

  /// This life is fine: its backoff begins anew (BACKOFF-2).
  void healthy() { say_healthy(); }

protected:
  bool deals_with(caf::mailbox_element& x) noexcept override;

private:
  /// Then CAF puts aside what is not the answer, and shows it again later: a
  /// copy would claim work that does not begin.
  [[nodiscard]] bool is_awaiting() const noexcept {
    return !awaited_responses_.empty();
  }
};

/// A worker with a state: `stateful_worker<state>*` is the `self` of its
/// function. The state needs a constructor.
template <class State>
using stateful_worker = caf::stateful_actor<State, worker>;

} // namespace coppice
