// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/request_handler.hpp"

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

caf::error drop_late(const context& ctx) {
  if (auto* clock = ctx.clock())
    clock->count(deadline_clock::tally::late_answer);
  return to_error(ctx.why_over());
}

} // namespace coppice
