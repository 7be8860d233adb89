// This file is part of coppice. License: see LICENSE in the source root.

// When a supervisor gives up. Catalogue: group F, B10. What is done instead
// of giving up: core_exhaustion_test.cpp.

#include "support/core_harness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <type_traits>

namespace coppice::test {
namespace {

using namespace policy;
using testing::ElementsAre;
using testing::IsEmpty;

// BUDGET-1
TEST(CoreBudget, LimitIsExact_F01) {
  core_harness h{tree(one_for_one, {worker("a"), worker("b")},
                      {.restarts_max = 2, .window = 60s})};
  h.start();
  h.crash("a");
  h.crash("b");
  EXPECT_EQ(h.outcome(), "runs");
  h.forget_journal();
  h.crash("a");
  EXPECT_EQ(h.outcome(), "gave_up");
  EXPECT_THAT(h.order(), ElementsAre("end a", "end b"));
  h.run_for(1h);
  EXPECT_EQ(h.count("start a"), 0u) << "nothing starts after the end";
}

// BUDGET-1, STOP-1
TEST(CoreBudget, TheOthersAreStoppedInReverseOnGivingUp_F01) {
  core_harness h{tree(one_for_one,
                      {worker("a"), worker("b"), worker("c"), worker("d")},
                      {.restarts_max = 0, .window = 60s})};
  h.start();
  h.forget_journal();
  h.crash("b");
  EXPECT_THAT(h.order(), ElementsAre("end b", "end d", "end c", "end a"));
}

// BUDGET-1
TEST(CoreBudget, ZeroMakesTheFirstFailureOneTooMany_F02) {
  core_harness h{
    tree(one_for_one, {worker("a")}, {.restarts_max = 0, .window = 60s})};
  h.start();
  h.crash("a");
  EXPECT_EQ(h.outcome(), "gave_up");
}

// BUDGET-1
TEST(CoreBudget, EntryExactlyAsOldAsTheWindowStillCounts_F03) {
  struct expected {
    duration apart;
    const char* outcome;
  };
  for (const auto& x : {expected{1s - 1ns, "gave_up"}, expected{1s, "gave_up"},
                        expected{1s + 1ns, "runs"}}) {
    core_harness h{
      tree(one_for_one, {worker("a")}, {.restarts_max = 1, .window = 1s})};
    h.start();
    h.run_for(5s);
    h.crash("a");
    h.run_for(x.apart);
    h.crash("a");
    EXPECT_EQ(h.outcome(), x.outcome) << to_string(x.apart);
  }
}

// BUDGET-1
TEST(CoreBudget, WindowSlides_F04) {
  core_harness h{
    tree(one_for_one, {worker("a")}, {.restarts_max = 2, .window = 10s})};
  h.start();
  h.crash("a");
  h.run_for(9s);
  h.crash("a");
  h.run_for(2s);
  h.crash("a");
  EXPECT_EQ(h.outcome(), "runs");
  h.run_for(1s);
  h.crash("a");
  EXPECT_EQ(h.outcome(), "gave_up") << "9, 11 and 12 s lie within 10 s";
}

// BUDGET-1
TEST(CoreBudget, HugeWindowsDoNotOverflow_F05) {
  for (auto window : {time_limit{24h * 30}, time_limit{duration::max()},
                      time_limit{infinity}}) {
    core_harness h{
      tree(one_for_one, {worker("a")}, {.restarts_max = 2, .window = window})};
    h.start();
    h.crash("a");
    h.run_for(24h * 15);
    h.crash("a");
    EXPECT_EQ(h.outcome(), "runs");
    h.run_for(24h * 15);
    h.crash("a");
    EXPECT_EQ(h.outcome(), "gave_up") << to_string(window);
  }
}

// BUDGET-2, RESTART-6
TEST(CoreBudget, FailedRetriesCountToo_F06) {
  for (auto strategy : {one_for_one, one_for_all, rest_for_one}) {
    core_harness h{tree(strategy, {worker("a"), worker("b")},
                        {.restarts_max = 4, .window = 60s})};
    h.start();
    h.always("a", start_error);
    h.crash("a");
    ASSERT_EQ(h.outcome(), "gave_up") << to_string(strategy);
    EXPECT_EQ(h.count("startfail a"), 4u);
    EXPECT_EQ(h.end()->attempts, 5u);
    EXPECT_EQ(h.end()->cause, end_cause::start_failure);
    EXPECT_EQ(h.count("kill b"), 0u);
    EXPECT_EQ(h.count("start b"), h.count("end b"));
  }
}

// BUDGET-2
TEST(CoreBudget, FailedRetriesCountToo_F07) {
  core_harness h{tree(simple_one_for_one, {worker("w")},
                      {.restarts_max = 4, .window = 60s})};
  h.start();
  h.start_instance();
  h.start_instance();
  const auto id = h.core().listing(h.now()).at(0).id;
  h.always(id, start_error);
  h.crash(id);
  ASSERT_EQ(h.outcome(), "gave_up");
  EXPECT_EQ(h.count("startfail " + id), 4u);
}

// BUDGET-6
TEST(CoreBudget, EndNamesWhoAndHowOften_F08) {
  core_harness h{tree(one_for_one, {worker("a"), worker("b")},
                      {.restarts_max = 2, .window = 60s})};
  h.start();
  h.crash("b");
  h.crash("a");
  const auto last = h.life("a");
  h.stall("a");
  ASSERT_EQ(h.outcome(), "gave_up");
  EXPECT_EQ(h.end()->id, "a");
  EXPECT_EQ(h.end()->life, last);
  EXPECT_EQ(h.end()->incarnation, 2u);
  EXPECT_EQ(h.end()->cause, end_cause::stall);
  EXPECT_EQ(h.end()->attempts, 3u);
  ASSERT_EQ(h.events(event_kind::gave_up).size(), 1u);
  EXPECT_EQ(h.events(event_kind::gave_up)[0].id, "a");
}

/// A tree of two levels: how often does a leaf start that always crashes?
std::size_t starts_of_a_leaf(std::uint64_t outer_max, std::uint64_t inner_max) {
  core_harness outer{tree(one_for_one, {inner_supervisor("s")},
                          {.restarts_max = outer_max, .window = 60s})};
  outer.start();
  std::size_t result = 0;
  while (!outer.end()) {
    core_harness inner{tree(one_for_one, {worker("leaf")},
                            {.restarts_max = inner_max, .window = 60s})};
    inner.start();
    while (!inner.end())
      inner.crash("leaf");
    result += inner.count("start leaf");
    EXPECT_EQ(inner.outcome(), "gave_up");
    outer.crash("s", "gave_up");
  }
  return result;
}

// BUDGET-1, BUDGET-6: budgets multiply per level.
TEST(CoreBudget, NestedBudgetsMultiply_B10) {
  EXPECT_EQ(starts_of_a_leaf(1, 1), 4u);
  EXPECT_EQ(starts_of_a_leaf(2, 2), 9u);
  EXPECT_EQ(starts_of_a_leaf(3, 10), 44u);
  EXPECT_EQ(starts_of_a_leaf(10, 10), 121u);
}

// BUDGET-1: a total that never falls, a window that slides.
TEST(CoreBudget, ListingSaysTotalAndWindow_F14) {
  core_harness h{tree(one_for_one,
                      {worker("a").budget({.restarts_max = 9, .window = 10s},
                                          exhaustion_action::escalate)},
                      {.restarts_max = 9, .window = 20s})};
  h.start();
  h.crash("a");
  h.crash("a");
  EXPECT_EQ(h.info("a").restarts_total, 2u);
  EXPECT_EQ(h.info("a").restarts_in_window, 2u);
  h.run_for(15s);
  h.crash("a");
  EXPECT_EQ(h.info("a").restarts_total, 3u);
  EXPECT_EQ(h.info("a").restarts_in_window, 1u);
  EXPECT_EQ(h.restarts_in_window(), 3u);
  h.run_for(1h);
  EXPECT_EQ(h.info("a").restarts_total, 3u);
  EXPECT_EQ(h.info("a").restarts_in_window, 0u);
  EXPECT_EQ(h.restarts_in_window(), 0u);
}

// BUDGET-1: only the steady clock can be told to the core at all.
static_assert(std::is_same_v<time_point::clock, std::chrono::steady_clock>);

// BUDGET-1: F18, as far as values go: time that seems to go back is not
// believed, and moves nothing.
TEST(CoreBudget, TimeThatSeemsToGoBackMovesNothing_F18) {
  core_harness h{
    tree(one_for_one, {worker("a")}, {.restarts_max = 1, .window = 60s})};
  h.start();
  h.run_for(2h);
  h.crash("a");
  const auto life = h.life("a");
  h.tell([&](auto now) { return h.core().on_healthy(life, now - 1h); });
  h.run_for(30s);
  h.crash("a");
  EXPECT_EQ(h.outcome(), "gave_up");
}

// BUDGET-1: a budget that is raised keeps what was spent.
TEST(CoreBudget, RaisedBudgetAllowsTheDifference_F17) {
  restart_budget budget{{.restarts_max = 1, .window = 60s}};
  EXPECT_TRUE(budget.spend(time_point{}));
  budget.change({.restarts_max = 3, .window = 60s});
  EXPECT_TRUE(budget.spend(time_point{} + 1s));
  EXPECT_TRUE(budget.spend(time_point{} + 2s));
  EXPECT_FALSE(budget.spend(time_point{} + 3s));
}

// -- BUDGET-3: the immortal child (otp#4648) ---------------------------------

core_harness& with_slow_sibling(core_harness& h) {
  h.manners("b", slow_stop(2300ms));
  h.start();
  return h;
}

policy::supervisor_spec immortal(std::uint64_t restarts_max) {
  return tree(one_for_all, {worker("a"), worker("b")},
              {.restarts_max = restarts_max, .window = 1s});
}

// BUDGET-3
TEST(CoreBudget, SlowSiblingDoesNotMakeACrashLoopImmortal) {
  core_harness h{immortal(1)};
  with_slow_sibling(h);
  h.crash("a");
  h.run_for(2300ms);
  ASSERT_EQ(h.state("a"), "running");
  h.crash("a");
  h.run_for(1min);
  EXPECT_EQ(h.outcome(), "gave_up");
}

// BUDGET-3, BUDGET-1: to the nanosecond, in the time that is left.
TEST(CoreBudget, TimeSpentStoppingDoesNotAgeTheWindow) {
  struct expected {
    duration apart;
    const char* outcome;
  };
  for (const auto& x : {expected{1s, "gave_up"}, expected{1s + 1ns, "runs"}}) {
    core_harness h{immortal(1)};
    with_slow_sibling(h);
    h.crash("a");
    h.run_for(2300ms + x.apart);
    h.crash("a");
    h.run_for(1min);
    EXPECT_EQ(h.outcome(), x.outcome) << to_string(x.apart);
  }
}

// BUDGET-3: reports tell the same time as verdicts.
TEST(CoreBudget, ListingDoesNotAgeTheWindowEither) {
  auto spec = immortal(5);
  spec.children[0].limits = {.restarts_max = 5, .window = 1s};
  core_harness h{spec};
  with_slow_sibling(h);
  h.crash("a");
  h.run_for(2s);
  ASSERT_EQ(h.state("b"), "stopping");
  EXPECT_EQ(h.restarts_in_window(), 1u);
  EXPECT_EQ(h.info("a").restarts_in_window, 1u);
  h.run_for(300ms + 1s);
  EXPECT_EQ(h.restarts_in_window(), 1u);
  EXPECT_EQ(h.info("a").restarts_in_window, 1u);
  h.run_for(1ns);
  EXPECT_EQ(h.restarts_in_window(), 0u);
  EXPECT_EQ(h.info("a").restarts_in_window, 0u);
}

// BUDGET-3: ages are measured from the failure, also where its restart had
// to wait for the backoff.
TEST(CoreBudget, AgeCountsFromTheFailureNotFromTheRestart) {
  core_harness h{
    tree(one_for_one,
         {worker("a").backs_off(
           {.first = 900ms, .factor = 1, .jitter = jitter_kind::none})},
         {.restarts_max = 1, .window = 1s})};
  h.start();
  h.crash("a");
  h.run_for(1s + 1ns);
  ASSERT_EQ(h.state("a"), "running");
  h.crash("a");
  EXPECT_EQ(h.outcome(), "runs");
}

// BUDGET-3: a stalled life that takes long to end does not age it either.
TEST(CoreBudget, TimeSpentOnAStalledLifeDoesNotAgeTheWindow) {
  core_harness h{tree(one_for_one, {worker("a").grace(5s)},
                      {.restarts_max = 1, .window = 1s})};
  h.manners("a", slow_stop(3s));
  h.start();
  h.stall("a");
  h.run_for(3s);
  ASSERT_EQ(h.incarnation("a"), 2u);
  h.stall("a");
  h.run_for(1min);
  EXPECT_EQ(h.outcome(), "gave_up");
}

// BUDGET-3: but what an operator stops, ages it: that is not the loop's doing.
TEST(CoreBudget, TimeOfAnOperatorsStopAgesTheWindow) {
  core_harness h{tree(one_for_one, {worker("a"), worker("b")},
                      {.restarts_max = 1, .window = 1s})};
  h.manners("b", slow_stop(3s));
  h.start();
  h.crash("a");
  h.terminate("b");
  h.run_for(2s);
  h.crash("a");
  EXPECT_EQ(h.outcome(), "runs");
}

// -- BUDGET-4: weights -------------------------------------------------------

// BUDGET-4
TEST(CoreBudget, NodeLossIsFreeByDefault_F15) {
  core_harness h{
    tree(one_for_one, {worker("a")}, {.restarts_max = 1, .window = 1h})};
  h.start();
  for (int i = 0; i < 50; ++i)
    h.lose_node_of("a");
  EXPECT_EQ(h.outcome(), "runs");
  EXPECT_EQ(h.incarnation("a"), 51u);
  EXPECT_EQ(h.restarts_in_window(), 0u);
  h.crash("a");
  EXPECT_EQ(h.outcome(), "runs");
  h.crash("a");
  EXPECT_EQ(h.outcome(), "gave_up");
}

// BUDGET-4
TEST(CoreBudget, EachCauseHasItsWeight_F15) {
  auto spec = tree(one_for_one, {worker("a")},
                   {.restarts_max = 100, .window = 1h});
  spec.weights = {
    .crash = 1, .stall = 2, .start_failure = 3, .node_loss = 4, .clean_end = 5};
  core_harness h{spec};
  h.start();
  h.crash("a");
  EXPECT_EQ(h.restarts_in_window(), 1u);
  h.stall("a");
  EXPECT_EQ(h.restarts_in_window(), 3u);
  h.lose_node_of("a");
  EXPECT_EQ(h.restarts_in_window(), 7u);
  h.finish("a");
  EXPECT_EQ(h.restarts_in_window(), 12u);
  h.script("a", {start_error});
  h.crash("a");
  EXPECT_EQ(h.restarts_in_window(), 16u) << "a crash and a failed start";
  h.script("a", {start_never_ready});
  h.crash("a");
  h.run_for(5s);
  EXPECT_EQ(h.restarts_in_window(), 20u) << "a missed deadline is one, too";
}

} // namespace
} // namespace coppice::test
