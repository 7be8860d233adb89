// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/request_handler.hpp"

#include "coppice/copy_registry.hpp"

namespace coppice {

namespace {

/// The answers of losers go to their replicator, which looks at the code and
/// no further: made once, they cost a reference.
const caf::error& loser() {
  static const auto why = to_error(*answered_elsewhere());
  return why;
}

bool has_lost(const context& ctx) {
  return ctx.copy() != nullptr
         && ctx.cause().shared() == answered_elsewhere().shared();
}

} // namespace

const failure_cause& answered_elsewhere() {
  static const failure_cause why{
    {.failure_class = failure_classes::cancelled,
     .code = errc::cancelled,
     .message = "another copy of the request has begun, or was answered",
     .user_message = "The request was answered elsewhere.",
     .reference = {}}};
  return why;
}

caf::error drop_unstarted(const context& ctx) {
  using tally = deadline_clock::tally;
  if (has_lost(ctx)) {
    ctx.clock()->count(tally::cancelled_unstarted);
    return loser();
  }
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
  return loser();
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
  return has_lost(ctx) ? loser() : to_error(ctx.why_over());
}

} // namespace coppice
