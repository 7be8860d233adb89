// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The specs of the policy layer, under the names that users write.
///
/// Layer: L1.
/// Threads: values.
/// Rules: docs/semantics.md, START to HEARTBEAT.

#include "coppice/policy/spec.hpp"

namespace coppice {

using policy::auto_shutdown_mode;
using policy::backoff_spec;
using policy::brutal_kill;
using policy::cause_weights;
using policy::child_kind;
using policy::child_spec;
using policy::count_limit;
using policy::detector_kind;
using policy::duration;
using policy::exhaustion_action;
using policy::failure_action;
using policy::failure_rule;
using policy::heartbeat_spec;
using policy::infinity;
using policy::isolation_kind;
using policy::jitter_kind;
using policy::nested_supervisor;
using policy::parking_overflow;
using policy::parking_spec;
using policy::phi_spec;
using policy::restart_limits;
using policy::restart_strategy;
using policy::restart_type;
using policy::revive_mode;
using policy::start_function;
using policy::stop_grace;
using policy::supervisor_spec;
using policy::time_limit;
using policy::time_point;
using enum policy::restart_type;
using enum policy::restart_strategy;

} // namespace coppice
