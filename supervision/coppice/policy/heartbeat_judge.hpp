// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// When silence becomes a stall, and whose fault lost time is.
///
/// Layer: policy. Pure: no clock, no CAF, no I/O.
/// Threads: values; `scan_clock` is owned by the watchdog.
/// Rules: docs/semantics.md, HEARTBEAT-3 to HEARTBEAT-5, HEARTBEAT-7.

#include "coppice/policy/spec.hpp"
#include "coppice/policy/time.hpp"

#include <cstdint>
#include <optional>

namespace coppice::policy {

class phi_detector;

enum class liveness : std::uint8_t {
  healthy,
  late,    ///< Silent for two thirds of what is allowed: a warning.
  stalled, ///< The verdict.
};

/// What is known about a life that has not beaten for a while.
struct silence {
  /// Is there work in hand?
  bool busy = false;
  /// Since the last beat, or since ready.
  duration age{0};
  /// Extra time that the worker asked for; what of it counts is bounded by
  /// `extension_max`.
  duration allowance{0};
  /// Since a probe was sent, if one is out. Only looked at while idle.
  std::optional<duration> since_probe = {};
  /// For `phi_accrual`: what has been learnt; may be null.
  const phi_detector* phi = nullptr;
  /// How coarsely beats are seen: one may be this much older than it looks,
  /// and intervals that much longer than those learnt. Taken off before `phi`
  /// is asked, or a beat that falls just behind a scan would look alarming.
  duration resolution{0};
};

struct judgement {
  liveness state = liveness::healthy;
  /// 1 is the verdict, 2/3 the warning, whatever the detector. 0: not judged.
  double suspicion = 0.0;
  /// An idle life is to be probed now.
  bool probe_due = false;
  /// The age at which to ask again; never later than the age at which one of
  /// the above gets worse. `duration::max()`: only a beat changes anything.
  duration look_again = duration::max();

  friend bool operator==(const judgement&, const judgement&) = default;
};

/// Judges a silence. To the nanosecond: `stalled` exactly when the age has
/// reached the timeout, never before. Cost: O(1); with phi some 25 evaluations
/// of it once the age is above the mean.
[[nodiscard]] judgement judge(const heartbeat_spec& spec, const silence& what);

/// Is there anything to judge, or to learn, while the life is idle?
[[nodiscard]] bool idle_matters(const heartbeat_spec& spec) noexcept;

/// The time by which silence is measured: steady time without what the watcher
/// itself missed (HEARTBEAT-5).
///
/// Lives are judged in *watch time*. A scan that comes later than planned by
/// more than one interval stops that time for as long as it was late, and
/// nobody is judged until one more interval has passed on it. Where each scan
/// is late, watch time goes on by one interval per scan: a starved watcher
/// still finds who is stuck, only later.
class scan_clock {
public:
  /// @pre `interval` is above 0.
  scan_clock(duration interval, time_point start) noexcept;

  struct reading {
    /// Later than planned by more than one interval.
    bool was_late = false;
    /// How much later than planned. 0 or more.
    duration lag{0};

    friend bool operator==(const reading&, const reading&) = default;
  };

  /// A scan begins. @param now  Steady time.
  reading begin_scan(time_point now) noexcept;

  /// Says when the next scan should begin. Steady time; `time_point::max()`:
  /// none is wanted, and none can be late.
  void plan(time_point next) noexcept { planned_ = next; }

  [[nodiscard]] time_point planned() const noexcept { return planned_; }
  [[nodiscard]] duration interval() const noexcept { return interval_; }

  /// Watch time of a steady time. One before the end of the last outage counts
  /// as that end.
  [[nodiscard]] time_point to_watch(time_point steady) const noexcept;

  /// Steady time of a watch time, if nothing is missed in between. Saturates.
  [[nodiscard]] time_point to_steady(time_point watch) const noexcept;

  /// May anybody be judged at this watch time?
  [[nodiscard]] bool may_judge(time_point watch) const noexcept {
    return watch >= judge_from_;
  }

  /// Watch time before which nobody is judged.
  [[nodiscard]] time_point judge_from() const noexcept { return judge_from_; }

  /// Was the watcher away since that watch time? Then intervals from there to
  /// now are nothing to learn from.
  [[nodiscard]] bool was_away_since(time_point watch) const noexcept;

  /// All time missed so far.
  [[nodiscard]] duration missed() const noexcept { return missed_; }

private:
  duration interval_;
  time_point planned_;
  duration missed_{0};
  /// Steady time at which the last outage ended.
  time_point resumed_ = time_point::min();
  time_point judge_from_ = time_point::min();
  bool was_late_ = false;
};

} // namespace coppice::policy
