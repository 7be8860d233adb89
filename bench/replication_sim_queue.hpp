// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Queueing servers in virtual time, with a replication core in front.
///
/// Layer: L4.
/// Threads: use from one thread.
/// Rules: none; bench/README.md.

#include "coppice/policy/random.hpp"
#include "coppice/policy/replication_core.hpp"

#include "replication_sim_laws.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <queue>
#include <vector>

namespace replication_sim {

namespace policy = coppice::policy;

/// The mean service time: the unit of all that is printed. A window of 10 s is
/// a thousand of them.
inline constexpr policy::duration service_mean = std::chrono::milliseconds{10};

inline constexpr std::size_t queue_servers = 50;

/// So many mean service times.
[[nodiscard]] policy::duration services(double count);

/// Placed at random; the usual tied ones choose by two.
[[nodiscard]] policy::replication_spec uniform(policy::replication_spec spec);

// What the tables call `hedge 4.3` and `tied 2 + hedge 3.0`.
[[nodiscard]] policy::replication_spec hedged_after_send();
[[nodiscard]] policy::replication_spec tied_and_hedged_after_start();

/// What becomes of a copy that nobody needs.
enum class loser_fate : std::uint8_t {
  /// Taken back from the queue, or stopped in the middle of its work: what
  /// workers do whose handlers look at their context now and then.
  stopped,
  /// Taken back from the queue; worked off for nothing once it was begun.
  runs_on,
  /// Worked off for nothing: what actors do that know of no cancelling.
  never_cancelled,
};

struct queue_settings {
  policy::replication_spec spec;
  /// Requests per service and server. Range: above 0, below 1.
  double load = 0.5;
  service_law work = {};
  std::size_t requests = 300'000;
  /// Before those that are measured.
  std::size_t warm_up = 30'000;
  loser_fate losers = loser_fate::stopped;
};

/// Of the requests measured. Times in units of the mean service time.
struct queue_result {
  double mean = 0.0;
  double p99 = 0.0;
  double p999 = 0.0;
  /// Mean of their last quarter over that of the first: does it keep up?
  double drift = 0.0;
  /// Share of the servers' time that was spent on copies.
  double utilisation = 0.0;
  /// Copies sent because one was late, per request.
  double late = 0.0;
  /// Of those, that began to be worked on.
  double late_started = 0.0;
  /// All copies that began to be worked on after another one, per request.
  double extra_started = 0.0;
  /// Copies that the off switch, or the load, kept from being sent; per
  /// request.
  double kept_back = 0.0;
  policy::replication_snapshot end = {};
};

/// One run. The same seed gives the same run.
///
/// Poisson arrivals, first come first served, no network: facts reach the core,
/// and its steps the servers, in the same instant. A tied copy whose request is
/// claimed is dropped where it is dequeued, as by a worker.
class queue_run {
public:
  queue_run(const queue_settings& how, std::uint64_t seed);

  /// @throws std::logic_error  If a request is answered not exactly once.
  queue_result run();

private:
  using time_point = policy::time_point;

  struct request {
    time_point arrived;
    std::uint32_t claimed_by = nobody;
    bool was_started = false;
    bool is_answered = false;
  };

  struct work {
    policy::copy_name copy;
    bool is_tied;
    bool is_late;
  };

  struct server {
    std::deque<work> waiting;
    std::optional<work> running;
    time_point since;
    /// Of what runs: an end of an earlier one is none of its business.
    std::uint64_t turn = 0;
  };

  struct end_of_work {
    time_point when;
    std::uint32_t where;
    std::uint64_t turn;
    bool operator<(const end_of_work& x) const { return when > x.when; }
  };

  static constexpr std::uint32_t nobody = UINT32_MAX;

  void step();
  void arrive();
  void finish();
  void obey();
  void place(const policy::replication_step& x);
  void start_next(std::uint32_t where);
  void start(std::uint32_t where, const work& what);
  void stop(std::uint32_t where);
  void withdraw(const policy::replication_step& x);
  void record(const policy::replication_step& x);
  void begin_measuring();
  [[nodiscard]] queue_result result();
  void count_copies(queue_result& out);

  queue_settings how_;
  std::uint64_t seed_;
  random_source gaps_;
  policy::replication_core core_;
  std::vector<server> servers_{queue_servers};
  std::priority_queue<end_of_work> ends_;
  std::vector<request> requests_;
  policy::replication_core::steps todo_;
  time_point now_{};
  time_point next_arrival_{};

  time_point measured_since_{};
  policy::duration busy_{0};
  policy::replication_snapshot before_;
  std::uint64_t late_started_ = 0;
  std::uint64_t extra_started_ = 0;
  std::size_t measured_ = 0;
  std::vector<float> latencies_;
};

/// Medians over seeds, of each setting. `end` is that of the last seed.
[[nodiscard]] std::vector<queue_result>
median_runs(const std::vector<queue_settings>& all, std::uint64_t seeds);

} // namespace replication_sim
