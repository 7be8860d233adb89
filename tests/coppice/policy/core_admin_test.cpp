// This file is part of coppice. License: see LICENSE in the source root.

// What an operator can ask of a supervisor. Catalogue: group C, K04.

#include "support/core_harness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace coppice::test {
namespace {

using namespace policy;
using testing::ElementsAre;
using testing::IsEmpty;

// START-5
TEST(CoreAdmin, FullCycle_C01) {
  core_harness h{tree(one_for_one, {worker("w")})};
  h.start();
  const auto again = h.start_child(worker("w"));
  EXPECT_EQ(h.answer_to(again), "already_started");
  EXPECT_EQ(h.life_in_answer_to(again), h.life("w"));
  EXPECT_EQ(h.answer_to(h.terminate("unknown")), "not_found");
  EXPECT_EQ(h.answer_to(h.terminate("w")), "ok");
  EXPECT_EQ(h.answer_to(h.terminate("w")), "ok");
  EXPECT_EQ(h.answer_to(h.remove("w")), "ok");
  EXPECT_EQ(h.answer_to(h.remove("w")), "not_found");
  EXPECT_EQ(h.answer_to(h.restart("w")), "not_found");

  EXPECT_EQ(h.answer_to(h.start_child(worker("w"))), "ok");
  EXPECT_EQ(h.answer_to(h.terminate("w")), "ok");
  EXPECT_EQ(h.answer_to(h.start_child(worker("w"))), "already_present");
  const auto restarted = h.restart("w");
  EXPECT_EQ(h.answer_to(restarted), "ok");
  EXPECT_EQ(h.life_in_answer_to(restarted), h.life("w"));
  EXPECT_EQ(h.answer_to(h.restart("w")), "running");
  EXPECT_EQ(h.answer_to(h.remove("w")), "running");
  h.terminate("w");
  EXPECT_EQ(h.answer_to(h.remove("w")), "ok");
  EXPECT_THAT(h.listing(), IsEmpty());
  EXPECT_THAT(h.counts(), ElementsAre(0, 0, 0, 0));
}

// "Words": an incarnation is never used twice under one path. The harness
// checks it at each start; here the id itself is gone in between.
TEST(CoreAdmin, IncarnationsGoOnAfterTheSpecWasDeleted) {
  core_harness h{tree(one_for_one, {worker("w")})};
  h.start();
  h.terminate("w");
  h.remove("w");
  h.start_child(worker("w"));
  EXPECT_EQ(h.incarnation("w"), 2u);
}

// START-3
TEST(CoreAdmin, EveryCommandIsAnsweredAfterTheEnd_C03) {
  core_harness h{tree(one_for_one, {worker("a")})};
  h.start();
  h.stop();
  ASSERT_EQ(h.outcome(), "stopped");
  EXPECT_EQ(h.answer_to(h.start_child(worker("b"))), "shutting_down");
  for (auto ask :
       {h.terminate("a"), h.restart("a"), h.remove("a"), h.retry_now("a")})
    EXPECT_THAT(h.answer_to(ask), testing::AnyOf("shutting_down", "not_found"));
  EXPECT_EQ(h.answer_to(h.stop()), "ok") << "it is stopped";
}

// START-3, STOP-4
TEST(CoreAdmin, EveryCommandIsAnsweredWhileEnding_C03) {
  core_harness h{tree(one_for_one, {worker("a"), worker("b")})};
  h.manners("b", slow_stop(2s));
  h.start();
  const auto stopped = h.stop();
  h.run_for(1s);
  EXPECT_EQ(h.answer_to(h.start_child(worker("c"))), "shutting_down");
  EXPECT_EQ(h.answer_to(h.restart("a")), "shutting_down");
  EXPECT_EQ(h.answer_to(h.remove("a")), "shutting_down");
  h.terminate("b");
  h.run_for(10s);
  EXPECT_EQ(h.answer_to(stopped), "ok");
  EXPECT_EQ(h.outcome(), "stopped") << "nobody is left without an answer";
}

// STOP-4: who asks to start something while it ends is told so.
TEST(CoreAdmin, StartThatWasPendingIsAnswered) {
  core_harness h{tree(one_for_one, {worker("a")})};
  h.start();
  h.script("b", {start_slow(4s)});
  const auto ask = h.start_child(worker("b"));
  h.run_for(1s);
  h.stop();
  EXPECT_EQ(h.answer_to(ask), "shutting_down");
}

// BUDGET-2
TEST(CoreAdmin, ManualCyclesCostNothing_C05) {
  core_harness h{
    tree(one_for_one, {worker("w")}, {.restarts_max = 0, .window = 60s})};
  h.start();
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(h.answer_to(h.terminate("w")), "ok");
    EXPECT_EQ(h.answer_to(h.restart("w")), "ok");
  }
  EXPECT_EQ(h.outcome(), "runs");
  EXPECT_EQ(h.incarnation("w"), 21u);
  EXPECT_EQ(h.restarts_in_window(), 0u);
  EXPECT_EQ(h.info("w").restarts_total, 0u);
}

// STOP-1
TEST(CoreAdmin, RestartedChildKeepsItsPlaceAndANewOneComesLast_C06) {
  core_harness h{tree(one_for_one, {worker("a"), worker("b"), worker("c")})};
  h.start();
  h.terminate("a");
  h.restart("a");
  h.terminate("b");
  h.remove("b");
  h.start_child(worker("b"));
  h.forget_journal();
  h.stop();
  EXPECT_THAT(h.order(), ElementsAre("end b", "end c", "end a"));
}

// RESTART-1
TEST(CoreAdmin, TemporaryChildIsForgottenWhenTerminated_C07) {
  core_harness h{tree(one_for_one, {worker("t").as(temporary)})};
  h.start();
  EXPECT_EQ(h.answer_to(h.terminate("t")), "ok");
  EXPECT_EQ(h.answer_to(h.restart("t")), "not_found");
  EXPECT_EQ(h.answer_to(h.remove("t")), "not_found");
  EXPECT_EQ(h.answer_to(h.start_child(worker("t").as(temporary))), "ok");
}

// STOP-1
TEST(CoreAdmin, TerminateIsAnsweredWhenTheLifeIsOver_C08) {
  core_harness h{tree(one_for_one, {worker("w")})};
  h.manners("w", slow_stop(1s));
  h.start();
  const auto ask = h.terminate("w");
  h.run_for(1s - 1ns);
  EXPECT_EQ(h.answer_to(ask), "pending");
  EXPECT_EQ(h.state("w"), "stopping");
  h.run_for(1ns);
  EXPECT_EQ(h.answer_to(ask), "ok");
  EXPECT_EQ(h.time_of_answer_to(ask), 1s);
}

// STOP-4
TEST(CoreAdmin, TwoOperatorsWhoTerminateBothGetAnAnswer) {
  core_harness h{tree(one_for_one, {worker("w")})};
  h.manners("w", slow_stop(1s));
  h.start();
  const auto first = h.terminate("w");
  h.run_for(500ms);
  const auto second = h.terminate("w");
  h.run_for(500ms);
  EXPECT_EQ(h.answer_to(first), "ok");
  EXPECT_EQ(h.answer_to(second), "ok");
  EXPECT_EQ(h.count("stop w"), 1u);
}

// START-3
TEST(CoreAdmin, OneOfManyWhoStartTheSameIdWins_C09) {
  core_harness h{tree(one_for_one, {})};
  h.start();
  h.script("w", {start_slow(1s)});
  std::vector<core_harness::token> asked;
  for (int i = 0; i < 100; ++i)
    asked.push_back(h.start_child(worker("w")));
  h.run_for(1s);
  EXPECT_EQ(h.answer_to(asked.front()), "ok");
  for (auto i = asked.begin() + 1; i != asked.end(); ++i) {
    EXPECT_EQ(h.answer_to(*i), "already_started");
    EXPECT_EQ(h.life_in_answer_to(*i), h.life("w"));
  }
  EXPECT_EQ(h.count("start w"), 1u);
}

// START-3, STOP-2
TEST(CoreAdmin, TerminateWhileStarting_C10) {
  core_harness h{tree(one_for_one, {})};
  h.start();
  h.script("w", {start_slow(5s)});
  const auto started = h.start_child(worker("w").starts_within(10s));
  h.run_for(1s);
  const auto ask = h.terminate("w");
  EXPECT_EQ(h.answer_to(ask), "ok");
  EXPECT_EQ(h.time_of_answer_to(ask), 1s);
  EXPECT_EQ(h.answer_to(started), "superseded");
  h.run_for(1min);
  EXPECT_EQ(h.state("w"), "stopped operator");
  EXPECT_THAT(h.counts(), ElementsAre(1, 0, 0, 1));
  EXPECT_EQ(h.answer_to(h.restart("w")), "ok");
}

// START-3, STOP-2
TEST(CoreAdmin, ReadyThatComesTooLateIsDiscarded_C10) {
  core_harness h{tree(one_for_one, {})};
  h.start();
  h.script("w", {start_slow(2s)});
  h.manners("w", slow_stop(4s));
  h.start_child(worker("w"));
  h.run_for(1s);
  const auto ask = h.terminate("w");
  h.run_for(2s);
  EXPECT_EQ(h.count("ready w"), 1u);
  EXPECT_EQ(h.state("w"), "stopping") << "it said ready, and it was too late";
  EXPECT_THAT(h.counts(), ElementsAre(1, 0, 0, 1));
  h.run_for(2s);
  EXPECT_EQ(h.answer_to(ask), "ok");
  EXPECT_EQ(h.state("w"), "stopped operator");
}

// RESTART-4
TEST(CoreAdmin, OperatorsStopIsSticky_C11) {
  for (auto strategy : {one_for_all, rest_for_one}) {
    core_harness h{tree(strategy, {worker("a"), worker("b"), worker("c")})};
    h.start();
    h.terminate("c");
    h.crash("a");
    EXPECT_THAT(h.listing(),
                ElementsAre("a running", "b running", "c stopped operator"));
    EXPECT_EQ(h.incarnation("b"), 2u);
    EXPECT_EQ(h.incarnation("c"), 1u);
  }
}

// RESTART-4
TEST(CoreAdmin, OperatorsStopIsUndoneByTheGroupWithReviveAll_C11) {
  for (auto strategy : {one_for_all, rest_for_one}) {
    auto spec = tree(strategy, {worker("a"), worker("b"), worker("c")});
    spec.revive = revive_mode::all;
    core_harness h{spec};
    h.start();
    h.terminate("c");
    h.crash("a");
    EXPECT_THAT(h.listing(),
                ElementsAre("a running", "b running", "c running"));
    EXPECT_EQ(h.incarnation("c"), 2u);
  }
}

// RESTART-4, START-5: a manual restart that failed was still the operator's
// business; nobody but an operator tries again.
TEST(CoreAdmin, GroupRestartDoesNotRetryAFailedManualRestart) {
  core_harness h{tree(one_for_all, {worker("a"), worker("b")})};
  h.start();
  h.terminate("b");
  h.script("b", {start_error});
  EXPECT_EQ(h.answer_to(h.restart("b")), "start_failed");
  h.crash("a");
  EXPECT_EQ(h.state("a"), "running");
  EXPECT_EQ(h.info("b").state, child_state::stopped);
}

// STOP-2
TEST(CoreAdmin, NewsOfAnEarlierLifeIsIgnored_K04) {
  core_harness h{tree(one_for_all, {worker("a"), worker("b")})};
  h.start();
  const auto old = h.life("a");
  h.crash("a");
  ASSERT_NE(h.life("a"), old);
  h.tell([&](auto now) { return h.core().on_ready(old, now); });
  h.tell([&](auto now) { return h.core().on_stalled(old, now); });
  h.tell([&](auto now) { return h.core().on_healthy(old, now); });
  EXPECT_EQ(h.events(event_kind::late_news).size(), 3u);
  EXPECT_EQ(h.incarnation("a"), 2u);
  EXPECT_EQ(h.incarnation("b"), 2u);
  EXPECT_EQ(h.state("a"), "running");
  EXPECT_EQ(h.restarts_in_window(), 1u);
}

// STOP-2
TEST(CoreAdmin, DeathOfAnAbandonedLifeIsNotItsSuccessors_K04) {
  core_harness h{tree(one_for_one, {worker("a").grace(1s).kills_within(1s)})};
  h.start();
  h.manners("a", spinning);
  h.stall("a");
  h.run_for(2s);
  ASSERT_EQ(h.incarnation("a"), 2u);
  h.release("a");
  EXPECT_EQ(h.incarnation("a"), 3u) << "life 2 was released as well";
  EXPECT_EQ(h.restarts_in_window(), 2u) << "one stall, one crash";
}

// STOP-2
TEST(CoreAdmin, KeyOfAForgottenChildIsNotConfusedWithItsAbandonedLife_K04) {
  core_harness h{tree(one_for_one, {worker("t").as(temporary).grace(1s)})};
  h.start();
  h.manners("t", spinning);
  const auto old = h.life("t");
  h.terminate("t");
  h.run_for(2s);
  EXPECT_EQ(h.state("t"), "gone");
  h.start_child(worker("n"));
  h.tell([&](auto now) { return h.core().on_stalled(old, now); });
  h.release("t");
  EXPECT_EQ(h.state("n"), "running");
  EXPECT_EQ(h.incarnation("n"), 1u);
  EXPECT_THAT(h.core().abandoned(), IsEmpty());
}

// START-3, START-5: a group restart may take a command's start over; it is
// answered all the same, and if it fails then, it is the command that failed.
TEST(CoreAdmin, StartThatAGroupRestartTookOverIsAnsweredWhenItFails) {
  core_harness h{tree(one_for_all, {worker("a")})};
  h.start();
  h.script("c", {start_slow(2s), start_error});
  const auto ask = h.start_child(worker("c"));
  h.run_for(1s);
  h.crash("a");
  EXPECT_EQ(h.answer_to(ask), "start_failed");
  EXPECT_EQ(h.state("c"), "gone");
  EXPECT_EQ(h.state("a"), "running");
  EXPECT_EQ(h.restarts_in_window(), 1u);
}

// START-3
TEST(CoreAdmin, StartThatAGroupRestartTookOverIsAnsweredWhenReady) {
  core_harness h{tree(one_for_all, {worker("a")})};
  h.start();
  h.script("c", {start_slow(2s)});
  const auto ask = h.start_child(worker("c"));
  h.run_for(1s);
  h.crash("a");
  EXPECT_EQ(h.answer_to(ask), "ok");
  EXPECT_EQ(h.life_in_answer_to(ask), h.life("c"));
  EXPECT_EQ(h.incarnation("c"), 2u);
}

// START-3: the group restart never gets that far.
TEST(CoreAdmin, StartThatWaitsBehindAFailedSiblingIsAnsweredOnTerminate) {
  core_harness h{
    tree(one_for_all,
         {worker("a"),
          worker("b").backs_off(
            {.first = 1min, .cap = 1min, .jitter = jitter_kind::none})})};
  h.start();
  h.script("b", {start_error});
  h.script("c", {start_slow(2s)});
  const auto ask = h.start_child(worker("c"));
  h.run_for(1s);
  h.crash("a");
  ASSERT_EQ(h.state("b"), "backoff");
  ASSERT_EQ(h.state("c"), "stopped group");
  EXPECT_EQ(h.answer_to(h.terminate("c")), "ok");
  EXPECT_EQ(h.answer_to(ask), "superseded");
}

} // namespace
} // namespace coppice::test
