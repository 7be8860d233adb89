// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/request_handler.hpp"

#include "coppice/copy_registry.hpp"

namespace coppice {

caf::error drop_unstarted(const context& ctx) {
  using tally = deadline_clock::tally;
  const auto why = ctx.why_over();
  if (auto* clock = ctx.clock())
    clock->count(why.failure_class == failure_classes::deadline_exceeded
                   ? tally::expired_unstarted
                   : tally::cancelled_unstarted);
  return to_error(why);
}

caf::error drop_unclaimed(const context& ctx) {
  if (auto* clock = ctx.clock())
    clock->count(deadline_clock::tally::unclaimed);
  return to_error(
    failure{.failure_class = failure_classes::cancelled,
            .code = errc::cancelled,
            .message = "another copy of the request has begun; this one was not"
                       " started",
            .user_message = "The request was cancelled.",
            .reference = ctx.reference()});
}

bool obey_recall(caf::mailbox_element& x) {
  if (x.mid.is_response() || !compat::holds<cancel_copy>(x))
    return false;
  copy_registry::of_process().cancel(
    x.content().template get_as<cancel_copy>(0));
  return true;
}

caf::error drop_late(const context& ctx) {
  if (auto* clock = ctx.clock())
    clock->count(deadline_clock::tally::late_answer);
  return to_error(ctx.why_over());
}

} // namespace coppice
