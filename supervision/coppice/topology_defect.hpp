// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What is wrong with a topology file, and where in it.
///
/// Layer: L2.
/// Threads: values.
/// Rules: docs/semantics.md, TOPOLOGY-1.

#include <string>
#include <vector>

namespace coppice {

/// One thing that is wrong with a file.
struct topology_defect {
  /// As it was given to `load_topology` or `parse_topology`.
  std::string file = {};
  /// From 1. 0: of the file as a whole.
  int line = 0;
  /// From 1, in characters of UTF-8, a tab being one. 0 if `line` is.
  int column = 0;
  /// From the root, as `policy::validate` names fields, such as
  /// `app.children[2](feed).backoff.first`. Empty if it is about no field.
  std::string path = {};
  /// What was found, as it could be written in the file.
  std::string value = {};
  /// What is expected instead, without a full stop.
  std::string expected = {};
  /// What was probably meant: a valid name. Empty if none is near.
  std::string nearest = {};

  friend bool operator==(const topology_defect&, const topology_defect&)
    = default;
};

/// By position in the file.
using topology_defects = std::vector<topology_defect>;

/// `file:12:5: app.children[2](feed).restart: found "allways", expected ...;
/// did you mean 'always'?`. One line, whatever is in the file.
[[nodiscard]] std::string to_string(const topology_defect& defect);

/// One line each.
[[nodiscard]] std::string to_string(const topology_defects& defects);

} // namespace coppice
