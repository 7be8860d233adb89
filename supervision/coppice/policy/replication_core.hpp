// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Says which copies of a request are sent, cancelled and believed.
///
/// Layer: policy. Pure: no clock, no CAF, no I/O.
/// Threads: not thread-safe; owned by one replicator.
/// Rules: docs/semantics.md, REPLICATE-1 to REPLICATE-7.

#include "coppice/policy/copy_budget.hpp"
#include "coppice/policy/latency_digest.hpp"
#include "coppice/policy/off_switch.hpp"
#include "coppice/policy/replica_set.hpp"
#include "coppice/policy/replication_race.hpp"
#include "coppice/policy/replication_spec.hpp"
#include "coppice/policy/replication_step.hpp"
#include "coppice/policy/time.hpp"
#include "coppice/policy/timer_heap.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

namespace coppice::policy {

/// All requests of one replicator.
///
/// Facts go in, with the time; steps come out, to be taken in order. For each
/// request there is exactly one `answer` or `give_up`, whatever the order of
/// facts, and then, once nothing more is to come of its copies, one `forget`.
///
/// A copy is named by its request and its number within it, from 0. Facts
/// about copies that the core does not wait for are counted as late, and
/// change nothing else.
///
/// Cost: O(copies) per fact, plus O(log n) where a timer is set.
///
/// @pre Times never go back; if they do, the latest one so far is taken.
class replication_core {
public:
  /// @param spec  Sound by `validate`, with these replicas.
  replication_core(const replication_spec& spec,
                   const std::vector<replica_spec>& replicas,
                   std::uint64_t seed);
  replication_core(const replication_core&) = delete;
  replication_core& operator=(const replication_core&) = delete;

  /// A cancelled copy that never reports is waited for so long.
  static constexpr duration silence_max = std::chrono::seconds{30};
  /// A replica that wants no copies for so long wants none of this request.
  static constexpr duration pushback_for_good = std::chrono::hours{1};

  using steps = std::vector<replication_step>;

  /// A request has come.
  /// @param is_idempotent  If not, it gets one copy, and no other.
  /// @pre No request with this id, or it was forgotten.
  void on_request(time_point now, request_id id, bool is_idempotent,
                  steps& out);

  /// A worker has begun with a copy.
  void on_started(time_point now, copy_name copy, steps& out);

  /// @param equal_to  For a quorum that agrees: the number of the first copy
  ///                  of this request whose answer equals this one; its own
  ///                  number if there is none.
  void on_answered(time_point now, copy_name copy, std::uint32_t equal_to,
                   steps& out);
  void on_answered(time_point now, copy_name copy, steps& out) {
    on_answered(now, copy, copy.number, out);
  }

  /// It will not be answered.
  void on_failed(time_point now, copy_name copy, const copy_failure& how,
                 steps& out);

  /// Nobody waits for the request any more: its deadline has passed, or it was
  /// cancelled. Answers it, with a failure.
  void on_over(time_point now, request_id id, steps& out);

  /// A replica is gone, or back. Its copies fail one by one, by `on_failed`.
  void set_present(replica_id who, bool present);

  /// Does what is due by now.
  void on_timer(time_point now, steps& out);
  [[nodiscard]] std::optional<time_point> next_due() const;

  [[nodiscard]] replication_snapshot snapshot(time_point now);
  /// Requests not forgotten yet.
  [[nodiscard]] std::size_t size() const noexcept { return by_id_.size(); }

private:
  using slot = std::uint32_t;

  struct timer_positions {
    std::vector<race>* races;
    std::uint32_t& operator()(slot x) const {
      return (*races)[x].timer_position;
    }
  };

  void advance(time_point& now);

  // -- requests --
  slot begin(time_point now, request_id id, bool is_idempotent);
  [[nodiscard]] race* find(request_id id);
  [[nodiscard]] race_copy* find(race* x, std::uint32_t number);
  void end(time_point now, race& x, std::optional<std::uint32_t> winner,
           steps& out);
  void answer(time_point now, race& x, std::uint32_t number, steps& out);
  void give_up(time_point now, race& x, give_up_reason why, steps& out);
  void forget_if_over(race& x, steps& out);
  void forget(race& x, steps& out);

  // -- copies --
  void send(time_point now, race& x, const replica_set::choice& to,
            copy_reason why, bool is_charged, steps& out);
  bool send_original(time_point now, race& x, steps& out);
  bool send_extra(time_point now, race& x, copy_reason why, bool is_free,
                  steps& out);
  [[nodiscard]] bool may_add(race& x, copy_reason why);
  void cancel(race& x, std::uint32_t number, steps& out);
  void resolve(time_point now, race& x, race_copy& copy, race_copy::state how,
               const copy_failure& why = {});
  void learn_cut_short(time_point now, const race& x);
  void claim(race& x, std::uint32_t number, steps& out);
  void replace(time_point now, race& x, std::uint32_t number, steps& out);

  // -- judgements --
  [[nodiscard]] bool hedges_after_start() const noexcept;
  [[nodiscard]] static std::optional<time_point>
  start_of_latest(const race& x) noexcept;
  [[nodiscard]] std::optional<duration> hedge_delay() const;
  [[nodiscard]] bool is_extra(const race_copy& x) const noexcept;
  [[nodiscard]] bool is_judged(const race_copy& x) const noexcept;
  [[nodiscard]] bool is_tied(const race_copy& x) const noexcept;
  [[nodiscard]] std::uint32_t copies_max() const noexcept;
  [[nodiscard]] std::optional<std::uint32_t> winner(const race& x,
                                                    std::uint32_t latest) const;
  [[nodiscard]] std::optional<give_up_reason> why_hopeless(const race& x) const;
  void set_timer(race& x);

  // Read by the members below: before them.
  replication_spec spec_;
  /// Answers that end a request.
  std::uint32_t needed_;
  std::optional<double> load_max_;
  replica_set replicas_;
  copy_budget budget_;
  off_switch switch_;
  /// Of copies, since the trigger of hedges.
  latency_digest copy_latency_;
  /// Of requests.
  latency_digest request_latency_;
  std::vector<race> races_;
  std::vector<slot> free_;
  std::unordered_map<request_id, slot> by_id_;
  /// Nodes of `by_id_`, to be used again; no more than there were requests at
  /// a time.
  std::vector<std::unordered_map<request_id, slot>::node_type> spare_;
  timer_heap<slot, timer_positions> timers_{timer_positions{&races_}};
  /// Scratch: replicas that a request uses.
  std::vector<replica_id> used_;
  time_point now_ = time_point::min();
  /// Of which only the counts are kept up to date.
  replication_snapshot counts_;
};

} // namespace coppice::policy
