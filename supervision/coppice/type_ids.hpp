// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The one place that numbers coppice's message types.
///
/// Layer: L1. Only declares the types: every header may include this one.
/// Threads: call `init_types` before the first actor system; then immutable.
/// Rules: docs/semantics.md, FAILURE-2.

#include "coppice/caf_compat.hpp"

#include <cstdint>

namespace coppice {

enum class errc : std::uint8_t;
struct failure;

} // namespace coppice

// The numbers are part of the wire format: add at the end, remove nothing.
// List every element type of every message, containers included (CAF 1.x).
CAF_BEGIN_TYPE_ID_BLOCK(coppice, caf::first_custom_type_id)

  CAF_ADD_TYPE_ID(coppice, (coppice::errc))
  CAF_ADD_TYPE_ID(coppice, (coppice::failure))

CAF_END_TYPE_ID_BLOCK(coppice)

namespace coppice {

/// Makes coppice's message types known to the process. Call it before any
/// `actor_system_config` exists; again does nothing.
void init_types();

/// Makes coppice's message types known to the systems built from `cfg`.
void add_types(caf::actor_system_config& cfg);

} // namespace coppice
