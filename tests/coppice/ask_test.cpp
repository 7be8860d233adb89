// This file is part of coppice. License: see LICENSE in the source root.

// Requests with a context: one answer or one failure, by the deadline.

#include "support/request_test.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace coppice::test {
namespace {

failure no_disk() {
  return {.failure_class = "disk",
          .message = "no disk",
          .user_message = "We are out of room."};
}

/// What a worker has seen, and the answers that it still owes.
struct ledger {
  std::vector<int> started;
  std::vector<context> contexts;
  std::vector<caf::response_promise> owed;
};
using shared_ledger = std::shared_ptr<ledger>;

/// Doubles what is even, throws at 13, and owes the answer to all the rest,
/// until it is told to pay. Told to end, it does not.
caf::behavior doubler(worker* self, shared_ledger seen) {
  return {handles(self,
                  [=](const context& ctx, int n) -> caf::result<int> {
                    seen->started.push_back(n);
                    seen->contexts.push_back(ctx);
                    if (n == 13)
                      throw std::runtime_error{"unlucky"};
                    if (n % 2 == 0)
                      return 2 * n;
                    seen->owed.push_back(self->make_response_promise());
                    return caf::delegated<int>{};
                  }),
          [=](const std::string& order) {
            if (order == "end")
              return self->quit();
            for (auto& x : seen->owed)
              x.deliver(7);
            seen->owed.clear();
          }};
}

class Ask : public request_test {
public:
  ~Ask() override { seen->owed.clear(); }

  void pay() { compat::post(to, "pay"s); }

  caf::actor spawn_doubler() { return system().spawn(doubler, seen); }

  void TearDown() override {
    seen->owed.clear();
    compat::post(to, "end"s);
    settle();
    to = nullptr;
    request_test::TearDown();
  }

  shared_ledger seen = std::make_shared<ledger>();
  caf::actor to = spawn_doubler();
};

// DEADLINE-1: the request's context goes with it; in one process, it itself.
TEST_F(Ask, GivesTheContextToTheHandler) {
  const auto ctx = context::with_default_deadline(entry());
  const auto answer = ask_for(ctx, to, 4);
  settle();
  ASSERT_THAT(outcome_of(answer), Succeeds());
  EXPECT_EQ(*outcome_of(answer), 8);
  EXPECT_THAT(seen->contexts, ElementsAre(ctx));
}

// DEADLINE-4: what is over is not sent.
TEST_F(Ask, SendsNothingOnceItIsOver) {
  const auto expired = context::until(host().clock_now(), entry());
  const auto cancelled = context::with_default_deadline(entry());
  cancelled.cancel(no_disk());
  const auto late = ask_for(expired, to, 4);
  const auto off = ask_for(cancelled, to, 4);
  const auto none = ask_for(context{}, to, 4);
  settle();
  EXPECT_THAT(outcome_of(late), FailsWith(errc::deadline_exceeded));
  EXPECT_THAT(outcome_of(off), FailsWith(errc::cancelled));
  EXPECT_THAT(outcome_of(none), FailsWith(errc::cancelled));
  EXPECT_THAT(seen->started, IsEmpty());
  EXPECT_EQ(clock->statistics().refused_unsent, 2u);
}

// DEADLINE-1: a request that says nothing of time gets the default.
TEST_F(Ask, FailsAtTheDeadline) {
  const auto answer = ask_for(context::with_default_deadline(entry()), to, 5);
  pass(context_limits::default_deadline - 1ns);
  EXPECT_THAT(outcome_of(answer), IsNotAnswered());
  pass(1ns);
  ASSERT_THAT(outcome_of(answer), FailsWith(errc::deadline_exceeded));
  const auto why = outcome_of(answer).error();
  EXPECT_TRUE(is_well_formed(why));
  EXPECT_EQ(why.reference, "r-1");
  EXPECT_TRUE(why.retry_after);
}

// DEADLINE-1: infinity by name.
TEST_F(Ask, WaitsForEverIfToldTo) {
  const auto answer = ask_for(context::without_deadline(), to, 5);
  pass(24h);
  EXPECT_THAT(outcome_of(answer), IsNotAnswered());
  pay();
  settle();
  EXPECT_THAT(outcome_of(answer), Succeeds());
}

// DEADLINE-4: at once, with the cause, not at the deadline.
TEST_F(Ask, FailsAtOnceWhenItIsCancelled) {
  const auto root = context::with_default_deadline(entry());
  const auto answer = ask_for(root.with_timeout(20s).with_cancel(), to, 5);
  pass(1s);
  root.cancel(no_disk());
  root.cancel(); // twice does no harm
  settle();
  ASSERT_THAT(outcome_of(answer), FailsWith(errc::cancelled));
  const auto why = outcome_of(answer).error();
  EXPECT_EQ(why.user_message, "We are out of room.");
  ASSERT_TRUE(why.inner);
  EXPECT_EQ(why.inner->failure_class, "disk");
  EXPECT_TRUE(seen->contexts.at(0).cancelled()); // the worker sees it, too
  EXPECT_EQ(now(), 1s);
}

// DEADLINE-4: exactly one of both, whichever comes first; the fixture checks.
TEST_F(Ask, AnswersOnce) {
  const auto first = context::with_default_deadline(entry());
  const auto a = ask_for(first, to, 4);
  settle();
  first.cancel();
  const auto second = context::with_default_deadline(entry());
  const auto b = ask_for(second, to, 5);
  settle();
  second.cancel();
  pay();
  const auto third = context::with_default_deadline(entry());
  const auto c = ask_for(third, to, 7);
  settle();
  pay();
  settle();
  third.cancel();
  pass(1h);
  EXPECT_THAT(outcome_of(a), Succeeds());
  EXPECT_THAT(outcome_of(b), FailsWith(errc::cancelled));
  EXPECT_THAT(outcome_of(c), Succeeds());
}

// DEADLINE-4: work that waits in the queue is dropped unstarted.
TEST_F(Ask, DropsWhatIsOverUnstarted) {
  caf::scoped_actor self{system()};
  const auto root = context::with_default_deadline(entry());
  auto first = coppice::ask(self, root, to, 6); // not delivered yet
  auto second = coppice::ask(self, root.with_timeout(1s), to, 8);
  root.cancel(no_disk());
  const auto other = ask_for(context::with_default_deadline(), to, 4);
  settle();
  EXPECT_THAT(seen->started, ElementsAre(4));
  EXPECT_THAT(outcome_of(other), Succeeds());
  EXPECT_EQ(clock->statistics().cancelled_unstarted, 2u);
  compat::leave_thread();
}

// DEADLINE-4: the same for a deadline that passed in the queue.
TEST_F(Ask, DropsWhatExpiredInTheQueue) {
  caf::scoped_actor self{system()};
  const auto ctx = context::lasting(1s, entry());
  auto queued = coppice::ask(self, ctx, to, 6);
  ahead = 1s;
  settle();
  EXPECT_THAT(seen->started, IsEmpty());
  EXPECT_EQ(clock->statistics().expired_unstarted, 1u);
  compat::leave_thread();
}

// FAILURE-6: after the end of the target, a typed failure at once.
TEST_F(Ask, FailsAfterTheEndOfItsTarget) {
  compat::post(to, "end"s);
  settle();
  const auto answer = ask_for(context::with_default_deadline(entry()), to, 4);
  const auto nobody = ask_for(context::with_default_deadline(), caf::actor{},
                              4);
  settle();
  ASSERT_THAT(outcome_of(answer), FailsWith(errc::unavailable));
  EXPECT_TRUE(is_well_formed(outcome_of(answer).error()));
  EXPECT_EQ(outcome_of(answer).error().reference, "r-1");
  EXPECT_THAT(outcome_of(nobody), FailsWith(errc::unavailable));
  EXPECT_EQ(now(), 0s);
}

// FAILURE-6: a worker that crashes, and one that ends and owes the answer.
TEST_F(Ask, FailsWithItsTarget) {
  const auto crash = ask_for(context::with_default_deadline(), to, 13);
  settle();
  ASSERT_FALSE(outcome_of(crash).has_value());
  EXPECT_THAT(describe(outcome_of(crash).error()), HasSubstr("unlucky"));
  to = spawn_doubler();
  const auto owed = ask_for(context::with_default_deadline(), to, 5);
  settle();
  compat::post(to, "end"s);
  settle();
  EXPECT_THAT(outcome_of(owed), FailsWith(errc::stopped));
  EXPECT_EQ(now(), 0s);
}

// DEADLINE-4: through a child reference: parked, over, and never started.
TEST_F(Ask, WaitsForTheNextLifeNoLongerThanItsContext) {
  auto a = script("a");
  supervise({.name = "app",
             .children = {a.spec(
               {.backoff = each_second, .parking = {.messages_max = 10}})}});
  const auto child = ref("/app/a");
  a.now(throws());
  settle();
  const auto ctx = context::lasting(500ms, entry());
  const auto answer = ask_for<std::string>(ctx, child, "x"s);
  pass(500ms);
  EXPECT_THAT(outcome_of(answer), FailsWith(errc::deadline_exceeded));
  EXPECT_TRUE(stop().complete);
  const auto after = ask_for<std::string>(context::with_default_deadline(),
                                          child, "y"s);
  settle();
  EXPECT_THAT(outcome_of(after), FailsWith(errc::stopped));
}

/// Passes on what it is asked, with its context.
caf::behavior front(worker* self, caf::actor behind) {
  return {handles(self, [=](const context& ctx, int n) -> caf::result<int> {
    auto promise = self->make_response_promise();
    coppice::ask(self, ctx.with_timeout(1min), behind, n)
      .then([promise](int x) mutable { promise.deliver(x); },
            [promise](caf::error& why) mutable { promise.deliver(why); });
    return caf::delegated<int>{};
  })};
}

// DEADLINE-4: what was asked on behalf of a request ends with it.
TEST_F(Ask, CancelsWhatWasAskedOnItsBehalf) {
  auto door = system().spawn(front, system().spawn(front, to));
  const auto ctx = context::with_default_deadline(entry());
  const auto answer = ask_for(ctx, door, 5);
  settle();
  ASSERT_EQ(seen->contexts.size(), 1u);
  const auto last = seen->contexts.front();
  EXPECT_NE(last, ctx);
  EXPECT_FALSE(last.cancelled());
  ctx.cancel(no_disk());
  EXPECT_TRUE(last.cancelled());
  EXPECT_EQ(last.cause()->failure_class, "disk");
  settle();
  EXPECT_THAT(outcome_of(answer), FailsWith(errc::cancelled));
  kill(door);
}

// DEADLINE-4: what comes too late is no answer, and is counted.
TEST_F(Ask, CountsWorkThatEndedTooLate) {
  const auto ctx = context::lasting(1s, entry());
  const auto slow = system().spawn([this](worker* self) -> caf::behavior {
    return {handles(self, [this](const context&, int n) {
      ahead = 2s;
      return n;
    })};
  });
  const auto answer = ask_for(ctx, slow, 1);
  settle();
  EXPECT_THAT(outcome_of(answer), FailsWith(errc::deadline_exceeded));
  EXPECT_EQ(clock->statistics().late_answers, 1u);
  kill(slow);
}

// DEADLINE-4: a request that was answered leaves nothing behind.
TEST_F(Ask, LeavesNothingBehind) {
  const auto before = host().running_actors();
  for (auto i = 0; i < 100; ++i) {
    const auto answer = ask_for(context::with_default_deadline(), to, 4);
    settle();
    EXPECT_THAT(outcome_of(answer), Succeeds());
  }
  EXPECT_EQ(host().running_actors(), before);
  seen->contexts.clear();
  EXPECT_EQ(clock->statistics().armed, 0u);
}

// DEADLINE-1: blocking actors ask as well.
TEST_F(Ask, WorksFromBlockingActors) {
  caf::scoped_actor self{system()};
  const auto ctx = context::lasting(1s, entry());
  auto good = coppice::ask(self, ctx, to, 4);
  settle();
  auto answer = 0;
  std::move(good).receive([&](int x) { answer = x; },
                          [](const failure& why) { FAIL() << describe(why); });
  EXPECT_EQ(answer, 8);
  auto owed = coppice::ask(self, ctx, to, 5);
  settle();
  ctx.cancel();
  std::string failed;
  std::move(owed).receive([](int) { FAIL(); },
                          [&](const failure& why) {
                            failed = why.failure_class;
                          });
  EXPECT_EQ(failed, "cancelled");
  compat::leave_thread();
}

} // namespace
} // namespace coppice::test
