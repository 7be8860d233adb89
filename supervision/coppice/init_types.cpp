// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/type_ids.hpp"

// All headers that define a type of the blocks.
#include "coppice/context.hpp"
#include "coppice/errc.hpp"
#include "coppice/failure.hpp"
#include "coppice/life.hpp"
#include "coppice/request_copy.hpp"
#include "coppice/supervisor_messages.hpp"

namespace coppice {

void init_types() {
  static const bool known = [] {
    compat::init_types<caf::id_block::coppice_wire,
                       caf::id_block::coppice_local>();
    return true;
  }();
  static_cast<void>(known);
}

void add_types(caf::actor_system_config& cfg) {
  compat::add_types<caf::id_block::coppice_wire>(cfg);
}

} // namespace coppice
