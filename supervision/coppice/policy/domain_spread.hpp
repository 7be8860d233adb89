// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// How many copies can be sent without two in one failure domain.
///
/// Layer: policy. Pure: no clock, no CAF, no I/O.
/// Threads: a function of values.
/// Rules: docs/semantics.md, REPLICATE-5.

#include "coppice/policy/replication_spec.hpp"

#include <cstddef>
#include <vector>

namespace coppice::policy {

/// The size of the largest group of replicas of which no two share a domain,
/// but no more than `wanted`: those are enough.
///
/// Never too low. It may be too high where the labels cross each other in ways
/// that take more than `limits::domain_search_steps_max` steps to see through.
/// Cost: O(replicas * wanted) where labels are nested, as processes in hosts.
[[nodiscard]] std::size_t
domain_spread(const std::vector<replica_spec>& replicas, std::size_t wanted);

} // namespace coppice::policy
