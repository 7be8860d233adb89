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
  const auto is_over = ctx->is_over();
  if (!is_over && (is_awaiting() || claim_work(*ctx)))
    return false;
  beats().begin_work();
  auto why = is_over ? drop_unstarted(*ctx) : drop_unclaimed(*ctx);
  if (!x.sender || !knows_of_drop(*ctx, x.sender->id()))
    compat::refuse(x.sender, x.mid, std::move(why));
  beats().end_work();
  return true;
}

} // namespace coppice
