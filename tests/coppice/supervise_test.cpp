// This file is part of coppice. License: see LICENSE in the source root.

// Starting trees and children: groups A of the catalogue, START.

#include "support/tree_test.hpp"

namespace coppice::test {
namespace {

using Supervise = supervision_test;

// START-1. A01: without children it runs, and ends cleanly.
TEST_F(Supervise, RunsWithoutChildren_A01) {
  supervise({.name = "app"});
  EXPECT_TRUE(is_ready());
  EXPECT_EQ(counts("/app"), (child_counts{0, 0, 0, 0}));
  EXPECT_TRUE(stop().complete);
  EXPECT_FALSE(end_reason());
}

// START-4. A03: a permanent child that declines stays, as stopped.
TEST_F(Supervise, KeepsAChildThatDeclines_A03) {
  auto a = script("a");
  auto b = script("b");
  supervise({.name = "app"});
  a.starts({declines()});
  const auto reply = start_child("/app", a.spec());
  ASSERT_THAT(reply, Succeeds());
  EXPECT_FALSE(reply->actor);
  EXPECT_THAT(start_child("/app", b.spec()), Succeeds());
  EXPECT_EQ(state_of("/app/a"), child_state::stopped);
  EXPECT_EQ(child("/app/a").info.why, stopped_why::declined);
  EXPECT_EQ(state_of("/app/b"), child_state::running);
  EXPECT_EQ(counts("/app"), (child_counts{2, 1, 0, 2}));
}

// START-4. A04: a temporary one is dropped, static or dynamic.
TEST_F(Supervise, DropsATemporaryChildThatDeclines_A04) {
  auto a = script("a");
  auto b = script("b");
  a.always(declines());
  supervise(
    {.name = "app", .children = {a.spec({.restart = temporary}), b.spec()}});
  EXPECT_TRUE(is_ready());
  EXPECT_EQ(counts("/app"), (child_counts{1, 1, 0, 1}));
  EXPECT_THAT(start_child("/app", a.spec({.restart = temporary})), Succeeds());
  EXPECT_EQ(counts("/app"), (child_counts{1, 1, 0, 1}));
}

// START-4. A05: in a pool only the instance that did not decline is kept.
TEST_F(Supervise, DropsAnInstanceThatDeclines_A05) {
  for (const auto restart : {temporary, permanent}) {
    auto a = script("a");
    a.starts({declines(), starts()});
    supervise({.name = "app",
               .strategy = simple_one_for_one,
               .children = {a.spec({.restart = restart})}});
    EXPECT_THAT(start_instance("/app"), Succeeds());
    EXPECT_THAT(start_instance("/app"), Succeeds());
    EXPECT_EQ(counts("/app"), (child_counts{1, 1, 0, 1}));
    EXPECT_TRUE(stop().complete);
    EXPECT_FALSE(end_reason());
  }
}

// START-5. A08: a dynamic start that fails leaves no spec, costs no budget.
TEST_F(Supervise, ForgetsADynamicChildThatFailsToStart_A08) {
  auto a = script("a");
  a.starts({start_function_throws("no disk"), returns_nothing(),
            crash_on_start("no memory")});
  supervise({.name = "app", .limits = {.restarts_max = 0}});
  for (const auto* why : {"no disk", "without spawning", "no memory"}) {
    const auto reply = start_child("/app", a.spec());
    ASSERT_THAT(reply, FailsWith(errc::start_failed));
    EXPECT_THAT(describe(reply.error()), HasSubstr(why));
    EXPECT_EQ(counts("/app"), (child_counts{0, 0, 0, 0}));
  }
  const auto listing = children("/app");
  ASSERT_THAT(listing, Succeeds());
  EXPECT_EQ(listing->restarts_in_window, 0u);
  EXPECT_THAT(start_child("/app", a.spec()), Succeeds());
}

// START-5. A09: a manual restart that fails leaves the spec, stopped.
TEST_F(Supervise, KeepsAChildWhoseManualRestartFails_A09) {
  auto a = script("a");
  supervise(
    {.name = "app", .limits = {.restarts_max = 0}, .children = {a.spec()}});
  EXPECT_THAT(terminate_child("/app/a"), Succeeds());
  a.starts({start_function_throws("no disk")});
  const auto reply = restart_child("/app/a");
  ASSERT_THAT(reply, FailsWith(errc::start_failed));
  EXPECT_THAT(describe(reply.error()), HasSubstr("no disk"));
  EXPECT_EQ(state_of("/app/a"), child_state::stopped);
  run_for(1min);
  EXPECT_EQ(a.lives(), 2u);
  EXPECT_THAT(restart_child("/app/a"), Succeeds());
}

// START-5. A10: an instance that fails to start is not counted.
TEST_F(Supervise, ForgetsAnInstanceThatFailsToStart_A10) {
  auto a = script("a");
  a.starts({start_function_throws()});
  supervise(
    {.name = "app", .strategy = simple_one_for_one, .children = {a.spec()}});
  EXPECT_THAT(start_instance("/app"), FailsWith(errc::start_failed));
  EXPECT_EQ(counts("/app"), (child_counts{1, 0, 0, 0}));
}

// START-2. A11, A13, Q03, Q10: those before are stopped in reverse order,
// later ones never start, and the failure names the child and nests the cause.
TEST_F(Supervise, RollsBackWhenAChildFailsToStart_A11) {
  for (const auto& act :
       {crash_on_start("no disk"), start_function_throws("no disk")}) {
    auto a = script("a");
    auto b = script("b");
    auto c = script("c");
    auto d = script("d");
    c.always(act);
    supervise(
      {.name = "app", .children = {a.spec(), b.spec(), c.spec(), d.spec()}});
    ASSERT_TRUE(has_ended());
    EXPECT_FALSE(is_ready());
    EXPECT_THAT(seen(), HappensInOrder(Ready("/app/a"), Ready("/app/b"),
                                       Started("/app/c"), Stopped("/app/b"),
                                       Stopped("/app/a")));
    EXPECT_EQ(d.lives(), 0u);
    const auto why = end_reason();
    ASSERT_TRUE(why);
    EXPECT_EQ(why->failure_class, failure_classes::start_failure);
    EXPECT_EQ(why->misc.at("child"), "/app/c");
    EXPECT_THAT(root_cause(*why).message, HasSubstr("no disk"));
    EXPECT_EQ(root_cause(*why).where.path, "/app/c");
    EXPECT_EQ(host().running_actors(), 0u);
  }
}

// START-1. A12: the next one waits until the one before is ready.
TEST_F(Supervise, StartsOneAfterTheOther_A12) {
  auto a = script("a");
  auto b = script("b");
  a.starts({slow_start(1s)});
  supervise({.name = "app", .children = {a.spec(), b.spec()}});
  EXPECT_FALSE(is_ready());
  run_for(1s);
  EXPECT_TRUE(is_ready());
  EXPECT_THAT(seen(),
              HappensInOrder(Started("/app/a").at(0s), Ready("/app/a").at(1s),
                             Started("/app/b").at(1s)));
}

// START-1: ready goes up level by level.
TEST_F(Supervise, WaitsForTheReadinessOfInnerSupervisors) {
  auto a = script("a");
  auto b = script("b");
  a.starts({slow_start(1s)});
  supervise(
    {.name = "app",
     .children
     = {{.id = "inner", .supervisor = supervisor_spec{.children = {a.spec()}}},
        b.spec()}});
  run_for(1s);
  EXPECT_TRUE(is_ready());
  EXPECT_THAT(seen(), HappensInOrder(Ready("/app/inner/a").at(1s),
                                     Ready("/app/inner"), Started("/app/b")));
}

// START-1. A15: a child that is never ready fails at its deadline, and is
// stopped; earlier ones are rolled back.
TEST_F(Supervise, GivesUpOnAChildThatIsNeverReady_A15) {
  auto a = script("a");
  auto b = script("b");
  b.always(never_ready());
  supervise(
    {.name = "app", .children = {a.spec(), b.spec({.start_deadline = 5s})}});
  run_for(5s - 1ns);
  EXPECT_FALSE(has_ended());
  run_for(1ns);
  ASSERT_TRUE(has_ended());
  const auto why = end_reason();
  ASSERT_TRUE(why);
  EXPECT_NE(find(*why, failure_classes::start_timeout), nullptr)
    << describe(*why);
  EXPECT_EQ(why->misc.at("child"), "/app/b");
  EXPECT_EQ(host().running_actors(), 0u);
}

// START-1, STOP-2. A15, H14: one that hangs while it starts is abandoned.
TEST_F(Supervise, AbandonsAChildThatHangsWhileItStarts_A15) {
  auto a = script("a");
  a.starts({hangs_on_start()});
  supervise({.name = "app",
             .children = {a.spec(
               {.shutdown = 1s, .kill_grace = 1s, .start_deadline = 5s})}});
  run_for(8s);
  EXPECT_TRUE(has_ended());
  EXPECT_THAT(seen(), Happens(Abandoned("/app/a", 1)));
  EXPECT_THAT(tree().abandoned(), ElementsAre(left_behind{"/app/a", 1}));
}

// START-3. A16: a supervisor answers while a child starts.
TEST_F(Supervise, AnswersWhileAChildStarts_A16) {
  auto a = script("a");
  a.starts({slow_start(2s)});
  supervise({.name = "app"});
  const auto started = submit(root(), command::start_child{a.spec()});
  run_for(100ms);
  EXPECT_EQ(counts("/app"), (child_counts{1, 0, 0, 1}));
  EXPECT_EQ(state_of("/app/a"), child_state::starting);
  EXPECT_FALSE(started->has_value());
  run_for(1900ms);
  EXPECT_THAT(outcome_of(started), Succeeds());
}

// START-3. A16: also while its static children do.
TEST_F(Supervise, AnswersWhileItStartsItself_A16) {
  auto a = script("a");
  a.starts({slow_start(2s)});
  supervise({.name = "app", .children = {a.spec()}});
  EXPECT_EQ(counts("/app"), (child_counts{1, 0, 0, 1}));
  EXPECT_EQ(state_of("/app/a"), child_state::starting);
}

// HEARTBEAT-3. A17: a child that never beat after ready is judged from ready.
TEST_F(Supervise, JudgesAChildThatNeverBeatFromReady_A17) {
  auto a = script("a");
  a.starts({slow_start(2s)});
  supervise(
    {.name = "app",
     .children = {a.foreign_spec({.heartbeat = {.idle_timeout = 3s}})}});
  run_for(5s - 1ns);
  EXPECT_THAT(seen(), NeverHappens(Stalled("/app/a")));
  run_for(100ms + 1ns);
  EXPECT_THAT(seen(), Happens(Stalled("/app/a", 1)));
}

} // namespace
} // namespace coppice::test
