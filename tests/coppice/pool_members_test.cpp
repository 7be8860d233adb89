// This file is part of coppice. License: see LICENSE in the source root.

// Workers of a pool that crash, hang and restart.

#include "support/pool_test.hpp"

namespace coppice::test {
namespace {

class PoolMembers : public pool_test {
public:
  caf::actor life(std::size_t index) {
    return caf::actor_cast<caf::actor>(seen->lives.at(index));
  }
};

// FAILURE-6: a crash is the answer to the request in hand, and to no other.
TEST_F(PoolMembers, FailTheRequestInHandWhenTheyCrash) {
  start({.workers = 1, .admission = plain_queue(10)});
  const auto crash = ask_pool(13);
  const auto next = ask_pool(4);
  settle();
  ASSERT_FALSE(outcome_of(crash).has_value());
  EXPECT_THAT(describe(outcome_of(crash).error()), HasSubstr("unlucky"));
  EXPECT_THAT(outcome_of(next), Succeeds());
  EXPECT_EQ(incarnation_of("/app/pool/worker-1"), 2u);
  EXPECT_EQ(statistics().members.at(0).lives, 2u);
  EXPECT_EQ(now(), 0s);
  expect_balance();
}

// FAILURE-6: killed from outside: what it owed is answered, typed.
TEST_F(PoolMembers, FailWhatTheyOweWhenTheyAreKilled) {
  start({.workers = 1, .concurrency = 3, .admission = plain_queue(10)});
  const std::vector<pending<int>> owed{ask_pool(1), ask_pool(3), ask_pool(5)};
  settle();
  ASSERT_EQ(seen->started.size(), 3u);
  kill(life(0));
  settle();
  for (const auto& x : owed) {
    ASSERT_THAT(outcome_of(x), FailsWith(errc::stopped));
    EXPECT_FALSE(outcome_of(x).error().is_bug);
    EXPECT_THAT(outcome_of(x).error().user_message, HasSubstr("try again"));
  }
  const auto next = ask_pool(4);
  settle();
  EXPECT_THAT(outcome_of(next), Succeeds());
  expect_balance();
}

// FAILURE-6: the same for plain CAF actors, which nobody answers for.
TEST_F(PoolMembers, MayBePlainActors) {
  auto lives = std::make_shared<std::vector<caf::actor_addr>>();
  start(
    {.workers = 1,
     .admission = plain_queue(10),
     .worker
     = {.start = spawns([lives](caf::event_based_actor* self) -> caf::behavior {
          lives->push_back(self->address());
          auto owed = std::make_shared<std::vector<caf::response_promise>>();
          return {[=](const context&, int n) -> caf::result<int> {
            if (n % 2 == 0)
              return 2 * n;
            owed->push_back(self->make_response_promise());
            return caf::delegated<int>{};
          }};
        })}});
  const auto owed = ask_pool(1);
  const auto waits = ask_pool(4);
  settle();
  EXPECT_THAT(outcome_of(waits), IsNotAnswered());
  kill(caf::actor_cast<caf::actor>(lives->at(0)));
  settle();
  ASSERT_THAT(outcome_of(owed), FailsWith(errc::unavailable));
  EXPECT_TRUE(is_well_formed(outcome_of(owed).error()));
  EXPECT_EQ(outcome_of(owed).error().reference, "r-1");
  EXPECT_TRUE(outcome_of(owed).error().retry_after);
  EXPECT_THAT(outcome_of(waits), Succeeds());
  EXPECT_EQ(statistics().failed_with_worker, 1u);
  expect_balance();
}

// FAILURE-6: one that ends by itself and owes an answer: the failure, and what
// waits does not go into the mailbox that is just being closed.
TEST_F(PoolMembers, MayEndByThemselves) {
  start({.workers = 1, .admission = plain_queue(10)});
  const auto owed = ask_pool(1);
  const auto waits = ask_pool(4);
  settle();
  compat::post(life(0), "end"s);
  settle();
  EXPECT_THAT(outcome_of(owed), FailsWith(errc::stopped));
  EXPECT_THAT(outcome_of(waits), Succeeds());
  EXPECT_EQ(statistics().failed_with_worker, 0u);
  expect_balance();
}

// FAILURE-6, DEADLINE-3: the same where the key says who it has to be.
TEST_F(PoolMembers, MayEndByThemselvesWhateverTheKey) {
  start({.workers = 1,
         .dispatch = policy::dispatch_kind::by_key,
         .admission = plain_queue(10),
         .key_of = [](const caf::message&) { return std::uint64_t{1}; }});
  const auto owed = ask_pool(1);
  const auto waits = ask_pool(4);
  settle();
  compat::post(life(0), "end"s);
  settle();
  EXPECT_THAT(outcome_of(owed), FailsWith(errc::stopped));
  EXPECT_THAT(outcome_of(waits), Succeeds());
  EXPECT_EQ(statistics().failed_with_worker, 0u);
  expect_balance();
}

// FAILURE-6: a worker behind a closed mailbox would swallow the whole queue;
// one that only hands on to an actor that is gone comes back.
TEST_F(PoolMembers, AreSuspendedWhileTheirMailboxSeemsClosed) {
  const auto gone = system().spawn(debtor, seen);
  kill(gone);
  settle();
  start({.workers = 1,
         .admission = plain_queue(10),
         .worker = {.start = spawns([gone](worker* self) -> caf::behavior {
                      return {[=](int n) -> caf::result<int> {
                        if (n % 2 == 0)
                          return 2 * n;
                        static_cast<void>(compat::pass_on(self, gone, n));
                        return caf::delegated<int>{};
                      }};
                    })}});
  const auto lost = request<int>(pool->handle(), 1h, 1);
  const auto waits = request<int>(pool->handle(), 1h, 4);
  settle();
  ASSERT_THAT(outcome_of(lost), FailsWith(errc::unavailable));
  EXPECT_TRUE(is_well_formed(outcome_of(lost).error()));
  EXPECT_EQ(available(), 0u);
  EXPECT_THAT(outcome_of(waits), IsNotAnswered());
  pass(1ms);
  EXPECT_EQ(available(), 1u);
  EXPECT_THAT(outcome_of(waits), Succeeds());
  expect_balance();
}

// DEADLINE-3, FAILURE-6: what they keep in hand meanwhile still fills them
// afterwards.
TEST_F(PoolMembers, AreAsBusyAfterASuspensionAsBefore) {
  const auto gone = system().spawn(debtor, seen);
  kill(gone);
  settle();
  start({.workers = 1,
         .concurrency = 2,
         .admission = plain_queue(10),
         .worker = {
           .start = spawns([gone](worker* self) -> caf::behavior {
             auto owed = std::make_shared<std::vector<caf::response_promise>>();
             return {[=](int n) -> caf::result<int> {
                       if (n == 3)
                         static_cast<void>(compat::pass_on(self, gone, n));
                       else
                         owed->push_back(self->make_response_promise());
                       return caf::delegated<int>{};
                     },
                     [=](caf::put_atom) {
                       for (auto& x : std::exchange(*owed, {}))
                         x.deliver(1);
                     }};
           })}});
  const auto ask_for_hours = [this](int n) {
    return request<int>(pool->handle(), 1h, n);
  };
  std::vector<pending<int>> all{ask_for_hours(1)};
  settle();
  for (auto round = 0; round < 3; ++round) {
    const auto lost = ask_for_hours(3);
    settle();
    ASSERT_THAT(outcome_of(lost), FailsWith(errc::unavailable));
    EXPECT_EQ(available(), 0u);
    EXPECT_EQ(statistics().admission.servers, 1u);
    pass(1ms);
    EXPECT_EQ(available(), 1u);
    EXPECT_EQ(statistics().admission.servers, 2u);
    expect_balance();
  }
  for (const auto n : {5, 7})
    all.push_back(ask_for_hours(n));
  settle();
  EXPECT_EQ(statistics().members.at(0).outstanding, 2u);
  EXPECT_EQ(statistics().admission.depth, 1u);
  for (auto i = 0; i < 2; ++i) {
    compat::post(child("/app/pool/worker-1").actor, caf::put_atom_v);
    settle();
  }
  for (const auto& x : all)
    EXPECT_THAT(outcome_of(x), Succeeds());
  expect_balance();
}

// FAILURE-6, STOP-2: what a stalled worker has is answered when it is given
// up, what waits goes to the next life, and late answers are dropped.
TEST_F(PoolMembers, FailTheRequestInHandWhenTheyStall) {
  auto a = script("a");
  a.on_messages({hangs()});
  start({.workers = 1,
         .admission = plain_queue(10),
         .worker = {.start = a.spec().start,
                    .shutdown = 1s,
                    .heartbeat = {.stall_timeout = 5s}}});
  const auto hanging = request<std::string>(pool->handle(), 1h, "x"s);
  const auto waits = request<std::string>(pool->handle(), 1h, "y"s);
  pass(1s);
  EXPECT_THAT(outcome_of(waits), IsNotAnswered());
  pass(20s);
  ASSERT_FALSE(outcome_of(hanging).has_value());
  EXPECT_THAT(outcome_of(hanging), Not(IsNotAnswered()));
  EXPECT_TRUE(is_well_formed(outcome_of(hanging).error())
              || outcome_of(hanging).error().is_bug)
    << describe(outcome_of(hanging).error());
  ASSERT_THAT(outcome_of(waits), Succeeds());
  EXPECT_EQ(*outcome_of(waits), "a#2: y");
  a.release();
  settle();
  EXPECT_EQ(available(), 1u);
  expect_balance();
}

// DEADLINE-3, FAILURE-6: one that is given up gets nothing new, while the
// others go on; its request does not take their place.
TEST_F(PoolMembers, GetNothingWhileTheyAreGivenUp) {
  auto a = script("a");
  a.on_messages({hangs()});
  start({.workers = 2,
         .admission = plain_queue(10),
         .worker = {.start = a.spec().start,
                    .shutdown = 1s,
                    .heartbeat = {.stall_timeout = 5s}}});
  const auto hanging = request<std::string>(pool->handle(), 1h, "x"s);
  pass(1s);
  std::vector<pending<std::string>> others;
  for (auto i = 0; i < 100; ++i) {
    others.push_back(request<std::string>(pool->handle(), 1h, "y"s));
    pass(100ms);
    EXPECT_THAT(outcome_of(others.back()), Succeeds());
  }
  EXPECT_FALSE(outcome_of(hanging).has_value());
  expect_balance();
}

// START-1, DEADLINE-3: no requests before it is ready.
TEST_F(PoolMembers, ServeOnlyOnceTheyAreReady) {
  const auto may = std::make_shared<bool>(false);
  const auto started = std::make_shared<std::vector<int>>();
  pool.emplace(
    system(),
    pool_options{.workers = 1,
                 .admission = plain_queue(10),
                 .worker = {.start = spawns([=](worker* self) -> caf::behavior {
                              self->defer_ready();
                              return {[=](caf::ok_atom) { self->ready(); },
                                      [=](int n) {
                                        started->push_back(n);
                                        return n;
                                      }};
                            })},
                 .clock = clock});
  supervise({.name = "app", .children = {pool->child("pool")}});
  EXPECT_FALSE(is_ready());
  const auto a = request<int>(pool->handle(), 1h, 1);
  settle();
  EXPECT_THAT(*started, IsEmpty());
  EXPECT_EQ(statistics().admission.depth, 1u);
  compat::post(child("/app/pool/worker-1").actor, caf::ok_atom_v);
  settle();
  EXPECT_TRUE(is_ready());
  EXPECT_THAT(outcome_of(a), Succeeds());
}

// DEADLINE-3, DEADLINE-4: in an outage the queue keeps what it has, up to the
// deadlines.
TEST_F(PoolMembers, AreWaitedForUpToTheDeadline) {
  start({.workers = 1, .admission = plain_queue(10)});
  ASSERT_THAT(terminate_child("/app/pool/worker-1"), Succeeds());
  const auto brief = ask_pool(4, 1s);
  const auto patient = ask_pool(6, 1h);
  pass(2s);
  EXPECT_THAT(outcome_of(brief), FailsWith(errc::deadline_exceeded));
  EXPECT_THAT(outcome_of(patient), IsNotAnswered());
  ASSERT_THAT(restart_child("/app/pool/worker-1"), Succeeds());
  settle();
  EXPECT_THAT(outcome_of(patient), Succeeds());
  expect_balance();
}

// FAILURE-6: an orderly stop of the tree leaves nobody without an answer.
TEST_F(PoolMembers, AnswerWhenTheTreeStops) {
  start({.workers = 2, .admission = plain_queue(10)});
  const std::vector<pending<int>> all{ask_pool(1), ask_pool(3), ask_pool(5)};
  settle();
  EXPECT_TRUE(stop().complete);
  pool->stop();
  settle();
  for (const auto& x : all) {
    ASSERT_FALSE(outcome_of(x).has_value());
    EXPECT_THAT(outcome_of(x), Not(IsNotAnswered()));
  }
  expect_balance();
}

// TOPOLOGY-1: all that is wrong, at once, with its field.
TEST_F(PoolMembers, HaveOptionsThatAreChecked) {
  pool_options options;
  options.workers = 0;
  options.concurrency = 0;
  options.dispatch = policy::dispatch_kind::by_key;
  options.admission.queue_depth_max = 0;
  options.worker.id = "x";
  options.limits.window = 0s;
  std::vector<std::string> fields;
  for (const auto& x : validate(options, "readers"))
    fields.push_back(x.field);
  EXPECT_THAT(fields,
              testing::IsSupersetOf({"readers.workers", "readers.concurrency",
                                     "readers.admission.queue_depth_max",
                                     "readers.worker.id", "readers.key_of",
                                     "readers.limits.window"}));
  try {
    const worker_pool refused{system(), options};
    FAIL();
  } catch (const failure_error& x) {
    EXPECT_EQ(x.get().code, failure_code{errc::invalid_spec});
    EXPECT_THAT(x.get().message, HasSubstr("pool.key_of"));
  }
  EXPECT_THAT(validate({.worker = {.start = spawns(debtor, seen)}}, "x"),
              IsEmpty());
}

} // namespace
} // namespace coppice::test
