// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// A whole tree of supervision cores in virtual time, one per life of each
/// supervisor, with workers that do as they are told. Messages take no time.
///
/// Layer: tests.
/// Threads: not thread-safe.
/// Rules: docs/semantics.md, BUDGET-6, STOP-1, TOPOLOGY-2.

#include "coppice/policy/supervision_core.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace coppice::test {

class nested_world {
public:
  using duration = policy::duration;
  using time_point = policy::time_point;

  explicit nested_world(const policy::supervisor_spec& spec,
                        std::uint64_t seed = 1);

  nested_world(const nested_world&) = delete;
  nested_world& operator=(const nested_world&) = delete;

  /// How workers behave; asked each time, by path.
  std::function<bool(const std::string&)> start_fails;
  std::function<duration(const std::string&)> starts_after;
  std::function<bool(const std::string&)> ignores_stop;
  std::function<bool(const std::string&)> ignores_kill;
  /// Of each pool, in each of its lives.
  std::uint64_t instances = 0;

  void start();
  /// Whatever is due at this point in time happens.
  void settle();
  /// Goes to the next point in time at which something is due.
  bool advance();
  void advance_to_the_end();

  /// Workers that are ready, by path.
  [[nodiscard]] std::vector<std::string> running() const;
  [[nodiscard]] bool is_running(const std::string& path) const;
  void end(const std::string& path, policy::end_cause cause,
           std::string_view failure_class = "crash");
  void stop(policy::time_limit within);

  [[nodiscard]] bool is_ready() const noexcept { return ready_; }
  [[nodiscard]] bool has_ended() const noexcept { return ended_; }
  /// Since the beginning.
  [[nodiscard]] duration clock() const noexcept { return now_ - time_point{}; }
  /// Of a pool's instances together: by "/app/jobs/*".
  [[nodiscard]] std::uint64_t restarts(const std::string& path) const;

private:
  /// One life of a supervisor.
  struct place {
    std::unique_ptr<policy::supervision_core> core;
    place* parent = nullptr;
    policy::life_id life = {}; ///< In its parent.
    std::string path;
    std::map<policy::child_key, place*> inner;
    std::optional<time_point> due;
    bool is_over = false;
  };

  struct worker_life {
    place* where;
    policy::life_id life;
  };

  using happening = std::function<policy::directives()>;

  place& add_place(const policy::supervisor_spec& spec, std::string path);
  /// Unless the place is over by then.
  void later(place& where, duration after, happening what);
  void obey(place& where, const policy::directives& todo);
  void obey_one(place& where, const policy::start_life& x);
  void obey_one(place& where, const policy::stop_life& x);
  void obey_one(place& where, const policy::kill_life& x);
  void obey_one(place& where, const policy::abandon_life& x);
  void obey_one(place& where, const policy::arm_timer& x);
  void obey_one(place& where, const policy::report_ready& x);
  void obey_one(place& where, const policy::end_supervisor& x);
  template <class Other>
  void obey_one(place&, const Other&) {}
  void start_worker(place& where, policy::life_id life,
                    const std::string& path);
  void tell_end(place& where, policy::life_id life, policy::end_of_life how);
  void close(place& where);
  void forget_worker(const std::string& path, policy::life_id life);
  [[nodiscard]] std::string path_of(const place& where,
                                    policy::child_key key) const;
  [[nodiscard]] std::string count_of(const place& where,
                                     const std::string& path) const;
  [[nodiscard]] place* place_due() const;
  bool step();

  std::uint64_t seed_;
  time_point now_{};
  std::deque<place> places_;
  std::multimap<time_point, std::function<void()>> agenda_;
  std::map<std::string, worker_life> running_;
  std::map<std::string, std::uint64_t> starts_;
  std::map<std::string, std::uint64_t> first_starts_;
  bool ready_ = false;
  bool ended_ = false;
};

} // namespace coppice::test
