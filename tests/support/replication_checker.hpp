// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Follows each copy of each request, and says what a replication core does
/// wrong. Knows the contract, and nothing of the core but what it says.
///
/// Layer: tests.
/// Threads: use from one thread.
/// Rules: docs/semantics.md, REPLICATE-1 to REPLICATE-6.

#include "coppice/policy/replication_core.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace coppice::test {

/// What a core is told.
struct replication_fact {
  enum class kind : std::uint8_t {
    request,
    started,
    answered,
    failed,
    over,
    timer,
    gone,
    back,
  };
  kind what = kind::timer;
  policy::copy_name copy{0, 0};
  policy::copy_failure how = {};
  std::uint32_t equal_to = 0;
  bool is_idempotent = true;
  policy::replica_id replica = 0;
};

[[nodiscard]] std::string to_string(const replication_fact& x);

/// A copy, as its shell sees it.
struct seen_copy {
  policy::replica_id replica = 0;
  policy::copy_reason why = policy::copy_reason::original;
  policy::time_point sent{};
  std::optional<policy::time_point> started{};
  std::optional<policy::time_point> cancelled{};
  bool has_answered = false;
  bool has_failed = false;
  std::uint32_t equal_to = 0;

  [[nodiscard]] bool has_reported() const { return has_answered || has_failed; }
  /// May its answer still be the one?
  [[nodiscard]] bool is_out() const { return !has_reported() && !cancelled; }
};

struct seen_request {
  bool is_idempotent = true;
  bool has_ended = false;
  bool wants_no_more = false; ///< A replica has said so.
  std::vector<seen_copy> copies{};
  /// Of tied ones: who has the claim.
  std::optional<std::uint32_t> holder{};
  std::uint32_t withdrawn = 0; ///< Tied ones, and not replaced yet.

  [[nodiscard]] std::uint32_t out() const;
  [[nodiscard]] std::uint32_t answers() const;
  /// Most answers that are equal.
  [[nodiscard]] std::uint32_t agreeing() const;
  [[nodiscard]] bool have_all_reported() const;
};

/// Call `before` with each fact, and `after` with the steps it led to.
class replication_checker {
public:
  using core = policy::replication_core;
  using fact = replication_fact;

  replication_checker(const policy::replication_spec& spec,
                      const std::vector<policy::replica_spec>& replicas);

  void before(const fact& x, policy::time_point now);
  void after(const core::steps& steps, std::size_t size,
             std::optional<policy::time_point> next_due);
  /// @pre Everything was told that is to come, timers too.
  void at_end(const policy::replication_snapshot& seen);

  void object(const std::string& what);
  /// The first thing that went wrong; empty if nothing did.
  [[nodiscard]] const std::string& objection() const { return objection_; }

  /// Those that are not forgotten.
  [[nodiscard]] const auto& requests() const { return requests_; }
  [[nodiscard]] std::uint64_t forgotten() const { return forgotten_; }

private:
  struct replica_state {
    bool is_present = true;
    policy::time_point silent_until = policy::time_point::min();
  };

  struct charge {
    policy::time_point at;
    policy::copy_name copy;
  };

  // facts
  void note_start(seen_request& x, seen_copy& copy);
  void note_failure(seen_request& x, seen_copy& copy);
  [[nodiscard]] seen_copy* find(policy::copy_name who);

  // steps
  void check(const policy::replication_step& x);
  void check_send(const policy::replication_step& x, seen_request& of);
  void check_target(const policy::replication_step& x, const seen_request& of);
  void check_domain(const policy::replication_step& x, const seen_request& of);
  void check_reason(const policy::replication_step& x, const seen_request& of);
  void check_late(const seen_request& of);
  void check_bounds(const seen_request& of);
  void charge_for(const policy::replication_step& x, seen_request& of);
  void check_cancel(const policy::replication_step& x, seen_request& of);
  void check_release(const policy::replication_step& x, const seen_request& of);
  void check_answer(const policy::replication_step& x, seen_request& of);
  void check_give_up(const policy::replication_step& x, seen_request& of);
  void check_forget(const policy::replication_step& x, const seen_request& of);

  // what holds between facts
  void check_request(const seen_request& x,
                     std::optional<policy::time_point> next_due);
  void check_tied(const seen_request& x);
  [[nodiscard]] bool is_enough(const seen_request& x) const;
  [[nodiscard]] bool is_hopeless(const seen_request& x) const;
  [[nodiscard]] bool is_tied(const seen_copy& x) const;
  [[nodiscard]] bool lacks_replicas(const seen_request& x) const;
  /// Has everybody pushed back?
  [[nodiscard]] bool is_last_resort(const seen_request& x) const;
  [[nodiscard]] std::uint32_t extra_max() const;
  [[nodiscard]] double share() const;
  void expect(bool holds, const char* otherwise);

  policy::replication_spec spec_;
  std::vector<policy::replica_spec> replicas_;
  std::vector<replica_state> states_;
  policy::time_point now_ = policy::time_point::min();
  fact fact_;
  bool is_news_ = false; ///< May the fact lead to anything?
  bool was_request_new_ = false;
  bool has_sent_ = false; ///< Since the fact.
  /// Of the copy in question, just failed: it had the claim.
  std::optional<policy::copy_name> to_release_;
  std::map<policy::request_id, seen_request> requests_;
  std::deque<policy::time_point> arrivals_; ///< Within the window.
  std::deque<charge> charges_;
  std::uint64_t asked_ = 0;
  std::uint64_t answered_ = 0;
  std::uint64_t given_up_ = 0;
  std::uint64_t over_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t late_ = 0;
  std::uint64_t failovers_ = 0;
  std::uint64_t originals_ = 0;
  std::uint64_t forgotten_ = 0;
  std::string objection_;
};

} // namespace coppice::test
