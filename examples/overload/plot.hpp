// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Lines in a coordinate system, as SVG.
///
/// Layer: L4.
/// Threads: none.
/// Rules: none.

#include <string>
#include <utility>
#include <vector>

namespace example {

struct plot_line {
  std::string name;
  std::string colour;
  /// x and y, in units of the axes, by x.
  std::vector<std::pair<double, double>> points;
};

struct plot_axis {
  std::string name;
  double end;
  double step;
};

/// Both axes begin at 0.
[[nodiscard]] std::string svg_of(const std::string& title, const plot_axis& x,
                                 const plot_axis& y,
                                 const std::vector<plot_line>& lines);

} // namespace example
