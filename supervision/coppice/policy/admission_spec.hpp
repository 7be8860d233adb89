// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// How a queue is told to refuse and to shed: the settings of admission.
///
/// Layer: policy. Pure: no clock, no CAF, no I/O.
/// Threads: values; as safe as an int.
/// Rules: docs/semantics.md, DEADLINE-2, DEADLINE-3, TOPOLOGY-1.

#include "coppice/policy/criticality.hpp"
#include "coppice/policy/spec_defect.hpp"
#include "coppice/policy/time.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace coppice::policy {

/// All of them, the most critical first.
inline constexpr std::array criticalities{criticality::critical_plus,
                                          criticality::critical,
                                          criticality::sheddable_plus,
                                          criticality::sheddable};
static_assert(criticalities.size() == criticality_count);

/// Which requests are not worth starting.
enum class stale_check : std::uint8_t {
  /// None: whoever waits for it may have gone long ago.
  none,
  /// Those whose deadline has passed. A trap under load: what is served then
  /// is what expires next, and most of it during its service.
  expired,
  /// Those whose remaining time is below the measured service time.
  cannot_finish,
};

/// When a queue counts as standing, and what may wait in it then.
///
/// Source: CoDel, as simplified for servers in Maurer: Fail at Scale (2015).
struct standing_queue_spec {
  /// Longest wait in a standing queue. Range: > 0, finite.
  /// Where services take longer than that, it is one service time over the
  /// number of servers, as RFC 8289 asks for slow links (4.4), and `interval`
  /// grows in proportion: else three requests at once would be a crowd.
  time_limit target = std::chrono::milliseconds{5};

  /// A queue that has not been empty for this long is standing.
  /// Range: `target` to an hour, or infinity for "never".
  time_limit interval = std::chrono::milliseconds{100};

  /// Serve newest first while the queue stands: their requesters still wait,
  /// and whoever is old is likely to miss its deadline anyway.
  bool adaptive_lifo = true;

  friend bool operator==(const standing_queue_spec&, const standing_queue_spec&)
    = default;
};

/// What is known about how long a service takes.
struct service_time_spec {
  /// Services are assumed to take as long as this share of the recent ones.
  /// Range: 0.5 to 0.999. Raise it to start less in vain; lower it to start
  /// more close to the deadline.
  double quantile = 0.9;

  /// No estimate below so many samples. Range: 1 to 100'000. A p90 of fewer
  /// than ten is their maximum.
  std::uint32_t samples_min = 20;

  /// Older samples are forgotten. Range: above 0, up to an hour.
  time_limit window = std::chrono::seconds{10};

  /// An estimate that has kept a queue from starting anything for so long is
  /// forgotten altogether: it would never be corrected, since nothing is
  /// measured any more. Range: > 0, finite.
  time_limit relearn_after = std::chrono::seconds{1};

  friend bool operator==(const service_time_spec&, const service_time_spec&)
    = default;
};

/// The most of the queue that each class may fill. Unit: share of
/// `queue_depth_max`, rounded up. Range: 0 to 1; 0 refuses the class.
///
/// They need not add up to 1: more critical requests evict others anyway.
/// Lower one to refuse a class early instead of evicting it late.
struct criticality_shares {
  double critical_plus = 1.0;
  double critical = 1.0;
  double sheddable_plus = 1.0;
  double sheddable = 1.0;

  [[nodiscard]] double of(criticality x) const noexcept;

  friend bool operator==(const criticality_shares&, const criticality_shares&)
    = default;
};

/// Bounds of the advice when to come back. `max` must be at least twice `min`,
/// so that there is always room for jitter.
struct retry_hint_spec {
  /// Range: > 0, finite.
  time_limit min = std::chrono::milliseconds{50};
  /// Range: twice `min` to a day.
  time_limit max = std::chrono::seconds{10};

  friend bool operator==(const retry_hint_spec&, const retry_hint_spec&)
    = default;
};

/// What a queue admits, what it sheds, and in which order it serves.
struct admission_spec {
  /// Most that may wait, those in service not counted.
  /// Unit: requests. Range: 1 to 1'000'000. Raise it to survive bursts; the
  /// wait is bounded by `standing` and the deadlines, not by this.
  std::uint32_t queue_depth_max = 1'000;

  stale_check stale = stale_check::cannot_finish;
  standing_queue_spec standing = {};
  service_time_spec service = {};
  criticality_shares shares = {};
  retry_hint_spec retry_after = {};

  friend bool operator==(const admission_spec&, const admission_spec&)
    = default;
};

/// Every rule that `spec` breaks; fields are named from `where`, e.g.
/// `app.children[2](pool).admission.standing.target`.
[[nodiscard]] spec_defects validate(const admission_spec& spec,
                                    const std::string& where);

[[nodiscard]] const char* to_string(stale_check x) noexcept;

} // namespace coppice::policy
