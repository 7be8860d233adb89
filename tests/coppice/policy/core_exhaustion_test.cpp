// This file is part of coppice. License: see LICENSE in the source root.

// What is done when a budget is spent. Catalogue: F12, F13, M09, R02.

#include "support/core_harness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace coppice::test {
namespace {

using namespace policy;
using testing::ElementsAre;
using testing::IsEmpty;

supervisor_spec once_a_minute(restart_strategy strategy,
                              exhaustion_action action,
                              std::vector<child_spec> children) {
  auto result = tree(strategy, std::move(children),
                     {.restarts_max = 1, .window = 60s});
  result.on_exhausted = action;
  return result;
}

// BUDGET-4
TEST(CoreExhaustion, BudgetOfAChildIsItsOwn_F12) {
  std::vector<child_spec> children;
  for (const auto* id : {"a", "b", "c", "d", "e"})
    children.push_back(worker(id).budget({.restarts_max = 2, .window = 60s},
                                         exhaustion_action::stop_child));
  core_harness h{tree(one_for_one, children, {.restarts_max = infinity})};
  h.start();
  for (const auto* id : {"a", "b", "c", "d", "e"})
    h.crash(id);
  EXPECT_THAT(h.counts(), ElementsAre(5, 5, 0, 5));
  h.crash("c");
  EXPECT_EQ(h.state("c"), "running");
  h.crash("c");
  EXPECT_THAT(h.listing(),
              ElementsAre("a running", "b running", "c stopped exhausted",
                          "d running", "e running"));
  EXPECT_EQ(h.outcome(), "runs");
}

// BUDGET-4, BUDGET-5: the child's own budget escalates by default.
TEST(CoreExhaustion, BudgetOfAChildEscalates_F13) {
  core_harness h{tree(one_for_one,
                      {worker("a").budget({.restarts_max = 0, .window = 1s},
                                          exhaustion_action::escalate)},
                      {.restarts_max = infinity})};
  EXPECT_EQ(child_spec{}.on_exhausted, exhaustion_action::escalate);
  h.start();
  h.crash("a");
  ASSERT_EQ(h.outcome(), "gave_up");
  EXPECT_EQ(h.end()->id, "a");
  EXPECT_EQ(h.end()->attempts, 1u);
}

// BUDGET-4: both budgets hold.
TEST(CoreExhaustion, BudgetOfTheSupervisorHoldsBesideTheChildsOwn_F12) {
  core_harness h{tree(one_for_one,
                      {worker("a").budget({.restarts_max = 100},
                                          exhaustion_action::stop_child)},
                      {.restarts_max = 1, .window = 60s})};
  h.start();
  h.crash("a");
  h.crash("a");
  EXPECT_EQ(h.outcome(), "gave_up");
}

// BUDGET-5
TEST(CoreExhaustion, EscalateIsTheDefault_F13) {
  EXPECT_EQ(supervisor_spec{}.on_exhausted, exhaustion_action::escalate);
  core_harness h{once_a_minute(one_for_one, exhaustion_action::escalate,
                               {worker("a"), worker("b")})};
  h.start();
  h.crash("a");
  h.crash("a");
  EXPECT_EQ(h.outcome(), "gave_up");
  ASSERT_EQ(h.events(event_kind::budget_spent).size(), 1u);
  EXPECT_EQ(h.events(event_kind::budget_spent)[0].id, "a");
}

// BUDGET-5
TEST(CoreExhaustion, StopChildKeepsTheSiblings_F13) {
  for (auto strategy : {one_for_one, one_for_all, rest_for_one}) {
    core_harness h{once_a_minute(strategy, exhaustion_action::stop_child,
                                 {worker("a"), worker("b")})};
    h.start();
    h.crash("a");
    const auto b = h.incarnation("b");
    h.crash("a");
    EXPECT_THAT(h.listing(), ElementsAre("a stopped exhausted", "b running"));
    EXPECT_EQ(h.incarnation("b"), b);
    EXPECT_EQ(h.outcome(), "runs");
    EXPECT_EQ(h.events(event_kind::budget_spent).size(), 1u);
    h.run_for(1h);
    EXPECT_EQ(h.count("start a"), 2u);
    EXPECT_EQ(h.answer_to(h.restart("a")), "ok") << "an operator may";
  }
}

// BUDGET-5, RESTART-5: a retry that ends so lets the healthy ones back, too.
TEST(CoreExhaustion, StopChildInAGroupBringsSiblingsBack) {
  core_harness h{once_a_minute(one_for_all, exhaustion_action::stop_child,
                               {worker("a"), worker("b"), worker("c")})};
  h.start();
  h.script("b", {start_error});
  h.crash("a");
  EXPECT_THAT(h.listing(),
              ElementsAre("a running", "b stopped exhausted", "c running"));
}

// BUDGET-5, RESTART-2: an exhausted member is not part of group restarts.
TEST(CoreExhaustion, GroupRestartDoesNotReviveTheExhausted) {
  core_harness h{
    tree(one_for_all, {worker("a").budget({.restarts_max = 0, .window = 1s},
                                          exhaustion_action::stop_child),
                       worker("b")})};
  h.start();
  h.crash("a");
  ASSERT_EQ(h.state("a"), "stopped exhausted");
  h.crash("b");
  EXPECT_THAT(h.listing(), ElementsAre("a stopped exhausted", "b running"));
}

// BUDGET-5
TEST(CoreExhaustion, ParkRetriesAtTheLongestDelayForEver_F13) {
  core_harness h{
    once_a_minute(one_for_one, exhaustion_action::park,
                  {worker("a").backs_off(
                     {.first = 1s, .cap = 20s, .jitter = jitter_kind::none}),
                   worker("b")})};
  h.start();
  h.run_for(1min);
  h.always("a", start_error);
  h.crash("a"); // at once: fails, and the budget is spent
  ASSERT_EQ(h.state("a"), "backoff");
  EXPECT_TRUE(h.info("a").parked);
  EXPECT_EQ(h.until_retry("a"), 20s);
  h.run_for(200s);
  const auto tries = h.times("startfail a");
  ASSERT_EQ(tries.size(), 11u);
  for (std::size_t i = 1; i < tries.size(); ++i)
    EXPECT_EQ(tries[i] - tries[i - 1], 20s);
  EXPECT_TRUE(h.info("a").parked);
  EXPECT_EQ(h.incarnation("b"), 1u);
  EXPECT_FALSE(h.events(event_kind::budget_spent).empty());
  h.always("a", start_ok);
  h.run_for(20s);
  EXPECT_EQ(h.state("a"), "running");
}

// BUDGET-5, STOP-4
TEST(CoreExhaustion, ParkedChildCanBeTerminatedAndRetried_F13) {
  core_harness h{
    once_a_minute(one_for_one, exhaustion_action::park,
                  {worker("a").backs_off(
                    {.first = 1s, .cap = 20s, .jitter = jitter_kind::none})})};
  h.start();
  h.run_for(1min);
  h.script("a", {start_error});
  h.crash("a");
  ASSERT_TRUE(h.info("a").parked);
  EXPECT_EQ(h.answer_to(h.retry_now("a")), "ok");
  EXPECT_EQ(h.state("a"), "running");
  EXPECT_FALSE(h.info("a").parked);
  h.run_for(1h);
  EXPECT_EQ(h.incarnation("a"), 3u);
}

// BUDGET-5
TEST(CoreExhaustion, PauseHoldsRestartsBackThenResumes_F13_R02) {
  auto spec = once_a_minute(one_for_one, exhaustion_action::pause,
                            {worker("a"), worker("b"), worker("c")});
  spec.pause_length = 10s;
  core_harness h{spec};
  h.start();
  h.crash("a");
  h.crash("a");
  const auto paused = h.events(event_kind::paused);
  ASSERT_EQ(paused.size(), 1u);
  const auto length = paused[0].what.span;
  EXPECT_GE(length, 10s);
  EXPECT_LE(length, 11s);
  h.run_for(1s);
  h.crash("b");
  EXPECT_THAT(h.listing(), ElementsAre("a backoff", "b backoff", "c running"));
  h.run_for(length - 1s - 1ns);
  EXPECT_THAT(h.counts(), ElementsAre(3, 1, 0, 3));
  h.run_for(1ns);
  EXPECT_THAT(h.counts(), ElementsAre(3, 3, 0, 3));
  EXPECT_EQ(h.events(event_kind::resumed).size(), 1u);
  EXPECT_EQ(h.restarts_in_window(), 0u) << "afresh";
  EXPECT_EQ(h.incarnation("c"), 1u);
  h.crash("a");
  EXPECT_EQ(h.events(event_kind::paused).size(), 1u) << "afresh";
}

// BUDGET-5: jittered, so that supervisors do not resume in step.
TEST(CoreExhaustion, PausesDifferBySeedAndRepeatWithIt) {
  const auto length = [](std::uint64_t seed) {
    core_harness h{once_a_minute(one_for_one, exhaustion_action::pause,
                                 {worker("a")}),
                   seed};
    h.start();
    h.crash("a");
    h.crash("a");
    return h.events(event_kind::paused).at(0).what.span;
  };
  EXPECT_NE(length(1), length(2));
  EXPECT_EQ(length(7), length(7));
}

// BUDGET-5, RESTART-6: the end of a pause is no reason to hurry.
TEST(CoreExhaustion, FailedStartNearTheEndOfAPauseWaitsAllTheSame) {
  auto spec
    = once_a_minute(one_for_one, exhaustion_action::pause,
                    {worker("a").backs_off(
                      {.first = 2s, .cap = 2s, .jitter = jitter_kind::none})});
  spec.pause_length = 10s;
  core_harness h{spec};
  h.start();
  h.run_for(1min);
  h.script("a", {start_error, start_error});
  h.crash("a");
  const auto rest = h.events(event_kind::paused).at(0).what.span - 1ms;
  h.run_for(rest);
  EXPECT_EQ(h.answer_to(h.retry_now("a")), "ok");
  h.run_for(1min);
  const auto tries = h.times("startfail a");
  ASSERT_EQ(tries.size(), 2u);
  EXPECT_EQ(h.times("start a").back() - tries.back(), 2s);
}

// BUDGET-5: who hurries one child does not hurry its siblings.
TEST(CoreExhaustion, RetryNowDuringAPauseLeavesAFailedSiblingWaiting) {
  auto spec
    = once_a_minute(one_for_all, exhaustion_action::pause,
                    {worker("a"), worker("b").backs_off({.first = 2s})});
  spec.pause_length = 10s;
  core_harness h{spec};
  h.start();
  h.script("b", {start_error});
  h.crash("a");
  const auto length = h.events(event_kind::paused).at(0).what.span;
  h.crash("a");
  ASSERT_THAT(h.listing(), ElementsAre("a backoff", "b backoff"));
  h.run_for(1s);
  EXPECT_EQ(h.answer_to(h.retry_now("a")), "ok");
  EXPECT_THAT(h.listing(), ElementsAre("a running", "b backoff"));
  EXPECT_EQ(h.until_retry("b"), length - 1s);
  h.run_for(length);
  EXPECT_THAT(h.listing(), ElementsAre("a running", "b running"));
}

// BUDGET-5, STOP-4
TEST(CoreExhaustion, StopDuringAPauseEndsAtOnce) {
  core_harness h{once_a_minute(one_for_one, exhaustion_action::pause,
                               {worker("a"), worker("b")})};
  h.start();
  h.crash("a");
  h.crash("a");
  h.forget_journal();
  h.stop();
  EXPECT_EQ(h.outcome(), "stopped");
  h.run_for(1h);
  EXPECT_THAT(h.order(), ElementsAre("end b"));
}

// BUDGET-5, RESTART-4: who was terminated during the pause stays away.
TEST(CoreExhaustion, TerminateDuringAPauseIsSticky) {
  core_harness h{once_a_minute(one_for_one, exhaustion_action::pause,
                               {worker("a"), worker("b")})};
  h.start();
  h.crash("a");
  h.crash("a");
  EXPECT_EQ(h.answer_to(h.terminate("a")), "ok");
  h.run_for(1h);
  EXPECT_THAT(h.listing(), ElementsAre("a stopped operator", "b running"));
}

// BUDGET-5: a group waits together and comes back together.
TEST(CoreExhaustion, PauseInAGroup) {
  auto spec = once_a_minute(one_for_all, exhaustion_action::pause,
                            {worker("a"), worker("b")});
  core_harness h{spec};
  h.start();
  h.crash("a");
  h.crash("b");
  h.run_for(1min);
  EXPECT_THAT(h.listing(), ElementsAre("a running", "b running"));
  EXPECT_EQ(h.incarnation("a"), 3u);
  EXPECT_EQ(h.incarnation("b"), 3u);
}

// BUDGET-4, BUDGET-5
TEST(CoreExhaustion, InitialAttemptPlusTheBudgetThenExhausted_M09) {
  core_harness h{
    tree(one_for_one,
         {worker("a").budget({.restarts_max = 2, .window = infinity},
                             exhaustion_action::stop_child)},
         {.restarts_max = infinity})};
  h.start();
  h.always("a", start_error);
  h.crash("a");
  EXPECT_EQ(h.state("a"), "stopped exhausted");
  EXPECT_EQ(h.count("start a") + h.count("startfail a"), 3u);
}

} // namespace
} // namespace coppice::test
