// This file is part of coppice. License: see LICENSE in the source root.

// A replicator before pools: full ones, crashing workers, killed pools.

#include "support/replicator_test.hpp"

namespace coppice::test {
namespace {

using testing::SizeIs;

class ReplicatorPools : public replicator_test {
public:
  void add_pools(const pool_options& how, int count = 3) {
    for (auto i = 0; i < count; ++i)
      add(std::string(1, static_cast<char>('a' + i)), kind::pool, how);
  }

  /// Takes the one worker of a pool, and, with 2, the one place in its queue.
  void occupy(const std::string& name, int requests) {
    for (auto i = 0; i < requests; ++i)
      compat::post(pools.at(name)->handle(), 1);
    settle();
  }

  /// Until nobody has anything more of 100 to 129.
  void pay_all(const std::vector<std::string>& names) {
    for (auto rounds = 0; rounds < 30; ++rounds)
      for (auto n = 100; n < 130; ++n)
        for (const auto& name : names)
          pay(name, n);
  }
};

// REPLICATE-2, FAILURE-6: a worker dies with the claim while the other
// copy waits; that was withdrawn, so another takes its place.
TEST_F(ReplicatorPools, GiveAClaimBackWhenAWorkerCrashes) {
  add_pools({.workers = 1, .admission = plain_queue(10)}, 2);
  start(replication_spec::tied(2));
  occupy("a", 1);
  const auto a = ask(4);
  ASSERT_THAT(who_began(4), ElementsAre("b"));
  crash("b", 4);
  EXPECT_THAT(answer(a), IsNotAnswered());
  pay("a", 1);
  ASSERT_THAT(who_began(4), SizeIs(2));
  pay(who_began(4)[1], 4);
  EXPECT_THAT(answer(a), Succeeds());
}

// REPLICATE-1, REPLICATE-3: a full pool pushes back: the request fails over,
// and those to come go elsewhere, until the pool's hint is over.
TEST_F(ReplicatorPools, GoElsewhereWhileOneIsFull) {
  add_pools({.workers = 1, .admission = plain_queue(1)}, 2);
  start(hedged_after(1min));
  occupy("a", 2);
  occupy("b", 1);
  pay("b", 1);
  for (auto n = 10; n < 20; ++n) {
    const auto a = ask(n);
    ASSERT_THAT(who_began(n), ElementsAre("b"));
    pay("b", n);
    EXPECT_THAT(answer(a), Succeeds());
  }
  EXPECT_EQ(replica_of("a").sent, 1u);
  EXPECT_FALSE(replica_of("a").is_available);
  EXPECT_FALSE(replica_of("a").is_set_aside);
  EXPECT_EQ(replica_of("a").failed, 0u);
  pass(1h);
  EXPECT_TRUE(replica_of("a").is_available);
}

// REPLICATE-1, REPLICATE-3: all are full: one failure that says when to come
// back.
TEST_F(ReplicatorPools, AreAllFull) {
  add_pools({.workers = 1, .admission = plain_queue(1)}, 2);
  start(replication_spec::tied(2));
  occupy("a", 2);
  occupy("b", 2);
  const auto a = ask(4);
  ASSERT_FALSE(answer(a).has_value());
  EXPECT_EQ(answer(a).error().failure_class,
            failure_classes::all_replicas_failed);
  EXPECT_TRUE(answer(a).error().retry_after);
  EXPECT_EQ(core().in_flight, 0u);
}

// REPLICATE-1, FAILURE-6: a pool is killed in mid-race, with all that it has:
// nothing is lost, and nothing answered twice.
TEST_F(ReplicatorPools, LoseNothingWhenOneIsKilled) {
  add_pools({.workers = 2, .admission = plain_queue(100)});
  start(hedged_after(1h));
  std::vector<std::size_t> requests;
  for (auto n = 100; n < 130; ++n)
    requests.push_back(ask(n));
  EXPECT_TRUE(terminate_child("/app/a"));
  EXPECT_TRUE(all->set_present("a", false));
  pools.at("a")->stop();
  settle();
  pay_all({"b", "c"});
  for (const auto x : requests)
    EXPECT_THAT(answer(x), Succeeds());
  EXPECT_EQ(core().answered, 30u);
  EXPECT_GE(core().failovers, 1u);
}

// REPLICATE-1, REPLICATE-2, FAILURE-6: the same with tied copies, whose claim
// is held by workers that are killed.
TEST_F(ReplicatorPools, LoseNoClaimWhenOneIsKilled) {
  add_pools({.workers = 2, .admission = plain_queue(100)});
  start(replication_spec::tied(2));
  std::vector<std::size_t> requests;
  for (auto n = 100; n < 130; ++n)
    requests.push_back(ask(n));
  EXPECT_TRUE(terminate_child("/app/a"));
  settle();
  pay_all({"b", "c"});
  for (const auto x : requests)
    EXPECT_THAT(answer(x), Succeeds());
  EXPECT_EQ(core().double_starts, 0u);
}

} // namespace
} // namespace coppice::test
