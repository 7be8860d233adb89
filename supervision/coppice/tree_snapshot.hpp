// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// How a whole tree is doing at one moment, as a value.
///
/// Layer: L2.
/// Threads: values; taking one waits, so not inside an actor that shares the
/// pool of threads.
/// Rules: docs/semantics.md, OBSERVE-2.

#include "coppice/outcome.hpp"
#include "coppice/supervise.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace coppice {

/// As `policy::child_state`, and one more.
enum class node_state : std::uint8_t {
  starting,
  running,
  stopping,
  backoff,
  stopped,
  unknown, ///< A supervisor that did not answer in time.
};

enum class tree_state : std::uint8_t { starting, running, stopping, ended };

/// What a life is at, each with a limit of its own (HEARTBEAT-4).
enum class life_phase : std::uint8_t { starting, idle, busy, draining };

/// Of a life that is on the heartbeat board.
struct node_heartbeat {
  life_phase phase = life_phase::idle;
  bool busy = false;
  /// Since the last beat was seen, or since ready.
  duration age{0};
  /// Tolerated in this phase.
  time_limit limit = infinity;
  /// 1 is the verdict, 2/3 the warning, 0 not judged.
  double suspicion = 0.0;

  friend bool operator==(const node_heartbeat&, const node_heartbeat&)
    = default;
};

/// One child, or the root, with what is below it.
struct tree_node {
  std::string path = {};
  std::string id = {};
  child_kind kind = child_kind::worker;
  node_state state = node_state::unknown;
  policy::stopped_why why = policy::stopped_why::none;
  /// Why an operator holds it; empty if none does.
  std::string hold_reason = {};
  std::uint64_t incarnation = 0;
  std::uint64_t restarts = 0;
  /// Of a supervisor: its children's, in the window of its `limits`. Of a
  /// worker: its own, in the window of its own budget, if it has one.
  std::uint64_t restarts_in_window = 0;
  restart_type restart = permanent;
  /// In `backoff`: when it is tried again. Compare with `tree_snapshot::at`.
  std::optional<time_point> next_retry = {};
  bool parked = false;
  /// Lives of this child that would not end.
  std::uint64_t abandoned = 0;
  std::optional<node_heartbeat> heartbeat = {};
  std::shared_ptr<const failure> last_failure = {};
  // Of supervisors that answered:
  std::optional<restart_strategy> strategy = {};
  std::optional<restart_limits> limits = {};
  /// In start order.
  std::vector<tree_node> children = {};
};

/// A tree at one moment; of each supervisor, the moment at which it answered.
struct tree_snapshot {
  wall_time when = {};
  /// The same on the tree's steady clock.
  time_point at = {};
  /// Of the spec; from 1, and one more with each reload.
  std::uint64_t version = 1;
  tree_state state = tree_state::starting;
  std::string name = {};
  tree_node root = {};
  /// In the whole tree, by path.
  std::vector<left_behind> abandoned = {};
  /// Number of the last event, and how many the observer never saw.
  std::uint64_t events_last = 0;
  std::uint64_t events_dropped = 0;
};

/// Asks all supervisors of a tree at once, level by level, without waiting.
class snapshot_walk {
public:
  /// Asks the root.
  /// @pre `tree` was not moved from, and outlives this.
  explicit snapshot_walk(const supervision_tree& tree);

  /// Waits for the answers. False if some are still out.
  bool wait(time_limit timeout) const;

  /// What is known. Supervisors whose answer is out are `unknown`, with what
  /// the one above says of them; answers that come later are dropped. Call it
  /// once.
  [[nodiscard]] tree_snapshot finish();

private:
  struct progress;

  std::shared_ptr<tree_context> context_;
  std::shared_ptr<progress> progress_;
};

/// The tree as it is now. One that has ended has a snapshot, too.
///
/// Supervisors that do not answer within `timeout` are `unknown`, which is no
/// failure. Fails for a tree that was moved from (errc::stopped).
/// Cost: one message per supervisor; O(children) in time and memory.
[[nodiscard]] outcome<tree_snapshot>
take_snapshot(const supervision_tree& tree,
              time_limit timeout = default_command_timeout);

/// The node at `path`, or null. O(children on the way).
[[nodiscard]] const tree_node* find(const tree_snapshot& x,
                                    const std::string& path) noexcept;

[[nodiscard]] const char* to_string(node_state x) noexcept;
[[nodiscard]] const char* to_string(tree_state x) noexcept;
[[nodiscard]] const char* to_string(life_phase x) noexcept;

} // namespace coppice
