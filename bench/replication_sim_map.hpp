// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Heat maps of ratios, as SVG: blue below 1, red above, white at it.
///
/// Layer: L4.
/// Threads: none.
/// Rules: none.

#include <string>
#include <vector>

namespace replication_sim {

struct heat_map {
  std::string title;
  /// By row, from the top; as many as there are rows and columns.
  std::vector<std::vector<double>> ratios;
};

/// Several maps with the same rows and columns, side by side.
[[nodiscard]] std::string svg_of(const std::string& title,
                                 const std::vector<std::string>& rows,
                                 const std::vector<std::string>& columns,
                                 const std::vector<heat_map>& maps);

} // namespace replication_sim
