// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/ask.hpp"

#include <chrono>
#include <utility>

namespace coppice {

namespace {

constexpr const char* try_later = "The service is not available right now."
                                  " Please try again shortly.";

} // namespace

namespace detail {

request_gate::request_gate(caf::actor_config& cfg, context ctx,
                           caf::actor target, std::shared_ptr<waiting> slot)
  : compat::redirecting_actor(cfg),
    ctx_(std::move(ctx)),
    target_(std::move(target)),
    slot_(std::move(slot)) {}

// On the requester's thread, inside `ask`.
void request_gate::redirect(caf::mailbox_element_ptr x,
                            compat::host_type* host) {
  if (ctx_.is_over()) {
    if (auto* clock = ctx_.clock())
      clock->count(deadline_clock::tally::refused_unsent);
    return compat::refuse(x->sender, x->mid, to_error(ctx_.why_over()));
  }
  if (!target_)
    return compat::refuse(x->sender, x->mid,
                          caf::make_error(caf::sec::request_receiver_down));
  // Weak: a context must not keep alive whoever waits for it.
  const auto asker = caf::actor_cast<caf::actor_addr>(x->sender);
  slot_->registration = ctx_.on_cancel([ctx = ctx_, asker, id = x->mid] {
    compat::refuse(caf::actor_cast<caf::strong_actor_ptr>(asker), id,
                   to_error(ctx.why_over()));
  });
  compat::hand_over(caf::actor_cast<caf::strong_actor_ptr>(target_),
                    std::move(x), host);
}

failure failure_of_request(const context& ctx, const caf::error& why) {
  auto result = from_error(why);
  if (compat::is_code(why, caf::sec::request_timeout) && ctx.is_over())
    return ctx.why_over();
  if (why.context().match_elements<failure>() || result.is_bug)
    return result;
  if (result.user_message.empty())
    result.user_message = try_later;
  if (!result.retry_after)
    result.retry_after = context_limits::retry_after;
  if (!ctx.reference().empty())
    result.reference = ctx.reference();
  return result;
}

} // namespace detail

} // namespace coppice
