// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What `supervise` refuses beyond what is wrong with the specs alone.
///
/// Layer: L2.
/// Threads: pure functions.
/// Rules: docs/semantics.md, TOPOLOGY-1, HEARTBEAT-2.

#include "coppice/policy/spec_defect.hpp"
#include "coppice/spec.hpp"

namespace coppice {

struct supervise_options;

/// All that is wrong with a tree: with `spec`, named from its root; with the
/// options, named from `options`; and with both together, which are timeouts
/// below the scan interval. Empty: `supervise` will take it.
[[nodiscard]] policy::spec_defects
validate_tree(const supervisor_spec& spec, const supervise_options& options);

} // namespace coppice
