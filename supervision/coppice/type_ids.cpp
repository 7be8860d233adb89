// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/type_ids.hpp"

// All headers that define a type of the block.
#include "coppice/errc.hpp"
#include "coppice/failure.hpp"

namespace coppice {

void init_types() {
  static const bool done = [] {
    compat::init_types<caf::id_block::coppice>();
    return true;
  }();
  static_cast<void>(done);
}

void add_types(caf::actor_system_config& cfg) {
  compat::add_types<caf::id_block::coppice>(cfg);
}

} // namespace coppice
