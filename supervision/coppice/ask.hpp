// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Requests with a context: one answer, or one failure, by the deadline.
///
/// Layer: L2.
/// Threads: as CAF's requests: only inside the actor that asks.
/// Rules: docs/semantics.md, DEADLINE-1, DEADLINE-4, FAILURE-6.

#include "coppice/child_ref.hpp"
#include "coppice/context.hpp"
#include "coppice/failure_convert.hpp"

#include <memory>
#include <type_traits>
#include <utility>

namespace coppice {

namespace detail {

/// An actor without a mailbox through which one request goes to its target: it
/// learns the request's id, and answers it if the context ends first. Which of
/// the two answers comes second is dropped by an event-based requester; a
/// blocking one skips it for ever, and it stays in its mailbox.
class request_gate : public compat::redirecting_actor {
public:
  /// Lives as long as the requester waits.
  struct waiting {
    cancel_registration registration;
  };

  request_gate(caf::actor_config& cfg, context ctx, caf::actor target,
               std::shared_ptr<waiting> slot);

protected:
  void redirect(caf::mailbox_element_ptr x, compat::host_type* host) override;

private:
  const context ctx_;
  const caf::actor target_;
  const std::shared_ptr<waiting> slot_;
};

/// What a requester is told instead of `why`.
[[nodiscard]] failure failure_of_request(const context& ctx,
                                         const caf::error& why);

inline const caf::actor& handle_of(const caf::actor& x) {
  return x;
}
inline const caf::actor& handle_of(const child_ref& x) {
  return x.handle();
}

} // namespace detail

/// A request that is out. Say what to do with its answer, and what without.
///
/// Exactly one of the two handlers is called, once, unless the asking actor
/// ends before. The second takes a `const failure&`, or CAF's `caf::error&`.
template <class Handle>
class [[nodiscard]] asked {
public:
  asked(Handle handle, context ctx,
        std::shared_ptr<detail::request_gate::waiting> slot)
    : handle_(std::move(handle)),
      ctx_(std::move(ctx)),
      slot_(std::move(slot)) {}

  /// As in CAF: among other messages, whenever it comes.
  template <class F, class G>
  void then(F on_answer, G on_failure) && {
    std::move(handle_).then(std::move(on_answer), typed(std::move(on_failure)));
  }

  /// As in CAF: before any other message.
  template <class F, class G>
  void await(F on_answer, G on_failure) && {
    std::move(handle_).await(std::move(on_answer),
                             typed(std::move(on_failure)));
  }

  /// As in CAF, for blocking actors.
  template <class F, class G>
  void receive(F on_answer, G on_failure) && {
    std::move(handle_).receive(std::move(on_answer),
                               typed(std::move(on_failure)));
  }

private:
  // CAF drops both handlers once one was called, and the slot with them.
  template <class G>
  auto typed(G on_failure) {
    return [ctx = std::move(ctx_), slot = std::move(slot_),
            call = std::move(on_failure)](caf::error& why) mutable {
      const auto what = detail::failure_of_request(ctx, why);
      if constexpr (std::is_invocable_v<G&, const failure&>) {
        call(what);
      } else {
        auto error = to_error(what);
        call(error);
      }
    };
  }

  Handle handle_;
  context ctx_;
  std::shared_ptr<detail::request_gate::waiting> slot_;
};

/// Asks `target`, an actor or a child reference, on behalf of a request.
///
///     ask(self, ctx, store, "key").then([](int answer) { ... },
///                                       [](const failure& why) { ... });
///
/// The handler over there takes `const coppice::context&` before the rest.
/// Where `ctx` is over, nothing is sent; when it ends, the failure comes at
/// once (class "deadline_exceeded" or "cancelled"). Ends and failures of the
/// target come as failures, too. Without a deadline there is none.
///
/// @param self  An event-based actor, or a blocking one (`receive`). A blocking
///              one keeps answers that come after the failure in its mailbox
///              as long as it lives: let it live for few such requests.
/// Cost: beyond CAF's, a few small allocations and one look at the clock.
template <class Self, class Target, class... Ts>
auto ask(Self&& self, const context& ctx, const Target& target, Ts&&... xs) {
  auto slot = std::make_shared<detail::request_gate::waiting>();
  const auto gate = compat::make_redirecting<detail::request_gate>(
    self->home_system(), ctx, detail::handle_of(target), slot);
  auto handle = compat::ask_without_timeout(self, gate, ctx,
                                            std::forward<Ts>(xs)...);
  return asked<decltype(handle)>{std::move(handle), ctx, std::move(slot)};
}

} // namespace coppice
