// This file is part of coppice. License: see LICENSE in the source root.

// Another spec for a supervisor that runs. Of the tree: tests/coppice/
// reload_test.cpp.

#include "support/core_harness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace coppice::test {
namespace {

using namespace policy;
using testing::ElementsAre;
using testing::IsEmpty;

backoff_spec waits(duration first, duration cap) {
  return {
    .first = first, .cap = cap, .factor = 1.0, .jitter = jitter_kind::none};
}

std::uint64_t changes_in(const core_harness& h) {
  const auto all = h.events(event_kind::reloaded);
  return all.empty() ? 0 : all.back().what.attempts;
}

// -- lives that go on --------------------------------------------------------

// TOPOLOGY-3: running lives are kept, whatever changes about them.
TEST(CoreReload, LeavesRunningLivesAlone) {
  core_harness h{tree(one_for_one, {worker("a"), worker("b")})};
  h.start();
  h.forget_journal();
  auto next = tree(one_for_all, {worker("a").grace(1s).as(transient),
                                 worker("b").backs_off(waits(1s, 2s))});
  next.pause_length = 1s;
  h.reload(next);
  EXPECT_THAT(h.journal(), IsEmpty());
  EXPECT_EQ(h.incarnation("a"), 1u);
  // strategy, pause_length; shutdown, restart; first, cap, factor
  EXPECT_EQ(changes_in(h), 7u);
  h.crash("a");
  EXPECT_EQ(h.count("start b"), 1u) << "by the new strategy";
}

// TOPOLOGY-3: the same spec again changes nothing at all.
TEST(CoreReload, OfTheSameSpecChangesNothing) {
  const auto spec = tree(rest_for_one, {worker("a"), worker("b").as(temporary),
                                        worker("c").as(transient)});
  core_harness h{spec};
  h.start();
  h.finish("b"); // forgotten
  h.finish("c"); // stays finished
  const auto before = h.listing();
  h.forget_journal();
  h.reload(spec);
  EXPECT_THAT(h.journal(), IsEmpty());
  EXPECT_EQ(h.listing(), before);
  EXPECT_EQ(changes_in(h), 0u);
  h.reload(spec);
  EXPECT_EQ(h.listing(), before);
}

// TOPOLOGY-3: a temporary child that has ended comes back only if the spec
// was without it in between.
TEST(CoreReload, BringsBackWhatFinishedOnlyOverASpecWithoutIt) {
  const auto with = tree(one_for_one, {worker("a"), worker("t").as(temporary)});
  core_harness h{with};
  h.start();
  h.finish("t");
  h.reload(with);
  EXPECT_EQ(h.state("t"), "gone");
  h.reload(tree(one_for_one, {worker("a")}));
  h.reload(with);
  EXPECT_EQ(h.state("t"), "running");
  EXPECT_EQ(h.incarnation("t"), 2u);
}

// -- policies ----------------------------------------------------------------

// TOPOLOGY-3, BUDGET-1: what was spent stays spent, by the new limits.
TEST(CoreReload, BudgetKeepsItsHistory) {
  core_harness h{tree(one_for_one, {worker("a")}, {.restarts_max = 5})};
  h.start();
  h.crash("a");
  h.crash("a");
  h.reload(tree(one_for_one, {worker("a")}, {.restarts_max = 2}));
  EXPECT_EQ(h.outcome(), "runs") << "judged from the next attempt on";
  EXPECT_EQ(h.restarts_in_window(), 2u);
  h.crash("a");
  EXPECT_EQ(h.outcome(), "gave_up");
}

TEST(CoreReload, RaisedBudgetSavesTheNextAttempt) {
  core_harness h{tree(one_for_one, {worker("a")}, {.restarts_max = 1})};
  h.start();
  h.crash("a");
  h.reload(tree(one_for_one, {worker("a")}, {.restarts_max = 3}));
  h.crash("a");
  h.crash("a");
  EXPECT_EQ(h.outcome(), "runs");
  h.crash("a");
  EXPECT_EQ(h.outcome(), "gave_up");
}

// BUDGET-1: restarts of long ago are long ago, also for a window that was
// without an end so far.
TEST(CoreReload, WindowThatGetsAnEndLetsGoOfWhatIsOld) {
  const auto spec = [](time_limit window) {
    return tree(one_for_one, {worker("a")},
                {.restarts_max = 2, .window = window});
  };
  core_harness h{spec(infinity)};
  h.start();
  h.crash("a");
  h.run_for(1h);
  h.crash("a");
  EXPECT_EQ(h.restarts_in_window(), 2u);
  h.reload(spec(60s));
  EXPECT_EQ(h.restarts_in_window(), 1u);
  h.crash("a");
  EXPECT_EQ(h.outcome(), "runs");
  h.crash("a");
  EXPECT_EQ(h.outcome(), "gave_up");
}

// BUDGET-4: the child's own budget likewise; a new one begins empty.
TEST(CoreReload, ChildsOwnBudgetComesAndGoes) {
  const auto spec = [](count_limit most) {
    return tree(one_for_one,
                {worker("a").budget({.restarts_max = most, .window = 60s},
                                    exhaustion_action::stop_child)},
                {.restarts_max = 100});
  };
  core_harness h{spec(infinity)};
  h.start();
  h.crash("a");
  h.reload(spec(1));
  EXPECT_EQ(h.info("a").restarts_in_window, 0u);
  h.crash("a");
  h.reload(spec(2));
  h.crash("a");
  EXPECT_EQ(h.state("a"), "running");
  h.reload(spec(1));
  h.crash("a");
  EXPECT_EQ(h.state("a"), "stopped exhausted");
}

// A pause of its own ends when it would have, without the budget that it was
// for.
TEST(CoreReload, PauseOutlivesTheBudgetThatItIsFor) {
  const auto spec = [](count_limit most) {
    auto x = tree(one_for_one, {worker("a").budget({.restarts_max = most},
                                                   exhaustion_action::pause)});
    x.pause_length = 10s;
    return x;
  };
  core_harness h{spec(0)};
  h.start();
  h.crash("a");
  const auto wait = h.until_retry("a");
  ASSERT_GE(wait, 10s);
  h.reload(spec(infinity));
  EXPECT_EQ(h.until_retry("a"), wait) << "pauses are not backoff";
  h.run_for(wait);
  EXPECT_EQ(h.state("a"), "running");
}

// BACKOFF-1: a wait goes on, unless it is longer than the new cap.
TEST(CoreReload, PendingBackoffKeepsItsTimeOrTheNewCap) {
  const auto spec = [](duration cap) {
    return tree(one_for_one, {worker("a").backs_off(waits(cap, cap))});
  };
  core_harness h{spec(10s)};
  h.start();
  h.crash("a");
  h.run_for(1s);
  h.reload(spec(20s));
  EXPECT_EQ(h.until_retry("a"), 9s) << "not longer";
  h.reload(spec(2s));
  EXPECT_EQ(h.until_retry("a"), 2s) << "not longer than the cap, from now on";
  h.run_for(2s);
  EXPECT_EQ(h.state("a"), "running");
}

// BUDGET-5: a supervisor's pause is not backoff either.
TEST(CoreReload, PauseOfAllIsNotShortenedByACap) {
  const auto spec = [](duration cap) {
    auto x = tree(one_for_one, {worker("a").backs_off(waits(cap, cap))},
                  {.restarts_max = 0});
    x.on_exhausted = exhaustion_action::pause;
    x.pause_length = 10s;
    return x;
  };
  core_harness h{spec(1s)};
  h.start();
  h.crash("a");
  const auto wait = h.until_retry("a");
  ASSERT_GE(wait, 10s);
  h.reload(spec(100ms));
  EXPECT_EQ(h.until_retry("a"), wait);
}

// STOP-1: graces hold from the next stop on.
TEST(CoreReload, GraceHoldsFromTheNextStopOn) {
  const auto spec = [](duration grace) {
    return tree(one_for_one,
                {worker("a").grace(grace), worker("b").grace(grace)});
  };
  core_harness h{spec(5s)};
  h.manners("a", deaf);
  h.manners("b", deaf);
  h.start();
  h.terminate("a");
  h.reload(spec(1s));
  h.terminate("b");
  EXPECT_EQ(h.grace_asked_of("b"), time_limit{1s});
  h.run_for(1s);
  EXPECT_EQ(h.count("kill b"), 1u);
  EXPECT_EQ(h.count("kill a"), 0u);
  h.run_for(4s);
  EXPECT_EQ(h.count("kill a"), 1u);
}

// START-1: a start that goes on keeps its deadline; the next has the new one.
TEST(CoreReload, StartDeadlineHoldsFromTheNextStartOn) {
  const auto spec = [](duration deadline) {
    return tree(one_for_one, {worker("a").starts_within(deadline)},
                {.restarts_max = 100});
  };
  core_harness h{spec(1s)};
  h.start();
  h.always("a", start_never_ready);
  h.crash("a");
  h.reload(spec(3s));
  h.run_for(1s);
  EXPECT_EQ(h.count("start a"), 3u);
  h.run_for(2999ms);
  EXPECT_EQ(h.count("start a"), 3u);
  h.run_for(1ms);
  EXPECT_EQ(h.count("start a"), 4u);
}

// HEARTBEAT-4: other limits, of a heartbeat or of parking, are told at once.
TEST(CoreReload, TellsOfOtherLimitsOfALife) {
  auto a = worker("a");
  auto b = worker("b");
  auto c = worker("c");
  core_harness h{tree(one_for_one, {a, b, c})};
  h.start();
  h.forget_journal();
  a.heartbeat.stall_timeout = 1s;
  b.parking.messages_max = 7;
  h.reload(tree(one_for_one, {a, b, c}));
  EXPECT_THAT(h.journal(), ElementsAre("adjust a#1", "adjust b#1"));
}

// The new spec goes to each inner supervisor that has a life.
TEST(CoreReload, HandsSpecsDown) {
  const auto spec = tree(one_for_one, {inner_supervisor("x"), worker("w"),
                                       inner_supervisor("y")});
  core_harness h{spec};
  h.start();
  h.terminate("y");
  h.forget_journal();
  h.reload(spec);
  EXPECT_THAT(h.journal(), ElementsAre("hand down x#1"));
}

// -- pools -------------------------------------------------------------------

// TOPOLOGY-3: instances go by the new template.
TEST(CoreReload, PoolGoesByItsNewTemplate) {
  core_harness h{tree(simple_one_for_one, {worker("w")})};
  h.start();
  h.start_instance();
  h.start_instance();
  h.forget_journal();
  auto next = worker("w").grace(2s).backs_off(waits(1s, 1s));
  next.heartbeat.stall_timeout = 1s;
  h.reload(tree(simple_one_for_one, {next}));
  EXPECT_THAT(h.journal(), ElementsAre("adjust 1#1", "adjust 2#1"));
  h.crash("1"); // its run was too short to be healthy
  EXPECT_EQ(h.until_retry("1"), 1s);
  h.manners("2", deaf);
  h.terminate("2");
  EXPECT_EQ(h.grace_asked_of("2"), time_limit{2s});
}

// -- what cannot change ------------------------------------------------------

std::string refusal(const supervisor_spec& before,
                    const supervisor_spec& after) {
  core_harness h{before};
  h.start();
  return to_string(h.core().reload_defects(after));
}

TEST(CoreReload, RefusesWhatCannotChangeWhileItRuns) {
  auto inner = [](restart_strategy strategy, child_spec only) {
    child_spec x{.id = "s"};
    x.supervisor = tree(strategy, {std::move(only)});
    return x;
  };
  const auto plain = tree(one_for_one, {worker("a")});
  auto renamed = plain;
  renamed.name = "other";
  EXPECT_EQ(refusal(plain, renamed),
            "other.name: found \"other\", expected \"root\", the name of the "
            "tree that runs");
  EXPECT_EQ(refusal(plain, tree(simple_one_for_one, {worker("a")})),
            "root.strategy: found simple_one_for_one, expected not "
            "simple_one_for_one, as what runs is no pool");
  EXPECT_EQ(refusal(plain, tree(one_for_one, {inner_supervisor("a")})),
            "root.children[0](a).supervisor: found a supervisor, expected a "
            "worker, as the child that runs; or another id");
  EXPECT_EQ(
    refusal(tree(one_for_one, {inner(one_for_one, inner_supervisor("x"))}),
            tree(one_for_one, {inner(one_for_one, worker("x"))})),
    "root.children[0](s).supervisor.children[0](x).start: found a worker, "
    "expected a supervisor, as the child that runs; or another id");
  EXPECT_EQ(refusal(tree(one_for_one, {inner(one_for_one, worker("x"))}),
                    tree(one_for_one,
                         {inner(simple_one_for_one, worker("x"))})),
            "root.children[0](s).supervisor.strategy: found "
            "simple_one_for_one, expected not simple_one_for_one, as what "
            "runs is no pool");
  EXPECT_EQ(refusal(plain, tree(one_for_one, {inner_supervisor("b")})), "");
}

// Deep down only the supervisor itself knows what an operator has added: a
// child of another kind that is in the way of the spec's leaves first.
TEST(CoreReload, ReplacesWhatAnOperatorAddedIfItIsInTheWay) {
  core_harness h{tree(one_for_one, {worker("a")})};
  h.manners("x", slow_stop(1s));
  h.start();
  h.start_child(inner_supervisor("x"));
  h.forget_journal();
  const auto next = tree(one_for_one, {worker("a"), worker("x")});
  EXPECT_NE(to_string(h.core().reload_defects(next)), "");
  h.tell([&](time_point now) { return h.core().reload(next, now); });
  h.run_for(1s);
  EXPECT_THAT(h.order(), ElementsAre("end x", "start x"));
  EXPECT_EQ(h.incarnation("x"), 2u);
  EXPECT_EQ(h.info("x").kind, child_kind::worker);
  h.crash("x");
  EXPECT_EQ(h.incarnation("x"), 3u);
}

// TOPOLOGY-3: nor is there a second life of an id while the first one leaves.
TEST(CoreReload, TakesNoIdOfOneThatHasYetToLeave) {
  core_harness h{tree(one_for_one, {worker("a")})};
  h.manners("x", slow_stop(1s));
  h.start();
  h.start_child(inner_supervisor("x"));
  const auto plain = tree(one_for_one, {worker("a")});
  const auto next = tree(one_for_one, {worker("a"), worker("x")});
  h.tell([&](time_point now) { return h.core().reload(next, now); });
  h.reload(plain); // the worker never lived; the supervisor still does
  EXPECT_EQ(h.answer_to(h.start_child(worker("x"))), "already_started");
  h.run_for(1s);
  EXPECT_EQ(h.answer_to(h.start_child(worker("x"))), "ok");
  EXPECT_EQ(h.state("x"), "running");
}

} // namespace
} // namespace coppice::test
