// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Where copies of requests can go, and which place is next.
///
/// Layer: policy. Pure: no clock, no CAF, no I/O.
/// Threads: not thread-safe; owned by one replicator.
/// Rules: docs/semantics.md, REPLICATE-3, REPLICATE-5.

#include "coppice/policy/random.hpp"
#include "coppice/policy/replication_spec.hpp"
#include "coppice/policy/time.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace coppice::policy {

/// Position in the list of replicas.
using replica_id = std::uint32_t;

/// What became of a copy.
enum class copy_outcome : std::uint8_t {
  answered,  ///< Says how fast, and that the replica works.
  failed,    ///< Speaks against the replica.
  cancelled, ///< Says only that it took at least that long.
};

/// What is known of a replica.
struct replica_snapshot {
  std::string name;
  std::uint32_t outstanding = 0; ///< Copies sent and not resolved.
  std::uint64_t sent = 0;
  std::uint64_t answered = 0;
  std::uint64_t failed = 0;
  std::uint64_t times_set_aside = 0;
  bool is_available = false; ///< Neither gone, nor set aside, nor pushed back.
  bool is_set_aside = false;
};

/// The replicas of one replicator.
///
/// Chooses uniformly at random, or, if asked to, the less loaded of two random
/// ones (`replica_choice`). A replica that fails or is slow is set aside for
/// some time (`ejection_spec`), then gets one copy as a probe; an answer in
/// time brings it back, a failure or a slow answer sets it aside for longer.
/// Never more than the configured share of them: where none is available,
/// those set aside are used again.
///
/// Slow is judged by lower bounds: a copy that was cancelled counts for as long
/// as it was waited for, if that is longer than the mean so far, or too long.
/// So a replica that always loses is found where others are waited for less
/// long, as with hedges. A race that begins and ends for all copies at the same
/// time tells only who lost, not by how much.
///
/// Copies that were sent before a replica was set aside, or came back, say
/// nothing about it any more.
///
/// Cost: a choice O(replicas + used); a copy's end O(1), plus at most 64 steps
/// on average to compare means. Neither allocates.
/// Source: Mitzenmacher, "The power of two choices in randomized load
/// balancing" (2001); the outlier detection of Envoy.
class replica_set {
public:
  /// @param rule  If copies to a used domain are refused, one that is set aside
  ///              is better than those; else it is the last resort.
  /// @pre `replicas` and `ejection` are sound by `validate`.
  replica_set(const std::vector<replica_spec>& replicas, replica_choice how,
              const ejection_spec& ejection, std::uint64_t seed,
              shared_domain_rule rule = shared_domain_rule::flag);

  struct choice {
    replica_id who;
    /// It shares a failure domain with one of `used`.
    bool shares_domain = false;
    /// It was set aside, and this copy decides whether it comes back.
    bool is_probe = false;
  };

  /// One that is not in `used`; in another failure domain than all of them if
  /// there is one. Nothing: none is left. Gone ones are never chosen; those set
  /// aside only where nobody else is left, or to probe them.
  ///
  /// Those that want no copies get none, but for requests that would get none
  /// at all otherwise, where not `may_probe`: to turn away what it has no room
  /// for is the business of the replica.
  ///
  /// A probe risks the request that it is sent for, so it goes out only where
  /// `may_probe`, i.e. as a further copy, or where no other is left. Where no
  /// such copy has come for another `ejection_spec::cap`, any may become the
  /// probe: else nobody set aside would come back where requests have one copy.
  ///
  /// Changes nothing but the random source: whoever sends the copy says so by
  /// `on_sent` before the next choice.
  [[nodiscard]] std::optional<choice>
  choose(time_point now, std::span<const replica_id> used, bool may_probe);

  void on_sent(replica_id who);
  /// @param latency  Since the copy was sent.
  void on_resolved(time_point now, replica_id who, copy_outcome how,
                   duration latency);

  /// It asks for no more copies until then. The latest time counts.
  void push_back(replica_id who, time_point until);

  /// It is gone (or back): dead, draining, or stopped.
  void set_present(replica_id who, bool present);

  [[nodiscard]] std::size_t size() const noexcept;
  /// Those that may get further copies now, nobody used.
  [[nodiscard]] std::size_t available(time_point now) const;
  /// Sum over all replicas; 0 if one of them does not say.
  [[nodiscard]] std::uint32_t servers() const noexcept;
  [[nodiscard]] const replica_spec& spec(replica_id who) const;
  [[nodiscard]] replica_snapshot snapshot(time_point now, replica_id who) const;

private:
  /// Of a domain: the numbers of its labels, over all replicas; 0 for none.
  using labels = std::array<std::uint32_t, 4>;

  struct record {
    replica_spec spec;
    labels domain{};
    std::uint32_t outstanding = 0;
    std::uint64_t sent = 0;
    std::uint64_t answered = 0;
    std::uint64_t failed = 0;
    std::uint64_t times_set_aside = 0;
    bool is_present = true;
    time_point pushed_back_until = time_point::min();
    std::uint64_t used_in = 0; ///< The latest round that it was used in.

    std::uint32_t failures_in_a_row = 0;
    std::uint64_t samples = 0; ///< In the mean.
    double mean_ns = 0.0;
    /// The slowest mean that is tolerated, and after how many more copies to
    /// ask again what it is.
    double slow_ns = std::numeric_limits<double>::infinity();
    std::size_t compare_in = 0;

    bool is_set_aside = false;
    time_point probe_due{};
    std::uint32_t times_in_succession = 0;
    time_point back_since = time_point::min();
    std::optional<time_point> probe_chosen{}; ///< And not sent yet.
    std::optional<time_point> probe_sent{};   ///< And not resolved yet.
  };

  /// How good a choice a replica is; the first is the best.
  enum class standing : std::uint8_t { probe, sound, due, set_aside };

  void number_labels();
  void mark(std::span<const replica_id> used);
  [[nodiscard]] unsigned rank(time_point now, const record& x,
                              bool may_probe) const;
  [[nodiscard]] bool shares_used_domain(const record& x) const noexcept;
  [[nodiscard]] standing standing_of(time_point now, const record& x,
                                     bool may_probe) const;
  /// Is it time to probe it?
  [[nodiscard]] static bool is_due(time_point now, const record& x) noexcept;
  /// Gone or pushed back.
  [[nodiscard]] static bool is_barred(time_point now, const record& x) noexcept;
  [[nodiscard]] replica_id pick();
  [[nodiscard]] static bool is_less_loaded(const record& a,
                                           const record& b) noexcept;

  void judge(time_point now, record& x, copy_outcome how, duration latency);
  void judge_probe(time_point now, record& x, copy_outcome how,
                   duration latency);
  void learn(time_point now, record& x, copy_outcome how, duration latency);
  void compare(record& x);
  [[nodiscard]] double slow_limit(const record& x);
  void set_aside(time_point now, record& x);
  void bring_back(time_point now, record& x);

  replica_choice how_;
  ejection_spec ejection_;
  shared_domain_rule rule_;
  random_source random_;
  std::vector<record> all_;
  std::uint32_t servers_ = 0;
  std::size_t set_aside_ = 0;
  std::size_t set_aside_max_ = 0;
  std::uint64_t round_ = 0;
  std::vector<std::uint64_t> label_used_in_; ///< By number: the latest round.
  std::vector<replica_id> candidates_;
  std::vector<double> means_;
};

} // namespace coppice::policy
