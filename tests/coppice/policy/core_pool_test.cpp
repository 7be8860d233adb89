// This file is part of coppice. License: see LICENSE in the source root.

// Pools: any number of instances of one spec. Catalogue: group J, C04, H04
// to H07.

#include "support/core_harness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace coppice::test {
namespace {

using namespace policy;
using testing::AnyOf;
using testing::ElementsAre;
using testing::IsEmpty;

supervisor_spec pool_of(child instance, restart_limits limits = five_a_minute) {
  return tree(simple_one_for_one, {std::move(instance)}, limits);
}

std::vector<std::string> ids(const core_harness& h) {
  std::vector<std::string> result;
  for (const auto& x : h.core().listing(h.now()))
    result.push_back(x.id);
  return result;
}

/// Starts a pool with `n` instances; returns their ids.
std::vector<std::string> fill(core_harness& h, std::size_t n) {
  h.start();
  for (std::size_t i = 0; i < n; ++i)
    EXPECT_EQ(h.answer_to(h.start_instance()), "ok");
  return ids(h);
}

// RESTART-2
TEST(CorePool, EmptyPoolIsReadyAtOnce) {
  core_harness h{pool_of(worker("w"))};
  h.start();
  EXPECT_TRUE(h.is_ready());
  EXPECT_THAT(h.counts(), ElementsAre(1, 0, 0, 0));
  h.stop();
  EXPECT_EQ(h.outcome(), "stopped");
}

// RESTART-2, BUDGET-1
TEST(CorePool, OneRestartsAloneWithinTheBudget_J01) {
  core_harness h{pool_of(worker("w"), {.restarts_max = 2, .window = 60s})};
  const auto all = fill(h, 2);
  h.crash(all[0]);
  EXPECT_EQ(h.incarnation(all[1]), 1u);
  EXPECT_EQ(ids(h), all);
  EXPECT_EQ(h.incarnation(all[0]), 2u);
  h.crash(all[1]);
  EXPECT_EQ(h.outcome(), "runs");
  h.crash(all[0]);
  EXPECT_EQ(h.outcome(), "gave_up");
}

// RESTART-1
TEST(CorePool, Thousands_J03) {
  for (const auto& made : {worker("w"), inner_supervisor("w")}) {
    auto instance = made;
    const auto is_worker = made.kind() == child_kind::worker;
    core_harness h{pool_of(instance.as(temporary))};
    const auto is = [&](std::uint64_t n) {
      return is_worker ? std::array<std::uint64_t, 4>{1, n, 0, n}
                       : std::array<std::uint64_t, 4>{1, n, n, 0};
    };
    fill(h, 1000);
    EXPECT_EQ(h.counts(), is(1000));
    for (int i = 0; i < 1000; ++i)
      h.start_instance();
    EXPECT_EQ(h.counts(), is(2000));
    EXPECT_EQ(ids(h), ids(h));
    for (const auto& x : h.core().listing(h.now()))
      h.tell([&](auto now) {
        return h.core().on_down(x.life, {end_cause::crash, "killed"}, now);
      });
    EXPECT_EQ(h.counts(), is(0));
    EXPECT_EQ(h.outcome(), "runs");
  }
}

// START-5
TEST(CorePool, MostChildrenAtATime_J04) {
  auto none = pool_of(worker("w").as(temporary));
  none.children_max = 0;
  core_harness closed{none};
  closed.start();
  EXPECT_EQ(closed.answer_to(closed.start_instance()), "children_max");

  auto two = pool_of(worker("w").as(temporary));
  two.children_max = 2;
  core_harness h{two};
  const auto all = fill(h, 2);
  EXPECT_EQ(h.answer_to(h.start_instance()), "children_max");
  h.finish(all[0]);
  EXPECT_EQ(h.answer_to(h.start_instance()), "ok");
}

// START-5: the bound holds for named children, too.
TEST(CorePool, MostChildrenAtATimeInOtherSupervisors_J04) {
  auto spec = tree(one_for_one, {worker("a")});
  spec.children_max = 2;
  core_harness h{spec};
  h.start();
  EXPECT_EQ(h.answer_to(h.start_child(worker("b"))), "ok");
  EXPECT_EQ(h.answer_to(h.start_child(worker("c"))), "children_max");
  h.terminate("b");
  h.remove("b");
  EXPECT_EQ(h.answer_to(h.start_child(worker("c"))), "ok");
}

// START-5
TEST(CorePool, RetryingOnesCountAgainstTheMost_J05) {
  auto spec = pool_of(worker("w").backs_off({.first = 10s}));
  spec.children_max = 1;
  core_harness h{spec};
  const auto all = fill(h, 1);
  h.crash(all[0]);
  ASSERT_EQ(h.state(all[0]), "backoff");
  EXPECT_EQ(h.answer_to(h.start_instance()), "children_max");
  EXPECT_THAT(h.counts(), ElementsAre(1, 0, 0, 1));
}

// START-3
TEST(CorePool, TerminateARetryingOne_J06) {
  core_harness h{pool_of(worker("w").backs_off({.first = 10s}))};
  const auto all = fill(h, 1);
  h.crash(all[0]);
  EXPECT_EQ(h.answer_to(h.terminate(all[0])), "ok");
  EXPECT_EQ(h.answer_to(h.terminate(all[0])), "not_found");
  h.run_for(1h);
  EXPECT_EQ(h.count("start " + all[0]), 1u);
}

// BUDGET-1
TEST(CorePool, LimitReachedWhileSeveralRetry_J07) {
  core_harness h{pool_of(worker("w").backs_off({.first = 10s}),
                         {.restarts_max = 2, .window = 60s})};
  const auto all = fill(h, 4);
  h.crash(all[0]);
  h.crash(all[1]);
  ASSERT_EQ(h.outcome(), "runs");
  h.forget_journal();
  h.crash(all[2]);
  EXPECT_EQ(h.outcome(), "gave_up");
  h.run_for(1h);
  EXPECT_THAT(h.order(), ElementsAre("end " + all[2], "end " + all[3]));
}

// RESTART-1, BUDGET-2
TEST(CorePool, ChurnCostsNothing_J10) {
  core_harness h{pool_of(worker("w").as(temporary), {.restarts_max = 0})};
  h.start();
  for (int i = 0; i < 10'000; ++i) {
    const auto life = h.life_in_answer_to(h.start_instance());
    EXPECT_LT(life.key, 2u) << "what is forgotten takes no room";
    h.tell([&](auto now) {
      return h.core().on_down(life, {end_cause::clean_end}, now);
    });
  }
  EXPECT_THAT(h.counts(), ElementsAre(1, 0, 0, 0));
  EXPECT_EQ(h.restarts_in_window(), 0u);
  EXPECT_EQ(h.outcome(), "runs");
}

// START-3
TEST(CorePool, HasNoIds_C04) {
  core_harness h{pool_of(worker("w"))};
  const auto all = fill(h, 1);
  // A spec of one's own does not fit into a pool, and what is gone is gone:
  // an instance cannot be restarted or deleted by hand, as in OTP.
  h.tell([&](auto now) {
    auto todo = h.core().start_child(99, worker("x"), now);
    EXPECT_EQ(todo,
              (directives{answer_command{99, command_result::needs_key, {}}}));
    return directives{};
  });
  EXPECT_EQ(h.answer_to(h.restart(all[0])), "needs_key");
  EXPECT_EQ(h.answer_to(h.remove(all[0])), "needs_key");
  EXPECT_EQ(h.state(all[0]), "running");
  EXPECT_EQ(h.answer_to(h.terminate(all[0])), "ok");
  // OTP says ok; a caller who asks twice should learn that he does.
  EXPECT_EQ(h.answer_to(h.terminate(all[0])), "not_found");
}

// STOP-1
TEST(CorePool, StopsInParallelUnderOneTimer_H04) {
  core_harness h{pool_of(worker("w").grace(2s))};
  const auto all = fill(h, 3);
  h.manners(all[0], slow_stop(1s));
  h.manners(all[1], slow_stop(1s));
  h.manners(all[2], slow_stop(5s));
  h.stop();
  h.run_for(1min);
  EXPECT_EQ(h.outcome(), "stopped");
  EXPECT_EQ(h.time_of_end(), 2s);
  EXPECT_EQ(h.count("kill " + all[0]), 0u);
  EXPECT_THAT(h.times("kill " + all[2]), ElementsAre(2s));
}

// STOP-1
TEST(CorePool, BrutalKillOfAll_H05) {
  core_harness h{pool_of(worker("w").grace(brutal_kill))};
  const auto all = fill(h, 10);
  h.stop();
  EXPECT_EQ(h.outcome(), "stopped");
  for (const auto& id : all) {
    EXPECT_EQ(h.count("stop " + id), 0u);
    EXPECT_EQ(h.count("kill " + id), 1u);
  }
}

// STOP-1
TEST(CorePool, UncleanEndsWhileStoppingAreToldOnceEach_H07) {
  for (auto type : {permanent, transient, temporary}) {
    core_harness h{pool_of(worker("w").as(type), {.restarts_max = 0})};
    const auto all = fill(h, 3);
    h.manners(all[1], {.how = {end_cause::crash, "E"}});
    h.stop();
    EXPECT_EQ(h.outcome(), "stopped");
    const auto failed = h.events(event_kind::failed);
    ASSERT_EQ(failed.size(), 1u) << to_string(type);
    EXPECT_EQ(failed[0].id, all[1]);
  }
}

// STOP-1, STOP-2: H11 within one pool, where the manners differ.
TEST(CorePool, MixedMannersInOnePool_H11) {
  core_harness h{pool_of(worker("w").grace(1s).kills_within(500ms))};
  const auto all = fill(h, 4);
  h.manners(all[1], slow_stop(100ms));
  h.manners(all[2], deaf);
  h.manners(all[3], spinning);
  h.stop();
  h.run_for(1min);
  EXPECT_EQ(h.outcome(), "stopped");
  EXPECT_EQ(h.time_of_end(), 1500ms);
  EXPECT_EQ(h.core().abandoned().size(), 1u);
}

// STOP-1, STOP-4: those that wait for a retry have nothing to end.
TEST(CorePool, StopForgetsTheRetryingOnes_H16) {
  core_harness h{pool_of(worker("w").backs_off({.first = 10s}))};
  const auto all = fill(h, 2);
  h.crash(all[0]);
  h.stop();
  EXPECT_EQ(h.outcome(), "stopped");
  EXPECT_THAT(h.counts(), ElementsAre(1, 0, 0, 0));
}

// STOP-3
TEST(CorePool, TotalDeadlineHolds) {
  core_harness h{pool_of(worker("w").grace(infinity))};
  const auto all = fill(h, 3);
  h.manners(all[1], spinning);
  h.stop(time_limit{2s});
  h.run_for(1h);
  EXPECT_EQ(h.time_of_end(), 2s);
  ASSERT_EQ(h.core().abandoned().size(), 1u);
  EXPECT_EQ(h.core().abandoned()[0].id, all[1]);
}

// START-1, START-5
TEST(CorePool, DeadlineOfAnInstance_A15) {
  core_harness h{pool_of(worker("w").starts_within(3s))};
  h.start();
  h.script(core_harness::anyone, {start_never_ready});
  const auto ask = h.start_instance();
  h.run_for(3s);
  EXPECT_EQ(h.answer_to(ask), "start_failed");
  EXPECT_THAT(h.counts(), ElementsAre(1, 0, 0, 0));
}

// RESTART-1
TEST(CorePool, TransientInstanceThatFinishesIsDropped) {
  core_harness h{pool_of(worker("w").as(transient))};
  const auto all = fill(h, 2);
  h.finish(all[0]);
  EXPECT_THAT(h.counts(), ElementsAre(1, 1, 0, 1));
  h.crash(all[1]);
  EXPECT_EQ(h.incarnation(all[1]), 2u);
}

// BUDGET-4, BUDGET-5
TEST(CorePool, EachInstanceHasABudgetOfItsOwn_F12) {
  core_harness h{pool_of(worker("w").budget({.restarts_max = 1, .window = 60s},
                                            exhaustion_action::stop_child),
                         {.restarts_max = infinity})};
  const auto all = fill(h, 3);
  for (const auto& id : all)
    h.crash(id);
  EXPECT_THAT(h.counts(), ElementsAre(1, 3, 0, 3));
  h.crash(all[1]);
  EXPECT_EQ(h.outcome(), "runs");
  EXPECT_THAT(h.state(all[1]), AnyOf("stopped exhausted", "gone"));
  EXPECT_EQ(h.core().counts().running, 2u);
}

} // namespace
} // namespace coppice::test
