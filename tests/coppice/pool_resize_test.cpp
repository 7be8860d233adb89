// This file is part of coppice. License: see LICENSE in the source root.

// Workers of a pool that come and go.

#include "support/pool_test.hpp"

namespace coppice::test {
namespace {

class PoolResize : public pool_test {
public:
  /// Resizes; does not settle.
  std::shared_ptr<std::optional<outcome_of_nothing>>
  resize(std::size_t workers_wanted, time_limit drain_within = infinity) {
    auto slot = std::make_shared<std::optional<outcome_of_nothing>>();
    pool->resize(workers(), workers_wanted, drain_within, [slot](auto what) {
      EXPECT_FALSE(slot->has_value()) << "called back twice";
      *slot = std::move(what);
    });
    return slot;
  }
};

// DEADLINE-3: more workers take what waits.
TEST_F(PoolResize, Grow) {
  start({.workers = 1, .admission = plain_queue(10)});
  const std::vector<pending<int>> all{ask_pool(1), ask_pool(3), ask_pool(5)};
  settle();
  EXPECT_EQ(seen->started.size(), 1u);
  const auto grown = resize(3);
  settle();
  ASSERT_TRUE(grown->has_value());
  EXPECT_THAT(**grown, Succeeds());
  EXPECT_EQ(available(), 3u);
  EXPECT_EQ(seen->started.size(), 3u);
  for (const auto n : {1, 3, 5})
    pay(n);
  for (const auto& x : all)
    EXPECT_THAT(outcome_of(x), Succeeds());
}

// DEADLINE-3, FAILURE-6: those that go answer what they have first.
TEST_F(PoolResize, AnswerBeforeTheyGo) {
  start({.workers = 3, .admission = plain_queue(10)});
  const std::vector<pending<int>> all{ask_pool(1), ask_pool(3), ask_pool(5)};
  settle();
  const auto shrunk = resize(1);
  const auto again = resize(2);
  settle();
  ASSERT_TRUE(again->has_value());
  EXPECT_THAT(**again, FailsWith(errc::unavailable));
  EXPECT_FALSE(shrunk->has_value());
  const auto next = ask_pool(4);
  settle();
  EXPECT_THAT(outcome_of(next), IsNotAnswered());
  for (const auto n : {1, 3, 5})
    pay(n);
  ASSERT_TRUE(shrunk->has_value());
  EXPECT_THAT(**shrunk, Succeeds());
  for (const auto& x : all)
    EXPECT_THAT(outcome_of(x), Succeeds());
  EXPECT_THAT(outcome_of(next), Succeeds());
  EXPECT_EQ(statistics().members.size(), 1u);
  EXPECT_EQ(counts("/app/pool").specs, 1u);
  const auto grown = resize(2);
  settle();
  EXPECT_THAT(**grown, Succeeds());
  EXPECT_EQ(available(), 2u);
  expect_balance();
}

// DEADLINE-3, FAILURE-6: but not for ever.
TEST_F(PoolResize, GoWhenTheirTimeIsOver) {
  start({.workers = 2, .admission = plain_queue(10)});
  const std::vector<pending<int>> all{ask_pool(1), ask_pool(3)};
  settle();
  const auto shrunk = resize(1, 10s);
  pass(9s);
  EXPECT_FALSE(shrunk->has_value());
  pass(2s);
  ASSERT_TRUE(shrunk->has_value());
  EXPECT_THAT(**shrunk, Succeeds());
  pay(1);
  pay(3);
  std::size_t answered = 0;
  for (const auto& x : all)
    answered += outcome_of(x).has_value() ? 1 : 0;
  EXPECT_EQ(answered, 1u);
  for (const auto& x : all)
    EXPECT_THAT(outcome_of(x), Not(IsNotAnswered()));
  expect_balance();
}

// DEADLINE-3: callbacks that throw are counted, and keep nobody else waiting.
TEST_F(PoolResize, SurvivesCallbacksThatThrow) {
  start({.workers = 1, .admission = plain_queue(10)});
  const auto throws = [](auto...) { throw std::runtime_error{"callback"}; };
  pool->resize(workers(), 2, infinity, throws);
  settle();
  EXPECT_EQ(available(), 2u);
  EXPECT_EQ(statistics().callback_failures, 1u);
  const auto owed = ask_pool(1);
  settle();
  auto is_drained = false;
  pool->drain(throws);
  pool->drain([&] { is_drained = true; });
  pay(1);
  EXPECT_THAT(outcome_of(owed), Succeeds());
  EXPECT_TRUE(is_drained);
  EXPECT_EQ(statistics().callback_failures, 2u);
}

// TOPOLOGY-1
TEST_F(PoolResize, AreNeverNone) {
  start({.workers = 1});
  const auto shrunk = resize(0);
  ASSERT_TRUE(shrunk->has_value());
  EXPECT_THAT(**shrunk, FailsWith(errc::invalid_spec));
}

// DEADLINE-3: a restarted supervisor has as many as its spec says; from there
// as well, the number that is asked for is the number that is had.
TEST_F(PoolResize, IsNotMisledByARestartedSupervisor) {
  start({.workers = 2, .admission = plain_queue(10)});
  const auto workers_after = [this](std::size_t before, std::size_t after) {
    const auto first = resize(before);
    settle();
    ASSERT_TRUE(first->has_value());
    ASSERT_THAT(**first, Succeeds());
    ASSERT_THAT(terminate_child("/app/pool"), Succeeds());
    ASSERT_THAT(restart_child("/app/pool"), Succeeds());
    settle();
    ASSERT_EQ(available(), 2u);
    const auto second = resize(after);
    settle();
    ASSERT_TRUE(second->has_value());
    EXPECT_THAT(**second, Succeeds());
    EXPECT_EQ(available(), after);
    EXPECT_EQ(statistics().members.size(), after);
    EXPECT_EQ(counts("/app/pool").specs, after);
  };
  workers_after(4, 4);
  workers_after(1, 1);
  workers_after(3, 1);
  workers_after(1, 3);
  const auto next = ask_pool(4);
  settle();
  EXPECT_THAT(outcome_of(next), Succeeds());
  expect_balance();
}

} // namespace
} // namespace coppice::test
