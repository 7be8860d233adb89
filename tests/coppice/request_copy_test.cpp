// This file is part of coppice. License: see LICENSE in the source root.

// Copies of a request in the mailboxes of workers: who of them may begin, and
// how they are recalled.

#include "coppice/request_copy.hpp"

#include "coppice/request_tie.hpp"

#include "support/pool_test.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace coppice::test {
namespace {

using testing::SizeIs;

/// Remembers what the replicator would be told.
class recording_tie : public request_tie {
public:
  using request_tie::request_tie;

  std::vector<std::uint32_t> begun;

private:
  void on_begin(std::uint32_t number) noexcept override {
    begun.push_back(number);
  }
};

// -- in the mailboxes of workers ---------------------------------------------

/// What the workers have begun.
struct copy_ledger {
  std::vector<std::uint32_t> begun;
  std::vector<std::string> keys;
  std::vector<caf::response_promise> owed;
};
using shared_copy_ledger = std::shared_ptr<copy_ledger>;

/// Doubles, and throws at 13.
template <class Self>
caf::behavior copier(Self* self, shared_copy_ledger seen) {
  return {handles(self, [=](const context& ctx, int n) {
    seen->begun.push_back(ctx.copy() != nullptr ? ctx.copy()->number : 99);
    seen->keys.emplace_back(ctx.dedup_key());
    if (n == 13)
      throw std::runtime_error{"unlucky"};
    return 2 * n;
  })};
}

class TiedCopies : public request_test {
public:
  caf::actor spawn_worker() { return system().spawn(copier<worker>, seen); }

  pending<int> send_copy(const caf::actor& to, std::uint32_t number,
                         int n = 4) {
    return ask_for(request.with_copy({.number = number, .tie = tie}), to, n);
  }

  void TearDown() override {
    seen->owed.clear();
    for (const auto* x : {&a, &b})
      kill(*x);
    settle();
    a = b = nullptr;
    request_test::TearDown();
  }

  const shared_copy_ledger seen = std::make_shared<copy_ledger>();
  const std::shared_ptr<recording_tie> tie = std::make_shared<recording_tie>(2);
  const context request
    = context::with_default_deadline(entry()).idempotent("order 7");
  caf::actor a = spawn_worker();
  caf::actor b = spawn_worker();
};

// REPLICATE-2: of two copies that queue together one is executed; the other is
// dropped unstarted, counted, and answered.
TEST_F(TiedCopies, AreExecutedOnce) {
  const auto first = send_copy(a, 0);
  const auto second = send_copy(b, 1);
  settle();
  ASSERT_THAT(seen->begun, SizeIs(1));
  EXPECT_EQ(tie->holder(), seen->begun.front());
  EXPECT_EQ(tie->begun, seen->begun);
  const auto winner = seen->begun.front() == 0 ? first : second;
  const auto loser = seen->begun.front() == 0 ? second : first;
  ASSERT_THAT(outcome_of(winner), Succeeds());
  ASSERT_THAT(outcome_of(loser), FailsWith(errc::cancelled));
  const auto why = outcome_of(loser).error();
  EXPECT_TRUE(is_well_formed(why));
  EXPECT_EQ(why.failure_class, "cancelled");
  EXPECT_EQ(why.reference, "") << "one answer for all who lose";
  EXPECT_THAT(why.message, HasSubstr("another copy"));
  EXPECT_EQ(clock->statistics().unclaimed, 1u);
  EXPECT_EQ(clock->statistics().cancelled_unstarted, 0u);
}

// REPLICATE-6: a handler sees the key, to refuse what it has done already.
TEST_F(TiedCopies, ShowTheirKey) {
  const auto copy = send_copy(a, 0);
  const auto other = ask_for(context::with_default_deadline(), b, 4);
  settle();
  EXPECT_THAT(seen->keys, testing::UnorderedElementsAre("order 7", ""));
  EXPECT_THAT(outcome_of(other), Succeeds());
}

// REPLICATE-2: actors that are no workers claim as well, by `handles`.
TEST_F(TiedCopies, AreClaimedByAnyActor) {
  const auto plain = system().spawn(copier<caf::event_based_actor>, seen);
  const auto first = send_copy(plain, 0);
  settle();
  const auto second = send_copy(a, 1);
  const auto third = send_copy(plain, 1);
  settle();
  EXPECT_THAT(outcome_of(first), Succeeds());
  EXPECT_THAT(outcome_of(second), FailsWith(errc::cancelled));
  EXPECT_THAT(outcome_of(third), FailsWith(errc::cancelled));
  EXPECT_THAT(tie->begun, ElementsAre(0));
  kill(plain);
}

// REPLICATE-2: a copy for lateness runs beside the one that has the claim.
TEST_F(TiedCopies, LeaveLateOnesAlone) {
  const auto first = send_copy(a, 0);
  settle();
  const auto late = send_copy(b, 2);
  settle();
  EXPECT_THAT(outcome_of(first), Succeeds());
  EXPECT_THAT(outcome_of(late), Succeeds());
  EXPECT_THAT(tie->begun, ElementsAre(0, 2));
}

// REPLICATE-2, FAILURE-6: a worker that dies with the claim fails its request;
// the claim is given back then, and another copy begins.
TEST_F(TiedCopies, BeginAgainAfterACrash) {
  const auto first = send_copy(a, 0, 13);
  settle();
  ASSERT_FALSE(outcome_of(first).has_value());
  EXPECT_THAT(describe(outcome_of(first).error()), HasSubstr("unlucky"));
  EXPECT_EQ(tie->holder(), 0u);
  const auto too_soon = send_copy(b, 1);
  settle();
  EXPECT_THAT(outcome_of(too_soon), FailsWith(errc::cancelled));
  EXPECT_TRUE(tie->release(0));
  const auto again = send_copy(b, 1);
  settle();
  EXPECT_THAT(outcome_of(again), Succeeds());
}

// REPLICATE-4, DEADLINE-4: what is over takes no claim.
TEST_F(TiedCopies, ClaimNothingOnceTheyAreOver) {
  caf::scoped_actor self{system()};
  const auto ctx = request.with_copy({.number = 0, .tie = tie});
  auto queued = coppice::ask(self, ctx, a, 4);
  ctx.cancel();
  settle();
  EXPECT_EQ(tie->holder(), request_tie::nobody);
  EXPECT_EQ(clock->statistics().cancelled_unstarted, 1u);
  EXPECT_EQ(clock->statistics().unclaimed, 0u);
  compat::leave_thread();
}

/// Awaits an answer before it does anything else.
caf::behavior busy(worker* self, shared_copy_ledger seen, caf::actor other) {
  return {[=](const std::string&) {
            compat::ask(self, other, 1h, "pay"s)
              .await([](int) {}, [](const caf::error&) {});
          },
          handles(self, [=](const context& ctx, int n) {
            seen->begun.push_back(ctx.copy()->number);
            return n;
          })};
}

/// Owes the answer until it is told to pay.
caf::behavior owing(caf::event_based_actor* self, shared_copy_ledger seen) {
  return {[=](const std::string&) -> caf::result<int> {
            seen->owed.push_back(self->make_response_promise());
            return caf::delegated<int>{};
          },
          [=](caf::put_atom) { seen->owed.at(0).deliver(1); }};
}

// REPLICATE-2: a worker that awaits an answer does not begin, so it does not
// keep others from it.
TEST_F(TiedCopies, AreNotClaimedByWhoIsAwaiting) {
  const auto slow = system().spawn(owing, seen);
  const auto waits = system().spawn(busy, seen, slow);
  compat::post(waits, "go"s);
  settle();
  const auto first = send_copy(waits, 0);
  settle();
  EXPECT_EQ(tie->holder(), request_tie::nobody);
  const auto second = send_copy(a, 1);
  settle();
  EXPECT_THAT(outcome_of(second), Succeeds());
  compat::post(slow, caf::put_atom_v);
  settle();
  EXPECT_THAT(outcome_of(first), FailsWith(errc::cancelled));
  EXPECT_THAT(tie->begun, ElementsAre(1));
  kill(waits);
  kill(slow);
}

// REPLICATE-2: a front passes a copy on with its context; the claim is the same
// copy's, so whoever it is passed to begins as well.
TEST_F(TiedCopies, MayBePassedOn) {
  const auto front = system().spawn([this](worker* self) -> caf::behavior {
    return {handles(
      self, [=, this](const context& ctx, int n) -> caf::result<caf::message> {
        return compat::pass_on(self, a, ctx, n);
      })};
  });
  const auto first = send_copy(front, 0);
  settle();
  const auto second = send_copy(b, 1);
  settle();
  EXPECT_THAT(outcome_of(first), Succeeds());
  EXPECT_THAT(outcome_of(second), FailsWith(errc::cancelled));
  EXPECT_THAT(seen->begun, ElementsAre(0));
  kill(front);
}

// -- recalls from other nodes ------------------------------------------------

/// The copy as it arrives on another node.
context on_another_node(const context& copy) {
  context result;
  EXPECT_TRUE(decode_context(encode_context(copy), result));
  return result;
}

// REPLICATE-4: a worker obeys a recall; it reaches no handler.
TEST_F(TiedCopies, AreRecalledFromWorkers) {
  if (!worker::drops_what_is_over)
    GTEST_SKIP() << "CAF 1.x does not show a worker what it is sent";
  const auto copy = request.with_copy({.number = 0});
  const auto there = on_another_node(copy);
  compat::post_urgent(caf::actor_cast<caf::strong_actor_ptr>(a),
                      cancel_copy{copy.copy()->serial});
  settle();
  EXPECT_TRUE(there.cancelled());
  EXPECT_FALSE(copy.cancelled());
  EXPECT_THAT(seen->begun, IsEmpty());
  const auto late = ask_for(request, a, 4); // it works on
  settle();
  EXPECT_THAT(outcome_of(late), Succeeds());
}

class RecallFromPool : public pool_test {};

// REPLICATE-4, DEADLINE-4: a pool drops a copy that waits when it is recalled;
// the recall itself is no request.
TEST_F(RecallFromPool, DropsTheCopyThatWaits) {
  start({.workers = 1, .admission = plain_queue(10)});
  const auto first = ask_pool(1);
  const auto copy = context::without_deadline(entry()).with_copy({.number = 1});
  const auto waits = request<int>(pool->handle(), 1h, on_another_node(copy), 4);
  settle();
  compat::post_urgent(caf::actor_cast<caf::strong_actor_ptr>(pool->handle()),
                      cancel_copy{copy.copy()->serial});
  settle();
  EXPECT_THAT(outcome_of(waits), FailsWith(errc::cancelled));
  EXPECT_EQ(dropped(policy::shed_reason::cancelled), 1u);
  EXPECT_EQ(statistics().admission.arrived, 2u);
  EXPECT_EQ(statistics().ignored, 0u);
  pay(1);
  EXPECT_THAT(outcome_of(first), Succeeds());
  EXPECT_THAT(seen->numbers(), ElementsAre(1));
  expect_balance();
}

} // namespace
} // namespace coppice::test
