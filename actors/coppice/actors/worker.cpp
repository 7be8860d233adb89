// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/actors/worker.hpp"

#include <utility>

namespace coppice {

const char* worker::name() const {
  return "coppice.worker";
}

/// What is over, and copies that another one forestalled, are dropped
/// unstarted, as probes are: a sign of life.
bool worker::deals_with(caf::mailbox_element& x) noexcept {
  if (supervised_actor::deals_with(x))
    return true;
  if (x.mid.is_response())
    return false;
  const auto* ctx = context_of(x);
  if (ctx == nullptr)
    return obey_recall(x);
  if (ctx->is_over())
    refuse(x, drop_unstarted(*ctx));
  else if (!is_awaiting() && !claim_work(*ctx))
    refuse(x, drop_unclaimed(*ctx));
  else
    return false;
  return true;
}

void worker::refuse(const caf::mailbox_element& x, caf::error why) {
  beats().begin_work();
  compat::refuse(x.sender, x.mid, std::move(why));
  beats().end_work();
}

} // namespace coppice
