// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// A scripted world around one replication core, in virtual time, with a
/// checker that follows every step.
///
/// Layer: tests.
/// Threads: use from one thread.
/// Rules: docs/semantics.md, REPLICATE-1 to REPLICATE-7.

#include "support/replication_checker.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

namespace coppice::test {

/// `n` of them, that share nothing.
[[nodiscard]] std::vector<policy::replica_spec> replicas(std::size_t n);

/// `send 1 late`, `cancel 0`, `answer 1`, `give_up over`: without the request
/// and the replica.
[[nodiscard]] std::string in_short(const policy::replication_step& x);

/// Makes a sound core a broken one: see canaries.
struct replication_sabotage {
  /// What the core is told that its policy is; the checker knows better.
  std::function<void(policy::replication_spec&)> spec = {};
  /// What the core says after each fact.
  std::function<void(policy::replication_core::steps&)> steps = {};
};

class replication_world {
public:
  using steps = policy::replication_core::steps;

  replication_world(const policy::replication_spec& spec,
                    const std::vector<policy::replica_spec>& replicas,
                    std::uint64_t seed = 1, replication_sabotage broken = {});

  /// Tells the core, and checks what it says to that.
  steps tell(const replication_fact& x);
  /// Tells it as of another time; the clock stays.
  steps tell_at(policy::time_point when, const replication_fact& x);
  /// Moves the clock; nothing is told.
  void pass(policy::duration span) { now_ += span; }
  /// Tells the next timer when it is due, or later if the clock is later.
  /// @returns false if there is none.
  bool fire();
  /// Fires what is due within `span`, one by one.
  void run_for(policy::duration span);
  /// Fires until nothing is due; objects if that never ends.
  void run_out();

  [[nodiscard]] policy::time_point now() const { return now_; }
  [[nodiscard]] const replication_checker& checker() const { return checker_; }
  [[nodiscard]] const policy::replication_core& core() const { return core_; }
  [[nodiscard]] policy::replication_snapshot snapshot() {
    return core_.snapshot(now_);
  }
  void check_counts() { checker_.at_end(snapshot()); }
  /// Empty, or what is wrong, and what was told until then.
  [[nodiscard]] std::string objection() const;

private:
  replication_sabotage broken_;
  policy::replication_core core_;
  replication_checker checker_;
  policy::time_point now_{std::chrono::hours{1}};
  std::vector<std::string> history_;
};

/// The same, to be read aloud; what is wrong fails the test.
class replication_harness : public replication_world {
public:
  using strings = std::vector<std::string>;

  explicit replication_harness(const policy::replication_spec& spec,
                               std::size_t n = 3)
    : replication_harness(spec, replicas(n)) {}
  replication_harness(const policy::replication_spec& spec,
                      const std::vector<policy::replica_spec>& replicas)
    : replication_world(spec, replicas) {}
  ~replication_harness() { EXPECT_EQ(objection(), ""); }

  // -- facts about the latest request ----------------------------------------

  strings request(bool is_idempotent = true);
  strings started(std::uint32_t number);
  strings answered(std::uint32_t number) { return answered(number, number); }
  strings answered(std::uint32_t number, std::uint32_t equal_to);
  strings failed(std::uint32_t number, policy::copy_failure how = {});
  strings over();
  /// What is said while so much time passes.
  strings after(policy::duration span);

  // -- more than one ---------------------------------------------------------

  /// So many requests, each answered by its original after `latency`.
  void warm_up(std::size_t n, policy::duration latency);
  /// Facts are about this one from now on.
  void turn_to(policy::request_id id) { latest_ = id; }
  [[nodiscard]] policy::request_id latest() const { return latest_; }
  void set_present(policy::replica_id who, bool is_present);
  /// Where copy `number` of the latest request is.
  [[nodiscard]] policy::replica_id place_of(std::uint32_t number) const;
  [[nodiscard]] policy::time_point when(policy::duration since_request) const {
    return asked_at_ + since_request;
  }

private:
  strings say(replication_fact x);

  policy::request_id latest_ = 0;
  policy::request_id ids_ = 0;
  policy::time_point asked_at_{};
};

} // namespace coppice::test
