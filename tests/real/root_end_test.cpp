// This file is part of coppice. License: see LICENSE in the source root.

// What becomes of the process when the root gives up.

#include "coppice/actors/worker.hpp"
#include "coppice/supervise.hpp"
#include "coppice/system_config.hpp"

#include "support/event_log.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

using namespace std::literals;

namespace coppice::test {

namespace {

caf::behavior doomed(worker*) {
  return {[](int) { throw std::runtime_error("told to"); }};
}

/// Brings a tree up that tolerates nothing, crashes its child, and waits.
std::optional<failure> crash_the_root(root_end_action action) {
  system_config config{2};
  caf::actor_system system{config};
  supervise_options options;
  options.on_root_end = action;
  options.exit_code = 42;
  auto tree
    = supervise(system,
                {.name = "app",
                 .limits = {.restarts_max = 0},
                 .children = {{.id = "doomed", .start = spawns(doomed)}}},
                options);
  compat::post(tree->root().get_child("doomed").value().actor, 1);
  return tree->wait(patience).value();
}

class RootEnd : public testing::Test {
protected:
  RootEnd() { testing::FLAGS_gtest_death_test_style = "threadsafe"; }
};

} // namespace

// BUDGET-6, BUDGET-7, F16: the default.
TEST_F(RootEnd, IsReturnedToWhoeverWaits_F16) {
  const auto why = crash_the_root(root_end_action::return_failure);
  ASSERT_TRUE(why);
  EXPECT_EQ(why->failure_class, failure_classes::gave_up);
  EXPECT_EQ(why->where.path, "/app");
  EXPECT_EQ(why->misc.at("child"), "/app/doomed");
  ASSERT_TRUE(why->inner);
  EXPECT_EQ(why->inner->message, "told to");
}

// BUDGET-7, F16
TEST_F(RootEnd, EndsTheProcessWithACode_F16) {
  EXPECT_EXIT(static_cast<void>(crash_the_root(root_end_action::exit_process)),
              testing::ExitedWithCode(42), "/app gave up on /app/doomed");
}

// BUDGET-7, F16
TEST_F(RootEnd, AbortsTheProcess_F16) {
  EXPECT_EXIT(static_cast<void>(crash_the_root(root_end_action::abort_process)),
              testing::KilledBySignal(SIGABRT), "/app gave up on /app/doomed");
}

// BUDGET-7, F16: the process goes on, but not in silence.
TEST_F(RootEnd, LetsTheProcessGoOnAloud_F16) {
  testing::internal::CaptureStderr();
  EXPECT_TRUE(crash_the_root(root_end_action::keep));
  EXPECT_NE(testing::internal::GetCapturedStderr().find(
              "/app gave up on /app/doomed"),
            std::string::npos);
}

} // namespace coppice::test
