// This file is part of coppice. License: see LICENSE in the source root.

// Copies that fail, crash, come too late, or are refused: one answer, and the
// best one that there is.

#include "coppice/policy/replication_core.hpp"

#include "support/replicator_test.hpp"

namespace coppice::test {
namespace {

using testing::SizeIs;

class ReplicatorFailures : public replicator_test {};

// -- ends of requests --------------------------------------------------------

// DEADLINE-4, REPLICATE-4: the deadline passes: one failure, without anybody
// having to answer; the copies are over, and what comes of them is dropped.
TEST_F(ReplicatorFailures, EndByTheDeadline) {
  start(replication_spec::race(2));
  const auto a = send(context::lasting(1s, entry()).idempotent(), 4);
  pass(1s - 1ns);
  EXPECT_THAT(answer(a), IsNotAnswered());
  pass(1ns);
  ASSERT_THAT(answer(a), FailsWith(errc::deadline_exceeded));
  const auto why = answer(a).error();
  EXPECT_EQ(why.failure_class, "deadline_exceeded");
  EXPECT_TRUE(is_well_formed(why));
  EXPECT_EQ(why.reference, "r-1");
  EXPECT_TRUE(copy(4, 0).ctx.is_over());
  EXPECT_TRUE(copy(4, 1).ctx.is_over());
  for (const auto& x : who_began(4))
    pay(x, 4);
  EXPECT_EQ(core().over, 1u);
  EXPECT_EQ(core().failed, 1u);
  EXPECT_EQ(core().in_flight, 0u);
}

// DEADLINE-4: a deadline that servers see before the clock has rung is told as
// what it is, and not as a failure of all replicas.
TEST_F(ReplicatorFailures, TellOfTheDeadlineWhoeverSeesItFirst) {
  start(replication_spec::race(2));
  const auto a = send(context::lasting(5ms, entry()).idempotent(), 4);
  ahead = 5ms;
  for (const auto& x : who_began(4))
    pay(x, 4,
        failure{.failure_class = "deadline_exceeded",
                .code = errc::deadline_exceeded,
                .message = "no time left"});
  pass(1s);
  EXPECT_THAT(answer(a), FailsWith(errc::deadline_exceeded));
  EXPECT_EQ(answer(a).error().failure_class, "deadline_exceeded");
}

// DEADLINE-4, REPLICATE-4: the requester cancels, and says why.
TEST_F(ReplicatorFailures, EndByTheRequester) {
  start(replication_spec::tied(2));
  const auto ctx = patient();
  const auto a = send(ctx, 4);
  ctx.cancel(no_disk());
  settle();
  ASSERT_THAT(answer(a), FailsWith(errc::cancelled));
  ASSERT_TRUE(answer(a).error().inner);
  EXPECT_EQ(answer(a).error().inner->failure_class, "disk");
  EXPECT_TRUE(copy(4).ctx.is_over());
  pay(who_began(4)[0], 4);
  EXPECT_THAT(who_began(4), SizeIs(1));
  EXPECT_EQ(core().over, 1u);
}

// REPLICATE-4: a loser that never says a word delays nobody, and is forgotten.
TEST_F(ReplicatorFailures, ForgetDeafLosers) {
  start(replication_spec::race(2));
  const auto a = ask(4);
  pay(who_began(4)[0], 4);
  EXPECT_THAT(answer(a), Succeeds());
  const auto deaf = who_began(4)[1];
  EXPECT_EQ(replica_of(deaf).outstanding, 1u);
  pass(policy::replication_core::silence_max + 1ms);
  EXPECT_EQ(replica_of(deaf).outstanding, 0u);
  pay(deaf, 4);
  EXPECT_EQ(statistics().stray_answers, 1u);
}

// -- failures of copies ------------------------------------------------------

// REPLICATE-1: a quick error does not win over a good answer.
TEST_F(ReplicatorFailures, DoNotWin) {
  start(replication_spec::race(3));
  const auto a = ask(4);
  pay("a", 4, no_disk());
  crash("b", 4);
  EXPECT_THAT(answer(a), IsNotAnswered());
  pay("c", 4);
  ASSERT_THAT(answer(a), Succeeds());
  EXPECT_EQ(*answer(a), 8);
}

// REPLICATE-1, FAILURE-1: all fail: one failure, and all of them are in it.
TEST_F(ReplicatorFailures, AreAllTold) {
  start(replication_spec::race(3), {.name = "pages"});
  const auto a = ask(4);
  pay("b", 4, no_disk());
  pay("a", 4,
      failure{.failure_class = "fan", .message = "no air", .retry_after = 3s});
  EXPECT_THAT(answer(a), IsNotAnswered());
  crash("c", 4);
  ASSERT_THAT(answer(a), FailsWith(errc::unavailable));
  const auto why = answer(a).error();
  EXPECT_EQ(why.failure_class, failure_classes::all_replicas_failed);
  EXPECT_TRUE(is_well_formed(why));
  EXPECT_FALSE(why.user_message.empty());
  EXPECT_EQ(why.reference, "r-1");
  EXPECT_EQ(why.retry_after, 3s);
  ASSERT_TRUE(why.inner);
  EXPECT_EQ(why.secondary.size(), 2u);
  const auto text = describe(why);
  for (const auto* part : {"pages", "no disk", "no air", "unlucky"})
    EXPECT_THAT(text, HasSubstr(part));
  EXPECT_EQ(core().failed, 1u);
}

// REPLICATE-1: where the request is to blame, another copy would not help.
TEST_F(ReplicatorFailures, EndAtOnceIfFatal) {
  start(replication_spec::race(3));
  const auto a = ask(4);
  pay("a", 4, no_disk());
  pay("b", 4, wrong_request());
  ASSERT_THAT(answer(a), FailsWith(errc::permanent_failure));
  EXPECT_EQ(answer(a).error().user_message, "There is no such page.");
  for (auto i = 0u; i < 3; ++i)
    if (copy(4, i).server == "c") {
      EXPECT_TRUE(copy(4, i).ctx.is_over());
    }
  pay("c", 4);
  EXPECT_THAT(answer(a), FailsWith(errc::permanent_failure));
}

// REPLICATE-1, REPLICATE-5: requests that are wrong do not speak against who
// says so.
TEST_F(ReplicatorFailures, OfRequestsSetNobodyAside) {
  auto policy = hedged_after(10ms);
  policy.ejection.failures_max = 1;
  start(policy);
  for (auto n = 0; n < 10; ++n) {
    ask(n);
    pay(who_began(n)[0], n, wrong_request());
  }
  for (const auto& x : core().replicas)
    EXPECT_FALSE(x.is_set_aside) << x.name;
  EXPECT_EQ(core().copies_sent, 10u);
}

// REPLICATE-5: a replica that keeps failing is set aside, while others answer.
TEST_F(ReplicatorFailures, SetReplicasAside) {
  auto policy = hedged_after(10ms);
  policy.ejection = {.failures_max = 3, .first = 1min};
  start(policy);
  for (auto n = 0; n < 40; ++n) {
    const auto a = ask(n);
    for (const auto& x : who_began(n))
      if (x == "a")
        pay(x, n, no_disk());
    pay(who_began(n).back(), n);
    EXPECT_THAT(answer(a), Succeeds());
  }
  EXPECT_TRUE(replica_of("a").is_set_aside);
  EXPECT_EQ(replica_of("a").failed, 3u);
  EXPECT_EQ(core().failovers, 3u);
}

// REPLICATE-1: what is fatal says the user, if he does.
TEST_F(ReplicatorFailures, AreFatalIfTheUserSaysSo) {
  start(replication_spec::race(2), {.is_fatal = [](const failure& x) {
          if (x.failure_class == "fan")
            throw std::runtime_error{"unlucky"};
          return x.failure_class == "disk";
        }});
  const auto a = ask(4);
  pay(who_began(4)[0], 4, no_disk());
  ASSERT_FALSE(answer(a).has_value());
  EXPECT_EQ(answer(a).error().failure_class, "disk");
  const auto b = ask(5);
  pay(who_began(5)[0], 5, failure{.failure_class = "fan", .message = "no air"});
  EXPECT_THAT(answer(b), IsNotAnswered());
  EXPECT_EQ(statistics().callback_failures, 1u);
  const auto c = ask(6);
  pay(who_began(6)[0], 6, wrong_request());
  EXPECT_THAT(answer(c), IsNotAnswered());
}

// -- failing over ------------------------------------------------------------

// REPLICATE-1: a failed original is replaced at once, not after the delay.
TEST_F(ReplicatorFailures, ShortenTheDelay) {
  start(hedged_after(1min));
  const auto a = ask(4);
  pay(who_began(4)[0], 4, no_disk());
  ASSERT_THAT(who_began(4), SizeIs(2));
  EXPECT_NE(who_began(4)[0], who_began(4)[1]);
  pay(who_began(4)[1], 4);
  EXPECT_THAT(answer(a), Succeeds());
  EXPECT_EQ(core().failovers, 1u);
  EXPECT_EQ(core().late_sent, 0u);
  EXPECT_EQ(now(), 0s);
}

// REPLICATE-1, REPLICATE-3: without a budget it fails at once: never lost.
TEST_F(ReplicatorFailures, CostWhatTheBudgetAllows) {
  auto policy = hedged_after(10ms);
  policy.budget = {.share = 0.0, .reserve = 0};
  start(policy);
  const auto a = ask(4);
  pay(who_began(4)[0], 4, no_disk());
  ASSERT_FALSE(answer(a).has_value());
  EXPECT_THAT(describe(answer(a).error()), HasSubstr("no disk"));
  EXPECT_EQ(core().refused.budget, 1u);
}

// REPLICATE-2, FAILURE-6: a worker dies with the claim: the request fails over,
// and is answered once.
TEST_F(ReplicatorFailures, GiveTheClaimBack) {
  start(replication_spec::tied(2));
  const auto a = ask(4);
  ASSERT_THAT(who_began(4), SizeIs(1));
  crash(who_began(4)[0], 4);
  ASSERT_THAT(who_began(4), SizeIs(2));
  EXPECT_NE(copy(4, 0).number, copy(4, 1).number);
  EXPECT_EQ(copy(4, 0).key, copy(4, 1).key);
  pay(who_began(4)[1], 4);
  ASSERT_THAT(answer(a), Succeeds());
  EXPECT_EQ(*answer(a), 8);
  EXPECT_EQ(core().double_starts, 0u);
}

// REPLICATE-1: an actor that dies takes what it has begun with it, without a
// word; the hedge covers that. Nobody waits for one that is dead already.
TEST_F(ReplicatorFailures, OfDeadReplicas) {
  for (const auto* name : {"a", "b", "c"})
    add(name, kind::plain);
  start(hedged_after(10ms));
  const auto a = ask(4);
  const auto first = who_began(4)[0];
  for (const auto& x : replicas)
    if (x.about.name == first)
      kill(x.handle);
  settle();
  pass(10ms);
  ASSERT_THAT(who_began(4), SizeIs(2));
  pay(who_began(4)[1], 4);
  EXPECT_THAT(answer(a), Succeeds());
  for (auto n = 10; n < 20; ++n) {
    const auto b = ask(n);
    pay(who_began(n).at(0), n);
    EXPECT_THAT(answer(b), Succeeds());
  }
  EXPECT_EQ(now(), 10ms);
}

// REPLICATE-1
TEST_F(ReplicatorFailures, OfAllReplicas) {
  for (const auto* name : {"a", "b"})
    add(name, kind::plain);
  start(replication_spec::race(2));
  for (const auto& x : replicas)
    kill(x.handle);
  settle();
  const auto a = ask(4);
  ASSERT_FALSE(answer(a).has_value());
  EXPECT_TRUE(is_well_formed(answer(a).error()));
  EXPECT_EQ(answer(a).error().failure_class,
            failure_classes::all_replicas_failed);
}

// FAILURE-6, REPLICATE-1: a child between two lives is no reason to wait.
TEST_F(ReplicatorFailures, OfChildrenThatAreKilled) {
  start(replication_spec::race(2));
  const auto a = ask(4);
  const auto first = who_began(4)[0];
  kill(ref("/app/" + first).current_life());
  settle();
  EXPECT_THAT(answer(a), IsNotAnswered());
  pay(who_began(4)[1], 4);
  EXPECT_THAT(answer(a), Succeeds());
  const auto b = ask(5);
  for (const auto& x : who_began(5))
    pay(x, 5);
  EXPECT_THAT(answer(b), Succeeds());
}

} // namespace
} // namespace coppice::test
