// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// A configuration for CAF's actor system that suits supervision.
///
/// Layer: L1.
/// Threads: build it, and the system, on one thread.
/// Rules: none; docs/architecture.md, "What CAF does to you".

#include "coppice/type_ids.hpp"

#include <cstddef>

namespace coppice {

namespace detail {
/// CAF 1.x wants to know all message types before the first configuration.
struct types_first {
  types_first() { init_types(); }
};
} // namespace detail

/// Knows coppice's message types, shares work between the threads of the pool
/// (cheaper than CAF's default of stealing where many actors are started), and
/// does not let one busy actor keep a thread for ever.
///
///     coppice::system_config config;
///     caf::actor_system system{config};
///
/// Derive from it to add your own. If you need a configuration of another
/// class, call `init_types`, `add_types` and `use_recommended_settings`.
class system_config : detail::types_first, public caf::actor_system_config {
public:
  /// @param threads  Of the pool. 0: CAF's default, one per core, at least 4.
  explicit system_config(std::size_t threads = 0);
};

/// What `system_config` sets, for configurations of other classes.
void use_recommended_settings(caf::actor_system_config& config);

/// Messages that an actor handles before it makes room for another. CAF's
/// default is unlimited: one actor that messages itself starves a thread.
inline constexpr std::size_t recommended_throughput = 100;

} // namespace coppice
