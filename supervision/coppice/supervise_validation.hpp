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

/// All that is wrong with `spec`, named from its root, in a tree whose
/// heartbeats are looked at that often. Empty: such a tree can be had.
///
/// Cost: as `policy::validate`.
[[nodiscard]] policy::spec_defects validate_tree(const supervisor_spec& spec,
                                                 duration scan_interval);

/// The same, and with the options, named from `options`. Empty: `supervise`
/// will take both.
[[nodiscard]] policy::spec_defects
validate_tree(const supervisor_spec& spec, const supervise_options& options);

} // namespace coppice
