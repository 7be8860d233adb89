// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/spec.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace coppice::policy {
namespace {

using namespace std::literals;

void start_nothing(start_context&) {}

// STOP-1, START-1: the defaults of a worker.
TEST(ChildSpec, GivesWorkersTheirDefaults_A18) {
  const child_spec worker{.id = "a", .start = start_nothing};
  EXPECT_EQ(worker.kind(), child_kind::worker);
  EXPECT_EQ(worker.restart, permanent);
  EXPECT_EQ(worker.effective_shutdown(), stop_grace{5s});
  EXPECT_EQ(worker.effective_start_deadline(), time_limit{5s});
  EXPECT_FALSE(worker.significant);
  EXPECT_TRUE(worker.limits.restarts_max.is_infinite());
}

// STOP-1, START-1: supervisors get the time that their children need.
TEST(ChildSpec, GivesSupervisorsTheTimeTheyNeed_A18) {
  const child_spec inner{.id = "a", .supervisor = supervisor_spec{}};
  EXPECT_EQ(inner.kind(), child_kind::supervisor);
  EXPECT_EQ(inner.effective_shutdown(), stop_grace{infinity});
  EXPECT_EQ(inner.effective_start_deadline(), time_limit{infinity});
}

// STOP-1, START-1: what is said holds, for both kinds.
TEST(ChildSpec, KeepsWhatIsSaid_A18) {
  child_spec spec{.id = "a",
                  .start = start_nothing,
                  .shutdown = brutal_kill,
                  .start_deadline = 1s};
  EXPECT_TRUE(spec.effective_shutdown().is_brutal());
  EXPECT_EQ(spec.effective_start_deadline(), time_limit{1s});
  spec.shutdown = infinity;
  spec.start_deadline = infinity;
  EXPECT_EQ(spec.effective_shutdown(), stop_grace{infinity});
  EXPECT_EQ(spec.effective_start_deadline(), time_limit{infinity});
  spec = {.id = "b",
          .supervisor = supervisor_spec{},
          .shutdown = 0s,
          .start_deadline = 2s};
  EXPECT_EQ(spec.effective_shutdown(), stop_grace{0s});
  EXPECT_EQ(spec.effective_start_deadline(), time_limit{2s});
}

// STOP-1: killing at once and asking for no time are two things.
TEST(StopGrace, TellsBrutalFromZero_H10) {
  EXPECT_NE(stop_grace{brutal_kill}, stop_grace{0s});
  EXPECT_EQ(to_string(stop_grace{brutal_kill}), "brutal_kill");
  EXPECT_EQ(to_string(stop_grace{0s}), "0s");
  EXPECT_EQ(to_string(stop_grace{}), "5s");
  EXPECT_EQ(to_string(stop_grace{infinity}), "infinity");
}

// START-1: an inner supervisor is a value; copies share what cannot change.
TEST(NestedSupervisor, IsSharedByCopies) {
  EXPECT_FALSE(nested_supervisor{});
  const nested_supervisor first = supervisor_spec{.name = "inner"};
  const auto second = first;
  EXPECT_TRUE(first);
  EXPECT_EQ(second->name, "inner");
  EXPECT_EQ(&*first, &*second);
  EXPECT_EQ(first.shared().use_count(), 2);
}

// OBSERVE-1, TOPOLOGY-1: one spelling, that of the code, and OTP's words.
TEST(SpecText, SpellsEnumeratorsAsTheCodeDoes) {
  EXPECT_STREQ(to_string(permanent), "permanent");
  EXPECT_STREQ(to_string(transient), "transient");
  EXPECT_STREQ(to_string(temporary), "temporary");
  EXPECT_STREQ(to_string(one_for_one), "one_for_one");
  EXPECT_STREQ(to_string(one_for_all), "one_for_all");
  EXPECT_STREQ(to_string(rest_for_one), "rest_for_one");
  EXPECT_STREQ(to_string(simple_one_for_one), "simple_one_for_one");
  EXPECT_STREQ(to_string(auto_shutdown_mode::never), "never");
  EXPECT_STREQ(to_string(auto_shutdown_mode::any_significant),
               "any_significant");
  EXPECT_STREQ(to_string(auto_shutdown_mode::all_significant),
               "all_significant");
  EXPECT_STREQ(to_string(exhaustion_action::escalate), "escalate");
  EXPECT_STREQ(to_string(exhaustion_action::stop_child), "stop_child");
  EXPECT_STREQ(to_string(exhaustion_action::park), "park");
  EXPECT_STREQ(to_string(exhaustion_action::pause), "pause");
  EXPECT_STREQ(to_string(failure_action::restart), "restart");
  EXPECT_STREQ(to_string(failure_action::stop), "stop");
  EXPECT_STREQ(to_string(failure_action::escalate), "escalate");
  EXPECT_STREQ(to_string(revive_mode::none), "none");
  EXPECT_STREQ(to_string(revive_mode::all), "all");
  EXPECT_STREQ(to_string(jitter_kind::none), "none");
  EXPECT_STREQ(to_string(jitter_kind::full), "full");
  EXPECT_STREQ(to_string(jitter_kind::equal), "equal");
  EXPECT_STREQ(to_string(jitter_kind::proportional), "proportional");
  EXPECT_STREQ(to_string(isolation_kind::shared), "shared");
  EXPECT_STREQ(to_string(isolation_kind::thread), "thread");
  EXPECT_STREQ(to_string(detector_kind::fixed_timeout), "fixed_timeout");
  EXPECT_STREQ(to_string(detector_kind::phi_accrual), "phi_accrual");
  EXPECT_STREQ(to_string(child_kind::worker), "worker");
  EXPECT_STREQ(to_string(child_kind::supervisor), "supervisor");
  EXPECT_STREQ(to_string(parking_overflow::refuse_newest), "refuse_newest");
  EXPECT_STREQ(to_string(parking_overflow::drop_oldest), "drop_oldest");
}

template <class Enum>
std::string text_of(int value) {
  return to_string(static_cast<Enum>(value));
}

// TOPOLOGY-1: an integer that no enumerator has is no reason to crash.
TEST(SpecText, SaysUnknownOfOtherIntegers) {
  EXPECT_EQ(text_of<restart_type>(3), "unknown");
  EXPECT_EQ(text_of<restart_strategy>(4), "unknown");
  EXPECT_EQ(text_of<auto_shutdown_mode>(3), "unknown");
  EXPECT_EQ(text_of<exhaustion_action>(4), "unknown");
  EXPECT_EQ(text_of<failure_action>(3), "unknown");
  EXPECT_EQ(text_of<revive_mode>(2), "unknown");
  EXPECT_EQ(text_of<jitter_kind>(4), "unknown");
  EXPECT_EQ(text_of<isolation_kind>(2), "unknown");
  EXPECT_EQ(text_of<detector_kind>(2), "unknown");
  EXPECT_EQ(text_of<child_kind>(2), "unknown");
  EXPECT_EQ(text_of<parking_overflow>(255), "unknown");
}

// TOPOLOGY-1: a defect reads as a sentence, several as lines.
TEST(SpecDefectText, IsALineForEachDefect) {
  const spec_defects defects{{"app.pause_length", "0s", "a length above zero"},
                             {"app.name", "\"\"", "1 to 255 bytes"}};
  EXPECT_EQ(to_string(defects[0]),
            "app.pause_length: found 0s, expected a length above zero");
  EXPECT_EQ(to_string(defects),
            "app.pause_length: found 0s, expected a length above zero\n"
            "app.name: found \"\", expected 1 to 255 bytes");
  EXPECT_EQ(to_string(spec_defects{}), "");
}

} // namespace
} // namespace coppice::policy
