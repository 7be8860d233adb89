// This file is part of coppice. License: see LICENSE in the source root.

// Restarts of children and of whole subtrees: groups D, F, G of the catalogue
// as far as they need actors.

#include "support/tree_test.hpp"

namespace coppice::test {
namespace {

using SupervisorRestart = supervision_test;

// RESTART-1: what ends how, and who comes back.
TEST_F(SupervisorRestart, FollowsTheRestartType) {
  auto p = script("p");
  auto t = script("t");
  auto once = script("once");
  supervise({.name = "app",
             .limits = {.restarts_max = infinity},
             .children = {p.spec({.backoff = at_once}),
                          t.spec({.restart = transient, .backoff = at_once}),
                          once.spec({.restart = temporary})}});
  p.now(finish());
  t.now(finish_with_note("all done"));
  once.now(throws());
  settle();
  EXPECT_EQ(p.lives(), 2u);
  EXPECT_EQ(t.lives(), 1u);
  EXPECT_EQ(child("/app/t").info.why, stopped_why::finished);
  EXPECT_EQ(once.lives(), 1u);
  EXPECT_THAT(seen(), Happens(Forgotten("/app/once")));
  EXPECT_THAT(restart_child("/app/t"), Succeeds());
  t.now(crash());
  settle();
  EXPECT_EQ(t.lives(), 3u);
}

// RESTART-1: an external kill is abnormal.
TEST_F(SupervisorRestart, TreatsAKillAsAFailure) {
  auto t = script("t");
  supervise({.name = "app",
             .children = {t.spec({.restart = transient, .backoff = at_once})}});
  kill(t.life());
  settle();
  EXPECT_EQ(t.lives(), 2u);
  EXPECT_THAT(seen(), Happens(Failed("/app/t", 1).cause(end_cause::crash)));
}

// RESTART-3: a failure can forbid the restart, and rules map classes.
TEST_F(SupervisorRestart, FollowsTheClassOfTheFailure) {
  auto a = script("a");
  auto b = script("b");
  auto c = script("c");
  const std::vector<failure_rule> rules{{"no_license", failure_action::stop},
                                        {"disk", failure_action::escalate}};
  supervise(
    {.name = "app",
     .children = {a.spec({.on_failure = rules}), b.spec({.on_failure = rules}),
                  c.spec({.on_failure = rules})}});
  a.now(throws(failure{.failure_class = failure_classes::permanent_failure,
                       .message = "never again",
                       .user_message = "no"}));
  b.now(crash(failure{.failure_class = "no_license",
                      .message = "expired",
                      .user_message = "no"}));
  run_for(1min);
  EXPECT_EQ(child("/app/a").info.why, stopped_why::failed);
  EXPECT_EQ(child("/app/b").info.why, stopped_why::failed);
  EXPECT_EQ(a.lives() + b.lives(), 2u);
  EXPECT_FALSE(has_ended());
  c.now(throws(
    failure{.failure_class = "disk", .message = "gone", .user_message = "no"}));
  settle();
  ASSERT_TRUE(has_ended());
  EXPECT_NE(find(*end_reason(), "disk"), nullptr);
}

// --(doc:testing_backoff-begin)--
// RESTART-6, BACKOFF-1, G08: delays double up to the cap; failed starts too.
TEST_F(SupervisorRestart, BacksOff) {
  auto a = script("a");
  supervise({.name = "app",
             .limits = {.restarts_max = infinity},
             .children = {a.spec({.backoff = {.first = 100ms,
                                              .cap = 300ms,
                                              .jitter = jitter_kind::none}})}});
  a.always(crash_on_start());
  a.now(throws());
  run_for(1s);
  EXPECT_THAT(starts_of("/app/a"),
              ElementsAre(0ms, 100ms, 300ms, 600ms, 900ms));
}
// --(doc:testing_backoff-end)--

// BACKOFF-2: a healthy run, or the child's own word, resets the delays.
TEST_F(SupervisorRestart, StartsAtOnceAfterAHealthyRun) {
  auto a = script("a");
  supervise({.name = "app",
             .limits = {.restarts_max = infinity},
             .children = {a.spec({.backoff = {.first = 1s,
                                              .jitter = jitter_kind::none,
                                              .reset_after = 10s}})}});
  run_for(10s);
  a.now(throws());
  settle();
  EXPECT_EQ(a.lives(), 2u);
  a.now(throws());
  settle();
  EXPECT_EQ(a.lives(), 2u);
  run_for(1s);
  EXPECT_EQ(a.lives(), 3u);
  a.now(reports_healthy());
  settle();
  a.now(throws());
  settle();
  EXPECT_EQ(a.lives(), 4u);
}

// "Words": no incarnation is used twice under one path, neither over a
// restart of the supervisor above, nor over delete and add.
TEST_F(SupervisorRestart, NeverUsesAnIncarnationTwice) {
  auto a = script("a");
  supervise({.name = "app",
             .limits = {.restarts_max = infinity},
             .children
             = {{.id = "inner",
                 .supervisor
                 = supervisor_spec{.limits = {.restarts_max = 1},
                                   .children = {a.spec({.backoff = at_once})}},
                 .backoff = at_once}}});
  for (int i = 0; i < 5; ++i) {
    a.now(throws());
    settle();
  }
  kill(supervisor("/app/inner").handle());
  settle();
  EXPECT_THAT(
    seen(), HappensInOrder(Ready("/app/inner/a", 2), GaveUp("/app/inner/a", 2),
                           Ready("/app/inner/a", 3), Ready("/app/inner/a", 4),
                           Ready("/app/inner/a", 5), Ready("/app/inner/a", 6),
                           Ready("/app/inner/a", 7)));
  for (std::uint64_t n = 1; n <= 7; ++n)
    EXPECT_THAT(seen(), HappensTimes(1, Started("/app/inner/a", n)));
  EXPECT_EQ(incarnation_of("/app/inner"), 4u);
  EXPECT_THAT(terminate_child("/app/inner/a"), Succeeds());
  EXPECT_THAT(delete_child("/app/inner/a"), Succeeds());
  EXPECT_THAT(start_child("/app/inner", a.spec()), Succeeds());
  EXPECT_EQ(incarnation_of("/app/inner/a"), 8u);
}

// BUDGET-6. F08: giving up is abnormal, for a transient supervisor as well,
// and says who, which life, how often, and why.
TEST_F(SupervisorRestart, SaysWhyItGivesUp_F08) {
  auto a = script("a");
  supervise({.name = "app",
             .limits = {.restarts_max = 0},
             .children = {
               {.id = "inner",
                .supervisor
                = supervisor_spec{.limits = {.restarts_max = 1, .window = 1min},
                                  .children = {a.spec({.backoff = at_once})}},
                .restart = transient}}});
  a.now(throws("first"));
  settle();
  a.now(throws("second"));
  settle();
  ASSERT_TRUE(has_ended());
  const auto why = end_reason();
  ASSERT_TRUE(why);
  EXPECT_EQ(why->failure_class, failure_classes::gave_up);
  EXPECT_EQ(why->code, failure_code{errc::gave_up});
  EXPECT_EQ(why->misc.at("child"), "/app/inner");
  ASSERT_TRUE(why->inner);
  const auto& inner = *why->inner;
  EXPECT_EQ(inner.failure_class, failure_classes::gave_up);
  EXPECT_EQ(inner.where.path, "/app/inner");
  EXPECT_EQ(inner.misc.at("child"), "/app/inner/a");
  EXPECT_EQ(inner.misc.at("child_incarnation"), "2");
  EXPECT_EQ(inner.misc.at("attempts"), "2");
  EXPECT_THAT(root_cause(*why).message, HasSubstr("second"));
}

// BUDGET-6: a significant supervisor that gives up is no clean end.
TEST_F(SupervisorRestart, DoesNotMistakeGivingUpForACleanEnd) {
  auto a = script("a");
  auto b = script("b");
  supervise(
    {.name = "app",
     .auto_shutdown = auto_shutdown_mode::any_significant,
     .children = {{.id = "inner",
                   .supervisor = supervisor_spec{.limits = {.restarts_max = 0},
                                                 .children = {a.spec()}},
                   .restart = transient,
                   .backoff = at_once,
                   .significant = true},
                  b.spec()}});
  a.now(throws());
  settle();
  EXPECT_FALSE(has_ended());
  EXPECT_EQ(incarnation_of("/app/inner"), 2u);
}

// BUDGET-7. F16: by default the caller gets the failure.
TEST_F(SupervisorRestart, ReturnsTheFailureOfTheRoot_F16) {
  auto a = script("a");
  supervise(
    {.name = "app", .limits = {.restarts_max = 0}, .children = {a.spec()}});
  EXPECT_FALSE(tree().wait(0s).has_value());
  a.now(throws("no disk"));
  settle();
  const auto end = tree().wait(0s);
  ASSERT_TRUE(end && *end);
  EXPECT_EQ((*end)->failure_class, failure_classes::gave_up);
}

// BUDGET-7. F16: keep writes the failure and goes on.
TEST_F(SupervisorRestart, KeepsTheProcess_F16) {
  auto a = script("a");
  supervise_options options;
  options.on_root_end = root_end_action::keep;
  supervise(
    {.name = "app", .limits = {.restarts_max = 0}, .children = {a.spec()}},
    options);
  a.now(throws("no disk"));
  testing::internal::CaptureStderr();
  settle();
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              testing::AllOf(HasSubstr("/app/a"), HasSubstr("no disk")));
}

// BUDGET-7. F16: exit and abort, observed from another process.
TEST_F(SupervisorRestart, EndsTheProcess_F16) {
  auto a = script("a");
  const auto fail_with = [&](root_end_action action) {
    supervise_options options;
    options.on_root_end = action;
    options.exit_code = 42;
    supervise(
      {.name = "app", .limits = {.restarts_max = 0}, .children = {a.spec()}},
      options);
    a.now(throws("no disk"));
    settle();
  };
  EXPECT_EXIT(fail_with(root_end_action::exit_process),
              testing::ExitedWithCode(42), "no disk");
  EXPECT_EXIT(fail_with(root_end_action::abort_process),
              testing::KilledBySignal(SIGABRT), "no disk");
}

// K05: a child that ends while it starts is one failed start, counted once.
TEST_F(SupervisorRestart, CountsADeathDuringTheStartOnce_K05) {
  auto a = script("a");
  supervise({.name = "app",
             .limits = {.restarts_max = 2, .window = 1min},
             .children = {a.spec({.backoff = each_second})}});
  a.starts({finish_on_start()});
  a.now(throws());
  run_for(1s);
  EXPECT_THAT(seen(), HappensTimes(2, Failed("/app/a")));
  EXPECT_THAT(seen(),
              Happens(Failed("/app/a", 2).cause(end_cause::start_failure)));
  run_for(10s);
  EXPECT_EQ(a.lives(), 3u);
  EXPECT_EQ(state_of("/app/a"), child_state::running);
}

// RESTART-2: a group restart with real actors: stops from the last to the
// first, starts from the first to the last.
TEST_F(SupervisorRestart, RestartsAGroupInOrder) {
  auto a = script("a");
  auto b = script("b");
  auto c = script("c");
  b.on_stop(dies_slowly(1s));
  supervise(
    {.name = "app",
     .strategy = rest_for_one,
     .children = {a.spec({.backoff = at_once}), b.spec({.backoff = at_once}),
                  c.spec({.backoff = at_once})}});
  a.now(throws());
  run_for(1s);
  EXPECT_THAT(seen(), HappensInOrder(Failed("/app/a", 1), Stopped("/app/c", 1),
                                     Stopped("/app/b", 1).at(1s),
                                     Started("/app/a", 2), Started("/app/b", 2),
                                     Started("/app/c", 2).at(1s)));
}

} // namespace
} // namespace coppice::test
