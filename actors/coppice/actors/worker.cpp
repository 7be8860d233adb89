// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/actors/worker.hpp"

namespace coppice {

const char* worker::name() const {
  return "coppice.worker";
}

} // namespace coppice
