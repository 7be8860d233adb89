// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/actors/worker.hpp"

namespace coppice {

const char* worker::name() const {
  return "coppice.worker";
}

/// What is over is dropped unstarted, as probes are: a sign of life.
bool worker::deals_with(caf::mailbox_element& x) noexcept {
  if (supervised_actor::deals_with(x))
    return true;
  const auto* ctx = x.mid.is_response() ? nullptr : context_of(x);
  if (ctx == nullptr || !ctx->is_over())
    return false;
  beats().begin_work();
  compat::refuse(x.sender, x.mid, drop_unstarted(*ctx));
  beats().end_work();
  return true;
}

} // namespace coppice
