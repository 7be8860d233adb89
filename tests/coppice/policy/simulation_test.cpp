// This file is part of coppice. License: see LICENSE in the source root.

// Random schedules: whatever happens, the contract holds.
//
// Replay one that failed:  COPPICE_SEED=<its seed> policy_tests
//                          --gtest_filter='Simulation.*'

#include "support/simulation.hpp"

#include "coppice/policy/spec.hpp"

#include "support/random_spec.hpp"
#include "support/seed.hpp"

#include <gtest/gtest.h>

#include <algorithm>

using namespace coppice;

namespace {

/// `COPPICE_SCHEDULES` says how many instead.
constexpr std::uint64_t usual_schedules = 100'000;

/// The last part of a transcript; the beginning is the spec's seed.
std::string tail_of(const std::string& transcript) {
  constexpr std::size_t length = 6'000;
  return transcript.size() <= length
           ? transcript
           : "..." + transcript.substr(transcript.size() - length);
}

std::string replay(std::uint64_t seed) {
  test::simulation again{seed};
  again.keep_transcript();
  const auto objection = again.run();
  return tail_of(again.transcript()) + "objection: " + objection
         + "\nreplay with COPPICE_SEED=" + std::to_string(seed);
}

// START-1, RESTART-2, RESTART-4, RESTART-5, RESTART-6
// BUDGET-1, BUDGET-2, BUDGET-3, BUDGET-4, BUDGET-5
// BACKOFF-1, STOP-1, STOP-2, STOP-3, STOP-4
TEST(Simulation, KeepsTheContractInRandomSchedules_K08) {
  test::seeded seeded;
  std::size_t steps = 0;
  const auto schedules = test::number_in_environment("COPPICE_SCHEDULES")
                           .value_or(usual_schedules);
  for (std::uint64_t i = 0; i < schedules; ++i) {
    test::simulation schedule{seeded.seed + i};
    if (!schedule.run().empty())
      FAIL() << replay(seeded.seed + i);
    steps += schedule.steps();
  }
  std::cout << schedules << " schedules, " << steps << " facts\n";
}

// TOPOLOGY-1
TEST(Simulation, UsesValidSpecsOnly) {
  test::seeded seeded;
  for (int i = 0; i < 1'000; ++i) {
    const auto spec = test::random_supervisor(seeded.random);
    EXPECT_TRUE(policy::validate(spec, "random").empty());
  }
}

} // namespace
