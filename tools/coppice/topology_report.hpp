// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Tells what is wrong with a topology file.
///
/// Layer: L4.
/// Threads: pure functions, and standard error.
/// Rules: docs/semantics.md, TOPOLOGY-1.

#include "coppice/topology_defect.hpp"

#include <string>

namespace coppice::tool {

/// All of them, one a line, and how many there are.
void print_defects(const std::string& file, const topology_defects& defects);

/// "app.conf: 3 defects" and the like.
[[nodiscard]] std::string headline(const std::string& file,
                                   const topology_defects& defects);

/// `{"format":1,"defects":[{"file","line","column",...}]}`, on one line.
[[nodiscard]] std::string defects_json(const topology_defects& defects);

} // namespace coppice::tool
