// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// How requests are replicated: the settings of a replicator, as values.
///
/// Layer: policy. Pure: no clock, no CAF, no I/O.
/// Threads: values; as safe as an int.
/// Rules: docs/semantics.md, REPLICATE-1 to REPLICATE-7.

#include "coppice/policy/spec_defect.hpp"
#include "coppice/policy/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace coppice::policy {

enum class replication_mode : std::uint8_t {
  /// All copies at once; the first good answer wins. Buys the shortest latency
  /// with the work of all copies: only below a third of the capacity.
  race,
  /// One copy; another one if it takes longer than most do.
  hedge,
  /// All copies queue at once; the first to start claims the request, and the
  /// others are dropped unstarted. Costs next to nothing in one process. With
  /// `hedge`, another copy if the service takes longer than most do.
  tied,
  /// All copies at once; the answer once `quorum` of them have come, or agree.
  quorum,
};

/// From when the delay of a hedge counts.
enum class hedge_trigger : std::uint8_t {
  /// The copy was sent. Fires more often the longer the queues are.
  after_send,
  /// A worker has begun with it. Fires as often at any load. Needs workers
  /// that say when they begin: `coppice::worker`, in the same process.
  after_start,
};

/// When a copy is late enough for another one.
struct hedge_spec {
  hedge_trigger trigger = hedge_trigger::after_send;

  /// After as long as this share of recent copies took, since `trigger`.
  /// Range: 0.5 to 0.9999. Nothing: after `delay`, always.
  std::optional<double> quantile = 0.95;

  /// Without `quantile`. Range: above 0, finite.
  time_limit delay = std::chrono::milliseconds{10};

  /// With `quantile`: never before this. Range: 0 or more, finite.
  time_limit floor = std::chrono::milliseconds{1};
  /// With `quantile`: never later than this, so that a tail that everybody
  /// has does not switch hedging off. Range: `floor` or more, or infinity.
  time_limit cap = infinity;

  /// With `quantile`: none before so many answers. Range: 1 to 100'000.
  std::uint32_t samples_min = 100;

  /// Copies added to a request by lateness or failure, those that were sent at
  /// once not counted. Range: 1 to 8.
  std::uint32_t extra_max = 1;

  friend bool operator==(const hedge_spec&, const hedge_spec&) = default;
};

/// What copies beyond those that the mode needs may cost.
struct copy_budget_spec {
  /// Per request. Range: 0 to 63. Nothing: what `mode` sends at once, and 0.05
  /// for the rest. Tied copies of one process do not draw on it, since one of
  /// them at most is executed.
  std::optional<double> share = {};
  /// Range: 1 ms to 1 h.
  time_limit window = std::chrono::seconds{10};
  /// Extra copies per window beyond the share. Range: 0 to 1'000.
  std::uint32_t reserve = 1;

  friend bool operator==(const copy_budget_spec&, const copy_budget_spec&)
    = default;
};

/// When extra copies do not help, and are switched off.
struct off_switch_spec {
  /// Extra copies that win below this share do not pay. Range: 0 (never
  /// switches off) to 1.
  double wins_min = 0.02;
  /// Judged by so many of the latest extra copies. Range: 10 to 10'000.
  std::uint32_t judged_by = 200;
  /// While off, one of so many is sent, to see whether they help again.
  /// Range: 2 to 10'000.
  std::uint32_t probe_every = 20;
  /// No extra copies while there are more requests per server than this.
  /// Range: above 0, finite. Nothing: 1/3 for `race`, which harms above it; no
  /// limit for other modes. Needs replicas that state their `servers`.
  std::optional<double> load_max = {};

  friend bool operator==(const off_switch_spec&, const off_switch_spec&)
    = default;
};

enum class replica_choice : std::uint8_t {
  /// Each as often as any other.
  uniform,
  /// The one with fewer copies outstanding, of two random ones.
  two_choices,
};

/// Whether a second copy may go where the first one's trouble would hit it.
enum class shared_domain_rule : std::uint8_t {
  refuse, ///< It is not sent, and counted; unless a quorum needs it.
  flag,   ///< It is sent, and counted.
};

/// When a replica is set aside, and for how long.
struct ejection_spec {
  /// Failures in a row. Range: 1 to 1'000.
  std::uint32_t failures_max = 5;
  /// Mean latency over the median of the others' means, these at least 10 us.
  /// Range: above 1; infinity: never for that.
  double slow_factor = 5.0;
  /// No judgement by latency before so many answers, or copies that were waited
  /// for longer than the mean; the mean is of about four times as many. Range:
  /// 1 to 100'000.
  std::uint32_t samples_min = 20;
  /// The first time, and where the last time is `cap` ago; else twice as long
  /// each next time. Range: above 0, finite.
  time_limit first = std::chrono::seconds{1};
  /// Range: `first` or more, finite.
  time_limit cap = std::chrono::seconds{60};
  /// Most that may be set aside at a time, as a share of all, rounded down.
  /// Range: 0 (never) to 1.
  double share_max = 0.5;

  friend bool operator==(const ejection_spec&, const ejection_spec&) = default;
};

/// What a replica has in common with others. Empty: nothing that is known.
struct failure_domain {
  std::string thread = {};
  std::string process = {};
  std::string host = {};
  std::string data_path = {}; ///< A disk, a directory, a table, a network.

  friend bool operator==(const failure_domain&, const failure_domain&)
    = default;
};

/// Do they share a label, at any of the levels?
[[nodiscard]] bool share_domain(const failure_domain& a,
                                const failure_domain& b) noexcept;

/// One place to send copies to.
struct replica_spec {
  /// Names it in figures and failures. Unique, 1 to 255 bytes, no control
  /// characters.
  std::string name;
  failure_domain domain = {};
  /// Requests that it works on at a time, e.g. workers of a pool. Range: up to
  /// 1'000'000. 0: unknown.
  std::uint32_t servers = 0;

  friend bool operator==(const replica_spec&, const replica_spec&) = default;
};

/// The policy of a replicator.
///
/// Sources: Dean and Barroso, "The Tail at Scale" (2013), for hedged and tied
/// requests; gRPC proposal A6 for fatal failures and pushback.
struct replication_spec {
  replication_mode mode = replication_mode::hedge;

  /// Sent at once. 1 for `hedge`; 2 to 64 for others.
  std::uint32_t copies = 1;

  /// Required by `hedge`, allowed for `tied` (after start), not for others.
  std::optional<hedge_spec> hedge = hedge_spec{};

  /// For `quorum`, and only there: answers needed. Range: 1 to `copies`.
  std::uint32_t quorum = 0;
  /// Must the answers of a quorum be equal? Else the first k of them do.
  bool quorum_agrees = false;

  copy_budget_spec budget = {};
  off_switch_spec off_switch = {};
  /// Samples for quantiles are forgotten after so long. Range: above 0, to 1 h.
  time_limit latency_window = std::chrono::seconds{30};

  replica_choice choice = replica_choice::uniform;
  shared_domain_rule shared_domain = shared_domain_rule::refuse;
  ejection_spec ejection = {};

  friend bool operator==(const replication_spec&, const replication_spec&)
    = default;

  // -- the usual ones --------------------------------------------------------

  static replication_spec race(std::uint32_t copies);
  static replication_spec hedged(hedge_spec hedge = {});
  /// These, and no others, choose by `two_choices`: the copies withdrawn from
  /// long queues would mostly have been sent in vain.
  static replication_spec tied(std::uint32_t copies = 2);
  /// With another copy for services that take long.
  static replication_spec tied_and_hedged(hedge_spec hedge,
                                          std::uint32_t copies = 2);
  static replication_spec first_of(std::uint32_t quorum, std::uint32_t copies);
  static replication_spec majority_of(std::uint32_t copies);
};

/// Every rule that the settings break by themselves and for these replicas:
/// none or more than 1'000 of them, more copies than replicas, all in one
/// domain, and so on.
[[nodiscard]] spec_defects validate(const replication_spec& spec,
                                    const std::vector<replica_spec>& replicas,
                                    const std::string& where);

[[nodiscard]] const char* to_string(replication_mode x) noexcept;
[[nodiscard]] const char* to_string(hedge_trigger x) noexcept;
[[nodiscard]] const char* to_string(replica_choice x) noexcept;
[[nodiscard]] const char* to_string(shared_domain_rule x) noexcept;

} // namespace coppice::policy
