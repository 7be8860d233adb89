// This file is part of coppice. License: see LICENSE in the source root.

// Children that do not come back at once. Catalogue: group G, G07.

#include "support/core_harness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace coppice::test {
namespace {

using namespace policy;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr backoff_spec each_second{.first = 1s,
                                   .factor = 1,
                                   .jitter = jitter_kind::none};

constexpr restart_limits unlimited{.restarts_max = infinity};

child retried(const char* id) {
  return worker(id).backs_off(each_second);
}

// START-3: between two attempts
TEST(CoreRetry, WaitingChildIsRestarting_G01) {
  core_harness h{tree(one_for_one, {retried("w")}, unlimited)};
  h.start();
  h.always("w", start_error);
  h.crash("w");
  ASSERT_EQ(h.state("w"), "backoff");
  EXPECT_EQ(h.answer_to(h.start_child(worker("w"))), "already_present");
  EXPECT_EQ(h.answer_to(h.restart("w")), "restarting");
  EXPECT_EQ(h.answer_to(h.remove("w")), "restarting");
  EXPECT_THAT(h.counts(), ElementsAre(1, 0, 0, 1));
  EXPECT_EQ(h.until_retry("w"), 1s);
}

// START-3: during an attempt. OTP cannot be asked then; a caller sees no
// difference between the two, as long as no attempt has succeeded.
TEST(CoreRetry, ChildIsRestartingDuringAnAttemptToo_G01) {
  core_harness h{tree(one_for_one, {retried("w")}, unlimited)};
  h.start();
  h.always("w", start_dies(500ms));
  h.crash("w");
  h.run_for(1200ms);
  ASSERT_EQ(h.state("w"), "starting");
  EXPECT_EQ(h.answer_to(h.start_child(worker("w"))), "already_present");
  EXPECT_EQ(h.answer_to(h.restart("w")), "restarting");
  EXPECT_EQ(h.answer_to(h.remove("w")), "restarting");
  EXPECT_THAT(h.counts(), ElementsAre(1, 0, 0, 1));
}

// START-3, RESTART-4
TEST(CoreRetry, TerminateCancelsTheLoop_G02) {
  core_harness h{tree(one_for_one, {retried("w")}, unlimited)};
  h.start();
  h.always("w", start_error);
  h.crash("w");
  h.run_for(10s);
  EXPECT_EQ(h.answer_to(h.terminate("w")), "ok");
  EXPECT_EQ(h.state("w"), "stopped operator");
  const auto tries = h.count("startfail w");
  h.run_for(1h);
  EXPECT_EQ(h.count("startfail w"), tries);
  h.always("w", start_ok);
  EXPECT_EQ(h.answer_to(h.restart("w")), "ok");
  EXPECT_EQ(h.state("w"), "running");
}

// START-3, RESTART-4
TEST(CoreRetry, TerminateCancelsTheLoopDuringAnAttempt_G02) {
  core_harness h{tree(one_for_one, {retried("w")}, unlimited)};
  h.start();
  h.always("w", start_never_ready);
  h.crash("w");
  h.run_for(1s);
  ASSERT_EQ(h.state("w"), "starting");
  EXPECT_EQ(h.answer_to(h.terminate("w")), "ok");
  const auto tries = h.count("start w");
  h.run_for(1h);
  EXPECT_EQ(h.count("start w"), tries);
  EXPECT_EQ(h.state("w"), "stopped operator");
}

// STOP-4
TEST(CoreRetry, StopGetsThrough_G03) {
  core_harness h{tree(one_for_one, {retried("w"), worker("b")}, unlimited)};
  h.start();
  h.always("w", start_dies(500ms));
  h.crash("w");
  h.run_for(1200ms);
  const auto tries = h.count("start w");
  EXPECT_EQ(h.answer_to(h.stop()), "ok");
  EXPECT_EQ(h.outcome(), "stopped");
  EXPECT_EQ(h.time_of_end(), 1200ms);
  EXPECT_LE(h.count("start w"), tries + 1);
}

// RESTART-4
TEST(CoreRetry, OperatorsStopWinsOverASiblingsRetry_G07) {
  core_harness h{tree(one_for_all, {worker("a"), retried("b"), worker("c")})};
  h.start();
  h.script("b", {start_error});
  h.crash("c");
  ASSERT_THAT(h.listing(),
              ElementsAre("a running", "b backoff", "c stopped group"));
  EXPECT_EQ(h.answer_to(h.terminate("a")), "ok");
  h.run_for(1s);
  EXPECT_THAT(h.listing(),
              ElementsAre("a stopped operator", "b running", "c running"));
}

// RESTART-4: also over one who is not up himself yet.
TEST(CoreRetry, OperatorsStopOfAWaitingSiblingIsSticky_G07) {
  core_harness h{tree(one_for_all, {worker("a"), retried("b"), worker("c")})};
  h.start();
  h.script("b", {start_error});
  h.crash("a");
  ASSERT_EQ(h.state("c"), "stopped group");
  EXPECT_EQ(h.answer_to(h.terminate("c")), "ok");
  h.run_for(1s);
  EXPECT_THAT(h.listing(),
              ElementsAre("a running", "b running", "c stopped operator"));
}

// RESTART-6
TEST(CoreRetry, NoHotLoop_G08) {
  core_harness h{
    tree(one_for_one,
         {worker("w").backs_off(
           {.first = 100ms, .factor = 1, .jitter = jitter_kind::none})},
         unlimited)};
  h.start();
  h.run_for(1min);
  h.always("w", start_error);
  h.crash("w");
  h.run_for(1s);
  const auto tries = h.times("startfail w");
  EXPECT_LE(tries.size(), 11u);
  EXPECT_EQ(tries.front(), 1min) << "the first after a healthy run is at once";
  for (std::size_t i = 1; i < tries.size(); ++i)
    EXPECT_GE(tries[i] - tries[i - 1], 100ms);
}

// RESTART-6: whatever the jitter takes off.
TEST(CoreRetry, FailedStartWaitsAtLeastTheFirstDelayDespiteJitter) {
  for (auto jitter :
       {jitter_kind::full, jitter_kind::equal, jitter_kind::proportional})
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
      core_harness h{
        tree(one_for_one,
             {worker("w").backs_off({.first = 100ms, .jitter = jitter})},
             unlimited),
        seed};
      h.start();
      h.always("w", start_error);
      h.crash("w");
      h.run_for(10s);
      const auto tries = h.times("startfail w");
      for (std::size_t i = 1; i < tries.size(); ++i)
        EXPECT_GE(tries[i] - tries[i - 1], 100ms);
    }
}

// RESTART-6: nor does a sibling's group restart cut the wait short.
TEST(CoreRetry, GroupRestartDoesNotRetryAFailedStartAtOnce) {
  core_harness h{tree(rest_for_one, {worker("a"), retried("b"), worker("c")})};
  h.start();
  h.script("b", {start_error, start_error});
  h.crash("b");
  h.run_for(1s); // the attempt after the crash, which fails
  ASSERT_EQ(h.count("startfail b"), 1u);
  h.run_for(100ms);
  h.crash("a");
  h.run_for(10s);
  const auto tries = h.times("startfail b");
  ASSERT_EQ(tries.size(), 2u);
  EXPECT_GE(tries[1] - tries[0], 1s);
  EXPECT_GE(h.times("start b").back() - tries[1], 1s);
  EXPECT_THAT(h.listing(), ElementsAre("a running", "b running", "c running"));
  EXPECT_EQ(h.incarnation("a"), 2u);
}

// RESTART-6: what happened before an operator's restart is forgotten.
TEST(CoreRetry, GroupRestartDoesNotWaitForAStartThatFailedLongAgo) {
  core_harness h{tree(rest_for_one, {worker("a"), retried("b")})};
  h.start();
  h.script("b", {start_error});
  h.crash("a");
  ASSERT_EQ(h.state("b"), "backoff");
  h.terminate("b");
  h.restart("b");
  h.crash("a");
  EXPECT_THAT(h.listing(), ElementsAre("a running", "b running"));
}

// START-4
TEST(CoreRetry, DeclinedRestartEndsTheLoop_G09) {
  core_harness h{tree(one_for_one, {worker("w")})};
  h.start();
  h.script("w", {start_ignored});
  h.crash("w");
  EXPECT_EQ(h.state("w"), "stopped declined");
  h.run_for(1h);
  EXPECT_EQ(h.incarnation("w"), 2u);
}

// START-4
TEST(CoreRetry, DeclinedRestartOfAPoolInstanceDropsIt_G09) {
  core_harness h{tree(simple_one_for_one, {worker("w")})};
  h.start();
  h.start_instance();
  const auto id = h.core().listing(h.now()).at(0).id;
  h.script(core_harness::anyone, {start_ignored});
  h.crash(id);
  EXPECT_THAT(h.counts(), ElementsAre(1, 0, 0, 0));
}

// START-4, RESTART-1
TEST(CoreRetry, EachResultOfARestartHasItsOutcome_G10) {
  struct expected {
    start_step step;
    const char* state;
    std::array<std::uint64_t, 4> counts;
  };
  for (const auto& x : {expected{start_ok, "running", {1, 1, 0, 1}},
                        expected{start_error, "backoff", {1, 0, 0, 1}},
                        expected{start_dies(), "backoff", {1, 0, 0, 1}},
                        expected{start_ignored, "gone", {1, 0, 0, 0}}}) {
    core_harness h{tree(simple_one_for_one, {retried("w")}, unlimited)};
    h.start();
    h.start_instance();
    const auto id = h.core().listing(h.now()).at(0).id;
    h.always(core_harness::anyone, x.step);
    h.run_for(1min); // healthy: the restart is immediate
    h.crash(id);
    EXPECT_EQ(h.state(id), x.state);
    EXPECT_EQ(h.counts(), x.counts);
  }
}

// RESTART-5
TEST(CoreRetry, CancelledRetryBringsHealthySiblingsBack) {
  core_harness h{
    tree(rest_for_one, {worker("a"), retried("b"), worker("c")}, unlimited)};
  h.start();
  h.always("b", start_error);
  h.crash("b");
  h.run_for(1s);
  ASSERT_THAT(h.listing(),
              ElementsAre("a running", "b backoff", "c stopped group"));
  EXPECT_EQ(h.answer_to(h.terminate("b")), "ok");
  EXPECT_THAT(h.listing(),
              ElementsAre("a running", "b stopped operator", "c running"));
  h.always("b", start_ok);
  EXPECT_EQ(h.answer_to(h.restart("b")), "ok");
  EXPECT_EQ(h.incarnation("a"), 1u);
  EXPECT_EQ(h.incarnation("c"), 2u);
}

// RESTART-5
TEST(CoreRetry, CancelledRetryBringsHealthySiblingsBackInOneForAll) {
  core_harness h{
    tree(one_for_all, {worker("a"), retried("b"), worker("c")}, unlimited)};
  h.start();
  h.script("b", {start_error});
  h.crash("a");
  ASSERT_THAT(h.listing(),
              ElementsAre("a running", "b backoff", "c stopped group"));
  h.terminate("b");
  EXPECT_THAT(h.listing(),
              ElementsAre("a running", "b stopped operator", "c running"));
  EXPECT_EQ(h.incarnation("a"), 2u) << "it was up already";
}

// RESTART-5, RESTART-4: "healthy siblings", and none that an operator or
// their own end had stopped.
TEST(CoreRetry, CancelledRetryRevivesNobodyElse) {
  core_harness h{
    tree(one_for_all,
         {retried("a"), worker("o"), worker("r").as(transient), worker("c")},
         unlimited)};
  h.start();
  h.terminate("o");
  h.finish("r");
  h.script("a", {start_error});
  h.crash("c");
  ASSERT_EQ(h.state("a"), "backoff");
  h.terminate("a");
  EXPECT_THAT(h.listing(),
              ElementsAre("a stopped operator", "o stopped operator",
                          "r stopped finished", "c running"));
}

// RESTART-5: the attempt itself can be cancelled as well.
TEST(CoreRetry, CancelledAttemptBringsHealthySiblingsBack) {
  core_harness h{
    tree(rest_for_one, {worker("a"), retried("b"), worker("c")}, unlimited)};
  h.start();
  h.always("b", start_never_ready);
  h.crash("b");
  h.run_for(1s);
  ASSERT_EQ(h.state("b"), "starting");
  h.terminate("b");
  EXPECT_THAT(h.listing(),
              ElementsAre("a running", "b stopped operator", "c running"));
}

// RESTART-3, RESTART-5: a retry that the failure itself forbids is cancelled,
// too.
TEST(CoreRetry, RetryForbiddenByAFailureBringsSiblingsBack) {
  core_harness h{tree(rest_for_one, {worker("a"), worker("b"), worker("c")})};
  h.start();
  h.script("b", {{start_step::kind::failed,
                  0s,
                  {end_cause::start_failure, "permanent_failure"}}});
  h.crash("b");
  EXPECT_THAT(h.listing(),
              ElementsAre("a running", "b stopped failed", "c running"));
}

// BACKOFF-2, RESTART-5: an operator who retries now retries the group.
TEST(CoreRetry, RetryNowBringsTheWholeGroupUp_M15) {
  core_harness h{
    tree(rest_for_one, {worker("a"), retried("b"), worker("c")}, unlimited)};
  h.start();
  h.script("b", {start_error});
  h.crash("a");
  ASSERT_EQ(h.state("b"), "backoff");
  h.run_for(1ms);
  EXPECT_EQ(h.answer_to(h.retry_now("b")), "ok");
  EXPECT_THAT(h.listing(), ElementsAre("a running", "b running", "c running"));
}

} // namespace
} // namespace coppice::test
