// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/actors/pool_refusal.hpp"

#include "coppice/context_limits.hpp"
#include "coppice/end_class.hpp"
#include "coppice/failure_convert.hpp"

namespace coppice {

namespace {

using policy::shed_reason;

errc code_of(shed_reason x) {
  switch (x) {
    case shed_reason::queue_full:
    case shed_reason::standing_queue:
    case shed_reason::evicted:
      return errc::overloaded;
    case shed_reason::cannot_finish:
      return errc::cannot_finish;
    case shed_reason::expired:
      return errc::deadline_exceeded;
    case shed_reason::cancelled:
      return errc::cancelled;
    case shed_reason::draining:
      return errc::shutting_down;
    case shed_reason::stopped:
      return errc::stopped;
  }
  return errc::unknown;
}

const char* for_users(shed_reason x) {
  switch (x) {
    case shed_reason::expired:
    case shed_reason::cannot_finish:
      return "This took too long. Please try again.";
    case shed_reason::draining:
    case shed_reason::stopped:
      return "The service is not available right now. Please try again later.";
    case shed_reason::queue_full:
    case shed_reason::standing_queue:
    case shed_reason::evicted:
    case shed_reason::cancelled:
      break;
  }
  return "The service is busy. Please try again shortly.";
}

bool is_about_the_request(shed_reason x) {
  return x == shed_reason::expired || x == shed_reason::cancelled
         || x == shed_reason::cannot_finish;
}

} // namespace

failure failure_of(const policy::shed_ticket& what, const context& ctx,
                   const std::string& pool) {
  if (!ctx.empty() && is_about_the_request(what.why) && ctx.is_over())
    return ctx.why_over();
  const std::string reason = to_string(what.why);
  failure result{.failure_class = what.why == shed_reason::expired
                                    ? failure_classes::deadline_exceeded
                                    : failure_classes::refused,
                 .code = code_of(what.why),
                 .message = pool + " turned the request away: " + reason,
                 .user_message = for_users(what.why),
                 .where = here(pool),
                 .misc
                 = {{"reason", reason},
                    {"criticality", std::string{to_string(what.who.level)}}},
                 .retry_after = what.retry_after};
  if (!ctx.reference().empty())
    result.reference = ctx.reference();
  return result;
}

caf::error error_of_lost(const caf::error& why, const context& ctx,
                         const std::string& pool) {
  const auto how = classify(why);
  // What CAF says of a closed mailbox says nothing about why.
  if (how == end_class::failed
      && !compat::is_code(why, caf::sec::request_receiver_down))
    return why;
  failure result{.failure_class = failure_classes::unreachable,
                 .code = errc::unavailable,
                 .message = pool
                            + ": the worker ended before it answered; the work"
                              " may have been done",
                 .user_message = "The service is busy with a restart."
                                 " Please try again shortly.",
                 .where = here(pool),
                 .misc = {{"end", to_string(how)}},
                 .retry_after = context_limits::retry_after};
  if (!ctx.reference().empty())
    result.reference = ctx.reference();
  return to_error(result);
}

} // namespace coppice
