// This file is part of coppice. License: see LICENSE in the source root.

// How a supervisor and its children come up. Catalogue: group A, B03, K05.

#include "support/core_harness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace coppice::test {
namespace {

using namespace policy;
using testing::ElementsAre;
using testing::IsEmpty;

// START-1
TEST(CoreStart, EmptySupervisorRunsAndEndsCleanly_A01) {
  core_harness h{tree(one_for_one, {})};
  h.start();
  EXPECT_TRUE(h.is_ready());
  EXPECT_THAT(h.counts(), ElementsAre(0, 0, 0, 0));
  EXPECT_EQ(h.answer_to(h.stop()), "ok");
  EXPECT_EQ(h.outcome(), "stopped");
}

// START-4
TEST(CoreStart, DeclinedChildStaysAsStopped_A03) {
  core_harness h{tree(one_for_one, {})};
  h.start();
  h.script("a", {start_ignored});
  const auto a = h.start_child(worker("a"));
  EXPECT_EQ(h.answer_to(a), "declined");
  EXPECT_EQ(h.answer_to(h.start_child(worker("b"))), "ok");
  EXPECT_THAT(h.listing(), ElementsAre("a stopped declined", "b running"));
  EXPECT_THAT(h.counts(), ElementsAre(2, 1, 0, 2));
}

// START-4
TEST(CoreStart, DeclinedTemporaryChildIsDroppedFromTheStaticList_A04) {
  core_harness h{tree(one_for_one, {worker("a").as(temporary), worker("b")})};
  h.script("a", {start_ignored});
  h.start();
  EXPECT_TRUE(h.is_ready());
  EXPECT_THAT(h.listing(), ElementsAre("b running"));
  EXPECT_THAT(h.counts(), ElementsAre(1, 1, 0, 1));
}

// START-4
TEST(CoreStart, DeclinedTemporaryChildIsDroppedAtRuntime_A04) {
  core_harness h{tree(one_for_one, {})};
  h.start();
  h.script("a", {start_ignored});
  EXPECT_EQ(h.answer_to(h.start_child(worker("a").as(temporary))), "declined");
  EXPECT_EQ(h.answer_to(h.start_child(worker("b"))), "ok");
  EXPECT_THAT(h.counts(), ElementsAre(1, 1, 0, 1));
  EXPECT_EQ(h.state("a"), "gone");
}

// START-4
TEST(CoreStart, DeclinedStaticChildStaysAndTheOthersStart) {
  core_harness h{tree(one_for_one, {worker("a"), worker("b")})};
  h.script("a", {start_ignored});
  h.start();
  EXPECT_TRUE(h.is_ready());
  EXPECT_THAT(h.listing(), ElementsAre("a stopped declined", "b running"));
}

// START-4
TEST(CoreStart, DeclinedPoolInstanceIsNeverStored_A05) {
  for (auto type : {temporary, permanent}) {
    core_harness h{tree(simple_one_for_one, {worker("w").as(type)})};
    h.start();
    h.script(core_harness::anyone, {start_ignored});
    EXPECT_EQ(h.answer_to(h.start_instance()), "declined");
    EXPECT_EQ(h.answer_to(h.start_instance()), "ok");
    EXPECT_THAT(h.counts(), ElementsAre(1, 1, 0, 1));
    h.stop();
    EXPECT_EQ(h.outcome(), "stopped");
  }
}

// START-5
TEST(CoreStart, FailedDynamicStartLeavesNoSpecAndCostsNothing_A08) {
  core_harness h{tree(one_for_one, {worker("a")}, {.restarts_max = 0})};
  h.start();
  h.script("b", {start_error, start_dies()});
  EXPECT_EQ(h.answer_to(h.start_child(worker("b"))), "start_failed");
  EXPECT_EQ(h.state("b"), "gone");
  EXPECT_EQ(h.answer_to(h.start_child(worker("b"))), "start_failed");
  EXPECT_THAT(h.listing(), ElementsAre("a running"));
  EXPECT_EQ(h.restarts_in_window(), 0u);
  EXPECT_EQ(h.outcome(), "runs");
}

// START-5
TEST(CoreStart, FailedManualRestartLeavesTheSpecStopped_A09) {
  core_harness h{tree(one_for_one, {worker("w")}, {.restarts_max = 0})};
  h.start();
  h.terminate("w");
  h.script("w", {start_error});
  EXPECT_EQ(h.answer_to(h.restart("w")), "start_failed");
  EXPECT_EQ(h.info("w").state, child_state::stopped);
  EXPECT_EQ(h.restarts_in_window(), 0u);
  h.run_for(1h);
  EXPECT_EQ(h.count("start w"), 1u) << "nobody asked for another attempt";
  EXPECT_EQ(h.answer_to(h.restart("w")), "ok");
}

// START-5
TEST(CoreStart, FailedPoolStartIsNotCounted_A10) {
  core_harness h{tree(simple_one_for_one, {worker("w")}, {.restarts_max = 0})};
  h.start();
  h.script(core_harness::anyone, {start_error, start_dies()});
  EXPECT_EQ(h.answer_to(h.start_instance()), "start_failed");
  EXPECT_EQ(h.answer_to(h.start_instance()), "start_failed");
  EXPECT_THAT(h.counts(), ElementsAre(1, 0, 0, 0));
  EXPECT_EQ(h.outcome(), "runs");
}

// START-2
TEST(CoreStart, FailedStaticStartRollsBackInReverse_A11_A13) {
  core_harness h{
    tree(one_for_one, {worker("a"), worker("b"), worker("c"), worker("d")})};
  h.script("c", {start_error});
  h.start();
  EXPECT_THAT(h.order(), ElementsAre("start a", "start b", "startfail c",
                                     "end b", "end a"));
  ASSERT_EQ(h.outcome(), "start_failed");
  EXPECT_EQ(h.end()->id, "c");
  EXPECT_EQ(h.end()->cause, end_cause::start_failure);
  EXPECT_FALSE(h.is_ready());
  EXPECT_EQ(h.restarts_in_window(), 0u) << "a static start is no restart";
}

// START-2: whatever the type, a static child that fails to start is fatal.
TEST(CoreStart, FailedStaticStartIsFatalForEachType) {
  for (auto type : {permanent, transient, temporary}) {
    core_harness h{tree(one_for_one, {worker("a"), worker("b").as(type)})};
    h.script("b", {start_error});
    h.start();
    EXPECT_EQ(h.outcome(), "start_failed") << to_string(type);
    EXPECT_EQ(h.end()->id, "b");
  }
}

// START-1
TEST(CoreStart, EachWaitsUntilTheOneBeforeIsReady_A12) {
  core_harness h{tree(one_for_one, {worker("a"), worker("b")})};
  h.script("a", {start_slow(1s)});
  h.start();
  EXPECT_EQ(h.count("start b"), 0u);
  h.run_for(1s - 1ns);
  EXPECT_EQ(h.count("start b"), 0u);
  EXPECT_FALSE(h.is_ready());
  h.run_for(1ns);
  EXPECT_THAT(h.journal(),
              ElementsAre("start a#1", "ready a#1", "start b#1", "ready b#1"));
  EXPECT_THAT(h.times("start b"), ElementsAre(1s));
  EXPECT_TRUE(h.is_ready());
}

// START-1, START-2
TEST(CoreStart, ChildThatIsNeverReadyMissesItsDeadline_A15) {
  core_harness h{tree(one_for_one, {worker("a"), worker("b")})};
  h.script("b", {start_never_ready});
  h.start();
  h.run_for(5s - 1ns);
  EXPECT_EQ(h.outcome(), "runs");
  h.run_for(1ns);
  EXPECT_THAT(h.order(), ElementsAre("start a", "start b", "end b", "end a"));
  ASSERT_EQ(h.outcome(), "start_failed");
  EXPECT_EQ(h.end()->id, "b");
  EXPECT_EQ(h.end()->cause, end_cause::start_timeout);
  EXPECT_EQ(h.time_of_end(), 5s);
}

// START-1, START-2, STOP-2
TEST(CoreStart, HalfStartedLifeThatWillNotEndIsAbandoned_A15) {
  core_harness h{
    tree(one_for_one, {worker("a"), worker("b").grace(1s).kills_within(1s)})};
  h.script("b", {start_never_ready});
  h.manners("b", spinning);
  h.start();
  h.run_for(1min);
  EXPECT_EQ(h.outcome(), "start_failed");
  EXPECT_EQ(h.end()->cause, end_cause::start_timeout);
  EXPECT_EQ(h.count("abandon b"), 1u);
  EXPECT_THAT(h.times("end a"), ElementsAre(h.times("abandon b").front()));
}

// START-1, START-5
TEST(CoreStart, DeadlineHoldsAtRuntimeToo_A15) {
  core_harness h{tree(one_for_one, {worker("a")}, {.restarts_max = 0})};
  h.start();
  h.script("b", {start_never_ready});
  const auto ask = h.start_child(worker("b").starts_within(3s));
  h.run_for(3s - 1ns);
  EXPECT_EQ(h.answer_to(ask), "pending");
  h.run_for(1ns);
  EXPECT_EQ(h.answer_to(ask), "start_failed");
  EXPECT_EQ(h.state("b"), "gone");
  EXPECT_EQ(h.restarts_in_window(), 0u);
}

// START-1, BUDGET-2
TEST(CoreStart, MissedDeadlineOfARestartIsAFailedAttempt_A15) {
  core_harness h{tree(one_for_one, {worker("a").starts_within(2s)})};
  h.start();
  h.script("a", {start_never_ready});
  h.crash("a");
  h.run_for(2s);
  EXPECT_THAT(h.times("start a"), ElementsAre(0s, 0s, 2s));
  EXPECT_EQ(h.state("a"), "running");
  EXPECT_EQ(h.restarts_in_window(), 2u);
}

// START-1: an inner supervisor's children have their own deadlines.
TEST(CoreStart, InnerSupervisorHasNoDeadlineByDefault) {
  core_harness h{tree(one_for_one, {inner_supervisor("s")})};
  h.script("s", {start_slow(24h)});
  h.start();
  h.run_for(24h);
  EXPECT_TRUE(h.is_ready());
  EXPECT_THAT(h.counts(), ElementsAre(1, 1, 1, 0));
}

// START-3
TEST(CoreStart, SupervisorAnswersWhileAChildStarts_A16) {
  core_harness h{tree(one_for_one, {worker("a"), worker("b")})};
  h.start();
  h.script("c", {start_slow(2s)});
  const auto ask = h.start_child(worker("c"));
  h.run_for(100ms);
  EXPECT_THAT(h.counts(), ElementsAre(3, 2, 0, 3));
  EXPECT_EQ(h.state("c"), "starting");
  EXPECT_EQ(h.answer_to(h.terminate("a")), "ok");
  EXPECT_EQ(h.answer_to(h.start_child(worker("d"))), "ok");
  h.crash("b");
  EXPECT_EQ(h.state("b"), "running");
  EXPECT_EQ(h.answer_to(ask), "pending");
  h.run_for(2s);
  EXPECT_EQ(h.answer_to(ask), "ok");
  EXPECT_EQ(h.life_in_answer_to(ask), h.life("c"));
}

// START-3: the start of the static children blocks nobody (OTP would make the
// caller wait): one of them may ask for a child that it needs to get ready.
TEST(CoreStart, ChildAddedDuringTheStaticStartIsStartedAtOnce) {
  core_harness h{tree(one_for_one, {worker("a"), worker("b")})};
  h.script("a", {start_slow(1s)});
  h.start();
  h.run_for(500ms);
  EXPECT_EQ(h.answer_to(h.start_child(worker("c"))), "ok");
  EXPECT_FALSE(h.is_ready());
  h.run_for(1s);
  EXPECT_TRUE(h.is_ready());
  EXPECT_THAT(h.order(), ElementsAre("start a", "start c", "start b"));
  h.forget_journal();
  h.stop();
  EXPECT_THAT(h.order(), ElementsAre("end c", "end b", "end a"))
    << "its place is the last all the same";
}

// START-3, RESTART-4
TEST(CoreStart, ChildTerminatedBeforeItsTurnIsNotStarted) {
  core_harness h{tree(one_for_one, {worker("a"), worker("b"), worker("c")})};
  h.script("a", {start_slow(1s)});
  h.start();
  EXPECT_EQ(h.answer_to(h.terminate("b")), "ok");
  h.run_for(2s);
  EXPECT_TRUE(h.is_ready());
  EXPECT_THAT(h.order(), ElementsAre("start a", "start c"));
  EXPECT_EQ(h.state("b"), "stopped operator");
}

// START-3, RESTART-4: an operator's stop is no failed start.
TEST(CoreStart, StaticChildTerminatedWhileItStartsRollsNothingBack) {
  core_harness h{tree(one_for_one, {worker("a"), worker("b"), worker("c")})};
  h.script("b", {start_slow(4s)});
  h.start();
  h.run_for(1s);
  const auto ask = h.terminate("b");
  EXPECT_EQ(h.answer_to(ask), "ok");
  h.run_for(10s);
  EXPECT_TRUE(h.is_ready());
  EXPECT_THAT(h.listing(),
              ElementsAre("a running", "b stopped operator", "c running"));
}

// START-2, STOP-4: asked to stop is not failed.
TEST(CoreStart, StopGetsThroughWhileStarting) {
  core_harness h{tree(one_for_one, {worker("a"), worker("b"), worker("c")})};
  h.script("b", {start_slow(4s)});
  h.start();
  h.run_for(1s);
  EXPECT_EQ(h.answer_to(h.stop()), "ok");
  EXPECT_EQ(h.outcome(), "stopped");
  EXPECT_EQ(h.time_of_end(), 1s);
  EXPECT_THAT(h.order(), ElementsAre("start a", "start b", "end b", "end a"));
}

// START-1, RESTART-2: who is up already is supervised already.
TEST(CoreStart, CrashDuringTheStaticStartIsRestarted) {
  core_harness h{tree(one_for_one, {worker("a"), worker("b")})};
  h.script("b", {start_slow(1s)});
  h.start();
  h.run_for(500ms);
  h.crash("a");
  h.run_for(1s);
  EXPECT_TRUE(h.is_ready());
  EXPECT_EQ(h.incarnation("a"), 2u);
  EXPECT_EQ(h.incarnation("b"), 1u);
}

// START-1, RESTART-2
TEST(CoreStart, CrashDuringTheStaticStartOfAGroupStartsTheGroupAnew) {
  core_harness h{tree(one_for_all, {worker("a"), worker("b"), worker("c")})};
  h.script("b", {start_slow(1s)});
  h.start();
  h.run_for(500ms);
  h.crash("a");
  h.run_for(2s);
  EXPECT_TRUE(h.is_ready());
  EXPECT_THAT(h.order(), ElementsAre("start a", "start b", "end a", "end b",
                                     "start a", "start b", "start c"));
  EXPECT_EQ(h.restarts_in_window(), 1u);
}

// START-1: what is not said has the documented default.
TEST(CoreStart, SpecsCanBeReadBack_A18) {
  core_harness h{tree(one_for_one, {})};
  h.start();
  child_spec plain{.id = "a", .start = [](start_context&) {}};
  h.start_child(plain);
  h.start_child(inner_supervisor("s"));
  h.start_child(worker("k").grace(brutal_kill));
  const auto& a = h.core().spec_of(h.core().find("a"));
  EXPECT_EQ(a.restart, permanent);
  EXPECT_EQ(a.kind(), child_kind::worker);
  EXPECT_EQ(a.effective_shutdown(), stop_grace{5s});
  EXPECT_EQ(a.effective_start_deadline(), time_limit{5s});
  const auto& s = h.core().spec_of(h.core().find("s"));
  EXPECT_EQ(s.effective_shutdown(), stop_grace{infinity});
  EXPECT_EQ(s.effective_start_deadline(), time_limit{infinity});
  const auto& k = h.core().spec_of(h.core().find("k"));
  EXPECT_TRUE(k.effective_shutdown().is_brutal());
  EXPECT_EQ(h.core().find("unknown"), no_child);
}

// START-1
TEST(CoreStart, DeathDuringTheStartIsAFailedStartOnce_K05) {
  core_harness static_one{tree(one_for_one, {worker("a"), worker("b")})};
  static_one.script("b", {start_dies()});
  static_one.start();
  EXPECT_EQ(static_one.outcome(), "start_failed");
  EXPECT_EQ(static_one.end()->id, "b");

  core_harness restarted{tree(one_for_one, {worker("a")})};
  restarted.start();
  restarted.script("a", {start_dies()});
  restarted.crash("a");
  EXPECT_EQ(restarted.state("a"), "running");
  EXPECT_EQ(restarted.incarnation("a"), 3u);
  EXPECT_EQ(restarted.restarts_in_window(), 2u);
}

// START-1, STOP-1
TEST(CoreStart, AllSoundCombinationsStartAndStop_B03) {
  for (auto strategy : {one_for_one, one_for_all, rest_for_one})
    for (auto type : {permanent, transient, temporary})
      for (auto grace : {stop_grace{brutal_kill}, stop_grace{0s},
                         stop_grace{1s}, stop_grace{infinity}})
        for (const auto& made : {worker("a"), inner_supervisor("a")}) {
          auto a = made;
          core_harness h{tree(strategy, {a.as(type).grace(grace)})};
          h.start();
          EXPECT_TRUE(h.is_ready());
          h.stop();
          EXPECT_EQ(h.outcome(), "stopped");
          EXPECT_THAT(h.events(event_kind::abandoned), IsEmpty());
        }
}

} // namespace
} // namespace coppice::test
