// This file is part of coppice. License: see LICENSE in the source root.

// Requests to a replicator: which are copied, what their handlers see, and what
// becomes of them when it ends.

#include "support/replicator_test.hpp"

#include <set>

namespace coppice::test {
namespace {

using testing::Each;
using testing::SizeIs;
using testing::UnorderedElementsAre;

class Replicator : public replicator_test {
public:
  std::vector<std::string> keys_of(int n) const {
    std::vector<std::string> result;
    for (const auto& x : seen->begun)
      if (x.n == n)
        result.push_back(x.key);
    return result;
  }
};

// -- what is replicated ------------------------------------------------------

// REPLICATE-6: what nobody called idempotent is refused, typed, and not sent.
TEST_F(Replicator, RefusesWhatIsNotIdempotent) {
  start(replication_spec::race(2), {.name = "pages"});
  const auto a = send(context::without_deadline(entry()), 4);
  ASSERT_THAT(answer(a), FailsWith(errc::permanent_failure));
  const auto why = answer(a).error();
  EXPECT_EQ(why.failure_class, failure_classes::not_idempotent);
  EXPECT_TRUE(is_well_formed(why));
  EXPECT_EQ(why.reference, "r-1");
  EXPECT_THAT(why.message, HasSubstr("pages"));
  EXPECT_THAT(seen->begun, IsEmpty());
  EXPECT_EQ(statistics().not_idempotent, 1u);
  EXPECT_EQ(core().requests, 0u);
}

// REPLICATE-6: or sent once, and never again, whatever becomes of it.
TEST_F(Replicator, SendsOnceWhatIsNotIdempotent) {
  start(replication_spec::race(3), {.unmarked = unmarked_requests::send_once});
  const auto a = send(context::without_deadline(entry()), 4);
  const auto b = send(context::without_deadline(entry()), 5);
  const auto c = send(context::without_deadline(entry()), 6);
  ASSERT_THAT(seen->begun, SizeIs(3));
  EXPECT_EQ(copy(4).number, 99u);
  EXPECT_EQ(copy(4).key, "");
  pay(who_began(4)[0], 4);
  pay(who_began(5)[0], 5, no_disk());
  crash(who_began(6)[0], 6);
  ASSERT_THAT(answer(a), Succeeds());
  EXPECT_EQ(*answer(a), 8);
  ASSERT_FALSE(answer(b).has_value());
  EXPECT_THAT(describe(answer(b).error()), HasSubstr("disk"));
  ASSERT_FALSE(answer(c).has_value());
  EXPECT_THAT(describe(answer(c).error()), HasSubstr("unlucky"));
  EXPECT_THAT(seen->begun, SizeIs(3));
  EXPECT_EQ(core().copies_sent, 3u);
  EXPECT_EQ(statistics().not_idempotent, 0u);
}

// REPLICATE-6: without a context there is no way to recall a copy, so there is
// none, whatever the function says.
TEST_F(Replicator, NeverCopiesWhatHasNoContext) {
  start(replication_spec::race(3),
        {.is_idempotent = [](const caf::message&) { return true; },
         .unmarked = unmarked_requests::send_once});
  const auto a = send(4);
  EXPECT_THAT(who_began(4), SizeIs(1));
  pass(1h);
  EXPECT_THAT(answer(a), IsNotAnswered());
  pay(who_began(4)[0], 4);
  EXPECT_THAT(answer(a), Succeeds());
  EXPECT_EQ(core().copies_sent, 1u);
}

// REPLICATE-6
TEST_F(Replicator, RefusesWhatHasNoContext) {
  start(replication_spec::race(3));
  const auto a = send(4);
  ASSERT_FALSE(answer(a).has_value());
  EXPECT_EQ(answer(a).error().failure_class, failure_classes::not_idempotent);
  EXPECT_THAT(seen->begun, IsEmpty());
}

// REPLICATE-6: a function may know it from the message; one that throws says
// nothing.
TEST_F(Replicator, AsksWhetherARequestIsIdempotent) {
  start(replication_spec::race(2), {.is_idempotent = [](const caf::message& x) {
          if (x.get_as<int>(1) == 13)
            throw std::runtime_error{"unlucky"};
          return x.get_as<int>(1) % 2 == 0;
        }});
  const auto even = send(context::without_deadline(), 4);
  const auto odd = send(context::without_deadline(), 5);
  const auto unlucky = send(context::without_deadline(), 13);
  const auto marked = ask(15);
  EXPECT_THAT(who_began(4), SizeIs(2));
  EXPECT_THAT(who_began(15), SizeIs(2));
  EXPECT_THAT(answer(even), IsNotAnswered());
  EXPECT_THAT(answer(marked), IsNotAnswered());
  EXPECT_THAT(answer(odd), FailsWith(errc::permanent_failure));
  EXPECT_THAT(answer(unlucky), FailsWith(errc::permanent_failure));
  EXPECT_EQ(statistics().callback_failures, 1u);
  EXPECT_EQ(statistics().not_idempotent, 2u);
}

// DEADLINE-4: over before it came; an empty context counts as that.
TEST_F(Replicator, RefusesWhatIsOverAlready) {
  start(replication_spec::race(2));
  const auto old = context::lasting(1s, entry()).idempotent();
  const auto cancelled = patient();
  cancelled.cancel(no_disk());
  pass(2s);
  EXPECT_THAT(answer(send(old, 4)), FailsWith(errc::deadline_exceeded));
  EXPECT_THAT(answer(send(cancelled, 4)), FailsWith(errc::cancelled));
  EXPECT_FALSE(answer(send(context{}, 4)).has_value());
  EXPECT_THAT(seen->begun, IsEmpty());
  EXPECT_EQ(core().copies_sent, 0u);
}

// -- what the handlers see ---------------------------------------------------

// REPLICATE-6: one key for all copies of a request, another for each request;
// attempts are numbered.
TEST_F(Replicator, NumbersCopiesUnderOneKey) {
  start(replication_spec::race(3));
  ask(4);
  ask(5);
  ASSERT_THAT(keys_of(4), SizeIs(3));
  EXPECT_THAT(keys_of(4), Each(keys_of(4).front()));
  EXPECT_NE(keys_of(4).front(), "");
  EXPECT_NE(keys_of(4).front(), keys_of(5).front());
  std::set<std::uint32_t> numbers;
  for (auto i = 0u; i < 3; ++i)
    numbers.insert(copy(4, i).number);
  EXPECT_THAT(numbers, ElementsAre(0, 1, 2));
}

// REPLICATE-6: the requester's own key, if it has one, failovers included.
TEST_F(Replicator, KeepsTheKeyOfTheRequester) {
  start(hedged_after(10ms));
  send(context::without_deadline().idempotent("order 7"), 4);
  pay(who_began(4)[0], 4, no_disk());
  EXPECT_THAT(keys_of(4), ElementsAre("order 7", "order 7"));
  EXPECT_EQ(copy(4, 0).number, 0u);
  EXPECT_EQ(copy(4, 1).number, 1u);
}

// REPLICATE-4: copies have contexts of their own, below that of the request:
// one ends without the others, and all of them end with it.
TEST_F(Replicator, GivesEachCopyAContext) {
  start(replication_spec::race(3));
  const auto ctx = context::lasting(10s, entry()).idempotent();
  send(ctx, 4);
  for (auto i = 0u; i < 3; ++i) {
    EXPECT_EQ(copy(4, i).ctx.deadline(), ctx.deadline());
    EXPECT_EQ(copy(4, i).ctx.reference(), "r-1");
    EXPECT_NE(copy(4, i).ctx, ctx);
  }
  copy(4, 0).ctx.cancel();
  EXPECT_FALSE(copy(4, 1).ctx.cancelled());
  EXPECT_FALSE(ctx.cancelled());
  ctx.cancel();
  EXPECT_TRUE(copy(4, 1).ctx.cancelled());
  EXPECT_TRUE(copy(4, 2).ctx.cancelled());
  settle();
}

// REPLICATE-1: messages and answers of any types and any number of elements.
TEST_F(Replicator, PassesAnyMessageOn) {
  start(replication_spec::race(2));
  auto answered = 0;
  system().spawn([&, this](caf::event_based_actor* self) {
    coppice::ask(self, patient(), front, "ab"s, 1.5, no_disk())
      .then(
        [&](const std::string& text, const failure& what, double factor) {
          EXPECT_EQ(text, "abab");
          EXPECT_EQ(what.failure_class, "disk");
          EXPECT_EQ(factor, 3.0);
          ++answered;
        },
        [](const failure& why) { ADD_FAILURE() << describe(why); });
  });
  settle();
  EXPECT_EQ(answered, 1);
  EXPECT_EQ(core().copies_sent, 2u);
}

// REPLICATE-1: whoever asks by `ask` has one answer, too.
TEST_F(Replicator, AnswersThoseWhoAsk) {
  start(replication_spec::race(2));
  const auto a = ask_for(patient(), front, 4);
  const auto b = request<int>(front, 1h, patient(), 6);
  settle();
  for (const auto n : {4, 6})
    for (const auto& x : who_began(n))
      pay(x, n);
  ASSERT_THAT(outcome_of(a), Succeeds());
  EXPECT_EQ(*outcome_of(a), 8);
  ASSERT_THAT(outcome_of(b), Succeeds());
  EXPECT_EQ(*outcome_of(b), 12);
}

// -- messages that want no answer --------------------------------------------

// REPLICATE-1: there is nothing to race for; replicas take turns.
TEST_F(Replicator, SendsOneWayMessagesOnce) {
  start(replication_spec::race(3));
  EXPECT_TRUE(all->set_present("b", false));
  for (auto i = 0; i < 4; ++i)
    compat::post(front, patient(), i);
  compat::post(front, 4);
  settle();
  ASSERT_THAT(seen->begun, SizeIs(5));
  std::map<std::string, int> by_server;
  for (const auto& x : seen->begun)
    ++by_server[x.server];
  EXPECT_THAT(by_server, SizeIs(2));
  EXPECT_FALSE(by_server.contains("b"));
  EXPECT_GE(by_server["a"], 2);
  EXPECT_GE(by_server["c"], 2);
  EXPECT_EQ(statistics().one_way, 5u);
  EXPECT_EQ(core().requests, 0u);
  all->stop();
  compat::post(front, 4);
  settle();
  EXPECT_THAT(seen->begun, SizeIs(5));
}

// REPLICATE-1: system messages are no work, and do not end it.
TEST_F(Replicator, IgnoresExitMessages) {
  start(replication_spec::race(2));
  caf::anon_send_exit(front, caf::exit_reason::kill);
  settle();
  const auto a = ask(4);
  pay(who_began(4).at(0), 4);
  EXPECT_THAT(answer(a), Succeeds());
  EXPECT_EQ(statistics().one_way, 0u);
}

// -- replicas that come and go -----------------------------------------------

// REPLICATE-5: one that is gone gets no copies; what it has stays there.
TEST_F(Replicator, SendsNothingToWhoIsAbsent) {
  start(replication_spec::race(3));
  const auto old = ask(4);
  EXPECT_FALSE(all->set_present("d", false));
  EXPECT_TRUE(all->set_present("a", false));
  const auto fresh = ask(5);
  EXPECT_THAT(who_began(5), UnorderedElementsAre("b", "c"));
  pay("a", 4);
  EXPECT_THAT(answer(old), Succeeds());
  EXPECT_TRUE(all->set_present("a", true));
  ask(6);
  EXPECT_THAT(who_began(6), UnorderedElementsAre("a", "b", "c"));
  pay("b", 5);
  EXPECT_THAT(answer(fresh), Succeeds());
}

// REPLICATE-1: nobody there: one failure, with a hint when to come back.
TEST_F(Replicator, FailsIfNobodyIsThere) {
  start(replication_spec::race(2));
  for (const auto* name : {"a", "b", "c"})
    EXPECT_TRUE(all->set_present(name, false));
  const auto a = ask(4);
  ASSERT_THAT(answer(a), FailsWith(errc::unavailable));
  EXPECT_TRUE(is_well_formed(answer(a).error()));
  EXPECT_TRUE(answer(a).error().retry_after);
  EXPECT_EQ(answer(a).error().reference, "r-1");
  EXPECT_GE(core().refused.no_replica, 1u);
  EXPECT_EQ(core().failed, 1u);
}

// -- the end -----------------------------------------------------------------

// REPLICATE-1, FAILURE-6: stopped, everything is answered at once, once, and
// all copies are recalled.
TEST_F(Replicator, StopsWithAnAnswerForEverybody) {
  start(replication_spec::race(2));
  const auto a = ask(4);
  const auto b = ask(5);
  all->stop();
  all->stop();
  const auto late = ask(6);
  for (const auto x : {a, b, late}) {
    ASSERT_THAT(answer(x), FailsWith(errc::stopped));
    EXPECT_TRUE(is_well_formed(answer(x).error()));
    EXPECT_EQ(answer(x).error().reference, "r-1");
  }
  ASSERT_THAT(seen->begun, SizeIs(4));
  for (const auto& x : seen->begun)
    EXPECT_TRUE(x.ctx.is_over());
  EXPECT_EQ(statistics().refused_stopped, 1u);
  for (const auto& x : who_began(4))
    pay(x, 4);
  EXPECT_EQ(core().in_flight, 0u);
}

// REPLICATE-1: a request that may not be copied is recalled as well.
TEST_F(Replicator, AnswersWhatWasSentOnceWhenItStops) {
  start(replication_spec::race(2), {.unmarked = unmarked_requests::send_once});
  const auto a = send(context::without_deadline(entry()), 4);
  const auto b = send(5);
  all->stop();
  settle();
  EXPECT_THAT(answer(a), FailsWith(errc::stopped));
  EXPECT_THAT(answer(b), FailsWith(errc::stopped));
  EXPECT_TRUE(copy(4).ctx.is_over());
  pay(who_began(4)[0], 4);
  pay(who_began(5)[0], 5);
  EXPECT_EQ(core().in_flight, 0u);
}

// REPLICATE-1, FAILURE-6: the end of the object is a stop; its handle stays,
// and what replicas say after that reaches nobody.
TEST_F(Replicator, AnswersAfterItsEnd) {
  start(replication_spec::race(2));
  const auto a = ask(4);
  all.reset();
  settle();
  EXPECT_THAT(answer(a), FailsWith(errc::stopped));
  EXPECT_THAT(answer(ask(5)), FailsWith(errc::stopped));
  front = nullptr;
  for (const auto& x : who_began(4))
    pay(x, 4);
  EXPECT_THAT(answer(a), FailsWith(errc::stopped));
}

// REPLICATE-1: a move keeps what is under way; an assignment ends what was
// there before.
TEST_F(Replicator, Moves) {
  start(replication_spec::race(2));
  const auto a = ask(4);
  replicator other{std::move(*all)};
  all.reset();
  EXPECT_EQ(other.handle(), front);
  pay(who_began(4)[0], 4);
  EXPECT_THAT(answer(a), Succeeds());
  const auto b = ask(5);
  other = replicator{system(),
                     {.policy = replication_spec::race(2),
                      .replicas = replicas,
                      .clock = clock}};
  settle();
  EXPECT_THAT(answer(b), FailsWith(errc::stopped));
  EXPECT_THAT(answer(ask(6)), FailsWith(errc::stopped));
  front = other.handle();
  const auto c = ask(7);
  pay(who_began(7).at(0), 7);
  EXPECT_THAT(answer(c), Succeeds());
  front = nullptr;
}

} // namespace
} // namespace coppice::test
