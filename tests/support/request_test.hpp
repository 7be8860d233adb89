// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Requests with contexts in virtual time, deadlines included.
///
/// Layer: tests.
/// Threads: one.
/// Rules: none.

#include "coppice/ask.hpp"
#include "coppice/deadline_clock.hpp"

#include "support/tree_test.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace coppice::test {

/// Contexts take their time from the virtual system.
class request_test : public supervision_test {
public:
  request_entry entry() const { return {.reference = "r-1"}; }

  /// As `run_for`; deadlines are met on the way.
  void pass(policy::duration span) {
    const auto end = host().clock_now() + span;
    for (;;) {
      settle();
      const auto due = std::min(clock->next_due(), end);
      run_for(std::max(due - host().clock_now(), policy::duration::zero()));
      clock->run(host().clock_now());
      if (due == end)
        break;
    }
    settle();
  }

  /// Asks as an actor of its own. A second answer fails the test.
  template <class T = int, class Target, class... Ts>
  pending<T> ask_for(const context& ctx, const Target& to, Ts... xs) {
    auto slot = std::make_shared<std::optional<outcome<T>>>();
    system().spawn([=](caf::event_based_actor* self) {
      coppice::ask(self, ctx, to, xs...)
        .then([slot](T x) { answer(*slot, std::move(x)); },
              [slot](const failure& why) { answer(*slot, why); });
    });
    return slot;
  }

  /// How far the contexts' clock is ahead of the actors': time that passes
  /// inside a handler, or while a message waits for its turn.
  policy::duration ahead{0};

  std::shared_ptr<deadline_clock> clock = std::make_shared<deadline_clock>(
    deadline_clock::options{.manual = true, .now = [this] {
                              return host().clock_now() + ahead;
                            }});

private:
  template <class T>
  static void answer(std::optional<outcome<T>>& slot,
                     std::type_identity_t<outcome<T>> what) {
    EXPECT_FALSE(slot.has_value()) << "answered twice";
    slot = std::move(what);
  }

  deadline_clock::scope current_{clock};
};

} // namespace coppice::test
