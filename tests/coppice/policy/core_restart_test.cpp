// This file is part of coppice. License: see LICENSE in the source root.

// Who comes back after what. Catalogue: group D.

#include "support/core_harness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <type_traits>

namespace coppice::test {
namespace {

using namespace policy;
using testing::ElementsAre;
using testing::IsEmpty;

/// Ends the life of `w` in one of the catalogue's ways.
struct way_to_end {
  const char* name;
  void (*happen)(core_harness&);
};

// At this level a normal end, a shutdown and a shutdown with a note are one
// thing, and so are a typed failure, an exception and a kill; which is which
// is decided where the actor's exit reason is read.
constexpr way_to_end clean_ways[] = {
  {"finish", [](core_harness& h) { h.finish("w"); }},
};
constexpr way_to_end abnormal_ways[] = {
  {"fail", [](core_harness& h) { h.crash("w", "io"); }},
  {"throw", [](core_harness& h) { h.crash("w", "bug"); }},
  {"kill", [](core_harness& h) { h.crash("w", ""); }},
  {"stall", [](core_harness& h) { h.stall("w"); }},
  {"node loss", [](core_harness& h) { h.lose_node_of("w"); }},
};

// RESTART-1
TEST(CoreRestart, PermanentAlwaysComesBack_D01) {
  for (const auto& ways :
       {std::vector(std::begin(clean_ways), std::end(clean_ways)),
        std::vector(std::begin(abnormal_ways), std::end(abnormal_ways))})
    for (const auto& way : ways) {
      SCOPED_TRACE(way.name);
      core_harness h{tree(one_for_one, {worker("w")})};
      h.start();
      way.happen(h);
      EXPECT_EQ(h.incarnation("w"), 2u);
      EXPECT_THAT(h.counts(), ElementsAre(1, 1, 0, 1));
    }
}

// RESTART-1
TEST(CoreRestart, TransientStaysFinishedAfterACleanEnd_D02) {
  for (const auto& way : clean_ways) {
    SCOPED_TRACE(way.name);
    core_harness h{tree(one_for_one, {worker("w").as(transient)})};
    h.start();
    way.happen(h);
    EXPECT_EQ(h.state("w"), "stopped finished");
    EXPECT_THAT(h.counts(), ElementsAre(1, 0, 0, 1));
    EXPECT_EQ(h.answer_to(h.restart("w")), "ok");
    EXPECT_EQ(h.incarnation("w"), 2u);
  }
}

// RESTART-1
TEST(CoreRestart, TransientComesBackAfterAnAbnormalEnd_D03) {
  for (const auto& way : abnormal_ways) {
    SCOPED_TRACE(way.name);
    core_harness h{tree(one_for_one, {worker("w").as(transient)})};
    h.start();
    way.happen(h);
    EXPECT_EQ(h.state("w"), "running");
    EXPECT_EQ(h.incarnation("w"), 2u);
  }
}

// RESTART-1
TEST(CoreRestart, TemporaryIsForgottenAfterAnyEnd_D04) {
  for (const auto& ways :
       {std::vector(std::begin(clean_ways), std::end(clean_ways)),
        std::vector(std::begin(abnormal_ways), std::end(abnormal_ways))})
    for (const auto& way : ways) {
      SCOPED_TRACE(way.name);
      core_harness h{tree(one_for_one, {worker("w").as(temporary)})};
      h.start();
      way.happen(h);
      EXPECT_THAT(h.counts(), ElementsAre(0, 0, 0, 0));
      EXPECT_EQ(h.state("w"), "gone");
      EXPECT_EQ(h.outcome(), "runs");
    }
}

// RESTART-1, BUDGET-1
TEST(CoreRestart, CleanEndOfAPermanentChildSpendsBudget_D05) {
  core_harness h{
    tree(one_for_one, {worker("w")}, {.restarts_max = 0, .window = 60s})};
  h.start();
  h.finish("w");
  ASSERT_EQ(h.outcome(), "gave_up");
  EXPECT_EQ(h.end()->cause, end_cause::clean_end);
}

// RESTART-1, BUDGET-2
TEST(CoreRestart, WhoDoesNotComeBackSpendsNothingAndTouchesNobody_D06) {
  core_harness h{
    tree(one_for_all,
         {worker("a"), worker("t").as(temporary), worker("c").as(transient)},
         {.restarts_max = 0, .window = 60s})};
  h.start();
  h.crash("t");
  h.finish("c");
  EXPECT_EQ(h.outcome(), "runs");
  EXPECT_EQ(h.incarnation("a"), 1u);
  EXPECT_THAT(h.listing(), ElementsAre("a running", "c stopped finished"));
  EXPECT_EQ(h.restarts_in_window(), 0u);
}

// RESTART-2
TEST(CoreRestart, TemporaryBystanderIsStoppedAndForgotten_D07) {
  for (auto strategy : {one_for_all, rest_for_one}) {
    core_harness h{tree(strategy, {worker("p"), worker("t").as(temporary)})};
    h.start();
    h.crash("p");
    EXPECT_THAT(h.order(),
                ElementsAre("start p", "start t", "end p", "end t", "start p"));
    EXPECT_EQ(h.incarnation("p"), 2u);
    EXPECT_EQ(h.state("t"), "gone");
  }
}

// RESTART-1: what will never be started again need not be kept for it.
TEST(CoreRestart, StartArgumentsOfATemporaryChildAreReleased_D08) {
  core_harness h{tree(one_for_one, {})};
  h.start();
  auto payload = std::make_shared<int>(1);
  auto spec = worker("t").as(temporary);
  spec.start = [payload](start_context&) {};
  h.start_child(spec);
  spec.start = {};
  EXPECT_EQ(payload.use_count(), 1);
  h.crash("t");
  EXPECT_EQ(payload.use_count(), 1);
}

// BUDGET-1
TEST(CoreRestart, BudgetIsNotSpentBelowTheLimit_D09) {
  core_harness h{
    tree(one_for_one, {worker("w")}, {.restarts_max = 1, .window = 1s})};
  h.start();
  for (int i = 0; i < 4; ++i) {
    h.crash("w");
    h.run_for(2100ms);
  }
  EXPECT_EQ(h.outcome(), "runs");
  EXPECT_EQ(h.incarnation("w"), 5u);
}

// RESTART-3
TEST(CoreRestart, PermanentFailureStopsTheChildForGood_D11) {
  core_harness h{tree(one_for_one, {worker("a"), worker("b")})};
  h.start();
  h.crash("a", "permanent_failure");
  h.crash("b", "anything else");
  EXPECT_THAT(h.listing(), ElementsAre("a stopped failed", "b running"));
  EXPECT_EQ(h.incarnation("b"), 2u);
  const auto told = h.events(event_kind::stopped);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].id, "a");
  EXPECT_EQ(told[0].what.why, stopped_why::failed);
  h.run_for(1h);
  EXPECT_EQ(h.count("start a"), 1u);
  EXPECT_EQ(h.answer_to(h.restart("a")), "ok") << "an operator may";
}

// RESTART-3, BUDGET-2: what is not restarted costs nothing.
TEST(CoreRestart, PermanentFailureCostsNothingAndTouchesNobody_D11) {
  core_harness h{
    tree(one_for_all, {worker("a"), worker("b")}, {.restarts_max = 0})};
  h.start();
  h.crash("a", "permanent_failure");
  EXPECT_EQ(h.outcome(), "runs");
  EXPECT_EQ(h.incarnation("b"), 1u);
  EXPECT_EQ(h.restarts_in_window(), 0u);
}

// RESTART-3
TEST(CoreRestart, RulesOfTheSpecDecideByClass_D11) {
  core_harness h{
    tree(one_for_one, {worker("a")
                         .rule("permanent_failure", failure_action::restart)
                         .rule("config", failure_action::stop),
                       worker("b").rule("corrupt", failure_action::escalate)})};
  h.start();
  h.crash("a", "permanent_failure");
  EXPECT_EQ(h.state("a"), "running") << "the rule wins over the default";
  h.crash("a", "config");
  EXPECT_EQ(h.state("a"), "stopped failed");
  h.crash("b", "other");
  EXPECT_EQ(h.state("b"), "running");
  h.crash("b", "corrupt");
  ASSERT_EQ(h.outcome(), "gave_up");
  EXPECT_EQ(h.end()->id, "b");
  EXPECT_EQ(h.end()->incarnation, 2u);
}

// RESTART-3: also where the failure comes from a start.
TEST(CoreRestart, FailedStartCanAskNotToBeRetried_D11) {
  core_harness h{tree(one_for_one, {worker("a")})};
  h.start();
  h.script("a", {{start_step::kind::failed,
                  0s,
                  {end_cause::start_failure, "permanent_failure"}}});
  h.crash("a");
  EXPECT_EQ(h.state("a"), "stopped failed");
  EXPECT_EQ(h.outcome(), "runs");
}

// RESTART-3, RESTART-4: "the child stays stopped", a group restart included.
TEST(CoreRestart, GroupRestartDoesNotReviveWhatFailedForGood) {
  core_harness h{tree(one_for_all, {worker("a"), worker("b")})};
  h.start();
  h.crash("a", "permanent_failure");
  h.crash("b");
  EXPECT_THAT(h.listing(), ElementsAre("a stopped failed", "b running"));
}

// RESTART-4
TEST(CoreRestart, FinishedTransientMemberStaysFinished) {
  core_harness h{tree(one_for_all, {worker("a"), worker("r").as(transient)})};
  h.start();
  h.finish("r");
  h.crash("a");
  EXPECT_THAT(h.listing(), ElementsAre("a running", "r stopped finished"));
}

// RESTART-4
TEST(CoreRestart, FinishedTransientMemberComesBackWithReviveAll) {
  for (auto strategy : {one_for_all, rest_for_one}) {
    auto spec = tree(strategy, {worker("a"), worker("r").as(transient)});
    spec.revive = revive_mode::all;
    core_harness h{spec};
    h.start();
    h.finish("r");
    h.crash("a");
    EXPECT_THAT(h.listing(), ElementsAre("a running", "r running"));
  }
}

// RESTART-2, RESTART-4: stopped for a sibling's sake is not finished.
TEST(CoreRestart, RunningTransientMemberComesBackWithItsGroup) {
  core_harness h{tree(one_for_all, {worker("a"), worker("r").as(transient)})};
  h.start();
  h.crash("a");
  EXPECT_EQ(h.incarnation("r"), 2u);
  EXPECT_EQ(h.state("r"), "running");
}

// BUDGET-6: an inner supervisor that gave up did not finish.
TEST(CoreRestart, TransientInnerSupervisorThatGaveUpComesBack) {
  core_harness h{tree(one_for_one, {inner_supervisor("s").as(transient)})};
  h.start();
  h.crash("s", "gave_up");
  EXPECT_EQ(h.state("s"), "running");
  EXPECT_EQ(h.incarnation("s"), 2u);
  h.finish("s");
  EXPECT_EQ(h.state("s"), "stopped finished");
}

// RESTART-1: an end that is no failure is not reported as one.
TEST(CoreRestart, CleanEndOfATransientChildIsNoFailureEvent) {
  core_harness h{tree(one_for_one, {worker("r").as(transient)})};
  h.start();
  h.finish("r");
  EXPECT_THAT(h.events(event_kind::failed), IsEmpty());
  ASSERT_EQ(h.events(event_kind::stopped).size(), 1u);
  EXPECT_EQ(h.events(event_kind::stopped)[0].what.why, stopped_why::finished);
}

// RESTART-1: a temporary child's failure is told, once.
TEST(CoreRestart, FailureOfATemporaryChildIsReportedOnce) {
  core_harness h{tree(one_for_one, {worker("t").as(temporary)})};
  h.start();
  h.crash("t");
  EXPECT_EQ(h.events(event_kind::failed).size(), 1u);
}

} // namespace
} // namespace coppice::test
