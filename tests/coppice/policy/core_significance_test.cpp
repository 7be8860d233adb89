// This file is part of coppice. License: see LICENSE in the source root.

// Children whose end ends their supervisor. Catalogue: group I, B06.

#include "support/core_harness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace coppice::test {
namespace {

using namespace policy;
using testing::ElementsAre;
using testing::IsEmpty;

supervisor_spec closing(auto_shutdown_mode mode,
                        std::vector<child_spec> children,
                        restart_strategy strategy = one_for_one) {
  auto result = tree(strategy, std::move(children));
  result.auto_shutdown = mode;
  return result;
}

constexpr auto any = auto_shutdown_mode::any_significant;
constexpr auto all = auto_shutdown_mode::all_significant;

child key_worker(const char* id, restart_type type) {
  return worker(id).as(type).is_significant();
}

// STOP-5
TEST(CoreSignificance, PlainChildrenNeverCloseTheSupervisor_I01) {
  for (auto mode : {auto_shutdown_mode::never, any, all})
    for (auto type : {temporary, transient}) {
      core_harness h{
        closing(mode, {worker("p"), worker("a").as(type), worker("b").as(type),
                       worker("c").as(type)})};
      h.start();
      h.finish("a");
      h.crash("b", "E");
      h.crash("c", "");
      EXPECT_EQ(h.outcome(), "runs");
      EXPECT_EQ(h.incarnation("p"), 1u);
    }
}

// STOP-5
TEST(CoreSignificance, AnyClosesWhenATemporaryOneEndsInAnyWay_I02) {
  using ending = void (*)(core_harness&);
  for (ending end : {ending{[](core_harness& h) { h.finish("s"); }},
                     ending{[](core_harness& h) { h.crash("s", "E"); }},
                     ending{[](core_harness& h) { h.crash("s", ""); }},
                     ending{[](core_harness& h) { h.stall("s"); }}}) {
    core_harness h{
      closing(any, {key_worker("s", temporary), key_worker("t", temporary),
                    worker("p").as(temporary)})};
    h.start();
    h.terminate("s");
    EXPECT_EQ(h.outcome(), "runs") << "an operator's stop does not count";
    h.start_child(key_worker("s", temporary));
    h.forget_journal();
    end(h);
    EXPECT_EQ(h.outcome(), "auto_shutdown");
    EXPECT_THAT(h.order(), ElementsAre("end s", "end p", "end t"));
  }
}

// STOP-5
TEST(CoreSignificance, AllClosesWithTheLastTemporaryOne_I03) {
  core_harness h{
    closing(all, {key_worker("s", temporary), key_worker("t", temporary),
                  worker("p").as(temporary)})};
  h.start();
  h.finish("s");
  EXPECT_EQ(h.outcome(), "runs");
  h.finish("t");
  EXPECT_EQ(h.outcome(), "auto_shutdown");
  EXPECT_EQ(h.count("end p"), 1u);
}

// STOP-5
TEST(CoreSignificance, AnyClosesWhenATransientOneFinishes_I04) {
  core_harness h{closing(any, {key_worker("s", transient),
                               key_worker("t", transient), worker("p")})};
  h.start();
  h.terminate("s");
  EXPECT_EQ(h.outcome(), "runs");
  EXPECT_EQ(h.answer_to(h.restart("s")), "ok");
  h.crash("s", "");
  h.crash("s", "E");
  EXPECT_EQ(h.outcome(), "runs");
  EXPECT_EQ(h.state("s"), "running");
  h.finish("s");
  EXPECT_EQ(h.outcome(), "auto_shutdown");
}

// STOP-5
TEST(CoreSignificance, AllClosesWithTheLastTransientOne_I05) {
  core_harness h{closing(all, {key_worker("s", transient),
                               key_worker("t", transient), worker("p")})};
  h.start();
  h.finish("s");
  EXPECT_EQ(h.outcome(), "runs");
  h.crash("t");
  EXPECT_EQ(h.outcome(), "runs");
  h.finish("t");
  EXPECT_EQ(h.outcome(), "auto_shutdown");
}

// STOP-5
TEST(CoreSignificance, AllClosesOverMixedTypes_I06) {
  core_harness h{closing(all, {key_worker("r", transient),
                               key_worker("t", temporary), worker("p")})};
  h.start();
  h.finish("r");
  EXPECT_EQ(h.outcome(), "runs");
  h.crash("t", "E");
  EXPECT_EQ(h.outcome(), "auto_shutdown");
}

// STOP-1, STOP-5
TEST(CoreSignificance, TheOthersAreStoppedInReverse_I13) {
  core_harness h{
    closing(any, {worker("a"), key_worker("s", transient), worker("c")})};
  h.manners("c", slow_stop(1s));
  h.start();
  h.forget_journal();
  h.finish("s");
  h.run_for(1min);
  EXPECT_THAT(h.order(), ElementsAre("end s", "end c", "end a"));
  EXPECT_EQ(h.outcome(), "auto_shutdown");
}

// STOP-5: it is the way the last one left that counts, as in OTP.
TEST(CoreSignificance, WayTheLastOneLeftDecides) {
  core_harness closes{
    closing(all, {key_worker("s", transient), key_worker("t", transient)})};
  closes.start();
  closes.terminate("s");
  closes.finish("t");
  EXPECT_EQ(closes.outcome(), "auto_shutdown");

  core_harness stays{
    closing(all, {key_worker("s", transient), key_worker("t", transient)})};
  stays.start();
  stays.finish("s");
  stays.terminate("t");
  EXPECT_EQ(stays.outcome(), "runs");
}

// STOP-5: a stop for a sibling's sake is no end of one's own.
TEST(CoreSignificance, GroupStopDoesNotClose) {
  for (auto mode : {any, all}) {
    core_harness h{closing(mode,
                           {worker("p"), key_worker("t", temporary),
                            key_worker("r", transient)},
                           one_for_all)};
    h.start();
    h.crash("p");
    EXPECT_EQ(h.outcome(), "runs");
    EXPECT_THAT(h.listing(), ElementsAre("p running", "r running"));
  }
}

// STOP-5, RESTART-5: who only waits for its group has not gone.
TEST(CoreSignificance, MemberThatWaitsForItsGroupHasNotGone) {
  core_harness h{
    closing(all,
            {key_worker("s", transient),
             worker("b").backs_off({.first = 1s, .jitter = jitter_kind::none}),
             key_worker("t", transient)},
            rest_for_one)};
  h.start();
  h.script("b", {start_error});
  h.run_for(1min);
  h.crash("b");
  ASSERT_EQ(h.state("t"), "stopped group");
  h.finish("s");
  EXPECT_EQ(h.outcome(), "runs") << "t comes back in a second";
  h.run_for(1s);
  EXPECT_EQ(h.state("t"), "running");
  h.finish("t");
  EXPECT_EQ(h.outcome(), "auto_shutdown");
}

// STOP-5: nor has one that waits for its own retry.
TEST(CoreSignificance, RetryingMemberHasNotGone) {
  core_harness h{
    closing(all, {key_worker("s", transient),
                  key_worker("t", transient)
                    .backs_off({.first = 1s, .jitter = jitter_kind::none})})};
  h.start();
  h.crash("t");
  ASSERT_EQ(h.state("t"), "backoff");
  h.finish("s");
  EXPECT_EQ(h.outcome(), "runs");
}

// STOP-5, BUDGET-6: a significant inner supervisor that gave up ended
// abnormally, whatever OTP makes of it.
TEST(CoreSignificance, InnerSupervisorThatGaveUpDoesNotCloseTheOuter) {
  core_harness h{closing(
    any, {inner_supervisor("s").as(transient).is_significant(), worker("p")})};
  h.start();
  h.crash("s", "gave_up");
  EXPECT_EQ(h.outcome(), "runs");
  EXPECT_EQ(h.incarnation("s"), 2u);
  h.finish("s");
  EXPECT_EQ(h.outcome(), "auto_shutdown");
}

// STOP-5, BUDGET-6: exhausted or failed for good is not finished: closing
// cleanly over it would hide the failure.
TEST(CoreSignificance, ExhaustedOrFailedOneDoesNotCloseCleanly) {
  core_harness failed{closing(any, {key_worker("s", transient), worker("p")})};
  failed.start();
  failed.crash("s", "permanent_failure");
  EXPECT_EQ(failed.outcome(), "runs");
  EXPECT_EQ(failed.state("s"), "stopped failed");

  core_harness exhausted{
    closing(any, {key_worker("s", transient)
                    .budget({.restarts_max = 0}, exhaustion_action::stop_child),
                  worker("p")})};
  exhausted.start();
  exhausted.crash("s");
  EXPECT_EQ(exhausted.outcome(), "runs");
  EXPECT_EQ(exhausted.state("s"), "stopped exhausted");
}

// STOP-4, STOP-5
TEST(CoreSignificance, StopJoinsAnAutoShutdown) {
  core_harness h{closing(any, {worker("a"), key_worker("s", transient)})};
  h.manners("a", slow_stop(1s));
  h.start();
  h.finish("s");
  const auto ask = h.stop();
  h.run_for(1s);
  EXPECT_EQ(h.answer_to(ask), "ok");
  EXPECT_EQ(h.outcome(), "auto_shutdown") << "the first reason wins";
}

// STOP-5
TEST(CoreSignificance, RefusedWhereOtpRefusesIt_B06) {
  const auto refused = [](const supervisor_spec& x) {
    return !validate(x, "root").empty();
  };
  EXPECT_TRUE(refused(closing(any, {worker("a").is_significant()})));
  EXPECT_TRUE(
    refused(closing(auto_shutdown_mode::never, {key_worker("a", transient)})));
  EXPECT_TRUE(
    refused(closing(any, {key_worker("a", transient)}, simple_one_for_one)));
  EXPECT_TRUE(refused(closing(any, {worker("a")}, simple_one_for_one)));
  const auto never = closing(auto_shutdown_mode::never, {});
  EXPECT_FALSE(validate(key_worker("a", transient), never, "child").empty());
  EXPECT_FALSE(refused(closing(any, {key_worker("a", transient)})));
}

} // namespace
} // namespace coppice::test
