// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/actors/replicator_failures.hpp"

#include "coppice/context_limits.hpp"

#include <utility>

namespace coppice {

namespace {

constexpr const char* not_available
  = "The service is not available right now. Please try again later.";

failure about(const context& ctx, const std::string& name, failure x) {
  x.where = here(name);
  if (!ctx.reference().empty())
    x.reference = ctx.reference();
  return x;
}

/// The first one is the cause, the others are beside it.
failure with_causes(failure x, const std::vector<failed_copy>& copies) {
  for (std::size_t i = 0; i < copies.size(); ++i) {
    const auto& copy = copies[i];
    x.misc["copy." + std::to_string(i)] = copy.replica;
    if (i == 0)
      x = attach(std::move(x), copy.why);
    else
      add_secondary(x, copy.why);
    // The soonest of their hints.
    if (copy.why.retry_after
        && (!x.retry_after || *copy.why.retry_after < *x.retry_after))
      x.retry_after = copy.why.retry_after;
  }
  return x;
}

} // namespace

failure all_failed(const std::vector<failed_copy>& copies, const context& ctx,
                   const std::string& name) {
  auto message = name + ": all copies failed:";
  for (const auto& copy : copies)
    message += ' ' + copy.replica + " (" + copy.why.failure_class + ')';
  const auto& first = copies.front().why;
  return with_causes(
    about(ctx, name,
          {.failure_class = failure_classes::all_replicas_failed,
           .code = errc::unavailable,
           .message = std::move(message),
           .user_message = first.user_message.empty() ? not_available
                                                      : first.user_message}),
    copies);
}

failure no_agreement(const std::vector<failed_copy>& copies,
                     std::size_t answers, const context& ctx,
                     const std::string& name) {
  return with_causes(about(ctx, name,
                           {.failure_class = failure_classes::no_agreement,
                            .code = errc::unavailable,
                            .message = name + ": too few of "
                                       + std::to_string(answers)
                                       + " answers were equal",
                            .user_message = not_available,
                            .retry_after = context_limits::retry_after}),
                     copies);
}

failure no_replica(const context& ctx, const std::string& name) {
  return about(ctx, name,
               {.failure_class = failure_classes::unreachable,
                .code = errc::unavailable,
                .message = name + ": no replica is there to be asked",
                .user_message = not_available,
                .retry_after = context_limits::retry_after});
}

failure too_many(const context& ctx, const std::string& name) {
  return about(ctx, name,
               {.failure_class = to_string(errc::overloaded),
                .code = errc::overloaded,
                .message = name + ": too many requests are not answered yet",
                .user_message = not_available,
                .retry_after = context_limits::retry_after});
}

failure stopped(const context& ctx, const std::string& name) {
  return about(ctx, name,
               {.failure_class = to_string(errc::stopped),
                .code = errc::stopped,
                .message = name + " was stopped",
                .user_message = not_available});
}

failure not_idempotent(const context& ctx, const std::string& name) {
  return about(
    ctx, name,
    {.failure_class = failure_classes::not_idempotent,
     .code = errc::permanent_failure,
     .message
     = name
       + ": the request is not known to be idempotent. Mark its context by"
         " context::idempotent(), say so by replicator_options::is_idempotent,"
         " or have such requests sent once by replicator_options::unmarked",
     .user_message = "This request cannot be served."});
}

} // namespace coppice
