// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/actors/process_kind.hpp"

#include "kinds.hpp"

namespace coppice::tool {

void register_process_kinds(worker_kinds& kinds) {
  register_command_kind(kinds);
}

} // namespace coppice::tool
