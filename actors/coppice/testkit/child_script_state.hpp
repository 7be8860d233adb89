// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Internal: what a script and the lives that follow it share.
///
/// Layer: L3.
/// Threads: thread-safe, under the mutex.
/// Rules: none.

#include "coppice/start_context.hpp"
#include "coppice/testkit/child_script.hpp"
#include "coppice/testkit/virtual_clock_compat.hpp"

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace coppice::testkit {

struct child_script::state {
  struct hanging_life {
    caf::strong_actor_ptr keep; ///< As the thread that it holds would.
    compat::hangable_worker* life;
  };

  state(std::string name, bool simulate)
    : id(std::move(name)), virtual_time(simulate) {}

  const std::string id;
  const bool virtual_time;

  mutable std::mutex mutex;
  std::condition_variable released;
  std::deque<start_act> start_acts;
  start_act start_always;
  std::deque<work_act> work_acts;
  stop_act stop;
  policy::duration beat_interval{0};
  bool muted = false;
  std::size_t lives = 0;
  std::vector<handled_message> handled;
  caf::actor_addr current;
  std::vector<hanging_life> hanging;
  std::size_t blocked = 0; ///< Handlers that really hang.
  std::uint64_t releases = 0;

  [[nodiscard]] start_act next_start() {
    std::lock_guard guard{mutex};
    ++lives;
    if (start_acts.empty())
      return start_always;
    auto act = std::move(start_acts.front());
    start_acts.pop_front();
    return act;
  }

  [[nodiscard]] work_act next_work(std::uint64_t incarnation,
                                   const std::string& text) {
    std::lock_guard guard{mutex};
    handled.push_back({incarnation, text});
    if (work_acts.empty())
      return {};
    auto act = std::move(work_acts.front());
    work_acts.pop_front();
    return act;
  }

  [[nodiscard]] stop_act how_to_stop() const {
    std::lock_guard guard{mutex};
    return stop;
  }

  /// Zero: no beats.
  [[nodiscard]] policy::duration interval() const {
    std::lock_guard guard{mutex};
    return muted ? policy::duration::zero() : beat_interval;
  }

  void lives_now(const caf::actor_addr& life) {
    std::lock_guard guard{mutex};
    current = life;
  }

  /// Blocks this thread until the next release.
  void block() {
    std::unique_lock guard{mutex};
    ++blocked;
    released.wait(guard,
                  [this, before = releases] { return releases != before; });
    --blocked;
  }
};

/// The deeds that own and foreign children have in common: what a scripted
/// life does before it may be ready. Returns false if there is no life.
bool carry_out_before_spawn(const start_act& act, start_context& context);

/// Throws, or returns the reason to end with, if `act` is about the end.
std::optional<caf::error> end_by(const work_act& act);

/// Messages of a scripted life to itself.
enum tick : std::int8_t { tick_ready, tick_end, tick_beat };

void start_foreign(const std::shared_ptr<child_script::state>& script,
                   start_context& context);
void start_own(const std::shared_ptr<child_script::state>& script,
               start_context& context);

} // namespace coppice::testkit
