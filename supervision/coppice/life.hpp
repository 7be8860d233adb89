// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What a life knows of its supervisor, and the news it sends there.
///
/// Layer: L1.
/// Threads: `life_handle` may be copied and used from any thread, but its
/// beats come from one thread at a time.
/// Rules: docs/semantics.md, START-1, HEARTBEAT-2, STOP-2.

#include "coppice/failure.hpp"
#include "coppice/heartbeat.hpp"
#include "coppice/policy/directive.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace coppice {

/// What a life tells its supervisor.
enum class life_news_kind : std::uint8_t {
  ready,
  declined,
  start_failed, ///< By its start function; there is no actor.
  healthy,
  beat,
  more_time, ///< For its start, or its end: `life_news::span` from now.
};

/// What the lives under one supervisor share.
struct supervisor_link {
  /// Weak: a life does not keep its supervisor alive.
  caf::actor_addr supervisor;
  std::string path;
  /// Which tree it is, to be compared alone.
  const void* tree = nullptr;
  /// Called by a life that is about to fail, with its path and itself, before
  /// anybody else knows: what is sent to its references from now on waits for
  /// the next life. Null: nothing to do.
  std::function<void(const std::string&, const caf::strong_actor_ptr&)>
    on_failing = {};
  /// Called with what the life says of itself, on its thread. Null: nothing to
  /// do. See `start_context::listen`.
  std::function<void(life_news_kind)> on_news = {};
};

/// Internal message, child to supervisor.
struct life_news {
  policy::life_id life;
  life_news_kind what;
  policy::duration span{0};
};

/// Internal message, sent when a child's actor has ended.
struct life_end {
  policy::life_id life;
  caf::error reason;
};

/// A child that can tell more about itself when its supervisor says why it is
/// to go: an actor that is derived from this as well, and took the ticket.
class life_witness {
public:
  /// Adds to `misc` what may explain a stall, or a start that takes too long.
  /// On the supervisor's thread.
  virtual void testify(failure& why) const = 0;

protected:
  ~life_witness() = default;
};

/// Internal message through a worker's own queue: is it drained?
struct probe_message {};

/// Posts `news`, urgent, to the supervisor, if it is not gone, and tells the
/// listener of the link.
void tell_supervisor(const supervisor_link& link, life_news news);

/// For children that are plain CAF actors: says ready, healthy, and beats, on
/// behalf of one life. Get it in the start function, from
/// `start_context::life()`, and hand it to the actor; the supervisor then
/// waits for `ready()`.
class life_handle {
public:
  life_handle() = default;
  life_handle(std::shared_ptr<const supervisor_link> link, policy::life_id life)
    : link_(std::move(link)), life_(life) {}

  /// The child works: the next one may start.
  void ready() const { tell(life_news_kind::ready); }
  /// The child is fine: its backoff begins anew (BACKOFF-2).
  void healthy() const { tell(life_news_kind::healthy); }
  /// A beat by message, for actors without a slot of their own.
  void beat() const { tell(life_news_kind::beat); }
  /// The start, or the end, takes `span` from now: puts off the start deadline,
  /// or the stop grace, by `heartbeat_spec::extension_max` in all. Nothing to a
  /// child that runs (HEARTBEAT-4).
  void more_time(policy::duration span) const {
    tell(life_news_kind::more_time, span);
  }

private:
  void tell(life_news_kind what, policy::duration span = {}) const {
    if (link_ != nullptr)
      tell_supervisor(*link_, {life_, what, span});
  }

  std::shared_ptr<const supervisor_link> link_;
  policy::life_id life_;
};

/// What a supervisor hands to the life that is just being spawned.
struct life_ticket {
  std::shared_ptr<const supervisor_link> link;
  policy::life_id life;
  std::uint64_t incarnation = 0;
  /// Empty for an instance of a pool, which has a number instead.
  std::string id;
  std::uint64_t number = 0;
  heartbeat beats;
  /// Set by the actor that takes it.
  bool taken = false;

  [[nodiscard]] std::string path() const;
};

/// While it exists, an actor that is constructed on this thread may take
/// `ticket`: CAF constructs actors on the thread that spawns them.
class ticket_scope {
public:
  explicit ticket_scope(life_ticket& ticket) noexcept;
  ~ticket_scope();
  ticket_scope(const ticket_scope&) = delete;
  ticket_scope& operator=(const ticket_scope&) = delete;

  /// The innermost ticket that is not taken yet, or null.
  [[nodiscard]] static life_ticket* current() noexcept;

private:
  life_ticket* outer_;
};

} // namespace coppice

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(coppice::life_news)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(coppice::life_end)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(coppice::probe_message)
