// This file is part of coppice. License: see LICENSE in the source root.

// How children and supervisors end. Catalogue: group H.

#include "support/core_harness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace coppice::test {
namespace {

using namespace policy;
using testing::ElementsAre;
using testing::IsEmpty;

// STOP-1
TEST(CoreStop, InfiniteGraceWaits_H01) {
  for (const auto& made : {worker("s"), inner_supervisor("s")}) {
    auto s = made;
    core_harness h{tree(one_for_one, {worker("a"), s.grace(infinity)})};
    h.manners("s", slow_stop(10s));
    h.start();
    h.stop();
    h.run_for(1h);
    EXPECT_EQ(h.outcome(), "stopped");
    EXPECT_EQ(h.time_of_end(), 10s);
    EXPECT_EQ(h.count("kill s"), 0u);
  }
}

// STOP-1: infinity is what inner supervisors get unless told otherwise.
TEST(CoreStop, DefaultGraceIsByKind_H01) {
  core_harness h{tree(one_for_one, {inner_supervisor("s"), worker("w")})};
  h.manners("s", slow_stop(1h));
  h.manners("w", deaf);
  h.start();
  h.stop();
  h.run_for(2h);
  EXPECT_THAT(h.times("kill w"), ElementsAre(5s));
  EXPECT_EQ(h.count("kill s"), 0u);
  EXPECT_EQ(h.time_of_end(), 1h + 5s);
}

// STOP-1
TEST(CoreStop, GraceExpires_H02) {
  core_harness h{
    tree(one_for_one, {worker("good").grace(1s), worker("bad").grace(1s)})};
  h.manners("bad", deaf);
  h.start();
  h.forget_journal();
  h.stop();
  h.run_for(1s - 1ns);
  EXPECT_EQ(h.count("kill bad"), 0u);
  h.run_for(1ns);
  EXPECT_THAT(h.journal(), ElementsAre("stop bad#1", "kill bad#1", "end bad#1",
                                       "stop good#1", "end good#1"));
  EXPECT_EQ(h.outcome(), "stopped");
  EXPECT_EQ(h.time_of_end(), 1s);
}

// STOP-1
TEST(CoreStop, BrutalKillDoesNotAsk_H03) {
  core_harness h{tree(one_for_one, {worker("good").grace(1s),
                                    worker("brutal").grace(brutal_kill)})};
  h.start();
  h.forget_journal();
  h.stop();
  EXPECT_THAT(h.journal(), ElementsAre("kill brutal#1", "end brutal#1",
                                       "stop good#1", "end good#1"));
}

// STOP-1
TEST(CoreStop, ReverseOrderOneAfterTheOther_H09) {
  core_harness h{tree(one_for_one, {worker("a"), worker("b"), worker("c")})};
  for (const auto* id : {"a", "b", "c"})
    h.manners(id, slow_stop(1s));
  h.start();
  h.stop();
  h.run_for(1min);
  EXPECT_THAT(h.times("stop c"), ElementsAre(0s));
  EXPECT_THAT(h.times("stop b"), ElementsAre(1s));
  EXPECT_THAT(h.times("stop a"), ElementsAre(2s));
  EXPECT_EQ(h.time_of_end(), 3s);
}

// STOP-1
TEST(CoreStop, GraceZeroAsksThenKillsAtOnce_H10) {
  core_harness h{tree(one_for_one, {worker("a").grace(0s)})};
  h.manners("a", deaf);
  h.start();
  h.forget_journal();
  h.stop();
  EXPECT_THAT(h.journal(), ElementsAre("stop a#1", "kill a#1", "end a#1"));
  EXPECT_EQ(h.time_of_end(), 0s);
  EXPECT_FALSE(
    validate(tree(one_for_one, {worker("a").grace(-1s)}), "root").empty());
}

// STOP-1: H11, one after the other; a pool has one grace for all.
TEST(CoreStop, EachChildHasItsOwnGrace_H11) {
  core_harness h{tree(
    one_for_one, {worker("a").grace(brutal_kill), worker("b").grace(infinity),
                  worker("c").grace(100ms), worker("d").grace(1s)})};
  h.manners("b", slow_stop(20s));
  h.manners("c", deaf);
  h.manners("d", slow_stop(500ms));
  h.start();
  h.stop();
  h.run_for(1min);
  EXPECT_THAT(h.times("end d"), ElementsAre(500ms));
  EXPECT_THAT(h.times("kill c"), ElementsAre(600ms));
  EXPECT_THAT(h.times("end b"), ElementsAre(20600ms));
  EXPECT_EQ(h.count("stop a"), 0u);
  EXPECT_EQ(h.time_of_end(), 20600ms);
}

// STOP-1, STOP-2: a child that cannot be heard of any more is no reason to
// hang.
TEST(CoreStop, TerminateReturnsThoughTheEndIsNeverSeen_H08) {
  core_harness h{tree(one_for_one, {worker("a").grace(1s).kills_within(1s)})};
  h.manners("a", spinning);
  h.start();
  const auto ask = h.terminate("a");
  h.run_for(2s);
  EXPECT_EQ(h.answer_to(ask), "ok");
  EXPECT_EQ(h.time_of_answer_to(ask), 2s);
}

// STOP-4
TEST(CoreStop, SecondStopJoinsTheFirst_H12) {
  core_harness h{tree(one_for_one, {worker("a"), worker("b")})};
  h.manners("a", slow_stop(1s));
  h.manners("b", slow_stop(1s));
  h.start();
  const auto first = h.stop();
  h.run_for(500ms);
  const auto second = h.stop();
  EXPECT_EQ(h.answer_to(first), "pending");
  h.run_for(1min);
  EXPECT_EQ(h.answer_to(first), "ok");
  EXPECT_EQ(h.answer_to(second), "ok");
  EXPECT_EQ(h.time_of_answer_to(second), 2s);
  EXPECT_EQ(h.time_of_end(), 2s);
  EXPECT_EQ(h.count("end a"), 1u);
}

// STOP-4: giving up came first, and stays the reason.
TEST(CoreStop, StopJoinsAnEndThatHasBegun_H12) {
  core_harness h{tree(one_for_one, {worker("a"), worker("b")},
                      {.restarts_max = 0, .window = 1s})};
  h.manners("b", slow_stop(1s));
  h.start();
  h.crash("a");
  const auto ask = h.stop();
  h.run_for(1min);
  EXPECT_EQ(h.answer_to(ask), "ok");
  EXPECT_EQ(h.outcome(), "gave_up");
  EXPECT_EQ(h.time_of_end(), 1s);
}

// STOP-3, STOP-4: the second may only make it faster.
TEST(CoreStop, SecondStopMayOnlyMakeItFaster_H12) {
  core_harness faster{tree(one_for_one, {worker("a").grace(infinity)})};
  faster.manners("a", deaf);
  faster.start();
  faster.stop();
  faster.run_for(1s);
  faster.stop(time_limit{2s});
  faster.run_for(1h);
  EXPECT_EQ(faster.outcome(), "stopped");
  EXPECT_LE(faster.time_of_end(), 3s);

  core_harness not_slower{tree(one_for_one, {worker("a").grace(infinity)})};
  not_slower.manners("a", spinning);
  not_slower.start();
  not_slower.stop(time_limit{2s});
  not_slower.run_for(1s);
  not_slower.stop(time_limit{1h});
  not_slower.run_for(2h);
  EXPECT_EQ(not_slower.time_of_end(), 2s);
}

// STOP-2
TEST(CoreStop, SpinningLifeIsKilledAbandonedAndReplaced_H14) {
  core_harness h{
    tree(one_for_one, {worker("a").grace(1s).kills_within(1s), worker("b")})};
  h.start();
  h.manners("a", spinning);
  h.forget_journal();
  h.stall("a");
  EXPECT_EQ(h.state("a"), "stopping");
  h.run_for(1min);
  EXPECT_THAT(h.journal(), ElementsAre("stop a#1", "kill a#1", "abandon a#1",
                                       "start a#2", "ready a#2"));
  EXPECT_THAT(h.times("kill a"), ElementsAre(1s));
  EXPECT_THAT(h.times("abandon a"), ElementsAre(2s));
  EXPECT_THAT(h.times("start a"), ElementsAre(2s));
  ASSERT_EQ(h.core().abandoned().size(), 1u);
  const auto left = h.core().abandoned().front();
  EXPECT_EQ(left.id, "a");
  EXPECT_EQ(left.incarnation, 1u);
  EXPECT_EQ(left.since - time_point{}, 2s);
  EXPECT_EQ(h.info("a").abandoned, 1u);
  EXPECT_EQ(h.core().listing(h.now()).at(0).abandoned, 1u);
  EXPECT_EQ(h.events(event_kind::stalled).size(), 1u);
  EXPECT_EQ(h.events(event_kind::abandoned).size(), 1u);
}

// STOP-2: when the handler returns at last, the count falls.
TEST(CoreStop, AbandonedLifeEndsAtLast_H14) {
  core_harness h{tree(one_for_one, {worker("t").as(temporary).grace(1s)})};
  h.start();
  h.manners("t", spinning);
  h.terminate("t");
  h.run_for(10s);
  ASSERT_EQ(h.core().abandoned().size(), 1u);
  h.release("t");
  EXPECT_THAT(h.core().abandoned(), IsEmpty());
  const auto told = h.events(event_kind::abandoned_ended);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].id, "t");
  EXPECT_EQ(told[0].what.incarnation, 1u);
  EXPECT_EQ(told[0].what.span, 8s) << "how long it had been abandoned";
}

// STOP-2: and it is heard of even after the supervisor itself has ended.
TEST(CoreStop, SupervisorEndsOverAnAbandonedLife_H14) {
  core_harness h{
    tree(one_for_one, {worker("a"), worker("b").grace(1s).kills_within(1s)})};
  h.manners("b", spinning);
  h.start();
  h.stop();
  h.run_for(1min);
  EXPECT_EQ(h.outcome(), "stopped");
  EXPECT_EQ(h.time_of_end(), 2s);
  EXPECT_EQ(h.core().abandoned().size(), 1u);
  h.release("b");
  EXPECT_THAT(h.core().abandoned(), IsEmpty());
}

// STOP-2: what an abandoned life says is recognised and refused.
TEST(CoreStop, NewsOfAnAbandonedLifeIsRefusedAndCounted_H14) {
  core_harness h{tree(one_for_one, {worker("a").grace(1s).kills_within(1s)})};
  h.start();
  h.manners("a", spinning);
  const auto old = h.life("a");
  h.stall("a");
  h.run_for(2s);
  h.tell([&](auto now) { return h.core().on_stalled(old, now); });
  h.tell([&](auto now) { return h.core().on_healthy(old, now); });
  h.tell([&](auto now) { return h.core().on_ready(old, now); });
  EXPECT_EQ(h.events(event_kind::late_news).size(), 3u);
  EXPECT_EQ(h.state("a"), "running");
  EXPECT_EQ(h.incarnation("a"), 2u);
}

// STOP-1: from kill to abandoned, no time at all is a choice.
TEST(CoreStop, KillGraceZeroAbandonsInTheMomentOfTheKill_H14) {
  core_harness h{
    tree(one_for_one, {worker("a").grace(brutal_kill).kills_within(0s)})};
  h.manners("a", spinning);
  h.start();
  h.stop();
  EXPECT_EQ(h.outcome(), "stopped");
  EXPECT_EQ(h.count("abandon a"), 1u);
}

// STOP-4
TEST(CoreStop, StopDuringBackoffCancelsTheTimer_H16) {
  core_harness h{
    tree(one_for_one, {worker("a").backs_off({.first = 10s}), worker("b")})};
  h.start();
  h.crash("a");
  ASSERT_EQ(h.state("a"), "backoff");
  h.forget_journal();
  h.stop();
  EXPECT_EQ(h.time_of_end(), 0s);
  h.run_for(1h);
  EXPECT_THAT(h.order(), ElementsAre("end b"));
}

// STOP-3
TEST(CoreStop, TotalDeadlineEndsEverythingAndSaysWhoIsLeft) {
  core_harness h{
    tree(one_for_one, {worker("a").grace(infinity), worker("b").grace(1min),
                       inner_supervisor("s"), worker("d")})};
  h.manners("b", spinning);
  h.manners("s", spinning);
  h.start();
  const auto ask = h.stop(time_limit{3s});
  h.run_for(1h);
  EXPECT_EQ(h.answer_to(ask), "ok");
  EXPECT_EQ(h.outcome(), "stopped");
  EXPECT_EQ(h.time_of_end(), 3s);
  std::vector<std::string> left;
  for (const auto& x : h.core().abandoned())
    left.push_back(x.id);
  EXPECT_THAT(left, testing::UnorderedElementsAre("b", "s"));
  EXPECT_EQ(h.count("end a"), 1u);
  EXPECT_EQ(h.count("end d"), 1u);
  EXPECT_THAT(h.times("kill b"), ElementsAre(testing::Le(3s)));
}

// STOP-3: time that is not needed is not taken.
TEST(CoreStop, TotalDeadlineIsNoReasonToWait) {
  core_harness h{tree(one_for_one, {worker("a"), worker("b")})};
  h.start();
  h.stop(time_limit{10s});
  EXPECT_EQ(h.outcome(), "stopped");
  EXPECT_EQ(h.time_of_end(), 0s);
}

// STOP-3: an inner supervisor is told how much time it has.
TEST(CoreStop, GraceAskedIsBoundedByTheDeadline) {
  core_harness h{tree(one_for_one, {inner_supervisor("s")})};
  h.manners("s", slow_stop(1s));
  h.start();
  h.stop(time_limit{3s});
  EXPECT_TRUE(h.grace_asked_of("s").is_finite());
  EXPECT_LE(h.grace_asked_of("s").span(), 3s);
  EXPECT_GT(h.grace_asked_of("s").span(), 0s);
}

// STOP-3: one that hangs does not take the time of the others.
TEST(CoreStop, DeadlineReachesThoseWhoseTurnHasNotCome) {
  core_harness h{tree(one_for_one, {worker("a"), worker("b").grace(1h)})};
  h.manners("b", deaf);
  h.start();
  h.stop(time_limit{4s});
  h.run_for(4s);
  EXPECT_EQ(h.outcome(), "stopped");
  EXPECT_EQ(h.count("end a"), 1u);
  EXPECT_EQ(h.count("end b"), 1u);
  EXPECT_THAT(h.core().abandoned(), IsEmpty());
}

// STOP-3: no time at all.
TEST(CoreStop, DeadlineZeroEndsNow) {
  core_harness h{tree(one_for_one, {worker("a"), worker("b")})};
  h.manners("a", spinning);
  h.manners("b", deaf);
  h.start();
  h.stop(time_limit{0s});
  EXPECT_EQ(h.outcome(), "stopped");
  EXPECT_EQ(h.time_of_end(), 0s);
}

// STOP-3: it holds over a start that is still going on.
TEST(CoreStop, DeadlineHoldsWhileStarting) {
  core_harness h{tree(one_for_one, {worker("a"), worker("b").grace(1h)})};
  h.script("b", {start_never_ready});
  h.manners("b", spinning);
  h.start();
  h.stop(time_limit{2s});
  h.run_for(1h);
  EXPECT_EQ(h.outcome(), "stopped");
  EXPECT_EQ(h.time_of_end(), 2s);
}

// STOP-4, START-3: a stop while a single child is being stopped joins that.
TEST(CoreStop, StopJoinsATerminate) {
  core_harness h{tree(one_for_one, {worker("a"), worker("b")})};
  h.manners("b", slow_stop(2s));
  h.start();
  const auto terminated = h.terminate("b");
  h.run_for(1s);
  const auto stopped = h.stop();
  h.run_for(1min);
  EXPECT_EQ(h.answer_to(terminated), "ok");
  EXPECT_EQ(h.answer_to(stopped), "ok");
  EXPECT_EQ(h.count("stop b"), 1u);
  EXPECT_EQ(h.time_of_end(), 2s);
}

// STOP-1: deaths in passing change nothing.
TEST(CoreStop, CrashWhileEndingIsNoFailureOfTheSupervisor) {
  core_harness h{tree(one_for_one, {worker("a"), worker("b"), worker("c")},
                      {.restarts_max = 0})};
  h.manners("c", slow_stop(1s));
  h.start();
  h.stop();
  h.crash("a");
  h.run_for(1min);
  EXPECT_EQ(h.outcome(), "stopped");
  EXPECT_EQ(h.count("start a"), 1u);
  EXPECT_EQ(h.events(event_kind::failed).size(), 1u) << "it is told";
}

} // namespace
} // namespace coppice::test
