// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What the receiver of a request does with its context.
///
/// Layer: L1.
/// Threads: as the handlers of any CAF actor.
/// Rules: docs/semantics.md, DEADLINE-4, REPLICATE-2, REPLICATE-4.

#include "coppice/context.hpp"
#include "coppice/failure_convert.hpp"
#include "coppice/request_copy.hpp"
#include "coppice/request_tie.hpp"

#include <cstdint>
#include <type_traits>
#include <utility>

namespace coppice {

/// Why copies end that are not needed any more. The same one each time.
[[nodiscard]] const failure_cause& answered_elsewhere();

/// Counts a request that was dropped unstarted, and says what to answer.
/// @pre `ctx.is_over()`.
[[nodiscard]] caf::error drop_unstarted(const context& ctx);

/// Takes the claim for the work on this request, right before it begins.
/// `handles` and workers do, once for each message. False: another copy has it,
/// and this one must not be worked on (REPLICATE-2).
[[nodiscard]] inline bool claim_work(const context& ctx) noexcept {
  const auto* copy = ctx.copy();
  return copy == nullptr || copy->tie == nullptr
         || copy->tie->begin(copy->number);
}

/// Says of a copy that was dropped unstarted whether its requester knows that
/// by now, without an answer: a message saved for each copy that loses.
[[nodiscard]] inline bool knows_of_drop(const context& ctx,
                                        std::uint64_t requester) noexcept {
  const auto* copy = ctx.copy();
  return copy != nullptr && copy->tie != nullptr
         && copy->tie->on_drop(copy->number, requester);
}

/// Counts a copy that was dropped because another has begun, and says what to
/// answer.
[[nodiscard]] caf::error drop_unclaimed(const context& ctx);

/// Is `x` the recall of a copy? Then the copy, if it is here or yet to come, is
/// over (REPLICATE-4), and nothing else is to be done.
[[nodiscard]] bool obey_recall(caf::mailbox_element& x);

/// Counts an answer that came too late, and says what to send instead.
/// @pre `ctx.is_over()`.
[[nodiscard]] caf::error drop_late(const context& ctx);

/// The context of the request in `x`: its first element, or null.
[[nodiscard]] inline const context* context_of(caf::mailbox_element& x) {
  auto& content = x.content();
  if (content.empty() || !content.template match_element<context>(0))
    return nullptr;
  return &content.template get_as<context>(0);
}

namespace detail {

template <class R>
struct answer_of {
  using type = caf::result<R>;
};
template <class... Rs>
struct answer_of<caf::result<Rs...>> {
  using type = caf::result<Rs...>;
};

template <bool LooksBefore, class F, class R, class... Ts>
auto guarded(F f) {
  using answer = typename answer_of<R>::type;
  return [f = std::move(f)](const context& ctx, Ts... xs) mutable -> answer {
    if constexpr (LooksBefore) {
      if (ctx.is_over())
        return drop_unstarted(ctx);
      if (!claim_work(ctx))
        return drop_unclaimed(ctx);
    }
    if constexpr (std::is_void_v<R>) {
      f(ctx, std::forward<Ts>(xs)...);
      if (ctx.is_over())
        return drop_late(ctx);
      return caf::unit;
    } else {
      answer result{f(ctx, std::forward<Ts>(xs)...)};
      if (ctx.is_over())
        return drop_late(ctx);
      return result;
    }
  };
}

template <bool LooksBefore, class F, class R, class C, class... Ts>
auto guarded_as(F f, R (C::*)(const context&, Ts...) const) {
  return guarded<LooksBefore, F, R, Ts...>(std::move(f));
}
template <bool LooksBefore, class F, class R, class C, class... Ts>
auto guarded_as(F f, R (C::*)(const context&, Ts...)) {
  return guarded<LooksBefore, F, R, Ts...>(std::move(f));
}

} // namespace detail

/// `handler`, for requests that are not over: it is not called for others, and
/// what it returns once its request is over, perhaps half done, does not pass
/// for an answer. In both cases the requester gets the failure (DEADLINE-4). Of
/// the tied copies of a request, it is called for one.
///
///     return {coppice::handles(self, [](const context& ctx, int n) {...})};
///
/// A worker under CAF 0.17 drops these by itself; everybody else needs
/// this for it.
///
/// @param handler  A lambda that takes a `const context&` first, and returns a
///                 value, nothing or a `caf::result`.
/// Cost: a look at the clock, some 30 ns, after the handler; another before.
template <class Self, class F>
[[nodiscard]] auto handles(Self*, F handler) {
  constexpr auto looks_before = [] {
    if constexpr (requires { Self::drops_what_is_over; })
      return !Self::drops_what_is_over;
    else
      return true;
  }();
  return detail::guarded_as<looks_before>(std::move(handler), &F::operator());
}

} // namespace coppice
