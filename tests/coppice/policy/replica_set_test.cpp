// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/replica_set.hpp"

#include "support/seed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace coppice::policy {
namespace {

using namespace std::literals;
using testing::Each;
using testing::ElementsAre;
using testing::Gt;

using replica_specs = std::vector<replica_spec>;
using ids = std::vector<replica_id>;

constexpr time_point at(duration t) {
  return time_point{} + t;
}

replica_specs replicas(std::size_t count) {
  replica_specs result;
  for (std::size_t i = 0; i < count; ++i)
    result.push_back({.name = "r" + std::to_string(i)});
  return result;
}

replica_specs on_hosts(const std::vector<std::string>& hosts) {
  auto result = replicas(hosts.size());
  for (std::size_t i = 0; i < hosts.size(); ++i)
    result[i].domain.host = hosts[i];
  return result;
}

replica_set set_of(const replica_specs& specs, std::uint64_t seed = 1,
                   replica_choice how = replica_choice::uniform,
                   shared_domain_rule rule = shared_domain_rule::flag) {
  return {specs, how, {.failures_max = 1, .share_max = 1.0}, seed, rule};
}

/// Who is chosen, in some hundred times, in order and once each.
ids all_choices(replica_set& set, const ids& used = {}, time_point now = {}) {
  ids seen;
  for (int i = 0; i < 300; ++i)
    if (const auto x = set.choose(now, used, false))
      seen.push_back(x->who);
  std::sort(seen.begin(), seen.end());
  seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
  return seen;
}

void fail_once(replica_set& set, replica_id who, time_point now) {
  set.on_sent(who);
  set.on_resolved(now, who, copy_outcome::failed, 0s);
}

/// Sum of squared deviations of `counts` over what is expected of each.
double chi_square(const std::vector<int>& counts, double expected) {
  double sum = 0;
  for (const auto count : counts)
    sum += (count - expected) * (count - expected) / expected;
  return sum;
}

// -- who may be chosen -------------------------------------------------------

// REPLICATE-5: where nobody is left, there is no choice.
TEST(ReplicaSet, ChoosesNobodyTwice) {
  auto set = set_of(replicas(3));
  EXPECT_THAT(all_choices(set), ElementsAre(0, 1, 2));
  EXPECT_THAT(all_choices(set, {1}), ElementsAre(0, 2));
  EXPECT_THAT(all_choices(set, {0, 1}), ElementsAre(2));
  EXPECT_FALSE(set.choose(at(0s), ids{0, 1, 2}, true));
}

// REPLICATE-5: gone ones get nothing, and something again once they are back.
TEST(ReplicaSet, ChoosesNobodyWhoIsGone) {
  auto set = set_of(replicas(2));
  set.set_present(0, false);
  EXPECT_THAT(all_choices(set), ElementsAre(1));
  EXPECT_EQ(set.available(at(0s)), 1u);
  EXPECT_FALSE(set.snapshot(at(0s), 0).is_available);
  set.set_present(1, false);
  EXPECT_FALSE(set.choose(at(0s), {}, true));
  EXPECT_EQ(set.available(at(0s)), 0u);
  set.set_present(0, true);
  EXPECT_THAT(all_choices(set), ElementsAre(0));
}

// REPLICATE-3: servers push back, until a time; the latest one counts.
TEST(ReplicaSet, ChoosesNobodyWhoPushesBack) {
  auto set = set_of(replicas(2));
  set.push_back(0, at(5s));
  set.push_back(0, at(3s));
  EXPECT_THAT(all_choices(set, {}, at(5s - 1ns)), ElementsAre(1));
  EXPECT_EQ(set.available(at(4s)), 1u);
  EXPECT_FALSE(set.snapshot(at(4s), 0).is_available);
  EXPECT_FALSE(set.choose(at(4s), ids{1}, true));
  EXPECT_THAT(all_choices(set, {}, at(5s)), ElementsAre(0, 1));
  EXPECT_TRUE(set.snapshot(at(5s), 0).is_available);
}

// REPLICATE-3: pushing back is about extra copies. Where nobody else is left
// an original is sent all the same.
TEST(ReplicaSet, SendsOriginalsToThoseWhoPushBackIfNobodyElseIsLeft) {
  auto set = set_of(replicas(2));
  set.push_back(0, at(5s));
  EXPECT_EQ(set.choose(at(4s), ids{1}, false).value().who, 0u);
  EXPECT_EQ(set.choose(at(4s), ids{}, false).value().who, 1u);
  set.set_present(0, false);
  EXPECT_FALSE(set.choose(at(4s), ids{1}, false));
}

// -- failure domains ---------------------------------------------------------

// REPLICATE-5: another domain than all of those that were used.
TEST(ReplicaSet, PrefersAnotherDomain) {
  auto set = set_of(on_hosts({"a", "a", "b", "b", "c"}));
  EXPECT_THAT(all_choices(set), ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(all_choices(set, {0}), ElementsAre(2, 3, 4));
  EXPECT_THAT(all_choices(set, {0, 3}), ElementsAre(4));
  EXPECT_FALSE(set.choose(at(0s), ids{0, 3}, false).value().shares_domain);
}

// REPLICATE-5: if there is none, one in a shared domain, and it says so.
TEST(ReplicaSet, SaysWhereADomainIsShared) {
  auto set = set_of(on_hosts({"a", "a", "b"}));
  const auto choice = set.choose(at(0s), ids{0, 2}, false).value();
  EXPECT_EQ(choice.who, 1u);
  EXPECT_TRUE(choice.shares_domain);
  EXPECT_FALSE(set.choose(at(0s), {}, false).value().shares_domain);
}

// REPLICATE-5: the label of any level counts; that of another level does not,
// and no label is none in common.
TEST(ReplicaSet, KnowsDomainsAsTheSpecDoes) {
  auto specs = replicas(7);
  specs[0].domain
    = {.thread = "1", .process = "2", .host = "3", .data_path = "4"};
  specs[1].domain.thread = "1";
  specs[2].domain.process = "2";
  specs[3].domain.host = "3";
  specs[4].domain.data_path = "4";
  specs[5].domain.host = "4";
  auto set = set_of(specs);
  EXPECT_THAT(all_choices(set, {0}), ElementsAre(5, 6));
  EXPECT_THAT(all_choices(set, {6}), ElementsAre(0, 1, 2, 3, 4, 5));
  for (replica_id i = 0; i < 7; ++i)
    for (replica_id j = 0; j < 7; ++j) {
      ids others;
      for (replica_id k = 0; k < 7; ++k)
        if (k != j)
          others.push_back(k);
      auto copy = set; // all others but i are gone
      for (const auto k : others)
        if (k != i)
          copy.set_present(k, false);
      if (i != j) {
        EXPECT_EQ(copy.choose(at(0s), ids{i}, false).value().shares_domain,
                  share_domain(specs[i].domain, specs[j].domain));
      }
    }
}

// REPLICATE-5: one that was set aside is worse than one whose domain is used,
// unless that would be refused anyway.
TEST(ReplicaSet, WeighsKnownTroubleAgainstFearedTrouble) {
  for (const auto rule :
       {shared_domain_rule::flag, shared_domain_rule::refuse}) {
    auto set = set_of(on_hosts({"a", "a", "b"}), 1, replica_choice::uniform,
                      rule);
    fail_once(set, 2, at(0s));
    const auto choice = set.choose(at(0s), ids{0}, true).value();
    EXPECT_EQ(choice.who, rule == shared_domain_rule::flag ? 1u : 2u);
    EXPECT_EQ(choice.shares_domain, rule == shared_domain_rule::flag);
    EXPECT_FALSE(choice.is_probe) << "it is too early for that";
  }
}

// -- fairness ----------------------------------------------------------------

// REPLICATE-5: each of the eligible as often as any other. With 19 degrees of
// freedom, 60 is exceeded by chance once in 250'000 runs.
TEST(ReplicaSet, GivesAllTheSameOpportunity) {
  test::seeded seeded;
  auto set = set_of(replicas(24), seeded.seed);
  const ids used{3, 17};
  set.set_present(5, false);
  set.push_back(11, at(1h));
  std::vector<int> counts(24);
  for (int i = 0; i < 20'000; ++i)
    ++counts[set.choose(at(0s), used, false).value().who];
  for (const replica_id i : {17, 11, 5, 3}) {
    EXPECT_EQ(counts[i], 0);
    counts.erase(counts.begin() + i);
  }
  EXPECT_LT(chi_square(counts, 1'000), 60);
}

// REPLICATE-5: also by two choices, as long as all have the same load.
TEST(ReplicaSet, GivesEqualsTheSameOpportunityByTwoChoices) {
  test::seeded seeded;
  auto set = set_of(replicas(20), seeded.seed, replica_choice::two_choices);
  std::vector<int> counts(20);
  for (int i = 0; i < 20'000; ++i)
    ++counts[set.choose(at(0s), {}, false).value().who];
  EXPECT_LT(chi_square(counts, 1'000), 60);
}

// REPLICATE-5: the one with fewer copies outstanding.
TEST(ReplicaSet, ChoosesTheLessLoadedOfTwo) {
  auto set = set_of(replicas(2), 1, replica_choice::two_choices);
  set.on_sent(0);
  EXPECT_THAT(all_choices(set), ElementsAre(1));
  set.on_sent(1);
  EXPECT_THAT(all_choices(set), ElementsAre(0, 1));
  set.on_resolved(at(0s), 0, copy_outcome::cancelled, 0s);
  EXPECT_THAT(all_choices(set), ElementsAre(0));
}

// REPLICATE-5: per server, if both say how many they have.
TEST(ReplicaSet, ComparesLoadsPerServer) {
  auto specs = replicas(3);
  specs[0].servers = 1;
  specs[1].servers = 8;
  auto set = set_of(specs, 1, replica_choice::two_choices);
  for (int i = 0; i < 7; ++i)
    set.on_sent(1);
  set.on_sent(0);
  EXPECT_THAT(all_choices(set, {2}), ElementsAre(1)) << "7/8 < 1/1";
  set.on_sent(1);
  EXPECT_THAT(all_choices(set, {2}), ElementsAre(0, 1)) << "8/8 = 1/1";
  set.on_sent(2);
  set.on_sent(2);
  EXPECT_THAT(all_choices(set, {0}), ElementsAre(2)) << "2 < 8";
  EXPECT_THAT(all_choices(set, {1}), ElementsAre(0)) << "1 < 2";
}

// REPLICATE-5: of 10'000 for 100 replicas, the fullest has some 128 by one
// choice, and 101 or 102 by two.
TEST(ReplicaSet, SpreadsAsThePowerOfTwoChoicesPromises) {
  test::seeded seeded;
  auto set = set_of(replicas(100), seeded.seed, replica_choice::two_choices);
  for (int i = 0; i < 10'000; ++i)
    set.on_sent(set.choose(at(0s), {}, false).value().who);
  for (replica_id who = 0; who < 100; ++who)
    EXPECT_LE(set.snapshot(at(0s), who).outstanding, 106u);
}

// REPLICATE-5: the same seed makes the same choices.
TEST(ReplicaSet, IsTheSameForTheSameSeed) {
  const auto choices = [](std::uint64_t seed) {
    auto set = set_of(replicas(10), seed);
    ids result;
    for (int i = 0; i < 100; ++i)
      result.push_back(set.choose(at(0s), {}, false).value().who);
    return result;
  };
  EXPECT_EQ(choices(5), choices(5));
  EXPECT_NE(choices(5), choices(6));
}

// -- what it tells -----------------------------------------------------------

// REPLICATE-7
TEST(ReplicaSet, CountsWhatBecomesOfCopies) {
  auto set = set_of(replicas(2));
  for (int i = 0; i < 4; ++i)
    set.on_sent(1);
  set.on_resolved(at(1s), 1, copy_outcome::answered, 1s);
  set.on_resolved(at(1s), 1, copy_outcome::answered, 1s);
  set.on_resolved(at(1s), 1, copy_outcome::cancelled, 1s);
  auto x = set.snapshot(at(1s), 1);
  EXPECT_EQ(x.name, "r1");
  EXPECT_EQ(x.sent, 4u);
  EXPECT_EQ(x.answered, 2u);
  EXPECT_EQ(x.failed, 0u);
  EXPECT_EQ(x.outstanding, 1u);
  EXPECT_TRUE(x.is_available);
  set.on_resolved(at(1s), 1, copy_outcome::failed, 1s);
  set.on_resolved(at(1s), 1, copy_outcome::failed, 1s); // of none
  x = set.snapshot(at(1s), 1);
  EXPECT_EQ(x.failed, 1u);
  EXPECT_EQ(x.outstanding, 0u);
  EXPECT_EQ(x.times_set_aside, 1u);
  EXPECT_TRUE(x.is_set_aside);
  EXPECT_FALSE(x.is_available);
}

// REPLICATE-3: the number of servers is known if all say theirs.
TEST(ReplicaSet, SumsUpServers) {
  auto specs = replicas(3);
  specs[0].servers = 2;
  specs[1].servers = 3;
  EXPECT_EQ(set_of(specs).servers(), 0u);
  specs[2].servers = 4;
  EXPECT_EQ(set_of(specs).servers(), 9u);
  EXPECT_EQ(set_of(specs).size(), 3u);
  EXPECT_EQ(set_of(specs).spec(2), specs[2]);
}

} // namespace
} // namespace coppice::policy
