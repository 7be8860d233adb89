// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/replication_spec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

namespace coppice::policy {
namespace {

using namespace std::literals;
using testing::ElementsAre;
using testing::IsEmpty;

using replica_specs = std::vector<replica_spec>;

replica_specs replicas(std::size_t count) {
  replica_specs result;
  for (std::size_t i = 0; i < count; ++i)
    result.push_back({.name = "r" + std::to_string(i)});
  return result;
}

/// The defects of `spec`, as text.
std::string defects_of(const replication_spec& spec,
                       const replica_specs& where = replicas(3)) {
  return to_string(validate(spec, where, "x"));
}

replication_spec hedged_with(const std::function<void(hedge_spec&)>& change) {
  hedge_spec hedge;
  change(hedge);
  return replication_spec::hedged(hedge);
}

/// A hedged spec but for what `change` does to it.
replication_spec with(const std::function<void(replication_spec&)>& change) {
  auto spec = replication_spec::hedged();
  change(spec);
  return spec;
}

struct bad_spec {
  replication_spec spec;
  const char* defect; ///< Without "x.".
};

void expect_defects(const std::vector<bad_spec>& all) {
  for (const auto& [spec, defect] : all)
    EXPECT_EQ(defects_of(spec), "x."s + defect);
}

constexpr auto after_start = hedge_trigger::after_start;
constexpr auto nan = std::numeric_limits<double>::quiet_NaN();
constexpr auto infinite = std::numeric_limits<double>::infinity();

// -- the usual ones ----------------------------------------------------------

// REPLICATE-2: what each mode needs is there, and it is sound.
TEST(ReplicationSpec, ComesInTheUsualForms) {
  const auto race = replication_spec::race(3);
  EXPECT_EQ(race.mode, replication_mode::race);
  EXPECT_EQ(race.copies, 3u);
  EXPECT_FALSE(race.hedge);
  const auto hedged = replication_spec::hedged({.extra_max = 2});
  EXPECT_EQ(hedged.mode, replication_mode::hedge);
  EXPECT_EQ(hedged.copies, 1u);
  EXPECT_EQ(hedged.hedge.value().extra_max, 2u);
  const auto tied = replication_spec::tied();
  EXPECT_EQ(tied.mode, replication_mode::tied);
  EXPECT_EQ(tied.copies, 2u);
  EXPECT_FALSE(tied.hedge);
  const auto both = replication_spec::tied_and_hedged({.trigger = after_start});
  EXPECT_EQ(both.mode, replication_mode::tied);
  EXPECT_EQ(both.hedge.value().trigger, after_start);
  const auto some = replication_spec::first_of(2, 3);
  EXPECT_EQ(some.mode, replication_mode::quorum);
  EXPECT_EQ(some.quorum, 2u);
  EXPECT_FALSE(some.quorum_agrees);
  const auto most = replication_spec::majority_of(3);
  EXPECT_EQ(most.quorum, 2u);
  EXPECT_TRUE(most.quorum_agrees);
  for (const auto& spec :
       {race, hedged, tied, both, some, most, replication_spec{}})
    EXPECT_EQ(defects_of(spec), "");
}

// REPLICATE-2: of four, three; two answers cannot have that many each.
TEST(ReplicationSpec, CountsAMajority) {
  for (std::uint32_t copies = 2; copies <= 64; ++copies) {
    const auto spec = replication_spec::majority_of(copies);
    EXPECT_GT(2 * spec.quorum, copies);
    EXPECT_LE(2 * (spec.quorum - 1), copies);
    EXPECT_EQ(defects_of(spec, replicas(copies)), "");
  }
}

// REPLICATE-2, REPLICATE-5
TEST(ReplicationSpec, HasNames) {
  EXPECT_STREQ(to_string(replication_mode::quorum), "quorum");
  EXPECT_STREQ(to_string(hedge_trigger::after_send), "after_send");
  EXPECT_STREQ(to_string(replica_choice::two_choices), "two_choices");
  EXPECT_STREQ(to_string(shared_domain_rule::flag), "flag");
  EXPECT_STREQ(to_string(static_cast<replication_mode>(9)), "unknown");
}

// -- each field by itself ----------------------------------------------------

// TOPOLOGY-1: the ends of all ranges belong to them.
TEST(ReplicationSpec, TakesWhatIsInRange) {
  const replication_spec least{
    .hedge
    = hedge_spec{.quantile = 0.5, .floor = 0s, .cap = 0s, .samples_min = 1},
    .budget = {.share = 0.0, .window = 1ms, .reserve = 0},
    .off_switch = {.wins_min = 0, .judged_by = 10, .probe_every = 2},
    .latency_window = 1ns,
    .ejection = {.failures_max = 1,
                 .slow_factor = 1.01,
                 .samples_min = 1,
                 .first = 1ns,
                 .cap = 1ns,
                 .share_max = 0}};
  EXPECT_EQ(defects_of(least), "");
  const replication_spec most{
    .hedge
    = hedge_spec{.quantile = 0.9999, .samples_min = 100'000, .extra_max = 8},
    .budget = {.share = 63.0, .window = 1h, .reserve = 1'000},
    .off_switch = {.wins_min = 1, .judged_by = 10'000, .probe_every = 10'000},
    .latency_window = 1h,
    .ejection = {.failures_max = 1'000,
                 .slow_factor = infinite,
                 .samples_min = 100'000,
                 .share_max = 1}};
  EXPECT_EQ(defects_of(most, replicas(1'000)), "");
  EXPECT_EQ(defects_of(replication_spec::race(64), replicas(64)), "");
}

// TOPOLOGY-1
TEST(ReplicationSpec, NamesWhatIsWrongWithAHedge) {
  expect_defects({
    {hedged_with([](auto& x) { x.trigger = static_cast<hedge_trigger>(7); }),
     "hedge.trigger: found 7, expected after_send or after_start"},
    {hedged_with([](auto& x) { x.quantile = 0.4; }),
     "hedge.quantile: found 0.4, expected a number from 0.5 to 0.9999"},
    {hedged_with([](auto& x) { x.quantile = nan; }),
     "hedge.quantile: found nan, expected a number from 0.5 to 0.9999"},
    {hedged_with([](auto& x) { x.floor = -1ms; }),
     "hedge.floor: found -1ms, expected a finite length of zero or more"},
    {hedged_with([](auto& x) { x.floor = infinity; }),
     "hedge.floor: found infinity, expected a finite length of zero or more"},
    {hedged_with([](auto& x) { x.floor = 5ms, x.cap = 4ms; }),
     "hedge.cap: found 4ms, expected at least `floor`, which is 5ms"},
    {hedged_with([](auto& x) { x.cap = -1ms; }),
     "hedge.cap: found -1ms, expected a length of `floor` or more, or "
     "infinity"},
    {hedged_with([](auto& x) { x.samples_min = 0; }),
     "hedge.samples_min: found 0, expected a number from 1 to 100000"},
    {hedged_with([](auto& x) { x.quantile = {}, x.delay = 0s; }),
     "hedge.delay: found 0s, expected a finite length above zero"},
    {hedged_with([](auto& x) { x.quantile = {}, x.delay = infinity; }),
     "hedge.delay: found infinity, expected a finite length above zero"},
    {hedged_with([](auto& x) { x.extra_max = 0; }),
     "hedge.extra_max: found 0, expected a number from 1 to 8"},
    {hedged_with([](auto& x) { x.extra_max = 9; }),
     "hedge.extra_max: found 9, expected a number from 1 to 8"},
  });
}

// TOPOLOGY-1: what is not read cannot be wrong.
TEST(ReplicationSpec, LooksOnlyAtWhatTheHedgeGoesBy) {
  EXPECT_EQ(defects_of(hedged_with([](auto& x) { x.delay = 0s; })), "");
  EXPECT_EQ(defects_of(hedged_with([](auto& x) {
              x.quantile = {};
              x.floor = -1s;
              x.samples_min = 0;
            })),
            "");
}

// TOPOLOGY-1
TEST(ReplicationSpec, NamesWhatIsWrongWithCosts) {
  expect_defects({
    {with([](auto& x) { x.budget.share = -0.1; }),
     "budget.share: found -0.1, expected a number from 0 to 63"},
    {with([](auto& x) { x.budget.share = nan; }),
     "budget.share: found nan, expected a number from 0 to 63"},
    {with([](auto& x) { x.budget.window = 999us; }),
     "budget.window: found 999us, expected a length from 1ms to 1h"},
    {with([](auto& x) { x.budget.window = infinity; }),
     "budget.window: found infinity, expected a length from 1ms to 1h"},
    {with([](auto& x) { x.budget.reserve = 1'001; }),
     "budget.reserve: found 1001, expected a number from 0 to 1000"},
    {with([](auto& x) { x.off_switch.wins_min = 1.1; }),
     "off_switch.wins_min: found 1.1, expected a number from 0 to 1"},
    {with([](auto& x) { x.off_switch.judged_by = 9; }),
     "off_switch.judged_by: found 9, expected a number from 10 to 10000"},
    {with([](auto& x) { x.off_switch.probe_every = 1; }),
     "off_switch.probe_every: found 1, expected a number from 2 to 10000"},
  });
}

// TOPOLOGY-1
TEST(ReplicationSpec, NamesWhatIsWrongWithTheRest) {
  expect_defects({
    {with([](auto& x) { x.mode = static_cast<replication_mode>(9); }),
     "mode: found 9, expected race, hedge, tied or quorum"},
    {with([](auto& x) { x.latency_window = 0s; }),
     "latency_window: found 0s, expected a length above zero, up to 1h"},
    {with([](auto& x) { x.choice = static_cast<replica_choice>(2); }),
     "choice: found 2, expected uniform or two_choices"},
    {with(
       [](auto& x) { x.shared_domain = static_cast<shared_domain_rule>(2); }),
     "shared_domain: found 2, expected refuse or flag"},
    {with([](auto& x) { x.ejection.failures_max = 0; }),
     "ejection.failures_max: found 0, expected a number from 1 to 1000"},
    {with([](auto& x) { x.ejection.slow_factor = 1.0; }),
     "ejection.slow_factor: found 1, expected a number above 1, or infinity"},
    {with([](auto& x) { x.ejection.slow_factor = nan; }),
     "ejection.slow_factor: found nan, expected a number above 1, or "
     "infinity"},
    {with([](auto& x) { x.ejection.samples_min = 0; }),
     "ejection.samples_min: found 0, expected a number from 1 to 100000"},
    {with([](auto& x) { x.ejection.first = 0s; }),
     "ejection.first: found 0s, expected a finite length above zero"},
    {with([](auto& x) { x.ejection.cap = 999ms; }),
     "ejection.cap: found 999ms, expected at least `first`, which is 1s"},
    {with([](auto& x) { x.ejection.cap = infinity; }),
     "ejection.cap: found infinity, expected a finite length of `first` or "
     "more"},
    {with([](auto& x) { x.ejection.share_max = nan; }),
     "ejection.share_max: found nan, expected a number from 0 to 1"},
  });
}

} // namespace
} // namespace coppice::policy
