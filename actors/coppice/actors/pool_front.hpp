// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What is behind the handle of a pool: admits requests, and deals them out.
///
/// Layer: L3.
/// Threads: thread-safe. Runs on the threads of those who ask, of workers that
/// answer, and of the deadline clock; sends nothing under its lock.
/// Rules: docs/semantics.md, DEADLINE-2, DEADLINE-3, DEADLINE-4, FAILURE-6.

#include "coppice/actors/pool_options.hpp"
#include "coppice/actors/pool_outbox.hpp"
#include "coppice/actors/pool_statistics.hpp"
#include "coppice/context.hpp"
#include "coppice/heartbeat.hpp"
#include "coppice/policy/admission_core.hpp"

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

namespace coppice {

/// An actor without a mailbox. A request goes into the mailbox of its worker
/// under a number of the front's own, so that its answer, or the error that
/// CAF sends instead, comes back here, and shows that the worker is free.
///
/// It needs no timer. A request that waits is dropped at its deadline by the
/// deadline clock, as one that is cancelled; whatever else `next_due` of the
/// queue would shed is shed at the next event. It would wait a little longer
/// to be told no, and no longer than its deadline.
class pool_front : public compat::redirecting_actor {
public:
  using member_id = policy::member_id;
  using life_number = std::uint64_t;

  /// @pre `options` are valid.
  pool_front(caf::actor_config& cfg, const pool_options& options);

  // -- lives, as their start functions see them ------------------------------

  /// One is about to be started. What the one before has in hand is over: it
  /// was given up.
  life_number life_begins(member_id who);
  /// It was spawned.
  void life_is(member_id who, life_number life, const caf::actor& actor,
               heartbeat beats);
  void life_is_ready(member_id who, life_number life);
  /// Gets nothing new from now on.
  void life_fails(member_id who, life_number life);
  void life_ends(member_id who, life_number life, const caf::error& why);

  // -- membership ------------------------------------------------------------

  /// Gives a worker nothing new; calls back once it has nothing in hand. At
  /// once if there is none such.
  void retire(member_id who, std::function<void()> when_idle);
  /// It is gone for good.
  void forget(member_id who);
  /// May be one again, after `retire`.
  void welcome(member_id who);

  // -- the pool --------------------------------------------------------------

  /// Takes nothing new; calls back once everything is answered.
  void drain(std::function<void()> when_done);
  /// Answers everything, now and from now on, with a failure.
  void stop();

  [[nodiscard]] pool_statistics statistics() const;
  void count_callback_failures(std::uint64_t how_many);

protected:
  void redirect(caf::mailbox_element_ptr x, compat::host_type* host) override;

private:
  using slot = std::uint32_t;
  using time_point = policy::time_point;

  /// From its arrival to its answer.
  struct request {
    caf::strong_actor_ptr sender;
    caf::message_id mid;
    context ctx; ///< Empty if it came without.
    std::uint64_t key = 0;
    std::uint32_t generation = 0;
    bool has_context = false;
    bool is_dispatched = false;
    bool is_behind_another = false; ///< In its worker's mailbox.
    bool is_watched = false;
    std::uint32_t position = 0; ///< In its worker's `in_hand`.
    policy::chosen_member worker;
    time_point dispatched;
    caf::mailbox_element_ptr waiting;
    cancel_registration registration;
  };

  /// A worker, across its lives.
  struct member {
    bool is_known = false;
    bool is_available = false;
    bool is_ready = false;
    bool leaves = false;
    life_number life = 0;
    std::uint64_t lives = 0;
    std::uint64_t dispatched = 0;
    caf::strong_actor_ptr actor;
    heartbeat beats;
    time_point last_end = time_point::min();
    std::vector<slot> in_hand;
    std::function<void()> when_idle;
    /// While it is suspected of being gone.
    context suspicion;
    cancel_registration end_of_suspicion;
  };

  // -- messages --
  void on_request(caf::mailbox_element_ptr x, compat::host_type* host);
  void on_answer(caf::mailbox_element_ptr x, compat::host_type* host);
  void on_over(std::uint64_t id);
  void watch(const context& ctx, std::uint64_t id);
  void offer_again_later(member_id who, life_number life);
  [[nodiscard]] bool find_key(caf::mailbox_element_ptr& x,
                              std::uint64_t& key) const;

  // -- requests; under the lock --
  slot accept(caf::mailbox_element_ptr x, std::uint64_t key);
  [[nodiscard]] policy::ticket ticket_of(slot x) const;
  [[nodiscard]] std::uint64_t id_of(slot x) const noexcept;
  [[nodiscard]] std::optional<slot> find(std::uint64_t id) const noexcept;
  void release(slot x, pool_outbox& out);
  void end_service(slot x, time_point now, bool is_error, bool is_from_worker,
                   pool_outbox& out);
  void pass_on(slot x, caf::mailbox_element_ptr answer, bool is_error,
               time_point now, pool_outbox& out);
  void take_from_worker(slot x, time_point now, pool_outbox& out);

  // -- dispatch; under the lock --
  void pump(time_point now, pool_outbox& out);
  [[nodiscard]] std::optional<policy::chosen_member>
  choose(std::uint64_t key, std::size_t busy_from, time_point now);
  void dispatch(slot x, const policy::chosen_member& to, time_point now,
                pool_outbox& out);
  void pause_those_that_end(time_point now);
  void turn_away(const policy::shed_ticket& what, pool_outbox& out);
  [[nodiscard]] bool waits(std::uint64_t id) const noexcept;
  void lose(slot x, const caf::error& why, time_point now, pool_outbox& out);
  void settle(pool_outbox& out);

  // -- members; under the lock --
  [[nodiscard]] member* member_of(member_id who);
  [[nodiscard]] member* member_of(member_id who, life_number life);
  member& known(member_id who);
  void offer(member_id who, member& x, time_point now);
  void pause(member_id who, member& x, time_point now);
  void suspend(member_id who, time_point now, pool_outbox& out);
  void lose_all(member& x, const caf::error& why, time_point now,
                pool_outbox& out);
  void count_servers(time_point now);
  [[nodiscard]] bool is_ending(const member& x) const noexcept;

  [[nodiscard]] time_point now() const { return clock_->now(); }
  void flush(pool_outbox& out, compat::host_type* host = nullptr) {
    if (const auto failures = out.flush(host, name_); failures > 0)
      count_callback_failures(failures);
  }

  const std::string name_;
  const std::shared_ptr<deadline_clock> clock_;
  const std::size_t concurrency_;
  const std::function<std::uint64_t(const caf::message&)> key_of_;

  mutable std::mutex mutex_;
  policy::admission_core queue_;
  policy::dispatcher dispatcher_;
  std::vector<request> requests_;
  std::vector<slot> free_;
  /// By number; those from 1.
  std::vector<member> members_;
  /// Requests that wait.
  std::size_t waiting_ = 0;
  /// In the hands of workers that get nothing new.
  std::size_t elsewhere_ = 0;
  life_number lives_ = 0;
  bool is_stopped_ = false;
  std::vector<std::function<void()>> when_drained_;
  pool_statistics counts_;
};

} // namespace coppice
