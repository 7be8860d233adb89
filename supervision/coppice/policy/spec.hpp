// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Specs: what to supervise and how, as plain values.
///
/// Layer: policy. Pure: no clock, no CAF, no I/O.
/// Threads: values; safe to share once built.
/// Rules: docs/semantics.md, START, RESTART, BUDGET, BACKOFF, STOP, HEARTBEAT.

#include "coppice/policy/spec_defect.hpp"
#include "coppice/policy/time.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace coppice {
class start_context; // what a start function may do; layer 2
}

namespace coppice::policy {

struct supervisor_spec;

/// Brings one life of a child into being; called once per life.
///
/// It spawns the child through the context, or declines with
/// `context.ignore()`. An exception, or returning without either, is a failed
/// start. Must not be null.
using start_function = std::function<void(start_context&)>;

// -- closed families ---------------------------------------------------------

/// When a child that ended comes back. Source: OTP.
enum class restart_type : std::uint8_t {
  permanent, ///< Always.
  transient, ///< Only after an abnormal end.
  temporary, ///< Never; its spec is dropped when it ends.
};
using enum restart_type;

/// Who else is restarted when a child fails. Source: OTP.
enum class restart_strategy : std::uint8_t {
  one_for_one,        ///< Only the one that failed.
  one_for_all,        ///< All of them.
  rest_for_one,       ///< It and those started after it.
  simple_one_for_one, ///< A pool: any number of instances of one spec.
};
using enum restart_strategy;

/// Does the end of significant children end the supervisor? Source: OTP.
enum class auto_shutdown_mode : std::uint8_t {
  never,
  any_significant,
  all_significant,
};

/// What happens when a restart budget is spent (BUDGET-5).
enum class exhaustion_action : std::uint8_t {
  escalate,   ///< The supervisor gives up; its parent decides.
  stop_child, ///< The child stays stopped (exhausted); siblings run on.
  park,       ///< Keep trying at the longest backoff delay, visibly.
  pause,      ///< No restarts for a while, then all that waited, afresh.
};

/// What happens to a child whose failure is of a certain class (RESTART-3).
enum class failure_action : std::uint8_t { restart, stop, escalate };

/// Do group restarts bring back what an operator stopped or what had
/// finished? `all` is OTP's answer (RESTART-4).
enum class revive_mode : std::uint8_t { none, all };

/// How a delay is blurred so that children do not come back in step.
enum class jitter_kind : std::uint8_t {
  none,         ///< d
  full,         ///< uniform in [0, d]
  equal,        ///< d/2 + uniform in [0, d/2]
  proportional, ///< d + uniform in [0, ratio * d]
};

/// Where a life runs.
enum class isolation_kind : std::uint8_t {
  shared, ///< On the scheduler's pool of threads.
  thread, ///< On a thread of its own: if it hangs, it blocks nobody else.
};

/// How silence turns into suspicion (HEARTBEAT-4).
enum class detector_kind : std::uint8_t {
  fixed_timeout,
  phi_accrual, ///< Hayashibara et al.: The phi accrual failure detector (2004)
};

/// What a child is; decides defaults and how it is counted.
enum class child_kind : std::uint8_t { worker, supervisor };

/// Which message goes when the parking lot of a child is full.
enum class parking_overflow : std::uint8_t { refuse_newest, drop_oldest };

// -- parts -------------------------------------------------------------------

/// At most `restarts_max` restarts in any stretch of `window`.
///
/// Source: OTP supervisor flags `intensity` and `period`. Unlike OTP's, the
/// window is exact to the nanosecond.
struct restart_limits {
  /// Range: 0 to 1'000'000'000, or infinity. 0: the first failure is one too
  /// many. It multiplies with the limits of every level above.
  count_limit restarts_max = 3;
  /// Range: above 0, or infinity (restarts are never forgotten).
  time_limit window = std::chrono::seconds{5};

  friend bool operator==(const restart_limits&, const restart_limits&)
    = default;
};

/// How much of the budget an attempt costs, by what made it necessary.
/// Unit: restarts. Range: 0 to 1'000.
struct cause_weights {
  std::uint32_t crash = 1;
  std::uint32_t stall = 1;
  std::uint32_t start_failure = 1;
  std::uint32_t node_loss = 0;
  std::uint32_t clean_end = 1;

  friend bool operator==(const cause_weights&, const cause_weights&) = default;
};

/// How long to wait before an attempt to restart.
///
/// The n-th failure in a row waits min(cap, first * factor^(n-1)), blurred by
/// the jitter, never above `cap`. A child that was healthy for `reset_after`,
/// or said so itself, starts at once, and counting begins again. A failed
/// *start* waits at least `first`.
struct backoff_spec {
  /// Range: 0 to cap. 0 makes retries immediate, as in OTP.
  time_limit first = std::chrono::milliseconds{100};
  /// Range: first to 365 days; above 0 where a budget's end is `park`. Holds
  /// with the jitter included.
  time_limit cap = std::chrono::seconds{30};
  /// Range: 1 to 1'000.
  double factor = 2.0;
  jitter_kind jitter = jitter_kind::proportional;
  /// For `proportional`. Range: 0 to 1.
  double jitter_ratio = 0.2;
  /// A run of this length counts as healthy. Range: 0 or more; infinity: only
  /// the child's own report does.
  time_limit reset_after = std::chrono::seconds{10};

  friend bool operator==(const backoff_spec&, const backoff_spec&) = default;
};

struct brutal_kill_t {
  explicit constexpr brutal_kill_t() = default;
};
/// No polite request: kill at once. OTP's word.
inline constexpr brutal_kill_t brutal_kill{};

/// How long a child may take to end when asked to. OTP's `shutdown`.
class stop_grace {
public:
  constexpr stop_grace() noexcept = default;
  constexpr stop_grace(infinity_t) noexcept : limit_(infinity) {}
  constexpr stop_grace(brutal_kill_t) noexcept : brutal_(true) {}
  constexpr stop_grace(time_limit limit) noexcept : limit_(limit) {}
  template <class Rep, class Period>
  constexpr stop_grace(std::chrono::duration<Rep, Period> span) noexcept
    : limit_(span) {}

  [[nodiscard]] constexpr bool is_brutal() const noexcept { return brutal_; }
  [[nodiscard]] constexpr time_limit limit() const noexcept { return limit_; }

  friend constexpr bool operator==(const stop_grace&,
                                   const stop_grace&) noexcept = default;

private:
  time_limit limit_ = std::chrono::seconds{5};
  bool brutal_ = false;
};

/// Maps a class of failures to what is done about them.
struct failure_rule {
  /// As in `failure::failure_class`. Not empty.
  std::string failure_class;
  failure_action action = failure_action::restart;

  friend bool operator==(const failure_rule&, const failure_rule&) = default;
};

/// The phi accrual detector. Source: Hayashibara et al. 2004; defaults as in
/// Akka's cluster, with the floor of the deviation scaled to local beats.
struct phi_spec {
  /// Suspicion at which a life counts as stalled. Range: above 0 to 100.
  double threshold = 8.0;
  /// Intervals remembered. Range: 2 to 10'000. 8 bytes each, per life.
  std::uint32_t samples_max = 200;
  /// Floor of the standard deviation. Range: above 0, finite.
  time_limit deviation_min = std::chrono::milliseconds{100};
  /// Added to the mean: a pause that is no reason to worry. Range: 0 or more,
  /// finite.
  time_limit acceptable_pause = std::chrono::milliseconds{0};
  /// Assumed interval before the first was seen. Range: above 0, finite; below
  /// `stall_timeout` where phi decides, or each beat in time would be too late.
  time_limit first_estimate = std::chrono::seconds{1};

  friend bool operator==(const phi_spec&, const phi_spec&) = default;
};

/// When silence becomes a stall. The limits of the other two phases are the
/// start deadline (starting) and the stop grace (draining) of the child.
struct heartbeat_spec {
  /// Longest silence with work in hand. Range: above 0, or infinity (never
  /// judged while busy).
  time_limit stall_timeout = std::chrono::seconds{30};
  /// Longest silence without work. Range: above 0. Infinity: an idle worker
  /// is healthy. Set it for children that promise to beat at intervals, and
  /// for foreign actors that beat by message; counts from ready.
  time_limit idle_timeout = infinity;
  /// Most extra time that a worker gets by asking, between two beats.
  /// Range: 0 or more, finite.
  time_limit extension_max = std::chrono::minutes{5};
  /// How often an idle worker gets a probe through its own mailbox; one that
  /// is not drained within `stall_timeout` is a stall. Infinity: no probes.
  time_limit probe_every = infinity;
  detector_kind detector = detector_kind::fixed_timeout;
  /// Used by `phi_accrual` alone; `stall_timeout` stays as the upper bound.
  phi_spec phi = {};

  friend bool operator==(const heartbeat_spec&, const heartbeat_spec&)
    = default;
};

/// What becomes of messages sent through a child reference between two lives.
struct parking_spec {
  /// Unit: messages. Range: 0 to 1'000'000. 0: fail fast.
  std::uint32_t messages_max = 0;
  parking_overflow overflow = parking_overflow::refuse_newest;

  friend bool operator==(const parking_spec&, const parking_spec&) = default;
};

/// The spec of an inner supervisor, by value, inside the spec of its parent.
class nested_supervisor {
public:
  nested_supervisor() noexcept = default;
  nested_supervisor(supervisor_spec spec);

  [[nodiscard]] explicit operator bool() const noexcept {
    return spec_ != nullptr;
  }
  [[nodiscard]] const supervisor_spec& operator*() const noexcept {
    return *spec_;
  }
  [[nodiscard]] const supervisor_spec* operator->() const noexcept {
    return spec_.get();
  }
  [[nodiscard]] const std::shared_ptr<const supervisor_spec>&
  shared() const noexcept {
    return spec_;
  }

private:
  std::shared_ptr<const supervisor_spec> spec_;
};

// -- specs -------------------------------------------------------------------

/// The immutable description of a child. Give either `start` (a worker) or
/// `supervisor` (an inner supervisor), and an `id`.
struct child_spec {
  /// Unique per supervisor. 1 to 255 bytes; no `/`, no control characters.
  std::string id = {};
  start_function start = {};
  nested_supervisor supervisor = {};
  restart_type restart = permanent;
  /// Default: 5 s for workers, infinity for supervisors.
  std::optional<stop_grace> shutdown = {};
  /// From kill to abandoned. Range: 0 or more, finite. 0: a life that does not
  /// end in the moment of the kill is abandoned.
  time_limit kill_grace = std::chrono::seconds{1};
  /// From spawn to ready. Range: above 0, or infinity. Default: 5 s for
  /// workers, infinity for supervisors (each of their children has its own).
  std::optional<time_limit> start_deadline = {};
  backoff_spec backoff = {};
  /// A budget of the child's own, beside the supervisor's. Default: none.
  restart_limits limits = {.restarts_max = infinity};
  /// When the child's own budget is spent.
  exhaustion_action on_exhausted = exhaustion_action::escalate;
  /// One rule per class. The class `permanent_failure` means `stop` unless a
  /// rule says otherwise; everything else means `restart`.
  std::vector<failure_rule> on_failure = {};
  /// Only with `auto_shutdown`, and not for permanent children.
  bool significant = false;
  heartbeat_spec heartbeat = {};
  isolation_kind isolation = isolation_kind::shared;
  parking_spec parking = {};

  [[nodiscard]] child_kind kind() const noexcept {
    return supervisor ? child_kind::supervisor : child_kind::worker;
  }
  [[nodiscard]] stop_grace effective_shutdown() const noexcept;
  [[nodiscard]] time_limit effective_start_deadline() const noexcept;
};

/// The immutable description of a supervisor and, nested, of its tree.
struct supervisor_spec {
  /// For the root: first part of all paths; as `child_spec::id`. Inner ones
  /// take their child's id, and what is said here is not looked at.
  std::string name = "root";
  restart_strategy strategy = one_for_one;
  restart_limits limits = {};
  cause_weights weights = {};
  /// When the supervisor's budget is spent.
  exhaustion_action on_exhausted = exhaustion_action::escalate;
  /// Length of a `pause`; resumes up to a tenth later. Range: above 0, finite.
  time_limit pause_length = std::chrono::seconds{30};
  auto_shutdown_mode auto_shutdown = auto_shutdown_mode::never;
  revive_mode revive = revive_mode::none;
  /// Most children at a time, retrying ones included. Range: at least those
  /// in `children`, or infinity. A pool may say 0.
  count_limit children_max = infinity;
  /// In start order. A pool has exactly one: the template of its instances.
  std::vector<child_spec> children = {};
};

// -- validation --------------------------------------------------------------

/// Every rule that `spec` and what is nested in it breaks; fields are named
/// from `where`, e.g. `app.children[2](feed).backoff.first`, and inside an
/// inner supervisor `app.children[2](feed).supervisor.limits.window`. At most
/// 64 supervisors may be above one another.
///
/// Cost: O(all children); allocates per child, and per defect.
[[nodiscard]] spec_defects validate(const supervisor_spec& spec,
                                    const std::string& where);

/// The same for one child that is to be added to a supervisor like `parent`;
/// `where` names the child. Whether its id is taken is not looked at: only the
/// running supervisor knows.
[[nodiscard]] spec_defects validate(const child_spec& spec,
                                    const supervisor_spec& parent,
                                    const std::string& where);

// Of an integer cast to one of these that it has no name for: "unknown".
[[nodiscard]] const char* to_string(restart_type x) noexcept;
[[nodiscard]] const char* to_string(restart_strategy x) noexcept;
[[nodiscard]] const char* to_string(auto_shutdown_mode x) noexcept;
[[nodiscard]] const char* to_string(exhaustion_action x) noexcept;
[[nodiscard]] const char* to_string(failure_action x) noexcept;
[[nodiscard]] const char* to_string(revive_mode x) noexcept;
[[nodiscard]] const char* to_string(jitter_kind x) noexcept;
[[nodiscard]] const char* to_string(isolation_kind x) noexcept;
[[nodiscard]] const char* to_string(detector_kind x) noexcept;
[[nodiscard]] const char* to_string(child_kind x) noexcept;
[[nodiscard]] const char* to_string(parking_overflow x) noexcept;
[[nodiscard]] std::string to_string(const stop_grace& x);

} // namespace coppice::policy
