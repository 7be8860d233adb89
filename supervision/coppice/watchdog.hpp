// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The watchdog: one thread that finds lives gone silent, and keeps timers.
///
/// Layer: L2. No CAF: it must not run on threads that workers can block.
/// Threads: thread-safe, listeners included; `run` by one thread at a time.
/// Rules: docs/semantics.md, HEARTBEAT-2 to HEARTBEAT-7, STOP-2.

#include "coppice/heartbeat.hpp"
#include "coppice/policy/directive.hpp"
#include "coppice/policy/spec.hpp"
#include "coppice/policy/time.hpp"
#include "coppice/stack_capture.hpp"
#include "coppice/vital_signs.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

namespace coppice {

/// Names a listener; never used twice.
using owner_id = std::uint32_t;

/// What the watchdog has to say. Fields that a kind does not mention are as
/// initialised.
struct watch_notice {
  enum class kind : std::uint8_t {
    timer,        ///< To the owner: `generation`.
    late,         ///< To the owner, once per silence: as `stalled`.
    stalled,      ///< To the owner, once per life: all of the evidence below.
    probe_due,    ///< To the owner: send `life` a probe through its mailbox.
    watcher_late, ///< To the monitor: `lag`.
    pool_stuck,   ///< To the monitor: stalled lives hold all pool threads.
    pool_free,    ///< To the monitor: not any more.
  };

  kind what = kind::timer;
  policy::life_id life = {};
  std::uint64_t generation = 0;
  /// Since the last beat was seen, or since ready; without what the watchdog
  /// itself missed.
  policy::duration age{0};
  /// 1 is the verdict, 2/3 the warning.
  double suspicion = 0.0;
  /// What the worker said last; null if nothing.
  const char* note = nullptr;
  bool was_busy = false;
  /// With `stalled`, if it was busy: its stack, while it was still silent.
  /// Null if there was none to be had.
  std::shared_ptr<const raw_stack> stack = nullptr;
  policy::duration lag{0};
};

[[nodiscard]] const char* to_string(watch_notice::kind x) noexcept;

/// Watches lives by their slots on the heartbeat board.
///
/// A verdict comes no earlier than the timeout after the last beat, and no
/// later than the timeout plus one scan interval (HEARTBEAT-7), as long as the
/// watchdog itself gets to run (HEARTBEAT-5).
class watchdog {
public:
  struct options {
    /// Range: above 0. Least meaningful timeout of a life.
    policy::duration scan_interval = std::chrono::milliseconds{100};
    /// Threads that workers share, for `pool_stuck`. 0: unknown, never said.
    std::size_t pool_threads = 0;
    /// How long a stalled life's thread is waited for to give its stack: it is
    /// interrupted by a signal (thread_stack.hpp). Zero: not asked. Not in
    /// manual mode.
    policy::duration stack_wait = std::chrono::milliseconds{20};
    /// No thread: somebody calls `run`, in virtual time.
    bool manual = false;
    /// Steady time; null: the steady clock. Manual: the same virtual time as
    /// is given to `run`.
    std::function<policy::time_point()> now = nullptr;
  };

  /// Called on the watchdog's thread with no lock held; may call anything here
  /// but the destructor. Must be quick. What it throws is swallowed, counted.
  using listener = std::function<void(const watch_notice&)>;

  explicit watchdog(options how);

  /// Joins the thread. Lives that have not released their writer go on beating
  /// into memory that is kept for them, and find a stop request there.
  ~watchdog();

  watchdog(const watchdog&) = delete;
  watchdog& operator=(const watchdog&) = delete;

  // -- who is told -----------------------------------------------------------

  owner_id add_owner(listener what);

  /// On return the listener is not running, unless this is a call from it, and
  /// will never be called again. Disarms its timer; its lives are still to be
  /// released.
  void remove_owner(owner_id owner);

  /// For `watcher_late`, `pool_stuck` and `pool_free`. Replaces; null: nobody.
  /// The one before is not running any more on return, as above.
  void set_monitor(listener what);

  // -- lives -----------------------------------------------------------------

  /// A slot for a life that is about to start. O(1), amortised.
  [[nodiscard]] slot_id acquire();

  /// The writer's end, for the child, or for whoever beats on its behalf.
  [[nodiscard]] heartbeat writer(slot_id slot);

  /// Judges the life in this slot from `ready_at` on. Again for the same life:
  /// other limits from now on. O(1).
  void watch(slot_id slot, owner_id owner, policy::life_id life,
             const policy::heartbeat_spec& spec, bool on_pool,
             policy::time_point ready_at);

  /// Other limits from now on for a life that is watched; its silence goes on.
  /// What it is overdue by them, the next scan finds. O(1).
  void change_limits(slot_id slot, const policy::heartbeat_spec& spec);

  /// The life finds it by `heartbeat::stop_requested`.
  void request_stop(slot_id slot);

  /// Given up: no more notices. On a pool it counts as stuck until its writer
  /// is released.
  void fence(slot_id slot);

  /// The supervisor's release: no more notices, except one that is being
  /// delivered. The slot must not be named again.
  void unwatch(slot_id slot);

  /// The writer's release, on behalf of a child that ended without. Before
  /// `unwatch`, not after it. Does nothing if the writer was released.
  void release_writer(slot_id slot);

  using vital_signs = coppice::vital_signs;

  [[nodiscard]] vital_signs look(slot_id slot, policy::time_point now) const;

  // -- timers ----------------------------------------------------------------

  /// One timer per owner: replaces what was armed before. O(log owners).
  void arm(owner_id owner, policy::time_point due, std::uint64_t generation);
  void disarm(owner_id owner);

  // -- manual mode -----------------------------------------------------------

  /// When `run` has something to do; `time_point::max()` if never.
  [[nodiscard]] policy::time_point next_due() const;

  /// Scans and fires timers, where due. A call much later than `next_due` is a
  /// late watcher, and treated as such.
  /// @pre Manual mode.
  void run(policy::time_point now);

  // -- how it is doing -------------------------------------------------------

  struct statistics {
    std::uint64_t scans = 0;
    std::uint64_t late_scans = 0;
    policy::duration longest_lag{0};
    /// Uses of handles whose life is history; at most one per slot and scan.
    std::uint64_t stale_beats = 0;
    std::uint64_t listener_failures = 0;
    std::uint64_t verdicts = 0;
    policy::duration last_scan_duration{0};
    /// Slots in use.
    std::uint64_t lives = 0;
    /// Lives on the pool that count as stuck.
    std::uint64_t stuck = 0;
  };

  [[nodiscard]] statistics stats() const;

private:
  class implementation;
  std::unique_ptr<implementation> impl_;
};

} // namespace coppice
