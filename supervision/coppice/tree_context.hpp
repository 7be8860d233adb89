// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What all supervisors of one tree share.
///
/// Layer: L2.
/// Threads: thread-safe.
/// Rules: docs/semantics.md, STOP-2, STOP-3, BUDGET-7, "Words".

#include "coppice/child_ref.hpp"
#include "coppice/event_bus.hpp"
#include "coppice/outcome.hpp"
#include "coppice/spec.hpp"
#include "coppice/watchdog.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace coppice {

/// A life that would not end.
struct left_behind {
  std::string path;
  std::uint64_t incarnation = 0;
  friend bool operator==(const left_behind&, const left_behind&) = default;
};

/// Settings of a tree that are not part of any spec.
struct tree_settings {
  /// How often the heartbeat board is scanned. A stall is noticed at most this
  /// much after its timeout. Range: 1 ms to 1 h.
  duration scan_interval = std::chrono::milliseconds{100};
  /// Abandoned lives at a time; one more, and the root gives up (STOP-2).
  std::uint64_t abandoned_max = 16;
  observer on_event = {};
  /// Of all jitter in the tree. Same seed, same delays.
  std::uint64_t seed = 0x636f7070696365;
  /// For tests: no threads of its own, time comes from the actor system's
  /// clock, and nothing gets a thread of its own.
  bool virtual_time = false;
};

/// Lives as long as any supervisor of the tree, or its handle.
class tree_context {
public:
  /// @param root_path  "/app".
  /// @param pool_threads  Of the actor system; 0: unknown.
  tree_context(caf::actor_system& system, tree_settings settings,
               std::string root_path, std::size_t pool_threads);

  [[nodiscard]] caf::actor_system& system() noexcept { return system_; }
  [[nodiscard]] const tree_settings& settings() const noexcept {
    return settings_;
  }
  [[nodiscard]] const std::string& root_path() const noexcept {
    return root_path_;
  }
  [[nodiscard]] watchdog& dog() noexcept { return dog_; }
  [[nodiscard]] event_bus& events() noexcept { return events_; }
  [[nodiscard]] policy::time_point now() const;

  // -- abandoned lives -------------------------------------------------------

  /// Returns how many there are now.
  std::uint64_t abandon(const std::string& path, std::uint64_t incarnation);
  void abandoned_life_ended(const std::string& path, std::uint64_t incarnation);
  [[nodiscard]] std::vector<left_behind> abandoned() const;

  // -- child references ------------------------------------------------------

  /// The cell of this path; made at first sight.
  [[nodiscard]] caf::actor cell(const std::string& path);
  /// The cell of this path if anybody asked for it, or null. O(1) and without
  /// a lock while nobody did in this tree.
  [[nodiscard]] caf::actor find_cell(const std::string& path) const;
  [[nodiscard]] bool has_cells() const noexcept { return has_cells_; }
  /// Closes the cells of all that is below `path`.
  void close_cells_below(const std::string& path);

  // -- incarnations ----------------------------------------------------------

  /// A supervisor that ends leaves the last incarnations of its children, so
  /// that its next life continues from there: none is used twice (contract,
  /// "Words").
  using incarnations = std::unordered_map<std::string, std::uint64_t>;
  void leave_incarnations(const std::string& path, incarnations last);
  [[nodiscard]] incarnations take_incarnations(const std::string& path);

  // -- the root --------------------------------------------------------------

  void set_root(caf::actor_addr root);
  /// Too many lives would not end: the root hears of it (STOP-2).
  void abandoned_cap_exceeded(std::uint64_t count);
  void root_is_ready();
  /// The first call counts. A clean end has no failure.
  void root_has_ended(std::optional<failure> why);

  /// False when `within` is over first.
  [[nodiscard]] bool wait_until_started_or_ended(time_limit within);
  [[nodiscard]] bool wait_until_ended(time_limit within);
  [[nodiscard]] bool is_started() const;
  [[nodiscard]] bool has_ended() const;
  [[nodiscard]] std::optional<failure> end_reason() const;
  /// Called once, at the end, on the thread that ends the root.
  void on_root_end(std::function<void(const std::optional<failure>&)> hook);

private:
  template <class Condition>
  bool wait(time_limit within, Condition condition);

  caf::actor_system& system_;
  const tree_settings settings_;
  const std::string root_path_;
  event_bus events_;
  watchdog dog_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::pair<std::string, std::uint64_t>, int> abandoned_;
  std::map<std::string, caf::actor> cells_;
  std::atomic<bool> has_cells_{false};
  std::unordered_map<std::string, incarnations> incarnations_;
  caf::actor_addr root_;
  bool started_ = false;
  bool ended_ = false;
  std::optional<failure> end_reason_;
  std::function<void(const std::optional<failure>&)> at_end_;
};

} // namespace coppice
