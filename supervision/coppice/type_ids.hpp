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

class context;
enum class errc : std::uint8_t;
struct abandoned_cap_reached;
struct cancel_copy;
struct failure;
struct life_end;
struct life_news;
struct probe_message;
struct reload_order;
struct stop_order;
struct supervisor_command;
struct watch_news;

} // namespace coppice

// The numbers are part of the wire format: add at the end, remove nothing. No
// block is named as our namespace, which it would hide where others begin.
// List every element type of every message, containers included (CAF 1.x).
CAF_BEGIN_TYPE_ID_BLOCK(coppice_wire, caf::first_custom_type_id)

  CAF_ADD_TYPE_ID(coppice_wire, (coppice::errc))
  CAF_ADD_TYPE_ID(coppice_wire, (coppice::failure))
  CAF_ADD_TYPE_ID(coppice_wire, (coppice::context))
  CAF_ADD_TYPE_ID(coppice_wire, (coppice::cancel_copy))

CAF_END_TYPE_ID_BLOCK(coppice_wire)

// Messages within one process; 0.17 must not be told how to serialise them.
CAF_BEGIN_TYPE_ID_BLOCK(coppice_local, caf::first_custom_type_id + 50)

  CAF_ADD_TYPE_ID(coppice_local, (coppice::abandoned_cap_reached))
  CAF_ADD_TYPE_ID(coppice_local, (coppice::life_end))
  CAF_ADD_TYPE_ID(coppice_local, (coppice::life_news))
  CAF_ADD_TYPE_ID(coppice_local, (coppice::probe_message))
  CAF_ADD_TYPE_ID(coppice_local, (coppice::stop_order))
  CAF_ADD_TYPE_ID(coppice_local, (coppice::supervisor_command))
  CAF_ADD_TYPE_ID(coppice_local, (coppice::watch_news))
  CAF_ADD_TYPE_ID(coppice_local, (coppice::reload_order))

CAF_END_TYPE_ID_BLOCK(coppice_local)

namespace coppice {

/// Where the blocks of programs that use coppice may begin.
inline constexpr caf::type_id_t first_user_type_id = caf::first_custom_type_id
                                                     + 100;

/// Makes coppice's message types known to the process. Call it before any
/// `actor_system_config` exists; again does nothing.
void init_types();

/// The same, and for the blocks of a program: CAF 1.x wants to know the types
/// of all messages, those too that never leave the process. Give the blocks in
/// the order of their numbers.
template <class Block, class... Blocks>
void init_types() {
  init_types();
  compat::init_types<Block, Blocks...>();
}

/// Makes coppice's message types known to the systems built from `cfg`.
void add_types(caf::actor_system_config& cfg);

} // namespace coppice
