// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/context.hpp"

#include "coppice/context_node.hpp"

#include <algorithm>
#include <utility>

namespace coppice {

namespace {

using policy::duration;
using policy::time_point;

constexpr auto never = time_point::max();
/// Of what has a deadline: only `without_deadline` means never.
constexpr auto latest = never - duration{1};

constexpr const char* too_late = "This took too long. Please try again.";
constexpr const char* called_off = "The request was cancelled.";

const failure_cause& no_context() {
  static const failure_cause why{
    {.failure_class = failure_classes::cancelled,
     .code = errc::cancelled,
     .message = "a request without a context: make one where it enters",
     .user_message = called_off}};
  return why;
}

bool ends_requests(const failure& x) {
  return x.failure_class == failure_classes::cancelled
         || x.failure_class == failure_classes::deadline_exceeded;
}

failure cancellation(std::string message) {
  return {.failure_class = failure_classes::cancelled,
          .code = errc::cancelled,
          .message = std::move(message),
          .user_message = called_off};
}

} // namespace

// -- entries -----------------------------------------------------------------

context::context(std::shared_ptr<context_node> node) noexcept
  : flag_(std::move(node)) {}

context context::with_default_deadline(request_entry entry) {
  return lasting_for(context_limits::default_deadline, std::move(entry));
}

context context::without_deadline(request_entry entry) {
  return entered(never, std::move(entry));
}

context context::until(time_point when, request_entry entry) {
  return entered(std::min(when, latest), std::move(entry));
}

context context::entered(time_point deadline, request_entry entry) {
  auto key = std::move(entry.dedup_key);
  const context root{context_node::make_root(deadline, std::move(entry))};
  return key ? root.idempotent(std::move(*key)) : root;
}

context context::lasting_for(duration span, request_entry entry) {
  if (entry.clock == nullptr)
    entry.clock = deadline_clock::current();
  const auto now = entry.clock->now();
  return until(policy::saturating_add(now, span), std::move(entry));
}

// -- children ----------------------------------------------------------------

context_node* context::node() const noexcept {
  return static_cast<context_node*>(flag_.get());
}

context context::with_cancel() const {
  return with_deadline(never);
}

context context::with_deadline(time_point when) const {
  if (empty())
    return {};
  const auto parent = context_node::of(*this);
  const auto soonest = std::min(when, parent->deadline());
  return context{context_node::make_child(parent, soonest)};
}

context context::with_timeout_of(duration span) const {
  if (empty())
    return {};
  return with_deadline(
    std::min(policy::saturating_add(clock()->now(), span), latest));
}

// -- marks -------------------------------------------------------------------

context context::idempotent(std::string dedup_key) const {
  if (empty())
    return {};
  return context{
    context_node::make_marked(context_node::of(*this), context_flag::idempotent,
                              {.dedup_key = std::move(dedup_key)})};
}

context context::with_copy(request_copy what) const {
  if (empty())
    return {};
  return context{context_node::make_marked(
    context_node::of(*this), context_flag::copy, std::move(what))};
}

const request_copy* context::mark() const noexcept {
  return &static_cast<marked_context_node*>(node())->what();
}

std::string_view context::dedup_key() const noexcept {
  return is_idempotent() ? mark()->dedup_key : std::string_view{};
}

// -- the end -----------------------------------------------------------------

bool context::cancel() const {
  return cancel(cancellation("the request was cancelled"));
}

bool context::cancel(failure cause) const {
  return cancel_for(failure_cause{std::move(cause)});
}

bool context::cancel_for(const failure_cause& cause) const {
  return !empty() && node()->cancel(cause);
}

bool context::look() const noexcept {
  try {
    return node()->look();
  } catch (...) {
    return node()->clock().now() >= node()->deadline();
  }
}

bool context::is_over() const {
  return empty() || node()->is_over();
}

failure_cause context::cause() const {
  return empty() ? no_context() : node()->cause();
}

failure context::why_over() const {
  const auto why = cause();
  auto result = why && ends_requests(*why) ? *why
                                           : cancellation("was cancelled");
  if (why && !ends_requests(*why)) {
    result.message = "the request was cancelled: " + why->message;
    if (!why->user_message.empty())
      result.user_message = why->user_message;
    result.retry_after = why->retry_after;
    result.where = why->where;
    result.when = why->when;
    result.inner = why;
  }
  if (result.user_message.empty())
    result.user_message = called_off;
  if (!reference().empty())
    result.reference = reference();
  return result;
}

cancel_registration context::on_cancel(std::function<void()> f) const {
  if (!empty())
    return node()->on_cancel(std::move(f));
  f();
  return {};
}

// -- what it says ------------------------------------------------------------

std::optional<time_point> context::deadline() const noexcept {
  if (empty())
    return time_point::min();
  const auto when = node()->deadline();
  return when == never ? std::nullopt : std::optional{when};
}

policy::time_limit context::remaining() const {
  if (is_over())
    return duration::zero();
  const auto when = node()->deadline();
  if (when == never)
    return policy::infinity;
  return std::max(when - clock()->now(), duration::zero());
}

policy::criticality context::criticality() const noexcept {
  return empty() ? policy::criticality::critical : node()->about().criticality;
}

const std::string& context::reference() const noexcept {
  static const std::string none;
  return empty() ? none : node()->about().reference;
}

deadline_clock* context::clock() const noexcept {
  return empty() ? nullptr : node()->about().clock.get();
}

// -- failures of nodes -------------------------------------------------------

failure context_node::expiry() const {
  return {.failure_class = failure_classes::deadline_exceeded,
          .code = errc::deadline_exceeded,
          .message = "the deadline of request " + about().reference
                     + " has passed",
          .user_message = too_late,
          .reference = about().reference,
          .where = here(),
          .retry_after = context_limits::retry_after};
}

} // namespace coppice
