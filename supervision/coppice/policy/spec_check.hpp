// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What a tree can cost at worst, and which of its settings defeat each other,
/// found without running it.
///
/// Layer: policy. Pure: no clock, no CAF, no I/O.
/// Threads: pure functions.
/// Rules: docs/semantics.md, TOPOLOGY-2.

#include "coppice/policy/spec.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace coppice::policy {

/// How bad a finding is; the worst decides the exit code of `coppice check`.
enum class finding_severity : std::uint8_t {
  note,    ///< Has no effect, or is worth knowing.
  warning, ///< Does not do what it looks like; it may be what is wanted.
  error,   ///< Such a tree is not started, or should not be.
};

/// What was found. The names are stable: scripts may filter by them.
enum class finding_kind : std::uint8_t {
  invalid,                       ///< `validate` refuses it.
  heartbeat_below_scan,          ///< `supervise` refuses it.
  limit_never_triggers,          ///< No failures come that fast.
  limit_shadowed,                ///< Another limit is always reached before.
  backoff_outlives_window,       ///< A crash loop goes on for ever.
  restarts_without_end,          ///< No delay, and no limit: a busy loop.
  restarts_cost_nothing,         ///< A weight of 0, or no limit.
  restarts_multiply,             ///< More than 1'000 in one crash loop.
  backoff_never_applies,         ///< Every life counts as healthy.
  stalls_never_escalate,         ///< Each is forgotten before the next.
  probe_without_effect,          ///< Not judged, or always too late.
  shutdown_unreachable,          ///< `auto_shutdown` that cannot happen.
  stop_exceeds_deadline,         ///< The tree may not stop in order in time.
  stop_unbounded,                ///< One hang holds up every stop.
  grace_below_children,          ///< Shorter than what is below may need.
  kill_without_order,            ///< `brutal_kill` of a supervisor.
  abandoned_at_once,             ///< A kill grace of zero.
  start_unbounded,               ///< One hang holds up every start.
  start_deadline_below_children, ///< Shorter than what is below may need.
  no_room,                       ///< Nothing can be added, or nothing started.
  no_children,                   ///< A supervisor of nobody.
  setting_unused,                ///< Something else switches it off.
};

struct spec_finding {
  finding_severity severity = finding_severity::warning;
  finding_kind kind = finding_kind::invalid;
  /// As `validate` names it: `app.children[2](feed).backoff`.
  std::string field = {};
  /// What stands there: "first 10s, cap 30s".
  std::string found = {};
  /// What it leads to, as a sentence without the full stop.
  std::string why = {};
  /// What to do about it, likewise.
  std::string advice = {};
  /// How many further children of the same supervisor have the same.
  std::size_t alike = 0;
};

/// The worst that one child, or supervisor, may see.
struct worst_case {
  /// "/app/db/conn". Of a pool's instances: "/app/jobs/*".
  std::string path = {};
  child_kind kind = child_kind::worker;
  /// Restarts in one crash loop, until the tree ends: how often it is started
  /// again, by itself, with its group, or with a supervisor above it.
  ///
  /// In a *crash loop*, of each supervisor on the way up one child fails again
  /// and again: each of its lives at once when it is ready, or in its start.
  /// Between two lives there is the longest delay of its backoff and nothing
  /// else: stopping takes no time, nobody reports itself healthy, and no node
  /// is lost. Failures that are further apart than a window are forgotten, as
  /// they should be, so of those there is no worst case: `restarts_max` per
  /// `window` may go on for ever.
  ///
  /// Never exceeded by crash loops. Reached, where all budgets escalate, all
  /// weights are equal, and no supervisor is temporary. Infinity: there is a
  /// crash loop that never ends the tree. In a pool: of all instances
  /// together. Of the root: 0.
  count_limit restarts = 0;
  /// From the first failure of a crash loop that ends it to that end, at most.
  /// Of a supervisor whose children cannot make it give up: infinity. Of a
  /// worker: 0.
  time_limit gives_up_within = duration{0};
  /// Until it is ready, or has failed to. The children of a supervisor start
  /// one after another, each just in time. Of a pool: 0.
  time_limit start_within = duration{0};
  /// Until it is gone or abandoned. The children of a supervisor stop one
  /// after another, each after all of its grace and kill grace; the instances
  /// of a pool together. A supervisor itself answers at once.
  time_limit stop_within = duration{0};
};

/// What a check found. Not in it: children that are added at run time, and the
/// time that children ask for (`heartbeat.extension_max`).
struct spec_check {
  /// All of the tree, in start order, each supervisor before its children;
  /// the root first. Empty if the spec is invalid.
  std::vector<worst_case> worst = {};
  /// In the order of the fields; invalid ones alone if there are any.
  std::vector<spec_finding> findings = {};
  duration scan_interval{0};
  time_limit stop_within = infinity;

  /// How many findings there are like that, `alike` ones included.
  [[nodiscard]] std::size_t count(finding_severity x) const noexcept;
};

/// Checks a whole tree without running it.
///
/// @param scan_interval  Of the watchdog. Range: above 0.
/// @param stop_within  What the tree gets to stop, or infinity.
/// Total: of an invalid spec, the findings are its defects. Restarts beyond
/// 64 bits are counted as 2^64 - 1. Delays beyond the thousandth in a row are
/// computed in floating point.
/// Cost: O(children); 10'000 of them take some 20 ms.
[[nodiscard]] spec_check check(const supervisor_spec& spec,
                               duration scan_interval, time_limit stop_within);

[[nodiscard]] const char* to_string(finding_severity x) noexcept;
/// "limit_never_triggers".
[[nodiscard]] const char* to_string(finding_kind x) noexcept;
/// Three lines: what, why, advice.
[[nodiscard]] std::string to_string(const spec_finding& x);

/// What of a check is shown as text.
struct check_text_options {
  /// Lines of the table of worst cases. Those of workers go first.
  std::size_t lines_max = 40;
  bool with_notes = true;
};

/// For people: a table of worst cases, the findings, and a line that counts
/// them.
[[nodiscard]] std::string to_text(const spec_check& x,
                                  const check_text_options& options = {});

} // namespace coppice::policy
