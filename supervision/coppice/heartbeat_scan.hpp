// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Goes over the board and finds who is late, stalled, or to be probed.
///
/// Layer: L1. No CAF, no clock of its own, no thread, no lock.
/// Threads: not thread-safe; guarded by the watchdog. Writers may beat.
/// Rules: docs/semantics.md, HEARTBEAT-3 to HEARTBEAT-7, STOP-2.

#include "coppice/heartbeat_board.hpp"
#include "coppice/heartbeat_limits.hpp"
#include "coppice/policy/directive.hpp"
#include "coppice/policy/heartbeat_judge.hpp"
#include "coppice/policy/time.hpp"
#include "coppice/vital_signs.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace coppice {

/// Something to tell the owner of a life.
struct heartbeat_finding {
  enum class kind : std::uint8_t { late, stalled, probe_due };

  kind what = kind::late;
  slot_id slot = 0;
  std::uint32_t owner = 0;
  policy::life_id life = {};
  policy::duration age{0};
  double suspicion = 0.0;
  const char* note = nullptr;
  bool was_busy = false;
  /// The mark that it has not changed since.
  std::uint64_t mark = 0;
  /// Where its work began; 0: not known, or idle.
  std::int32_t thread = 0;
};

/// The watchdog's list of lives, and its walks over the board.
///
/// A *pass* is `begin`, `step` until it says no, `finish`; what it found is
/// then in `findings`. Between steps other members may be called. A pass is
/// either a scan of all slots, or looks only at those that fell due meanwhile.
///
/// Beats are attributed to a time after the slot was read, and ages counted to
/// one before it: a beat is never taken for older than it is.
class heartbeat_scan {
public:
  using time_point = policy::time_point;
  using duration = policy::duration;

  /// @param now  Asked while a pass goes on; steady time.
  heartbeat_scan(duration interval, std::function<time_point()> now);

  // -- lives: as in `watchdog` -----------------------------------------------

  [[nodiscard]] slot_id acquire();
  [[nodiscard]] heartbeat writer(slot_id slot) { return board_.writer(slot); }
  void watch(slot_id slot, std::uint32_t owner, policy::life_id life,
             const policy::heartbeat_spec& spec, bool on_pool,
             time_point ready_at);
  void change_limits(slot_id slot, const policy::heartbeat_spec& spec);
  void request_stop(slot_id slot) noexcept;
  void fence(slot_id slot);
  void unwatch(slot_id slot);
  void release_writer(slot_id slot) { board_.release_writer(slot); }

  [[nodiscard]] vital_signs look(slot_id slot, time_point now) const;

  /// Is the life that a finding is about still to be told of?
  [[nodiscard]] bool concerns(const heartbeat_finding& x) const noexcept;

  /// Has it been silent ever since?
  [[nodiscard]] bool still_holds(const heartbeat_finding& x) const noexcept {
    return concerns(x)
           && board_.slot(x.slot).mark.load(std::memory_order_relaxed)
                == x.mark;
  }

  // -- passes ----------------------------------------------------------------

  /// Steady time of the next pass; `time_point::max()` with no lives at all.
  [[nodiscard]] time_point next_due() const noexcept;

  /// @pre `now` has reached `next_due`.
  policy::scan_clock::reading begin(time_point now);
  /// One chunk. @returns Whether there is another.
  bool step();
  void finish();

  [[nodiscard]] std::vector<heartbeat_finding>& findings() noexcept {
    return findings_;
  }

  // -- what is known ---------------------------------------------------------

  struct statistics {
    std::uint64_t scans = 0;
    std::uint64_t late_scans = 0;
    duration longest_lag{0};
    std::uint64_t stale_beats = 0;
    std::uint64_t verdicts = 0;
    duration last_scan_duration{0};
  };

  [[nodiscard]] const statistics& stats() const noexcept { return stats_; }
  [[nodiscard]] std::size_t lives() const noexcept { return board_.lives(); }

  /// Lives on the pool that were convicted or fenced, and whose writer was not
  /// released when the last pass ended.
  [[nodiscard]] std::size_t stuck() const noexcept { return stuck_.size(); }

  [[nodiscard]] const heartbeat_board& board() const noexcept { return board_; }

private:
  /// A look that is wanted before the next scan.
  struct appointment {
    time_point due; // watch time
    slot_id slot;

    friend bool operator>(const appointment& x, const appointment& y) {
      return x.due > y.due;
    }
  };

  struct stuck_life {
    slot_id slot;
    std::uint64_t tag;
  };

  // passes
  void scan_chunk(std::size_t index);
  void keep_appointments();
  void attend(slot_id slot, std::uint64_t mark, time_point read_by);
  void repair(slot_id slot, std::uint64_t mark, time_point read_by);
  void note_beat(slot_id slot, std::uint64_t mark, time_point read_by);
  void learn(slot_id slot, duration interval);
  void examine(slot_id slot);
  void convict(slot_id slot, const policy::judgement& verdict);
  void count_stale(heartbeat_slot& slot) noexcept;

  // plumbing
  void set_limits(slot_id slot, const policy::heartbeat_spec& spec);
  [[nodiscard]] policy::silence silence_of(slot_id slot, std::uint64_t mark,
                                           time_point now) const;
  [[nodiscard]] time_point first_look(slot_id slot, bool busy,
                                      time_point from) const;
  void appoint(slot_id slot, time_point due);
  void tell(heartbeat_finding::kind what, slot_id slot,
            const policy::judgement& why);
  void mark_stuck(slot_id slot);
  void forget_released();
  void silence_life(slot_id slot) noexcept;

  heartbeat_board board_;
  heartbeat_limits_table limits_;
  policy::scan_clock clock_;
  std::function<time_point()> now_;

  time_point next_scan_ = time_point::max();
  std::vector<appointment> appointments_; // a heap between passes
  std::vector<stuck_life> stuck_;
  std::vector<heartbeat_finding> findings_;
  statistics stats_;

  // of the pass that is under way
  time_point begun_{};
  /// In watch time.
  time_point pass_{};
  /// Watch time up to which appointments are made.
  time_point horizon_{};
  std::size_t next_chunk_ = 0;
  bool full_ = false;
  bool is_late_ = false;
};

} // namespace coppice
