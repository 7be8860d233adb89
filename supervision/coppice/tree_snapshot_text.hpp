// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Snapshots for people: a tree for terminals, and a graph for Graphviz.
///
/// Layer: L2.
/// Threads: pure functions.
/// Rules: docs/semantics.md, OBSERVE-2.

#include "coppice/tree_snapshot.hpp"

#include <string>

namespace coppice {

struct snapshot_text_options {
  /// By state, with the escape sequences of terminals.
  bool colours = false;
  /// Lines of "|-" instead of box-drawing characters.
  bool ascii = false;
};

/// The tree, one line per node; then the abandoned lives, if there are any.
/// Ends with a line break. What steers terminals in ids or failures is
/// escaped. O(children).
[[nodiscard]] std::string to_text(const tree_snapshot& x,
                                  const snapshot_text_options& options = {});

/// A directed graph in the DOT language of Graphviz, coloured by state.
[[nodiscard]] std::string to_dot(const tree_snapshot& x);

} // namespace coppice
