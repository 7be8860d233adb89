// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What a viewer of one snapshot has to hear to see the next one.
///
/// Layer: L3. No actors.
/// Threads: pure functions.
/// Rules: docs/semantics.md, OBSERVE-2.

#include "coppice/tree_snapshot.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace coppice {

/// From one snapshot to the next. Points into the second one, the paths that
/// were removed into the first one.
struct tree_delta {
  /// Those above others come first.
  std::vector<const tree_node*> changed;
  /// With all that is below them. To be done before `changed`.
  std::vector<std::string_view> removed;
};

/// Would a viewer take the two for the same, children left out?
///
/// The age of a heartbeat counts by powers of two from one second on, and
/// suspicion by eighths: a life that does well is no news.
[[nodiscard]] bool looks_same(const tree_node& x, const tree_node& y) noexcept;

/// O(nodes). New children come last among their siblings; where order has
/// changed otherwise, all from the first change on are removed, and come anew.
[[nodiscard]] tree_delta delta_between(const tree_snapshot& before,
                                       const tree_snapshot& after);

/// `{"when","version","state","changed":[...],"removed":[...],"abandoned",
/// "events"}`, on one line; nodes are without their children.
[[nodiscard]] std::string delta_json(const tree_delta& x,
                                     const tree_snapshot& after);

} // namespace coppice
