// This file is part of coppice. License: see LICENSE in the source root.

// The reference simulation: one server, exponential services of 1 ms, clients
// that wait for 100 ms, 60 s of virtual time. Fixed seeds: the figures are the
// same in each run.

#include "support/admission_load.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace coppice {
namespace {

using namespace std::literals;
using namespace policy;

test::load_result under(double load, const admission_spec& spec,
                        std::uint64_t seed = 1) {
  return test::admission_load{spec, {.load = load}, seed}.run();
}

/// A queue without an end that serves whoever is next.
constexpr admission_spec serve_all{.queue_depth_max = 1'000'000,
                                   .stale = stale_check::none,
                                   .standing = {.interval = infinity}};

// The simulation measures something: a service that keeps up is not hurt, one
// that does not does nothing useful any more.
TEST(AdmissionSimulation, CollapsesWithoutAdmission) {
  EXPECT_NEAR(under(0.8, serve_all).goodput, 80.0, 1.5);
  EXPECT_LT(under(1.1, serve_all).goodput, 10.0);
  EXPECT_LT(under(1.5, serve_all).goodput, 2.0);
  EXPECT_LT(under(3.0, serve_all).goodput, 1.0);
}

// DEADLINE-2: the trap that the rule is there for. Compared with zero, the
// remaining time lets those through that expire while they are served.
TEST(AdmissionSimulation, WastesItsTimeWhereOnlyTheExpiredAreDropped) {
  auto spec = serve_all;
  spec.stale = stale_check::expired;
  EXPECT_LT(under(1.5, spec).goodput, 75.0);
  EXPECT_LT(under(3.0, spec).goodput, 45.0);
  spec.stale = stale_check::cannot_finish;
  EXPECT_GT(under(1.5, spec).goodput, 96.0);
  EXPECT_GT(under(3.0, spec).goodput, 92.0);
}

// DEADLINE-2, DEADLINE-3: the target of the default policy.
TEST(AdmissionSimulation, DoesUsefulWorkAtThreeTimesItsCapacity) {
  for (const std::uint64_t seed : {1, 2, 3}) {
    EXPECT_GE(under(0.8, {}, seed).goodput, 78.0) << seed;
    EXPECT_GE(under(1.1, {}, seed).goodput, 94.0) << seed;
    EXPECT_GE(under(1.5, {}, seed).goodput, 96.0) << seed;
    EXPECT_GE(under(3.0, {}, seed).goodput, 99.0) << seed;
  }
}

// DEADLINE-3: newest first, so that who is served was served quickly.
TEST(AdmissionSimulation, AnswersSoonUnderLoad) {
  EXPECT_LT(under(3.0, {}).p50_ms, 5.0);
  EXPECT_GT(under(3.0, {}).end.dropped[static_cast<std::size_t>(
              shed_reason::standing_queue)],
            100'000u);
}

// DEADLINE-3: a front of eight servers keeps the same promise.
TEST(AdmissionSimulation, HoldsForAPool) {
  const test::load_settings how{.load = 3.0, .servers = 8, .length = 8s};
  EXPECT_GE((test::admission_load{{}, how, 1}.run().goodput), 98.0);
}

// DEADLINE-3: slow services are not taken for a crowd. At half the capacity,
// nearly everybody is served although each service takes ten targets.
TEST(AdmissionSimulation, DoesNotShedFromAServiceThatIsMerelySlow) {
  const test::load_settings how{
    .load = 0.5, .service_mean = 50ms, .patience = 2s, .length = 600s};
  EXPECT_GE((test::admission_load{{}, how, 1}.run().goodput), 48.0);
}

// The same seed replays the same run.
TEST(AdmissionSimulation, IsDeterministic) {
  const auto one = under(1.5, {}, 9);
  const auto same = under(1.5, {}, 9);
  EXPECT_EQ(one.goodput, same.goodput);
  EXPECT_EQ(one.end.dropped, same.end.dropped);
  EXPECT_NE(one.facts, under(1.5, {}, 10).facts);
}

} // namespace
} // namespace coppice
