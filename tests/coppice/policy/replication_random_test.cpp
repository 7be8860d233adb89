// This file is part of coppice. License: see LICENSE in the source root.

// Random schedules for up to eight replicas: whatever happens, the contract
// holds. And canaries: cores that are broken on purpose, and have to be caught.
//
// Replay one that failed:  COPPICE_SEED=<its seed> policy_tests
//                          --gtest_filter='ReplicationRandom.*'

#include "support/replication_simulation.hpp"
#include "support/seed.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <string>
#include <string_view>

using namespace coppice;
using namespace coppice::policy;
using namespace std::chrono_literals;

namespace {

using test::replication_sabotage;
using steps = replication_core::steps;

/// A fifth of what `COPPICE_SCHEDULES` says, as its usual value is for cores
/// whose schedules are short.
constexpr std::uint64_t usual_schedules = 100'000;
constexpr std::uint64_t share_of_schedules = 5;

// REPLICATE-1, REPLICATE-2, REPLICATE-3, REPLICATE-4, REPLICATE-5, REPLICATE-6
TEST(ReplicationRandom, KeepsTheContract) {
  test::seeded seeded;
  std::size_t facts = 0;
  const auto schedules
    = test::number_in_environment("COPPICE_SCHEDULES").value_or(usual_schedules)
      / share_of_schedules;
  for (std::uint64_t i = 0; i < schedules; ++i) {
    test::replication_simulation schedule{seeded.seed + i};
    if (const auto objection = schedule.run(); !objection.empty())
      FAIL() << objection << "\nreplay with COPPICE_SEED=" << seeded.seed + i;
    facts += schedule.facts();
  }
  std::cout << schedules << " schedules, " << facts << " facts\n";
}

TEST(ReplicationRandom, UsesSoundSettingsOnly) {
  test::seeded seeded;
  for (int i = 0; i < 1'000; ++i) {
    auto all = test::replicas(2 + seeded.random.up_to(6));
    const auto spec = test::random_replication(seeded.random, all);
    EXPECT_EQ(to_string(validate(spec, all, "random")), "");
  }
}

// -- canaries ----------------------------------------------------------------

/// Schedules in which a canary has to be caught.
constexpr std::uint64_t patience = 5'000;

struct canary {
  const char* name;
  /// Part of what the checker says to it.
  std::string_view objection;
  replication_sabotage broken;
};

void PrintTo(const canary& x, std::ostream* out) {
  *out << x.name;
}

replication_sabotage without(step_kind what) {
  return {.spec = {}, .steps = [what](steps& todo) {
            std::erase_if(todo,
                          [what](const auto& x) { return x.kind == what; });
          }};
}

replication_sabotage twice(step_kind what) {
  return {.spec = {}, .steps = [what](steps& todo) {
            const auto found = std::ranges::find(todo, what,
                                                 &replication_step::kind);
            if (found != todo.end())
              todo.insert(found, replication_step{*found});
          }};
}

template <class Change>
replication_sabotage each(step_kind what, Change change) {
  return {.spec = {}, .steps = [what, change](steps& todo) {
            for (auto& x : todo)
              if (x.kind == what)
                change(x);
          }};
}

template <class Change>
replication_sabotage other_spec(Change change) {
  return {.spec = change, .steps = {}};
}

class ReplicationCanary : public testing::TestWithParam<canary> {};

// REPLICATE-1, REPLICATE-3
TEST_P(ReplicationCanary, IsCaught) {
  test::seeded seeded;
  const auto& [name, objection, broken] = GetParam();
  for (std::uint64_t i = 0; i < patience; ++i)
    if (test::replication_simulation{seeded.seed + i, broken}.run().find(
          objection)
        == 0)
      return;
  FAIL() << "the checker never says '" << objection << "' to " << name;
}

const canary orders[] = {
  {"AnswersTwice", "answers twice", twice(step_kind::answer)},
  {"GivesUpTwice", "answers twice", twice(step_kind::give_up)},
  {"CancelsTwice", "cancels a copy twice", twice(step_kind::cancel)},
  {"SendsTwice", "numbers copies as it likes", twice(step_kind::send)},
  {"ForgetsTwice", "speaks of a request that is not there",
   twice(step_kind::forget)},
  {"NeverAnswers", "does not answer", without(step_kind::answer)},
  {"NeverGivesUp", "waits for nothing", without(step_kind::give_up)},
  {"NeverCancels", "leaves a copy running", without(step_kind::cancel)},
  {"LetsTheTiedQueue", "lets others queue", without(step_kind::cancel)},
  {"NeverReleases", "lets a dead copy keep the claim",
   without(step_kind::release)},
  {"NeverForgets", "forgets to forget", without(step_kind::forget)},
  {"NeverSends", "does not send the original", without(step_kind::send)},
  {"AnswersWithAnother", "answers with what nobody has said",
   each(step_kind::answer, [](replication_step& x) { ++x.copy.number; })},
  {"SendsElsewhere", "cancels at another replica",
   each(step_kind::cancel, [](replication_step& x) { ++x.replica; })},
  {"SendsToOneReplicaOnly", "sends two copies to one replica",
   each(step_kind::send, [](replication_step& x) { x.replica = 0; })},
  {"HidesSharedDomains", "hides that copies share a domain",
   each(step_kind::send, [](replication_step& x) { x.shares_domain = false; })},
  {"TakesAnyFailureForFatal", "takes for fatal what is not",
   each(step_kind::give_up,
        [](replication_step& x) { x.why_given_up = give_up_reason::fatal; })},
};

const canary policies[] = {
  {"OverspendsItsShare", "overspends its budget",
   other_spec([](replication_spec& x) {
     x.budget.share = x.budget.share.value_or(0.05) + 1.0;
   })},
  {"OverspendsItsReserve", "overspends its budget",
   other_spec([](replication_spec& x) { ++x.budget.reserve; })},
  {"ForgetsCopiesTooSoon", "overspends its budget",
   other_spec([](replication_spec& x) { x.budget.window = 1ms; })},
  {"HedgesTooEarly", "hedges too early", other_spec([](replication_spec& x) {
     if (x.hedge)
       x.hedge->delay = x.hedge->floor = 1ns;
   })},
  {"HedgesAfterTheSend", "hedges too early",
   other_spec([](replication_spec& x) {
     if (x.hedge)
       x.hedge->trigger = hedge_trigger::after_send;
   })},
  {"HedgesTooOften", "sends more", other_spec([](replication_spec& x) {
     if (x.hedge)
       ++x.hedge->extra_max;
   })},
  {"SendsAFourthCopy", "sends", other_spec([](replication_spec& x) {
     if (x.mode != replication_mode::hedge)
       ++x.copies;
   })},
  {"LowersTheQuorum", "answers without a quorum",
   other_spec([](replication_spec& x) { x.quorum -= x.quorum > 1 ? 1 : 0; })},
  {"BelievesWhoDisagrees", "answers without a quorum",
   other_spec([](replication_spec& x) { x.quorum_agrees = false; })},
  {"RacesWhatIsTied", "lets others queue", other_spec([](replication_spec& x) {
     if (x.mode == replication_mode::tied)
       x.mode = replication_mode::race;
   })},
  {"SharesDomains", "sends two copies to one domain",
   other_spec(
     [](replication_spec& x) { x.shared_domain = shared_domain_rule::flag; })},
};

const auto name_of = [](const auto& info) {
  return std::string{info.param.name};
};

INSTANTIATE_TEST_SUITE_P(OfOrders, ReplicationCanary, testing::ValuesIn(orders),
                         name_of);
INSTANTIATE_TEST_SUITE_P(OfPolicies, ReplicationCanary,
                         testing::ValuesIn(policies), name_of);

} // namespace
