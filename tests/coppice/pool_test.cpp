// This file is part of coppice. License: see LICENSE in the source root.

// Requests to a pool: admitted, queued, refused, dropped, answered once.

#include "support/pool_test.hpp"

#include <set>

namespace coppice::test {
namespace {

using policy::criticality;
using policy::dispatch_kind;
using policy::shed_reason;

class Pool : public pool_test {};

std::string reason_of(const failure& x) {
  const auto found = x.misc.find("reason");
  return found != x.misc.end() ? found->second : std::string{};
}

// DEADLINE-3: whoever is free serves, and everybody gets the own answer.
TEST_F(Pool, ServesWithAllWorkers) {
  start({.workers = 2, .admission = plain_queue(10)});
  const auto a = ask_pool(1);
  const auto b = ask_pool(3);
  const auto c = ask_pool(4);
  settle();
  EXPECT_EQ(seen->started.size(), 2u);
  EXPECT_NE(seen->started[0].first, seen->started[1].first);
  EXPECT_THAT(outcome_of(c), IsNotAnswered());
  pay(3);
  ASSERT_THAT(outcome_of(b), Succeeds());
  EXPECT_EQ(*outcome_of(b), 6);
  EXPECT_EQ(*outcome_of(c), 8);
  EXPECT_THAT(outcome_of(a), IsNotAnswered());
  pay(1);
  EXPECT_EQ(*outcome_of(a), 2);
  EXPECT_EQ(statistics().admission.served, 3u);
  expect_balance();
}

// DEADLINE-3: requests without a context are served, and wait for ever.
TEST_F(Pool, ServesWithoutAContext) {
  start({.workers = 1, .admission = plain_queue(10)});
  const auto a = request<int>(pool->handle(), 2h, 1);
  const auto b = request<int>(pool->handle(), 2h, 4);
  pass(1h);
  EXPECT_THAT(outcome_of(b), IsNotAnswered());
  pay(1);
  EXPECT_EQ(*outcome_of(a), 2);
  EXPECT_EQ(*outcome_of(b), 8);
}

// FAILURE-6: errors of a worker are answers like any other.
TEST_F(Pool, PassesErrorsOn) {
  start({.workers = 1});
  const auto a = ask_pool(15);
  settle();
  ASSERT_FALSE(outcome_of(a).has_value());
  EXPECT_EQ(outcome_of(a).error().failure_class, "odd");
  EXPECT_EQ(available(), 1u);
  expect_balance();
}

// DEADLINE-3: bounded; a typed failure at once, with a hint when to come back.
TEST_F(Pool, RefusesWhatItCannotStore) {
  start({.workers = 1, .admission = plain_queue(2)});
  const std::vector<pending<int>> inside{ask_pool(1), ask_pool(4), ask_pool(6)};
  settle();
  const auto outside = ask_pool(8);
  settle();
  ASSERT_THAT(outcome_of(outside), FailsWith(errc::overloaded));
  const auto why = outcome_of(outside).error();
  EXPECT_TRUE(is_well_formed(why));
  EXPECT_FALSE(why.is_bug);
  EXPECT_EQ(why.failure_class, "refused");
  EXPECT_EQ(reason_of(why), "queue_full");
  EXPECT_EQ(why.reference, "r-1");
  ASSERT_TRUE(why.retry_after);
  EXPECT_GE(*why.retry_after, 50ms);
  EXPECT_EQ(refused(shed_reason::queue_full), 1u);
  EXPECT_EQ(statistics().admission.depth, 2u);
  pay(1);
  for (const auto& x : inside)
    EXPECT_THAT(outcome_of(x), Succeeds());
  EXPECT_EQ(now(), 0s);
  expect_balance();
}

// DEADLINE-3: the more critical first; it takes the place of the less.
TEST_F(Pool, PrefersWhatIsCritical) {
  start({.workers = 1, .admission = plain_queue(2)});
  const auto first = ask_pool(1);
  settle();
  const auto batch = ask_pool(4, criticality::sheddable);
  settle();
  const auto user = ask_pool(6, criticality::critical);
  settle();
  const auto alarm = ask_pool(8, criticality::critical_plus);
  settle();
  ASSERT_THAT(outcome_of(batch), FailsWith(errc::overloaded));
  EXPECT_EQ(reason_of(outcome_of(batch).error()), "evicted");
  EXPECT_TRUE(outcome_of(batch).error().retry_after);
  pay(1);
  EXPECT_THAT(seen->numbers(), ElementsAre(1, 8, 6));
  EXPECT_THAT(outcome_of(user), Succeeds());
  EXPECT_THAT(outcome_of(alarm), Succeeds());
  EXPECT_THAT(outcome_of(first), Succeeds());
  expect_balance();
}

// DEADLINE-2: what has too little time left is not started, nor queued.
TEST_F(Pool, RefusesWhatCannotFinish) {
  start({.workers = 1,
         .admission = {.standing = {.interval = infinity},
                       .service = {.samples_min = 1}}});
  const auto slow = ask_pool(1);
  pass(2s);
  pay(1);
  EXPECT_THAT(outcome_of(slow), Succeeds());
  const auto hasty = ask_pool(4, 1s);
  const auto patient = ask_pool(6, 10s);
  settle();
  ASSERT_THAT(outcome_of(hasty), FailsWith(errc::cannot_finish));
  EXPECT_TRUE(is_well_formed(outcome_of(hasty).error()));
  EXPECT_EQ(reason_of(outcome_of(hasty).error()), "cannot_finish");
  EXPECT_THAT(outcome_of(patient), Succeeds());
  EXPECT_THAT(seen->numbers(), ElementsAre(1, 6));
  EXPECT_EQ(refused(shed_reason::cannot_finish), 1u);
}

// DEADLINE-2: the time in the mailbox of a worker is not service time.
TEST_F(Pool, MeasuresServicesOnly) {
  start({.workers = 1,
         .dispatch = dispatch_kind::by_key,
         .admission = {.standing = {.interval = infinity},
                       .service = {.samples_min = 1}},
         .key_of = [](const caf::message&) { return std::uint64_t{1}; }});
  const auto a = ask_pool(1);
  const auto b = ask_pool(3);
  pass(1s);
  pay(1);
  pass(1s);
  pay(3);
  EXPECT_THAT(outcome_of(a), Succeeds());
  EXPECT_THAT(outcome_of(b), Succeeds());
  ASSERT_TRUE(statistics().admission.service_mean);
  EXPECT_EQ(*statistics().admission.service_mean, 1s);
}

// DEADLINE-2: work that always comes too late shows how long it takes, too.
TEST_F(Pool, LearnsFromErrorsThatTookTheirTime) {
  start({.workers = 1,
         .admission = {.standing = {.interval = infinity},
                       .service = {.samples_min = 1}}});
  const auto late = ask_for(context::without_deadline(), pool->handle(), 1);
  pass(2s);
  pay(1);
  const auto quick = ask_pool(15);
  settle();
  EXPECT_THAT(outcome_of(late), Succeeds());
  EXPECT_FALSE(outcome_of(quick).has_value());
  EXPECT_EQ(statistics().admission.served, 1u);
  EXPECT_EQ(statistics().admission.lost, 1u);
  EXPECT_EQ(*statistics().admission.service_mean, 2s);
}

// DEADLINE-4: queued work whose deadline passes is dropped unstarted, then,
// without anything else happening in the pool.
TEST_F(Pool, DropsWhatExpiresInTheQueue) {
  start({.workers = 1, .admission = plain_queue(10)});
  const auto first = ask_pool(1);
  settle();
  // Not by `ask`, which answers by itself.
  const auto ctx = context::lasting(1s, entry());
  const auto waits = request<int>(pool->handle(), 1h, ctx, 4);
  pass(1s);
  EXPECT_EQ(now(), 1s);
  ASSERT_THAT(outcome_of(waits), FailsWith(errc::deadline_exceeded));
  EXPECT_EQ(outcome_of(waits).error().reference, "r-1");
  EXPECT_EQ(dropped(shed_reason::expired), 1u);
  EXPECT_EQ(dropped(shed_reason::cancelled), 0u);
  pay(1);
  EXPECT_THAT(seen->numbers(), ElementsAre(1));
  EXPECT_THAT(outcome_of(first), Succeeds());
  expect_balance();
}

// DEADLINE-4: so is what is cancelled, and the cause is kept.
TEST_F(Pool, DropsWhatIsCancelledInTheQueue) {
  start({.workers = 1, .admission = plain_queue(10)});
  const auto first = ask_pool(1);
  settle();
  const auto ctx = context::without_deadline(entry());
  const auto waits = request<int>(pool->handle(), 1h, ctx, 4);
  settle();
  ctx.cancel({.failure_class = "disk", .message = "no disk"});
  settle();
  ASSERT_THAT(outcome_of(waits), FailsWith(errc::cancelled));
  ASSERT_TRUE(outcome_of(waits).error().inner);
  EXPECT_EQ(outcome_of(waits).error().inner->failure_class, "disk");
  EXPECT_EQ(dropped(shed_reason::cancelled), 1u);
  pay(1);
  EXPECT_THAT(seen->numbers(), ElementsAre(1));
  EXPECT_THAT(outcome_of(first), Succeeds());
  expect_balance();
}

// DEADLINE-4: over before it came; an empty context counts as that.
TEST_F(Pool, RefusesWhatIsOverAlready) {
  start({.workers = 1, .admission = plain_queue(10)});
  const auto old = context::lasting(1s, entry());
  pass(2s);
  const auto a = request<int>(pool->handle(), 1h, old, 4);
  const auto b = request<int>(pool->handle(), 1h, context{}, 6);
  settle();
  EXPECT_THAT(outcome_of(a), FailsWith(errc::deadline_exceeded));
  EXPECT_FALSE(outcome_of(b).has_value());
  EXPECT_THAT(seen->started, IsEmpty());
  EXPECT_EQ(refused(shed_reason::expired), 2u);
}

// DEADLINE-4: cancelled in hand: the requester hears at once, and the answer
// of the worker, when it comes, frees it.
TEST_F(Pool, AnswersOnceWhatIsCancelledInHand) {
  start({.workers = 1, .admission = plain_queue(10)});
  const auto ctx = context::without_deadline(entry());
  const auto a = ask_for(ctx, pool->handle(), 1);
  settle();
  ctx.cancel();
  settle();
  EXPECT_THAT(outcome_of(a), FailsWith(errc::cancelled));
  const auto b = ask_pool(4);
  settle();
  EXPECT_THAT(outcome_of(b), IsNotAnswered());
  pay(1);
  EXPECT_THAT(outcome_of(b), Succeeds());
  expect_balance();
}

// DEADLINE-3: a standing queue sheds by age.
TEST_F(Pool, ShedsAStandingQueue) {
  start({.workers = 1,
         .admission = {.standing = {.target = 5ms, .interval = 100ms},
                       .service = {.samples_min = 100}}});
  const auto first = ask_pool(1);
  settle();
  std::vector<pending<int>> old;
  for (auto i = 0; i < 5; ++i)
    old.push_back(ask_pool(4));
  pass(200ms);
  const auto fresh = ask_pool(6);
  settle();
  std::size_t shed = 0;
  for (const auto& x : old)
    if (const auto what = outcome_of(x);
        !what && what.error().code == failure_code{errc::overloaded}) {
      EXPECT_EQ(reason_of(what.error()), "standing_queue");
      EXPECT_TRUE(what.error().retry_after);
      ++shed;
    }
  EXPECT_EQ(shed, 5u);
  pay(1);
  EXPECT_THAT(outcome_of(first), Succeeds());
  EXPECT_THAT(outcome_of(fresh), Succeeds());
  expect_balance();
}

// DEADLINE-3: messages that want no answer go the same way.
TEST_F(Pool, ServesMessagesThatWantNoAnswer) {
  start({.workers = 1, .admission = plain_queue(1)});
  compat::post(pool->handle(), 1);
  compat::post(pool->handle(), 4);
  compat::post(pool->handle(), 6); // no room
  settle();
  EXPECT_EQ(refused(shed_reason::queue_full), 1u);
  pay(1);
  EXPECT_THAT(seen->numbers(), ElementsAre(1, 4));
  EXPECT_EQ(statistics().unwanted_answers, 2u);
  EXPECT_EQ(statistics().admission.in_service, 0u);
}

// DEADLINE-3: system messages are no work, and do not end the pool.
TEST_F(Pool, IgnoresExitMessages) {
  start({.workers = 1});
  caf::anon_send_exit(pool->handle(), caf::exit_reason::kill);
  settle();
  EXPECT_EQ(statistics().ignored, 1u);
  const auto a = ask_pool(4);
  settle();
  EXPECT_THAT(outcome_of(a), Succeeds());
}

// DEADLINE-3: by key, the same worker; what the function throws is the answer.
TEST_F(Pool, SendsKeysToTheirWorkers) {
  start({.workers = 3,
         .dispatch = dispatch_kind::by_key,
         .admission = plain_queue(100),
         .key_of = [](const caf::message& x) {
           if (x.size() < 2)
             throw failure_error{{.failure_class = "no_key", .message = "?"}};
           return static_cast<std::uint64_t>(x.get_as<int>(1) % 10);
         }});
  std::map<int, std::set<std::string>> by_key;
  for (auto i = 0; i < 60; ++i) {
    const auto answer = ask_pool(2 * i);
    settle();
    EXPECT_THAT(outcome_of(answer), Succeeds());
  }
  for (const auto& [who, n] : seen->started)
    by_key[n % 10].insert(who);
  ASSERT_EQ(by_key.size(), 5u);
  std::set<std::string> all;
  for (const auto& [key, who] : by_key) {
    EXPECT_EQ(who.size(), 1u) << key;
    all.insert(who.begin(), who.end());
  }
  EXPECT_GT(all.size(), 1u);
  const auto without = request<int>(pool->handle(), 1h, 4);
  settle();
  ASSERT_FALSE(outcome_of(without).has_value());
  EXPECT_EQ(outcome_of(without).error().failure_class, "no_key");
  expect_balance();
}

// DEADLINE-3: a drained pool takes nothing new and answers the rest.
TEST_F(Pool, Drains) {
  start({.workers = 1, .admission = plain_queue(10)});
  const auto a = ask_pool(1);
  const auto b = ask_pool(3);
  settle();
  auto times = 0;
  pool->drain([&] { ++times; });
  const auto c = ask_pool(4);
  settle();
  ASSERT_THAT(outcome_of(c), FailsWith(errc::shutting_down));
  EXPECT_TRUE(is_well_formed(outcome_of(c).error()));
  EXPECT_FALSE(outcome_of(c).error().retry_after);
  pay(1);
  EXPECT_EQ(times, 0);
  pay(3);
  EXPECT_EQ(times, 1);
  EXPECT_THAT(outcome_of(a), Succeeds());
  EXPECT_THAT(outcome_of(b), Succeeds());
  pool->drain([&] { ++times; });
  EXPECT_EQ(times, 2);
}

// DEADLINE-3, FAILURE-6: stopped, everything is answered at once, once.
TEST_F(Pool, StopsWithAnAnswerForEverybody) {
  start({.workers = 1, .admission = plain_queue(10)});
  const auto in_hand = ask_pool(1);
  const auto waits = ask_pool(3);
  settle();
  pool->stop();
  pool->stop();
  const auto late = ask_pool(4);
  settle();
  for (const auto& x : {in_hand, waits, late}) {
    ASSERT_THAT(outcome_of(x), FailsWith(errc::stopped));
    EXPECT_TRUE(is_well_formed(outcome_of(x).error()));
  }
  pay(1);
  EXPECT_EQ(statistics().late_answers, 1u);
  expect_balance();
}

// DEADLINE-3, FAILURE-6: the end of the object is a stop; its handle stays.
TEST_F(Pool, AnswersAfterItsEnd) {
  start({.workers = 1, .admission = plain_queue(10)});
  const auto handle = pool->handle();
  const auto in_hand = ask_pool(1);
  settle();
  pool.reset();
  const auto late = ask_for(context::without_deadline(), handle, 4);
  settle();
  EXPECT_THAT(outcome_of(in_hand), FailsWith(errc::stopped));
  EXPECT_THAT(outcome_of(late), FailsWith(errc::stopped));
}

} // namespace
} // namespace coppice::test
