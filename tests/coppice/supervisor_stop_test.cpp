// This file is part of coppice. License: see LICENSE in the source root.

// Stopping children and trees: groups H and I of the catalogue.

#include "support/tree_test.hpp"

namespace coppice::test {
namespace {

using SupervisorStop = supervision_test;

// STOP-1. H01: an infinite grace waits.
TEST_F(SupervisorStop, WaitsForAnInfiniteGrace_H01) {
  auto a = script("a");
  auto b = script("b");
  a.on_stop(dies_slowly(10s));
  b.on_stop(dies_slowly(10s));
  supervise({.name = "app",
             .children = {a.spec({.shutdown = infinity}),
                          {.id = "inner",
                           .supervisor = supervisor_spec{
                             .children = {b.spec({.shutdown = infinity})}}}}});
  EXPECT_TRUE(stop(infinity).complete);
  EXPECT_EQ(now(), 20s);
  EXPECT_FALSE(end_reason());
}

// STOP-1. H02: after the grace comes the kill.
TEST_F(SupervisorStop, KillsAfterTheGrace_H02) {
  auto good = script("good");
  auto deaf = script("deaf");
  deaf.on_stop(ignores_shutdown());
  supervise(
    {.name = "app",
     .children = {good.spec({.shutdown = 1s}), deaf.spec({.shutdown = 1s})}});
  EXPECT_TRUE(stop().complete);
  EXPECT_EQ(now(), 1s);
  EXPECT_FALSE(end_reason());
  EXPECT_TRUE(tree().abandoned().empty());
}

// STOP-1. H03, H10: a brutal kill asks nobody; a grace of 0 asks, and kills.
TEST_F(SupervisorStop, KillsBrutally_H03_H10) {
  auto a = script("a");
  auto b = script("b");
  a.on_stop(dies_slowly(10s));
  b.on_stop(ignores_shutdown());
  supervise({.name = "app",
             .children = {a.spec({.shutdown = brutal_kill}),
                          b.spec({.shutdown = 0ms})}});
  EXPECT_TRUE(stop().complete);
  EXPECT_EQ(now(), 0s);
}

// STOP-1. H04: a pool stops all at once, under one timer.
TEST_F(SupervisorStop, StopsAPoolInParallel_H04) {
  auto fast = script("fast");
  auto slow = script("slow");
  fast.on_stop(dies_slowly(1s));
  slow.on_stop(dies_slowly(5s));
  auto spec = fast.spec({.shutdown = 2s});
  spec.start = [f = fast.spec().start, s = slow.spec().start](auto& context) {
    context.arguments().template get_as<int>(0) == 0 ? f(context) : s(context);
  };
  supervise(
    {.name = "app", .strategy = simple_one_for_one, .children = {spec}});
  for (const auto which : {0, 0, 1})
    EXPECT_THAT(start_instance("/app", caf::make_message(which)), Succeeds());
  EXPECT_TRUE(stop().complete);
  EXPECT_EQ(now(), 2s);
}

// STOP-1. H05
TEST_F(SupervisorStop, KillsAPoolBrutally_H05) {
  auto w = script("w");
  w.on_stop(dies_slowly(1s));
  supervise({.name = "app",
             .strategy = simple_one_for_one,
             .children = {w.spec({.shutdown = brutal_kill})}});
  for (int i = 0; i < 10; ++i)
    EXPECT_THAT(start_instance("/app"), Succeeds());
  EXPECT_TRUE(stop().complete);
  EXPECT_EQ(now(), 0s);
}

// STOP-1. H07: however its children end, a stop that was asked for is clean.
TEST_F(SupervisorStop, IsCleanEvenIfChildrenCrashOnTheWay_H07) {
  for (const auto restart : {permanent, transient, temporary}) {
    auto w = script("w");
    w.on_stop(crash_on_stop());
    supervise({.name = "app",
               .strategy = simple_one_for_one,
               .children = {w.spec({.restart = restart})}});
    EXPECT_THAT(start_instance("/app"), Succeeds());
    EXPECT_TRUE(stop().complete);
    EXPECT_FALSE(end_reason());
    EXPECT_EQ(w.lives(), 1u);
  }
}

// STOP-1. H09: in reverse start order, one after the other.
TEST_F(SupervisorStop, StopsInReverseOrder_H09) {
  auto a = script("a");
  auto b = script("b");
  auto c = script("c");
  for (auto* x : {&a, &b, &c})
    x->on_stop(dies_slowly(1s));
  supervise({.name = "app", .children = {a.spec(), b.spec(), c.spec()}});
  EXPECT_TRUE(stop().complete);
  EXPECT_THAT(seen(),
              HappensInOrder(Stopped("/app/c").at(1s), Stopped("/app/b").at(2s),
                             Stopped("/app/a").at(3s)));
}

// STOP-4. H12: a second stop joins the first; both are answered at the end.
TEST_F(SupervisorStop, JoinsASecondStop_H12) {
  auto a = script("a");
  a.on_stop(dies_slowly(1s));
  supervise({.name = "app", .children = {a.spec()}});
  const auto first = submit(root(), command::stop{infinity});
  const auto second = submit(root(), command::stop{infinity});
  run_for(1s - 1ns);
  EXPECT_FALSE(first->has_value());
  EXPECT_FALSE(second->has_value());
  run_for(1ns);
  EXPECT_THAT(outcome_of(first), Succeeds());
  EXPECT_THAT(outcome_of(second), Succeeds());
  EXPECT_THAT(seen(), HappensTimes(1, Stopped("/app/a")));
}

// STOP-1. H13: an inner supervisor is stopped in order by its parent.
TEST_F(SupervisorStop, StopsInnerSupervisorsInOrder_H13) {
  auto a = script("a");
  auto b = script("b");
  supervise({.name = "app",
             .children = {{.id = "inner",
                           .supervisor = supervisor_spec{
                             .children = {a.spec(), b.spec()}}}}});
  EXPECT_TRUE(stop().complete);
  EXPECT_THAT(seen(),
              HappensInOrder(Stopped("/app/inner/b"), Stopped("/app/inner/a"),
                             Stopped("/app/inner")));
}

// STOP-2. H14: a handler that does not return: asked, killed, abandoned; the
// supervisor goes on; when it returns at last, the count falls.
TEST_F(SupervisorStop, AbandonsALifeThatWillNotEnd_H14) {
  auto a = script("a");
  supervise(
    {.name = "app", .children = {a.spec({.shutdown = 1s, .kill_grace = 1s})}});
  a.now(hangs());
  settle();
  EXPECT_FALSE(a.cancelled());
  const auto answer = submit(root(), command::restart_child{"a"s});
  const auto stopped = submit(root(), command::terminate_child{"a"s});
  settle();
  EXPECT_TRUE(answer->has_value());
  EXPECT_TRUE(a.cancelled());
  EXPECT_EQ(state_of("/app/a"), child_state::stopping);
  run_for(2s - 1ns);
  EXPECT_FALSE(stopped->has_value());
  run_for(1ns);
  EXPECT_THAT(outcome_of(stopped), Succeeds());
  EXPECT_THAT(seen(), Happens(Abandoned("/app/a", 1).at(2s)));
  EXPECT_EQ(child("/app/a").info.abandoned, 1u);
  EXPECT_THAT(tree().abandoned(), ElementsAre(left_behind{"/app/a", 1}));
  const auto listing = children("/app");
  ASSERT_THAT(listing, Succeeds());
  ASSERT_EQ(listing->abandoned.size(), 1u);
  EXPECT_EQ(listing->abandoned.front().incarnation, 1u);
  EXPECT_THAT(restart_child("/app/a"), Succeeds());
  EXPECT_EQ(incarnation_of("/app/a"), 2u);
  a.release();
  settle();
  EXPECT_THAT(seen(), Happens(AbandonedEnded("/app/a", 1)));
  EXPECT_EQ(child("/app/a").info.abandoned, 0u);
  EXPECT_TRUE(tree().abandoned().empty());
  EXPECT_EQ(state_of("/app/a"), child_state::running);
}

// STOP-2: over the cap of abandoned lives the root gives up.
TEST_F(SupervisorStop, GivesUpWhenTooManyLivesAreAbandoned) {
  auto a = script("a");
  supervise_options options;
  options.abandoned_max = 1;
  supervise({.name = "app",
             .limits = {.restarts_max = infinity},
             .children = {a.spec({.shutdown = brutal_kill,
                                  .kill_grace = 1s,
                                  .backoff = at_once,
                                  .heartbeat = {.stall_timeout = 1s}})}},
            options);
  for (int i = 0; i < 2; ++i) {
    EXPECT_FALSE(has_ended());
    a.now(hangs());
    run_for(3s);
  }
  ASSERT_TRUE(has_ended());
  EXPECT_EQ(end_reason()->code, failure_code{errc::abandoned_cap});
}

// STOP-4. H16: stopping during a backoff; no start follows.
TEST_F(SupervisorStop, CancelsABackoff_H16) {
  auto a = script("a");
  supervise({.name = "app", .children = {a.spec({.backoff = each_second})}});
  a.now(throws());
  settle();
  EXPECT_TRUE(stop().complete);
  EXPECT_EQ(now(), 0s);
  run_for(1min);
  EXPECT_EQ(a.lives(), 1u);
}

// STOP-4. H18: a supervisor that is killed takes its children with it.
TEST_F(SupervisorStop, TakesChildrenAlongWhenItIsKilled_H18) {
  auto a = script("a");
  auto b = script("b");
  supervise({.name = "app",
             .children = {
               {.id = "inner",
                .supervisor = supervisor_spec{.children = {a.spec(), b.spec()}},
                .restart = temporary}}});
  EXPECT_EQ(host().running_actors(), 4u);
  kill(supervisor("/app/inner").handle());
  settle();
  EXPECT_EQ(host().running_actors(), 1u);
  kill(root().handle());
  settle();
  EXPECT_EQ(host().running_actors(), 0u);
  ASSERT_TRUE(has_ended());
  EXPECT_EQ(end_reason()->code, failure_code{errc::killed});
}

// STOP-3: a total deadline, and a report of who was left, by path.
TEST_F(SupervisorStop, KeepsATotalDeadline) {
  auto a = script("a");
  auto b = script("b");
  auto c = script("c");
  b.on_stop(dies_slowly(1h));
  supervise({.name = "app",
             .children = {a.spec(),
                          {.id = "inner",
                           .supervisor = supervisor_spec{
                             .children = {b.spec({.shutdown = infinity}),
                                          c.spec({.shutdown = infinity})}}}}});
  c.now(hangs());
  settle();
  const auto report = stop(5s);
  EXPECT_TRUE(report.complete);
  EXPECT_LE(now(), 5s);
  EXPECT_THAT(report.left, ElementsAre(left_behind{"/app/inner/c", 1}));
}

// STOP-4: a root that gets an exit message from nobody ends in order.
TEST_F(SupervisorStop, TakesAnExitMessageFromNobodyAsAStop) {
  auto a = script("a");
  supervise({.name = "app", .children = {a.spec()}});
  caf::anon_send_exit(root().handle(), caf::exit_reason::user_shutdown);
  settle();
  EXPECT_TRUE(has_ended());
  EXPECT_FALSE(end_reason());
  EXPECT_THAT(seen(), Happens(Stopped("/app/a")));
}

// STOP-5. I02, I13: the end of a significant child ends the supervisor, in
// order, cleanly; an operator's stop does not.
TEST_F(SupervisorStop, FollowsSignificantChildren_I02_I13) {
  auto a = script("a");
  auto s = script("s");
  auto c = script("c");
  const auto significant = s.spec({.restart = temporary, .significant = true});
  supervise({.name = "app",
             .auto_shutdown = auto_shutdown_mode::any_significant,
             .children = {a.spec(), significant, c.spec()}});
  EXPECT_THAT(terminate_child("/app/s"), Succeeds());
  EXPECT_FALSE(has_ended());
  EXPECT_THAT(start_child("/app", significant), Succeeds());
  kill(s.life());
  settle();
  EXPECT_TRUE(has_ended());
  EXPECT_FALSE(end_reason());
  EXPECT_THAT(seen(), HappensInOrder(Stopped("/app/c"), Stopped("/app/a")));
}

// STOP-5. I03
TEST_F(SupervisorStop, WaitsForAllSignificantChildren_I03) {
  auto a = script("a");
  auto b = script("b");
  auto plain = script("plain");
  supervise({.name = "app",
             .auto_shutdown = auto_shutdown_mode::all_significant,
             .children = {a.spec({.restart = transient, .significant = true}),
                          b.spec({.restart = temporary, .significant = true}),
                          plain.spec()}});
  a.now(finish());
  settle();
  EXPECT_FALSE(has_ended());
  b.now(throws());
  settle();
  EXPECT_TRUE(has_ended());
  EXPECT_FALSE(end_reason());
}

} // namespace
} // namespace coppice::test
