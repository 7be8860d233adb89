// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The children of one supervisor, in start order, by key and by id.
///
/// Layer: policy. Pure: no clock, no CAF, no I/O.
/// Threads: not thread-safe; owned by one supervision core.
/// Rules: docs/semantics.md, "Words" (ids, incarnations).

#include "coppice/policy/directive.hpp"
#include "coppice/policy/restart_budget.hpp"

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace coppice::policy {

/// What is to happen with a child once its life has ended.
enum class after_end : std::uint8_t {
  nothing,
  retry,       ///< Restart it, after its backoff.
  park,        ///< Retry at the longest delay.
  pause,       ///< Retry when the supervisor's pause is over.
  pause_alone, ///< Retry after a pause of its own.
  wait_group,  ///< The group restart that stopped it will start it.
  stay_operator,
  stay_failed,
  stay_exhausted,
  start_over, ///< A command's start failed: see the purpose of the start.
  give_up,
  forget,
  leave,  ///< A reload took it out of the spec.
  rejoin, ///< And another one put it back: start it anew.
};

[[nodiscard]] constexpr bool will_be_retried(after_end x) noexcept {
  return x == after_end::retry || x == after_end::park || x == after_end::pause
         || x == after_end::pause_alone;
}

/// Why a life was started; decides what its failure to start means.
enum class start_purpose : std::uint8_t {
  initial,   ///< Static child: roll everything back.
  added,     ///< By command: drop the spec.
  manual,    ///< By command: keep the spec, stopped.
  automatic, ///< A restart: try again within the budget.
};

/// One child. Small: a supervisor may have millions.
struct child_record {
  const child_spec* spec = nullptr;
  /// Position in start order, and a pool instance's number. Never reused.
  std::uint64_t serial = 0;
  std::uint64_t incarnation = 0;
  /// When the current life became ready.
  time_point ready_at = {};
  /// A failed start is not retried before, whoever asks but an operator.
  time_point retry_not_before = {};
  /// By how much its deadline, or its grace, was put off, at its own wish.
  duration extended{0};
  std::unique_ptr<restart_budget> budget = {};
  child_key previous = no_child;
  child_key next = no_child;
  std::uint32_t generation = 0;
  std::uint32_t timer_position = UINT32_MAX;
  /// Failures in a row; what the backoff counts.
  std::uint32_t failures = 0;
  std::uint32_t restarts_total = 0;
  child_state state = child_state::stopped;
  stopped_why why = stopped_why::none;
  after_end after = after_end::nothing;
  start_purpose purpose = start_purpose::initial;
  end_cause cause = end_cause::crash;
  bool in_use : 1 = false;
  bool parked : 1 = false;
  /// Past the polite request, or brutal from the start.
  bool being_killed : 1 = false;
  /// This stop was the supervisor's own idea: the budget's clock stands still.
  bool freezes_budget : 1 = false;
  /// It said so itself, in this life.
  bool reported_healthy : 1 = false;
  /// Its own budget is spent, and starts afresh with its next life.
  bool paused : 1 = false;
  /// A walk over the group started this life and waits for it.
  bool walked : 1 = false;
  /// In the supervisor's spec; else it was added by command.
  bool declared : 1 = false;
  /// Not in the spec any more: stopped in its turn, and never restarted.
  bool leaving : 1 = false;
  /// In a reload: declared so far, and not in the new spec.
  bool missing : 1 = false;
  /// Under this spec; else its next start is no restart.
  bool has_lived : 1 = false;

  [[nodiscard]] bool is_live() const noexcept {
    return state == child_state::starting || state == child_state::running
           || state == child_state::stopping;
  }

  /// Between two lives, or in a restart that has not succeeded yet.
  [[nodiscard]] bool is_restarting() const noexcept;
};

/// Owns records and specs. All operations but iteration are O(1).
class child_table {
public:
  /// Appends a child. For a pool, `spec` outlives the table and ids are not
  /// registered; otherwise the table keeps a copy.
  child_key append(child_spec spec);
  child_key append_instance(const child_spec& shared);

  /// Another spec for the same child. @pre Same id and kind, and not a pool's.
  void respec(child_key key, child_spec spec);
  /// Another child under the same id: the first one has it no longer.
  child_key replace(child_key key, child_spec spec);

  /// Puts them in this order, and numbers them anew. @pre These are all.
  void arrange(const std::vector<child_key>& order);
  [[nodiscard]] bool is_in_order(const std::vector<child_key>& order) const;

  /// Lets go of the start function, which may hold arguments: it is not
  /// called again. A pool's template keeps its own.
  void release_start(child_key key);

  /// Removes a child from order and index. Until the next `purge`, its record
  /// and its spec can still be read.
  void erase(child_key key);
  /// The keys of erased children may be reused from now on.
  void purge();

  /// In use, or erased and not purged yet.
  [[nodiscard]] bool can_be_read(child_key key) const noexcept {
    return key < records_.size() && records_[key].spec != nullptr;
  }

  [[nodiscard]] child_record& operator[](child_key key) {
    return records_[key];
  }
  [[nodiscard]] const child_record& operator[](child_key key) const {
    return records_[key];
  }

  [[nodiscard]] bool contains(child_key key) const noexcept {
    return key < records_.size() && records_[key].in_use;
  }

  /// `no_child` if there is none.
  [[nodiscard]] child_key find(std::string_view id) const;

  [[nodiscard]] child_key first() const noexcept { return first_; }
  [[nodiscard]] child_key last() const noexcept { return last_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t supervisors() const noexcept {
    return supervisors_;
  }

  /// The last incarnation by id, children that are gone included; of a pool
  /// the last number, under the empty id. What no id can be called stands for
  /// those that are not remembered one by one.
  using last_incarnations = std::unordered_map<std::string, std::uint64_t>;
  void continue_from(const last_incarnations& last);
  [[nodiscard]] last_incarnations last_incarnations_of_all() const;

  /// The id; for a pool's instance its number.
  [[nodiscard]] std::string id_of(child_key key) const;

private:
  child_key take_slot();
  void link(child_key key);
  void link_last(child_key key);

  std::deque<child_record> records_;
  std::vector<child_key> free_;
  std::vector<child_key> erased_;
  std::unordered_map<std::string_view, child_key> by_id_;
  std::unordered_map<child_key, std::unique_ptr<child_spec>> specs_;
  /// Last incarnation of ids that are gone, so that none is used twice under
  /// one path; bounded, see `remember_gone`.
  std::unordered_map<std::string, std::uint64_t> gone_;
  std::uint64_t gone_floor_ = 0;
  void remember_gone(const child_record& record);
  std::uint64_t serials_ = 0;
  std::size_t size_ = 0;
  std::size_t supervisors_ = 0;
  child_key first_ = no_child;
  child_key last_ = no_child;
};

} // namespace coppice::policy
