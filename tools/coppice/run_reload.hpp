// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Reads the file of a running topology again, and applies it.
///
/// Layer: L4.
/// Threads: one call at a time.
/// Rules: docs/semantics.md, TOPOLOGY-3.

#include "coppice/supervise.hpp"
#include "coppice/topology.hpp"

#include <map>
#include <string>

namespace coppice::tool {

/// What the file gave the workers beyond the spec, and of which run.
struct applied_file {
  std::string name;
  /// Of the workers, by path, as `topology` has them.
  std::map<std::string, std::string> descriptions;
  /// As the tree was started with: they cannot change.
  supervise_options options;
};

/// What came of it.
struct reload_answer {
  outcome<reload_report> what;
  /// What changed, or what is wrong; several lines, without the last break.
  std::string text;
};

/// As a whole or not at all. A file that is no topology is a failure of class
/// "invalid_spec", one that cannot be applied now one of "reload_refused".
/// @param now  Is kept up to date.
[[nodiscard]] reload_answer reload_topology(applied_file& now,
                                            const worker_kinds& kinds,
                                            supervision_tree& tree);

} // namespace coppice::tool
