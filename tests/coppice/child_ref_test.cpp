// This file is part of coppice. License: see LICENSE in the source root.

// References that survive restarts: group N of the catalogue.

#include "support/tree_test.hpp"

namespace coppice::test {
namespace {

class ChildRef : public supervision_test {
public:
  void start(parking_spec parking = {}, restart_limits limits = {},
             exhaustion_action on_exhausted = exhaustion_action::escalate) {
    supervise({.name = "app",
               .limits = {.restarts_max = infinity},
               .children = {a.spec({.backoff = each_second,
                                    .limits = limits,
                                    .on_exhausted = on_exhausted,
                                    .parking = parking})}});
    to = ref("/app/a");
  }

  pending<std::string> ask_soon(const std::string& text) {
    return request<std::string>(to.handle(), 1h, text);
  }

  child_script a = script("a");
  child_ref to;
};

// N01: the same handle before, during and after a restart.
TEST_F(ChildRef, SurvivesARestart_N01) {
  start({.messages_max = 10});
  const auto raw = a.life();
  EXPECT_EQ(to.current_life(), raw);
  const auto before = ask<std::string>(to.handle(), 1s, "x"s);
  ASSERT_THAT(before, Succeeds());
  EXPECT_EQ(*before, "a#1: x");
  a.now(throws());
  settle();
  EXPECT_FALSE(to.current_life());
  const auto during = ask_soon("y");
  run_for(1s);
  EXPECT_THAT(outcome_of(during), Succeeds());
  EXPECT_EQ(*outcome_of(during), "a#2: y");
  const auto after = ask<std::string>(to.handle(), 1s, "z"s);
  ASSERT_THAT(after, Succeeds());
  EXPECT_EQ(*after, "a#2: z");
  EXPECT_NE(to.current_life(), raw);
  EXPECT_EQ(to.path(), "/app/a");
}

// N02: what was parked comes in order, and before what comes later.
TEST_F(ChildRef, KeepsTheOrderOfParkedMessages_N02) {
  start({.messages_max = 10});
  a.now(throws());
  settle();
  for (const auto* text : {"1", "2", "3", "4", "5"})
    send(to.handle(), text);
  run_for(1s);
  send(to.handle(), "6");
  settle();
  EXPECT_THAT(a.texts(), ElementsAre("now", "1", "2", "3", "4", "5", "6"));
  EXPECT_EQ(to.statistics().parked, 5u);
  EXPECT_EQ(to.statistics().waiting, 0u);
}

// N02: messages before and after a crash keep their order as well.
TEST_F(ChildRef, KeepsTheOrderOverRestarts_N02) {
  start({.messages_max = 10});
  for (int round = 0; round < 3; ++round) {
    send(to.handle(), std::to_string(2 * round));
    settle();
    a.now(throws());
    settle();
    send(to.handle(), std::to_string(2 * round + 1));
    run_for(1s);
  }
  EXPECT_THAT(a.texts(),
              ElementsAre("0", "now", "1", "2", "now", "3", "4", "now", "5"));
}

// N03: the bound holds: the newest is refused, with a typed error.
TEST_F(ChildRef, RefusesTheNewestWhenParkingIsFull_N03) {
  start({.messages_max = 2});
  a.now(throws());
  settle();
  const auto first = ask_soon("1");
  const auto second = ask_soon("2");
  const auto third = ask_soon("3");
  settle();
  EXPECT_THAT(outcome_of(third), FailsWith(errc::parking_full));
  EXPECT_EQ(to.statistics().waiting, 2u);
  EXPECT_EQ(to.statistics().dropped, 1u);
  run_for(1s);
  EXPECT_THAT(outcome_of(first), Succeeds());
  EXPECT_THAT(outcome_of(second), Succeeds());
}

// N03: or the oldest is dropped.
TEST_F(ChildRef, DropsTheOldestWhenParkingIsFull_N03) {
  start({.messages_max = 2, .overflow = parking_overflow::drop_oldest});
  a.now(throws());
  settle();
  const auto first = ask_soon("1");
  settle();
  const auto second = ask_soon("2");
  const auto third = ask_soon("3");
  settle();
  EXPECT_THAT(outcome_of(first), FailsWith(errc::parking_full));
  run_for(1s);
  EXPECT_THAT(outcome_of(second), Succeeds());
  EXPECT_THAT(outcome_of(third), Succeeds());
}

// FAILURE-6. N05: the message in hand is lost; its requester learns why.
TEST_F(ChildRef, FailsTheRequestInHandOfACrash_N05) {
  start({.messages_max = 10});
  a.on_messages({throws("no disk")});
  const auto answer = ask<std::string>(to.handle(), 1h, "x"s);
  ASSERT_FALSE(answer.has_value());
  EXPECT_THAT(describe(answer.error()), HasSubstr("no disk"));
  EXPECT_EQ(answer.error().where.path, "/app/a");
  EXPECT_EQ(now(), 0s);
  run_for(10s);
  EXPECT_THAT(a.texts(), ElementsAre("x")); // not redelivered
}

// N07: without parking, an immediate typed answer between two lives.
TEST_F(ChildRef, RefusesBetweenTwoLives_N07) {
  start();
  a.now(throws());
  settle();
  const auto answer = ask<std::string>(to.handle(), 1h, "x"s);
  EXPECT_THAT(answer, FailsWith(errc::unavailable));
  EXPECT_EQ(now(), 0s);
  EXPECT_EQ(to.statistics().refused, 1u);
}

// N08, BUDGET-5: a child that is exhausted: whoever waits is answered.
TEST_F(ChildRef, AnswersWhoWaitsForAStoppedChild_N08) {
  start({.messages_max = 10}, {.restarts_max = 1, .window = 1min},
        exhaustion_action::stop_child);
  a.now(throws());
  settle();
  a.starts({crash_on_start()});
  const auto parked = ask_soon("x");
  run_for(1s);
  EXPECT_EQ(child("/app/a").info.why, stopped_why::exhausted);
  EXPECT_THAT(outcome_of(parked), FailsWith(errc::stopped));
  EXPECT_THAT(ask<std::string>(to.handle(), 1h, "y"s),
              FailsWith(errc::stopped));
  EXPECT_THAT(restart_child("/app/a"), Succeeds());
  EXPECT_THAT(ask<std::string>(to.handle(), 1h, "z"s), Succeeds());
}

// N08: the same after an operator's stop, and after the end of the tree.
TEST_F(ChildRef, AnswersAfterTheEnd_N08) {
  start({.messages_max = 10});
  EXPECT_THAT(terminate_child("/app/a"), Succeeds());
  EXPECT_THAT(ask<std::string>(to.handle(), 1h, "x"s),
              FailsWith(errc::stopped));
  EXPECT_THAT(restart_child("/app/a"), Succeeds());
  EXPECT_THAT(ask<std::string>(to.handle(), 1h, "y"s), Succeeds());
  EXPECT_TRUE(stop().complete);
  EXPECT_THAT(ask<std::string>(to.handle(), 1h, "z"s),
              FailsWith(errc::stopped));
}

// N09: a supervisor's children are gone before its next life begins.
TEST_F(ChildRef, NeverSeesTwoGenerationsOfASubtree_N09) {
  auto b = script("b");
  b.on_stop(dies_slowly(2s));
  supervise({.name = "app",
             .children = {
               {.id = "inner",
                .supervisor = supervisor_spec{.limits = {.restarts_max = 0},
                                              .children = {a.spec(), b.spec()}},
                .backoff = at_once}}});
  a.now(throws());
  run_for(2s);
  EXPECT_THAT(seen(), HappensInOrder(GaveUp("/app/inner/a", 1),
                                     Stopped("/app/inner/b", 1).at(2s),
                                     Started("/app/inner", 2).at(2s)));
  EXPECT_THAT(seen(), HappensInOrder(Stopped("/app/inner/b", 1),
                                     Started("/app/inner/a", 2).at(2s)));
}

// N10: what the old life sent itself for later does not reach the new one.
TEST_F(ChildRef, KeepsDelayedMessagesFromTheNextLife_N10) {
  start({.messages_max = 10});
  const auto raw = a.life();
  const auto clock = system().spawn([raw](caf::event_based_actor* self) {
    compat::tell_after(self, 5s, raw, "late"s);
    return caf::behavior{[](int) {}};
  });
  settle();
  a.now(throws());
  run_for(10s);
  EXPECT_EQ(a.lives(), 2u);
  EXPECT_THAT(a.texts(), ElementsAre("now"));
  kill(clock);
}

// "Words": a reference survives the restart of the supervisor above, too.
TEST_F(ChildRef, SurvivesTheSupervisorAbove) {
  supervise(
    {.name = "app",
     .children
     = {{.id = "inner",
         .supervisor = supervisor_spec{.limits = {.restarts_max = 0},
                                       .children = {a.spec(
                                         {.parking = {.messages_max = 10}})}},
         .backoff = each_second}}});
  to = ref("/app/inner/a");
  send(to.handle(), "1");
  settle();
  a.now(throws());
  settle();
  EXPECT_EQ(state_of("/app/inner"), child_state::backoff);
  send(to.handle(), "2");
  const auto answer = ask_soon("3");
  settle();
  EXPECT_EQ(to.statistics().waiting, 2u);
  run_for(1s);
  ASSERT_THAT(outcome_of(answer), Succeeds());
  EXPECT_EQ(*outcome_of(answer), "a#2: 3");
  EXPECT_THAT(a.texts(), ElementsAre("1", "now", "2", "3"));
}

// START-1: a reference can be had before the child is ready; messages wait.
TEST_F(ChildRef, WaitsForTheFirstLife) {
  a.starts({slow_start(1s)});
  start({.messages_max = 10});
  const auto answer = ask_soon("x");
  run_for(1s);
  EXPECT_THAT(outcome_of(answer), Succeeds());
}

// STOP-2, FAILURE-6: a requester of a stuck life learns of it when the life is
// abandoned, and drops the late reply.
TEST_F(ChildRef, FailsTheRequestInHandOfAnAbandonedLife) {
  if (!worker::marks_messages)
    GTEST_SKIP() << "CAF 1.x does not say which request is in hand";
  supervise({.name = "app",
             .children = {a.spec({.shutdown = 1s,
                                  .kill_grace = 1s,
                                  .heartbeat = {.stall_timeout = 3s},
                                  .parking = {.messages_max = 10}})}});
  to = ref("/app/a");
  a.on_messages({hangs()});
  const auto answer = ask_soon("x");
  run_for(6s);
  EXPECT_THAT(outcome_of(answer), FailsWith(errc::stalled));
  const auto next = ask<std::string>(to.handle(), 1s, "y"s);
  ASSERT_THAT(next, Succeeds());
  EXPECT_EQ(*next, "a#2: y");
  a.release();
  settle();
  EXPECT_THAT(outcome_of(answer), FailsWith(errc::stalled));
}

} // namespace
} // namespace coppice::test
