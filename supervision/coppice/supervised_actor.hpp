// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The base of actors that know their supervisor: heartbeats, ready, failures.
///
/// Layer: L2.
/// Threads: as any CAF actor; `fail_request_in_hand` alone is for others.
/// Rules: docs/semantics.md, START-1, HEARTBEAT-1, HEARTBEAT-2, FAILURE-6.

#include "coppice/failure.hpp"
#include "coppice/life.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <string>

namespace coppice {

/// An event-based actor that takes the life ticket under which it is spawned.
/// Without one, outside of a supervision tree, all of it does nothing.
///
/// It marks the beginning and the end of each unit of work on the heartbeat
/// board, acknowledges that it is ready once its initial behavior stands, and
/// turns exceptions into failures.
class supervised_actor : public compat::marking_actor {
public:
  explicit supervised_actor(caf::actor_config& cfg);
  ~supervised_actor() override;

  /// In the supervision tree, `/app/db/conn-1`; empty outside of one.
  [[nodiscard]] std::string path() const;
  /// 0 outside of a supervision tree.
  [[nodiscard]] std::uint64_t incarnation() const noexcept {
    return incarnation_;
  }

  /// For the supervisor of an abandoned life, from its thread: answers the
  /// request that the stuck handler is working on, if any. The handler's own
  /// answer, should it come, is then recognised by the requester and dropped.
  /// With CAF 1.x, where the message in hand cannot be seen, does nothing.
  void fail_request_in_hand(const caf::error& why);

protected:
  void work_begins(caf::mailbox_element* request) noexcept override;
  void work_ends() noexcept override;
  turn turn_begins() noexcept override;
  void turn_ends(turn x) noexcept override;
  bool deals_with(caf::mailbox_element& x) noexcept override;
  void initialized() override;
  void on_cleanup(const caf::error& reason) override;

  /// A promise whose requester gets the failure if this life ends without
  /// keeping it (FAILURE-6). At most `promises_max` are remembered at a time.
  caf::response_promise remember_promise(caf::response_promise promise);
  static constexpr std::size_t promises_max = 256;

  /// Do not acknowledge at the end of the initialisation; `say_ready` will.
  void defer_ready() noexcept { ready_is_deferred_ = true; }
  void say_ready();
  void say_healthy();

  /// Is this the supervisor of this life?
  [[nodiscard]] bool is_parent(const caf::actor_addr& whom) const;

  [[nodiscard]] heartbeat& beats() noexcept { return beats_; }
  [[nodiscard]] const heartbeat& beats() const noexcept { return beats_; }
  [[nodiscard]] failure_where where() const;

private:
  struct request_in_hand;
  struct promised_answer {
    caf::actor_addr requester; // weak: it need not stay alive for this
    caf::message_id id;
  };

  [[nodiscard]] caf::error fail(const std::exception_ptr& e);
  void fail_promises(const caf::error& reason);

  void remember_request(caf::mailbox_element& x);
  void forget_request() noexcept;

  std::shared_ptr<const supervisor_link> link_;
  policy::life_id life_;
  std::uint64_t incarnation_ = 0;
  std::uint64_t number_ = 0;
  std::unique_ptr<const std::string> id_;
  heartbeat beats_;
  /// Made at the first request; read by the supervisor of a stuck life.
  std::atomic<request_in_hand*> in_hand_{nullptr};
  std::unique_ptr<std::deque<promised_answer>> promises_;
  /// Turns that have begun; used where units of work are turns (CAF 1.x).
  std::atomic<std::uint32_t> turns_{0};
  bool has_request_ = false;
  bool ready_is_deferred_ = false;
};

} // namespace coppice
