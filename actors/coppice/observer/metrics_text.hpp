// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What Prometheus scrapes, in its text format.
///
/// Layer: L3. No actors.
/// Threads: pure function.
/// Rules: docs/semantics.md, OBSERVE-1, OBSERVE-2, REPLICATE-7.

#include "coppice/observer/event_hub.hpp"
#include "coppice/observer/figures_board.hpp"
#include "coppice/tree_snapshot.hpp"

#include <cstdint>
#include <string>

namespace coppice {

/// What an observer counts about itself.
struct observer_counts {
  std::uint64_t viewers = 0;
  std::uint64_t viewers_refused = 0;
  /// For being slow.
  std::uint64_t viewers_dropped = 0;
  std::uint64_t requests_refused = 0;
};

/// Families named `coppice_...`. Labels take no more values than there are
/// supervisors (`event_hub::paths_max` at most), states, kinds, causes, pools,
/// and replicators: children are counted, not listed.
[[nodiscard]] std::string
metrics_text(const tree_snapshot& tree, const event_counts& events,
             const figures_board::figures& figures, const observer_counts& own);

} // namespace coppice
