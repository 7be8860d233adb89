// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What observers of a tree are told, one closed set with one encoder.
///
/// Layer: L1.
/// Threads: values.
/// Rules: docs/semantics.md, OBSERVE-1.

#include "coppice/failure.hpp"
#include "coppice/policy/directive.hpp"

#include <functional>
#include <memory>
#include <string>

namespace coppice {

using policy::event_kind;

/// Something happened in a tree.
struct supervision_event {
  /// From 1, without gaps but for dropped ones: a gap says how many.
  std::uint64_t number = 0;
  /// Of the spec of the tree: 1, and one more with each reload. Stamped as the
  /// event is published, when a supervisor far down may not have heard yet.
  std::uint64_t version = 0;
  event_kind kind = event_kind::started;
  wall_time when = {};
  /// On the steady clock of the actor system, or of the test.
  policy::time_point at = {};
  /// Of the child, or of the supervisor if it is about itself.
  std::string path = {};
  std::uint64_t incarnation = 0;
  /// For what follows from an end: what kind of end.
  policy::end_cause cause = policy::end_cause::crash;
  /// For `stopped`.
  policy::stopped_why why = policy::stopped_why::none;
  /// A delay, an age, or a lag: see the kind.
  policy::duration span{0};
  /// Attempts in the window. For `reloaded`: changes.
  std::uint64_t attempts = 0;
  /// For `beat_late` and `stalled`: 1 is the verdict.
  double suspicion = 0;
  /// For what follows from a failure; else null.
  std::shared_ptr<const failure> because = {};
};

/// Called for each event, one after the other, on a thread that does nothing
/// else; in a test with virtual time, at once. Exceptions are swallowed and
/// counted. Slowness costs events, which are counted, and nothing else.
using observer = std::function<void(const supervision_event&)>;

/// Does an event of this kind follow from an end, so that `cause` applies?
[[nodiscard]] bool has_cause(event_kind x) noexcept;

/// One line, without the time.
[[nodiscard]] std::string to_string(const supervision_event& x);

} // namespace coppice
