// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Random specs, valid ones, in which things collide.
///
/// Layer: tests. Times come from a small set, so that deadlines coincide;
/// budgets are small, so that they are spent.
/// Threads: as the source.
/// Rules: docs/semantics.md, TOPOLOGY-1.

#include "coppice/policy/random.hpp"
#include "coppice/policy/spec.hpp"

#include <string>

namespace coppice::test {

/// Any supervisor that validation lets pass.
[[nodiscard]] policy::supervisor_spec
random_supervisor(policy::random_source& random);

/// A child that may be added to `parent`.
[[nodiscard]] policy::child_spec
random_child(policy::random_source& random,
             const policy::supervisor_spec& parent, std::string id);

/// Any spec that a supervisor of `before` can go over to while it runs, but
/// with budgets that are as large at most: more was forgotten than counts.
[[nodiscard]] policy::supervisor_spec
random_reload(policy::random_source& random,
              const policy::supervisor_spec& before);

} // namespace coppice::test
