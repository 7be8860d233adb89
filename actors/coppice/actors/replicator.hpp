// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// One handle before several replicas: requests are raced, and paid for once.
///
/// Layer: L3.
/// Threads: thread-safe, but for moves and the end of it.
/// Rules: docs/semantics.md, REPLICATE-1 to REPLICATE-7; docs/replication.md.

#include "coppice/actors/replicator_options.hpp"
#include "coppice/actors/replicator_statistics.hpp"

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>

#include <string_view>

namespace coppice {

/// Sends copies of a request to several replicas, and answers with what comes
/// first and is good.
///
///     coppice::replicator blobs{
///       system, {.policy = replication_spec::hedged(),
///                .replicas = {{.about = {.name = "a"}, .handle = a.handle()},
///                             {.about = {.name = "b"}, .handle =
///                             b.handle()}}}};
///     ask(self, ctx.idempotent(), blobs.handle(), name).then(...);
///
/// Send and `ask` to `handle()` as to any actor, with messages of any types.
/// The first element of a request is a `coppice::context` that is marked as
/// idempotent; what becomes of others says `unmarked_requests`. Each request
/// has exactly one answer: that of a replica, or one failure with the failures
/// of all copies as its causes.
///
/// Cost: an uncontended lock, and no message or thread beyond those of the
/// copies. Copies beyond the first duplicate the message: share what is large.
class replicator {
public:
  /// @throws failure_error  With `errc::invalid_spec` and all defects.
  replicator(caf::actor_system& system, replicator_options options);
  replicator(replicator&&) noexcept = default;
  replicator& operator=(replicator&&) noexcept;
  /// Stops it.
  ~replicator();

  [[nodiscard]] const caf::actor& handle() const noexcept { return front_; }

  /// Gives a replica no more copies, or copies again. What it has stays there.
  /// @returns false, and does nothing, if there is none of this name.
  bool set_present(std::string_view replica, bool present) const;

  /// Answers all it has, and whatever comes, with a failure, at once, and
  /// cancels all copies. Again: does nothing.
  void stop() const;

  [[nodiscard]] replicator_statistics statistics() const;

private:
  caf::actor front_;
};

} // namespace coppice
