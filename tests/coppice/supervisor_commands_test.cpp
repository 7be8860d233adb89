// This file is part of coppice. License: see LICENSE in the source root.

// Operators' commands: group C of the catalogue.

#include "support/tree_test.hpp"

namespace coppice::test {
namespace {

using SupervisorCommands = supervision_test;

// START-5, RESTART-4. C01: the full cycle of one child.
TEST_F(SupervisorCommands, GoThroughTheFullCycle_C01) {
  auto a = script("a");
  supervise({.name = "app", .children = {a.spec()}});
  EXPECT_THAT(start_child("/app", a.spec()), FailsWith(errc::already_started));
  EXPECT_THAT(terminate_child("/app/x"), FailsWith(errc::unknown_child));
  EXPECT_THAT(terminate_child("/app/a"), Succeeds());
  EXPECT_THAT(terminate_child("/app/a"), Succeeds());
  EXPECT_THAT(delete_child("/app/a"), Succeeds());
  EXPECT_THAT(delete_child("/app/a"), FailsWith(errc::unknown_child));
  EXPECT_THAT(restart_child("/app/a"), FailsWith(errc::unknown_child));
  EXPECT_THAT(start_child("/app", a.spec()), Succeeds());
  EXPECT_THAT(terminate_child("/app/a"), Succeeds());
  EXPECT_THAT(start_child("/app", a.spec()), FailsWith(errc::already_present));
  const auto reply = restart_child("/app/a");
  ASSERT_THAT(reply, Succeeds());
  EXPECT_EQ(reply->actor, a.life());
  EXPECT_THAT(restart_child("/app/a"), FailsWith(errc::child_running));
  EXPECT_THAT(delete_child("/app/a"), FailsWith(errc::child_running));
  EXPECT_THAT(terminate_child("/app/a"), Succeeds());
  EXPECT_THAT(delete_child("/app/a"), Succeeds());
  EXPECT_EQ(counts("/app"), (child_counts{0, 0, 0, 0}));
}

// C02: outside of pools children are named by id.
TEST_F(SupervisorCommands, RefuseHandlesOutsideOfPools_C02) {
  auto a = script("a");
  supervise({.name = "app", .children = {a.spec()}});
  EXPECT_THAT(command_to(root(), command::terminate_child{a.life()}),
              FailsWith(errc::needs_id));
  EXPECT_EQ(state_of("/app/a"), child_state::running);
}

// C03: on a stopped supervisor every command is answered, with an error.
TEST_F(SupervisorCommands, AreAnsweredByAStoppedSupervisor_C03) {
  auto a = script("a");
  supervise({.name = "app", .children = {a.spec()}});
  const auto gone = root();
  EXPECT_TRUE(stop().complete);
  EXPECT_THAT(command_to(gone, command::start_child{a.spec()}),
              FailsWith(errc::stopped));
  EXPECT_THAT(command_to(gone, command::terminate_child{"a"s}),
              FailsWith(errc::stopped));
  EXPECT_THAT(command_to(gone, command::restart_child{"a"s}),
              FailsWith(errc::stopped));
  EXPECT_THAT(command_to(gone, command::delete_child{"a"s}),
              FailsWith(errc::stopped));
  EXPECT_THAT(command_to(gone, command::retry_now{"a"s}),
              FailsWith(errc::stopped));
  EXPECT_THAT(command_to(gone, command::list_children{}),
              FailsWith(errc::stopped));
  EXPECT_THAT(command_to(gone, command::count_children{}),
              FailsWith(errc::stopped));
  EXPECT_THAT(command_to(gone, command::find_child{"a"s}),
              FailsWith(errc::stopped));
  EXPECT_THAT(command_to(gone, command::refer_to_child{"a"}),
              FailsWith(errc::stopped));
  EXPECT_THAT(gone.count_children(1s), FailsWith(errc::stopped));
  EXPECT_THAT(supervisor_ref{}.count_children(1s), FailsWith(errc::stopped));
}

// START-3: a supervisor that is stopping says so.
TEST_F(SupervisorCommands, AreRefusedByASupervisorThatStops) {
  auto a = script("a");
  a.on_stop(dies_slowly(1s));
  supervise({.name = "app", .children = {a.spec()}});
  submit(root(), command::stop{infinity});
  settle();
  EXPECT_THAT(start_child("/app", script("b").spec()),
              FailsWith(errc::shutting_down));
  EXPECT_EQ(state_of("/app/a"), child_state::stopping);
  EXPECT_EQ(counts("/app").specs, 1u);
}

// C04: pools name children by their actors.
TEST_F(SupervisorCommands, RefuseIdsInPools_C04) {
  auto a = script("a");
  supervise(
    {.name = "app", .strategy = simple_one_for_one, .children = {a.spec()}});
  const auto started = start_instance("/app");
  ASSERT_THAT(started, Succeeds());
  EXPECT_THAT(start_child("/app", a.spec()), Not(Succeeds()));
  EXPECT_THAT(terminate_child("/app/a"), FailsWith(errc::needs_handle));
  EXPECT_THAT(restart_child("/app/a"), FailsWith(errc::needs_handle));
  EXPECT_THAT(delete_child("/app/a"), FailsWith(errc::needs_handle));
  const auto by_handle = command::terminate_child{started->actor};
  EXPECT_THAT(command_to(root(), by_handle), Succeeds());
  EXPECT_THAT(command_to(root(), by_handle), FailsWith(errc::unknown_child));
  const auto stranger = system().spawn(
    [](caf::event_based_actor*) { return caf::behavior{[](int) {}}; });
  EXPECT_THAT(command_to(root(), command::terminate_child{stranger}),
              FailsWith(errc::unknown_child));
  EXPECT_EQ(host().running_actors(), 2u); // the stranger lives
  kill(stranger);
}

// BUDGET-2. C05: what operators do costs nothing.
TEST_F(SupervisorCommands, CostNoBudget_C05) {
  auto a = script("a");
  supervise({.name = "app",
             .limits = {.restarts_max = 0, .window = 1min},
             .children = {a.spec()}});
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(terminate_child("/app/a"), Succeeds());
    EXPECT_THAT(restart_child("/app/a"), Succeeds());
  }
  EXPECT_FALSE(has_ended());
  EXPECT_EQ(incarnation_of("/app/a"), 21u);
}

// STOP-1. C06: a restarted child keeps its place, a new one goes last.
TEST_F(SupervisorCommands, KeepThePlaceOfARestartedChild_C06) {
  auto a = script("a");
  auto b = script("b");
  auto c = script("c");
  supervise({.name = "app", .children = {a.spec(), b.spec(), c.spec()}});
  EXPECT_THAT(terminate_child("/app/a"), Succeeds());
  EXPECT_THAT(restart_child("/app/a"), Succeeds());
  EXPECT_THAT(terminate_child("/app/b"), Succeeds());
  EXPECT_THAT(delete_child("/app/b"), Succeeds());
  EXPECT_THAT(start_child("/app", b.spec()), Succeeds());
  stop();
  EXPECT_THAT(seen(), HappensInOrder(Ready("/app/b", 2), Stopped("/app/b", 2),
                                     Stopped("/app/c"), Stopped("/app/a", 2)));
}

// RESTART-1. C07: a temporary child is forgotten when it is terminated.
TEST_F(SupervisorCommands, ForgetTemporaryChildren_C07) {
  auto t = script("t");
  const auto spec = t.spec({.restart = temporary});
  supervise({.name = "app", .children = {spec}});
  EXPECT_THAT(terminate_child("/app/t"), Succeeds());
  EXPECT_THAT(restart_child("/app/t"), FailsWith(errc::unknown_child));
  EXPECT_THAT(delete_child("/app/t"), FailsWith(errc::unknown_child));
  EXPECT_THAT(start_child("/app", spec), Succeeds());
  EXPECT_EQ(incarnation_of("/app/t"), 2u);
}

// C08: the answer comes when the child is gone, not before.
TEST_F(SupervisorCommands, AnswerWhenTheChildIsGone_C08) {
  auto a = script("a");
  a.on_stop(dies_slowly(1s));
  supervise({.name = "app", .children = {a.spec()}});
  const auto answer = submit(root(), command::terminate_child{"a"s});
  run_for(1s - 1ns);
  EXPECT_FALSE(answer->has_value());
  EXPECT_EQ(host().running_actors(), 2u);
  run_for(1ns);
  EXPECT_THAT(outcome_of(answer), Succeeds());
  EXPECT_EQ(host().running_actors(), 1u);
}

// START-3. C09: of a hundred who start the same child at once, one does.
TEST_F(SupervisorCommands, StartAChildOnceForAHundredOperators_C09) {
  auto a = script("a");
  supervise({.name = "app"});
  std::vector<pending<command_reply>> answers;
  for (int i = 0; i < 100; ++i)
    answers.push_back(submit(root(), command::start_child{a.spec()}));
  settle();
  const auto ok = std::count_if(answers.begin(), answers.end(), [](auto& x) {
    return outcome_of(x).has_value();
  });
  EXPECT_EQ(ok, 1);
  for (const auto& x : answers)
    if (!outcome_of(x).has_value()) {
      EXPECT_THAT(outcome_of(x), FailsWith(errc::already_started));
    }
  EXPECT_EQ(a.lives(), 1u);
}

// START-3. C10: terminating what starts does not wait for it.
TEST_F(SupervisorCommands, TerminateAChildThatStarts_C10) {
  auto a = script("a");
  a.starts({slow_start(5s)});
  supervise({.name = "app"});
  const auto started
    = submit(root(), command::start_child{a.spec({.start_deadline = 10s})});
  run_for(1s);
  const auto answer = terminate_child("/app/a");
  EXPECT_THAT(answer, Not(IsNotAnswered()));
  EXPECT_TRUE(started->has_value());
  EXPECT_FALSE(outcome_of(started).has_value());
  run_for(1min);
  EXPECT_THAT(seen(), NeverHappens(Ready("/app/a")));
  EXPECT_EQ(host().running_actors(), 1u);
}

// RESTART-4. C11: an operator's stop is sticky; with `revive`, as in OTP.
TEST_F(SupervisorCommands, StayInForceOverGroupRestarts_C11) {
  for (const auto revive : {revive_mode::none, revive_mode::all}) {
    auto a = script("a");
    auto b = script("b");
    auto c = script("c");
    supervise({.name = "app",
               .strategy = one_for_all,
               .revive = revive,
               .children = {a.spec({.backoff = at_once}), b.spec(), c.spec()}});
    EXPECT_THAT(terminate_child("/app/c"), Succeeds());
    a.now(throws());
    settle();
    EXPECT_EQ(a.lives(), 2u);
    EXPECT_EQ(b.lives(), 2u);
    const auto back = revive == revive_mode::all;
    EXPECT_EQ(c.lives(), back ? 2u : 1u);
    if (!back) {
      EXPECT_EQ(child("/app/c").info.why, stopped_why::by_operator);
    }
  }
}

// BACKOFF-2: an operator can retry now; other commands say what is going on.
TEST_F(SupervisorCommands, EndABackoff_G01_G02) {
  auto a = script("a");
  supervise({.name = "app",
             .limits = {.restarts_max = infinity},
             .children = {a.spec({.backoff = {.first = 1h, .cap = 1h}})}});
  a.now(throws());
  settle();
  EXPECT_EQ(state_of("/app/a"), child_state::backoff);
  EXPECT_THAT(start_child("/app", a.spec()), Not(Succeeds()));
  EXPECT_THAT(delete_child("/app/a"), FailsWith(errc::child_restarting));
  EXPECT_THAT(retry_now("/app/a"), Succeeds());
  EXPECT_EQ(state_of("/app/a"), child_state::running);
  a.now(throws());
  settle();
  EXPECT_THAT(terminate_child("/app/a"), Succeeds());
  run_for(2h);
  EXPECT_EQ(a.lives(), 2u);
  EXPECT_THAT(restart_child("/app/a"), Succeeds());
}

} // namespace
} // namespace coppice::test
