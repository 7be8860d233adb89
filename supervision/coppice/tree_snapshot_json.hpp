// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Snapshots as JSON, for programs and for the observer's page.
///
/// Layer: L2.
/// Threads: pure functions.
/// Rules: docs/semantics.md, OBSERVE-2.

#include "coppice/tree_snapshot.hpp"

#include <string>

namespace coppice {

/// All of a snapshot; `"format":1` comes first and changes when the meaning of
/// a field does. Spans are whole milliseconds, times ISO 8601, what is not
/// known or infinite is null. Text that is no UTF-8 is replaced by U+FFFD.
///
/// @param indent  Spaces per level; negative: all on one line.
/// Cost: O(children); some microseconds each.
[[nodiscard]] std::string to_json(const tree_snapshot& x, int indent = -1);

/// One node on one line, without its children.
///
/// @param at  `tree_snapshot::at`.
[[nodiscard]] std::string node_json(const tree_node& x, time_point at);

} // namespace coppice
