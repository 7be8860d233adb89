// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What is behind the handle of a replicator: sends copies, picks the answer.
///
/// Layer: L3.
/// Threads: thread-safe. Runs on the threads of those who ask, of workers that
/// begin or answer, and of the deadline clock; sends nothing under its lock.
/// Rules: docs/semantics.md, REPLICATE-1 to REPLICATE-7.

#include "coppice/actors/replicator_failures.hpp"
#include "coppice/actors/replicator_options.hpp"
#include "coppice/actors/replicator_outbox.hpp"
#include "coppice/actors/replicator_statistics.hpp"
#include "coppice/context.hpp"
#include "coppice/policy/replication_core.hpp"
#include "coppice/request_tie.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace coppice {

/// An actor without a mailbox. Each copy goes to its replica under a number of
/// the front's own, so that its answer comes back here, and with a context of
/// its own, by which it is recalled and claims the request.
class replicator_front : public compat::redirecting_actor {
public:
  using time_point = policy::time_point;

  /// @pre `options` are valid.
  replicator_front(caf::actor_config& cfg, const replicator_options& options);
  ~replicator_front() override;

  bool set_present(std::string_view replica, bool present);
  void stop();
  [[nodiscard]] replicator_statistics statistics();

protected:
  void redirect(caf::mailbox_element_ptr x, compat::host_type* host) override;

private:
  using slot = std::uint32_t;
  class tie;
  class alarm;

  struct sent_copy {
    policy::replica_id replica = 0;
    context ctx = {}; ///< Empty if the request came without.
    caf::mailbox_element_ptr answer = nullptr;
    std::optional<failure> why = {}; ///< It failed.
    caf::error error = {};           ///< The same, as it came.
    bool is_cancelled = false;
    bool has_reported = false; ///< Answered or failed.
    /// For quorums: the first copy with an equal answer.
    std::uint32_t equal_to = 0;
  };

  /// From its arrival until nothing more is to come of its copies.
  struct request {
    bool is_known = false;
    bool is_answered = false;
    bool is_idempotent = false;
    std::uint32_t generation = 0;
    caf::strong_actor_ptr sender;
    caf::message_id mid;
    context ctx; ///< Empty if it came without.
    caf::message content;
    std::shared_ptr<tie> claim; ///< Null unless idempotent.
    std::string key;            ///< Empty: that of `ctx`.
    std::uint32_t last_failed = 0;
    std::vector<sent_copy> copies;
    cancel_registration registration;
  };

  // -- messages --
  void on_request(caf::mailbox_element_ptr x, compat::host_type* host);
  void on_one_way(caf::mailbox_element_ptr x, compat::host_type* host);
  void on_answer(caf::mailbox_element_ptr x, compat::host_type* host);
  bool on_drop(policy::copy_name name, const policy::copy_failure& how);
  void on_begin(std::uint64_t id, std::uint32_t number);
  void on_copy_over(policy::copy_name name);
  void on_over(std::uint64_t id);
  void on_alarm();
  [[nodiscard]] bool is_idempotent(const context* ctx,
                                   const caf::message& content);
  [[nodiscard]] policy::copy_failure judge(const failure& x);
  void watch(const context& ctx, std::uint64_t id, bool has_tie);

  // -- requests; under the lock --
  slot accept(caf::mailbox_element& x, caf::message content, const context& ctx,
              bool is_idempotent);
  [[nodiscard]] bool is_full() const noexcept;
  [[nodiscard]] std::uint64_t id_of(slot x) const noexcept;
  [[nodiscard]] static policy::copy_name copy_of(std::uint64_t number) noexcept;
  [[nodiscard]] static std::uint64_t number_of(policy::copy_name x) noexcept;
  [[nodiscard]] request* find(std::uint64_t id) noexcept;
  [[nodiscard]] sent_copy* find(policy::copy_name x) noexcept;
  void release(request& x, replicator_outbox& out);

  // -- steps; under the lock --
  void take(replicator_outbox& out);
  void take(request& x, const policy::replication_step& step,
            replicator_outbox& out);
  void send(request& x, const policy::replication_step& step,
            replicator_outbox& out);
  [[nodiscard]] std::shared_ptr<tie> make_claim(std::uint64_t id) const;
  void deliver(request& x, std::uint32_t number, replicator_outbox& out);
  void fail(request& x, policy::give_up_reason why, replicator_outbox& out);
  [[nodiscard]] caf::error error_of(const request& x,
                                    policy::give_up_reason why) const;
  [[nodiscard]] caf::strong_actor_ptr remote(policy::replica_id which) const;
  [[nodiscard]] std::uint32_t first_equal(const request& x,
                                          std::uint32_t number);
  [[nodiscard]] bool are_equal(const caf::message& a, const caf::message& b);
  void set_alarm();

  [[nodiscard]] time_point now() const { return clock_->now(); }

  const std::string name_;
  const std::shared_ptr<deadline_clock> clock_;
  const replicator_options options_;

  std::mutex mutex_;
  policy::replication_core core_;
  policy::replication_core::steps steps_;
  std::vector<request> requests_;
  std::vector<slot> free_;
  std::vector<bool> present_;
  std::size_t next_one_way_ = 0;
  bool is_stopped_ = false;
  replicator_statistics counts_;
  std::shared_ptr<alarm> alarm_;
  time_point alarm_due_ = time_point::max();
};

} // namespace coppice
