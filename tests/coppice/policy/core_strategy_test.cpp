// This file is part of coppice. License: see LICENSE in the source root.

// Who else is restarted, and in which order. Catalogue: group E, G07.

#include "support/core_harness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace coppice::test {
namespace {

using namespace policy;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<child_spec> workers(std::initializer_list<const char*> ids) {
  std::vector<child_spec> result;
  for (const auto* id : ids)
    result.push_back(worker(id));
  return result;
}

// RESTART-2
TEST(GroupRestart, OneForOneTouchesNobodyElse_E01) {
  core_harness h{tree(one_for_one, workers({"a", "b"}))};
  h.start();
  h.crash("a");
  EXPECT_EQ(h.incarnation("a"), 2u);
  EXPECT_EQ(h.incarnation("b"), 1u);
}

// RESTART-2
TEST(GroupRestart, OneForAllRestartsAll_E02) {
  core_harness h{tree(one_for_all, workers({"a", "b"}))};
  h.start();
  const auto a = h.life("a");
  const auto b = h.life("b");
  h.crash("b");
  EXPECT_EQ(h.incarnation("a"), 2u);
  EXPECT_EQ(h.incarnation("b"), 2u);
  EXPECT_FALSE(h.core().is_current(a));
  EXPECT_FALSE(h.core().is_current(b));
}

// RESTART-2
TEST(GroupRestart, RestForOneRestartsThoseAfterIt_E03) {
  core_harness h{tree(rest_for_one, workers({"a", "b", "c"}))};
  h.start();
  h.crash("b");
  EXPECT_EQ(h.incarnation("a"), 1u);
  EXPECT_EQ(h.incarnation("b"), 2u);
  EXPECT_EQ(h.incarnation("c"), 2u);
  h.crash("c");
  EXPECT_EQ(h.incarnation("a"), 1u);
  EXPECT_EQ(h.incarnation("b"), 2u);
  EXPECT_EQ(h.incarnation("c"), 3u);
}

// RESTART-2
TEST(GroupRestart, StopsLastToFirstThenStartsFirstToLast_E04) {
  core_harness rest{tree(rest_for_one, workers({"a", "b", "c", "d"}))};
  rest.start();
  rest.forget_journal();
  rest.crash("b");
  EXPECT_THAT(rest.order(), ElementsAre("end b", "end d", "end c", "start b",
                                        "start c", "start d"));

  core_harness all{tree(one_for_all, workers({"a", "b", "c", "d"}))};
  all.start();
  all.forget_journal();
  all.crash("b");
  EXPECT_THAT(all.order(),
              ElementsAre("end b", "end d", "end c", "end a", "start a",
                          "start b", "start c", "start d"));
}

// START-1, STOP-1, RESTART-2
TEST(GroupRestart, OrderIsThatOfTheListUnderOddNames_E05) {
  core_harness h{tree(one_for_all, workers({"z", "a", "10", "9", "m"}))};
  h.start();
  EXPECT_THAT(h.order(), ElementsAre("start z", "start a", "start 10",
                                     "start 9", "start m"));
  h.forget_journal();
  h.crash("m");
  EXPECT_THAT(h.order(), ElementsAre("end m", "end 9", "end 10", "end a",
                                     "end z", "start z", "start a", "start 10",
                                     "start 9", "start m"));
  h.forget_journal();
  h.stop();
  EXPECT_THAT(h.order(),
              ElementsAre("end m", "end 9", "end 10", "end a", "end z"));
}

// START-1, RESTART-2
TEST(GroupRestart, EachMemberWaitsUntilTheOneBeforeIsReady) {
  core_harness h{tree(one_for_all, workers({"a", "b"}))};
  h.start();
  h.script("a", {start_slow(2s)});
  h.crash("b");
  h.run_for(2s - 1ns);
  EXPECT_EQ(h.count("start b"), 1u);
  h.run_for(1ns);
  EXPECT_EQ(h.count("start b"), 2u);
}

// BUDGET-2
TEST(GroupRestart, SimultaneousDeathsOfAGroupCountOnce_E06) {
  core_harness all{tree(one_for_all, workers({"a", "b", "c"}),
                        {.restarts_max = 1, .window = 60s})};
  all.start();
  all.crash_together({"a", "b", "c"});
  EXPECT_EQ(all.outcome(), "runs");
  EXPECT_EQ(all.restarts_in_window(), 1u);
  EXPECT_THAT(all.counts(), ElementsAre(3, 3, 0, 3));
  EXPECT_EQ(all.incarnation("c"), 2u) << "each came back once";
}

// BUDGET-2
TEST(GroupRestart, SimultaneousDeathsCountOneByOneInOneForOne_E06) {
  core_harness one{tree(one_for_one, workers({"a", "b", "c"}),
                        {.restarts_max = 1, .window = 60s})};
  one.start();
  one.crash_together({"a", "b", "c"});
  EXPECT_EQ(one.outcome(), "gave_up");
}

// BUDGET-2: what holds at once holds as well where the group waits for the
// backoff of the first: all come back in one restart, and it counts once.
TEST(GroupRestart, DeathsDuringTheBackoffOfTheGroupCountOnce_E06) {
  std::vector<child_spec> children;
  for (const auto* id : {"a", "b", "c"})
    children.push_back(worker(id).backs_off({}));
  core_harness h{
    tree(one_for_all, children, {.restarts_max = 1, .window = 60s})};
  h.start();
  h.run_for(1s);
  h.crash_together({"a", "b", "c"});
  h.run_for(1s);
  EXPECT_EQ(h.outcome(), "runs");
  EXPECT_EQ(h.restarts_in_window(), 1u);
  EXPECT_THAT(h.counts(), ElementsAre(3, 3, 0, 3));
  EXPECT_EQ(h.incarnation("a"), 2u);
  EXPECT_EQ(h.incarnation("c"), 2u);
}

// BUDGET-2: but an earlier sibling is not part of the later one's group.
TEST(GroupRestart, DeathOutsideTheWaitingGroupCountsForItself) {
  const backoff_spec slow{.first = 1s, .jitter = jitter_kind::none};
  core_harness h{tree(rest_for_one,
                      {worker("a"), worker("b").backs_off(slow), worker("c")})};
  h.start();
  h.crash("b");
  ASSERT_EQ(h.state("b"), "backoff");
  h.crash("a");
  EXPECT_EQ(h.restarts_in_window(), 2u);
  EXPECT_EQ(h.incarnation("a"), 2u);
}

// RESTART-5, BUDGET-2
TEST(GroupRestart, RetriesWithTheFailingSiblingAsOrigin_E07) {
  core_harness h{tree(one_for_all, workers({"a", "b", "c"}))};
  h.start();
  h.forget_journal();
  h.script("b", {start_error});
  h.crash("a");
  EXPECT_THAT(h.order(),
              ElementsAre("end a", "end c", "end b", "start a", "startfail b",
                          "end a", "start a", "start b", "start c"));
  EXPECT_EQ(h.restarts_in_window(), 2u);
}

// RESTART-5, BUDGET-2
TEST(GroupRestart, LeavesTheEarlierSiblingAlone_E08) {
  core_harness h{tree(rest_for_one, workers({"a", "b", "c"}))};
  h.start();
  h.forget_journal();
  h.script("b", {start_error});
  h.crash("a");
  EXPECT_THAT(h.order(), ElementsAre("end a", "end c", "end b", "start a",
                                     "startfail b", "start b", "start c"));
  EXPECT_EQ(h.incarnation("a"), 2u);
  EXPECT_EQ(h.restarts_in_window(), 2u);
}

// RESTART-2, STOP-1
TEST(GroupRestart, EachMemberHasItsOwnGrace_E10) {
  core_harness h{
    tree(rest_for_one, {worker("a"), worker("b").grace(1s), worker("c")})};
  h.manners("b", slow_stop(3s));
  h.start();
  h.forget_journal();
  h.crash("a");
  h.run_for(10s);
  EXPECT_THAT(h.journal(),
              ElementsAre("end a#1", "stop c#1", "end c#1", "stop b#1",
                          "kill b#1", "end b#1", "start a#2", "ready a#2",
                          "start b#2", "ready b#2", "start c#2", "ready c#2"));
  EXPECT_THAT(h.times("kill b"), ElementsAre(1s));
  EXPECT_EQ(h.restarts_in_window(), 1u);
}

// BUDGET-2
TEST(GroupRestart, FailureOnRequestIsPartOfTheStop_E11) {
  core_harness h{tree(rest_for_one, workers({"a", "b", "c"}))};
  h.manners("c", {.to_stop = 1s, .how = {end_cause::crash, "E"}});
  h.start();
  h.crash("a");
  h.run_for(10s);
  EXPECT_EQ(h.restarts_in_window(), 1u);
  EXPECT_EQ(h.incarnation("c"), 2u);
  const auto failed = h.events(event_kind::failed);
  ASSERT_EQ(failed.size(), 2u) << "its failure is told, too";
  EXPECT_EQ(failed[1].id, "c");
}

// BUDGET-2
TEST(GroupRestart, DeathOfAMemberWhileTheGroupStopsIsPartOfIt_E11) {
  core_harness h{tree(rest_for_one, workers({"a", "b", "c"}))};
  h.manners("c", slow_stop(1s));
  h.start();
  h.crash("a");
  ASSERT_EQ(h.state("c"), "stopping");
  h.crash("b");
  h.run_for(10s);
  EXPECT_EQ(h.restarts_in_window(), 1u);
  EXPECT_EQ(h.incarnation("b"), 2u);
  EXPECT_THAT(h.counts(), ElementsAre(3, 3, 0, 3));
  const auto failed = h.events(event_kind::failed);
  ASSERT_EQ(failed.size(), 2u) << "its failure is told, too";
  EXPECT_EQ(failed[1].id, "b");
}

// RESTART-2, BUDGET-2: a death outside the group makes the group larger.
TEST(GroupRestart, DeathOfAnEarlierSiblingWidensTheGroup) {
  core_harness h{tree(rest_for_one, workers({"a", "b", "c"}))};
  h.manners("c", slow_stop(1s));
  h.start();
  h.forget_journal();
  h.crash("b");
  h.crash("a");
  h.run_for(10s);
  EXPECT_THAT(h.order(), ElementsAre("end b", "end a", "end c", "start a",
                                     "start b", "start c"));
  EXPECT_EQ(h.restarts_in_window(), 2u);
}

// RESTART-2: also while the group starts again.
TEST(GroupRestart, CrashWhileTheGroupStartsBeginsAnotherRestart) {
  core_harness h{tree(one_for_all, workers({"a", "b", "c"}))};
  h.start();
  h.script("b", {start_slow(1s)});
  h.crash("c");
  ASSERT_EQ(h.state("b"), "starting");
  h.forget_journal();
  h.crash("a");
  EXPECT_THAT(h.order(),
              ElementsAre("end a", "end b", "start a", "start b", "start c"));
  EXPECT_EQ(h.restarts_in_window(), 2u);
}

// RESTART-2
TEST(GroupRestart, StopByAnOperatorRestartsNobody_E13) {
  for (auto strategy : {one_for_all, rest_for_one}) {
    core_harness h{tree(strategy, workers({"a", "b", "c"}))};
    h.start();
    h.terminate("b");
    EXPECT_EQ(h.incarnation("a"), 1u);
    EXPECT_EQ(h.incarnation("c"), 1u);
    EXPECT_THAT(h.listing(),
                ElementsAre("a running", "b stopped operator", "c running"));
  }
}

// START-3, RESTART-4: an operator's stop wins over the group's.
TEST(GroupRestart, MemberTerminatedWhileTheGroupStopsStaysStopped) {
  core_harness h{tree(one_for_all, workers({"a", "b", "c"}))};
  h.manners("b", slow_stop(1s));
  h.start();
  h.crash("a");
  ASSERT_EQ(h.state("b"), "stopping");
  ASSERT_EQ(h.state("c"), "stopped group");
  const auto b = h.terminate("b");
  const auto c = h.terminate("c");
  EXPECT_EQ(h.answer_to(c), "ok");
  h.run_for(1s);
  EXPECT_EQ(h.answer_to(b), "ok");
  EXPECT_THAT(h.listing(), ElementsAre("a running", "b stopped operator",
                                       "c stopped operator"));
}

// START-3, RESTART-4: even over that of the origin itself.
TEST(GroupRestart, OriginTerminatedWhileTheGroupStopsStaysStopped) {
  core_harness h{tree(one_for_all, workers({"a", "b"}))};
  h.manners("b", slow_stop(1s));
  h.start();
  h.crash("a");
  EXPECT_EQ(h.answer_to(h.terminate("a")), "ok");
  h.run_for(1s);
  EXPECT_THAT(h.listing(), ElementsAre("a stopped operator", "b running"));
}

// START-3
TEST(GroupRestart, SupervisorAnswersWhileTheGroupStops) {
  core_harness h{tree(one_for_all, workers({"a", "b"}))};
  h.manners("b", slow_stop(1s));
  h.start();
  h.crash("a");
  EXPECT_THAT(h.counts(), ElementsAre(2, 0, 0, 2));
  EXPECT_EQ(h.answer_to(h.restart("a")), "restarting");
  EXPECT_EQ(h.answer_to(h.remove("a")), "restarting");
  EXPECT_EQ(h.answer_to(h.start_child(worker("a"))), "already_present");
  h.run_for(1s);
  EXPECT_THAT(h.counts(), ElementsAre(2, 2, 0, 2));
}

// STOP-4
TEST(GroupRestart, StopDuringTheGroupsStopEndsWithoutAStart) {
  core_harness h{tree(one_for_all, workers({"a", "b", "c"}))};
  h.manners("b", slow_stop(1s));
  h.start();
  h.crash("a");
  h.forget_journal();
  const auto ask = h.stop();
  h.run_for(1min);
  EXPECT_EQ(h.answer_to(ask), "ok");
  EXPECT_EQ(h.time_of_end(), 1s);
  EXPECT_THAT(h.order(), ElementsAre("end b"));
}

} // namespace
} // namespace coppice::test
