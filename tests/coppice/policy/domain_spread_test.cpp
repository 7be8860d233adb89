// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/domain_spread.hpp"

#include "support/random_choice.hpp"
#include "support/seed.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <string>
#include <vector>

namespace coppice::policy {
namespace {

using replica_specs = std::vector<replica_spec>;

/// In all ways: 2^replicas.
std::size_t spread_by_brute_force(const replica_specs& replicas) {
  std::size_t most = 0;
  for (unsigned set = 1; set < 1u << replicas.size(); ++set) {
    auto is_spread = true;
    for (std::size_t i = 0; i < replicas.size(); ++i)
      for (std::size_t j = 0; j < i; ++j)
        if ((set >> i & set >> j & 1) != 0)
          is_spread &= !share_domain(replicas[i].domain, replicas[j].domain);
    if (is_spread)
      most = std::max(most, static_cast<std::size_t>(std::popcount(set)));
  }
  return most;
}

// REPLICATE-5: a domain is shared by a label at the same level; no label is
// nothing that is shared.
TEST(FailureDomain, IsSharedByALabelOfTheSameLevel) {
  EXPECT_FALSE(share_domain({}, {}));
  EXPECT_TRUE(share_domain({.thread = "x"}, {.thread = "x"}));
  EXPECT_TRUE(share_domain({.process = "x"}, {.process = "x"}));
  EXPECT_TRUE(share_domain({.host = "x"}, {.host = "x"}));
  EXPECT_TRUE(share_domain({.data_path = "x"}, {.data_path = "x"}));
  EXPECT_FALSE(share_domain({.host = "x"}, {.data_path = "x"}));
  EXPECT_FALSE(share_domain({.host = "x"}, {.host = "y"}));
  EXPECT_TRUE(
    share_domain({.process = "1", .host = "x"}, {.process = "2", .host = "x"}));
}

// REPLICATE-5
TEST(DomainSpread, IsThatOfTheRoughestLevel) {
  replica_specs replicas;
  for (int i = 0; i < 12; ++i)
    replicas.push_back({.name = std::to_string(i),
                        .domain = {.process = std::to_string(i),
                                   .host = std::to_string(i % 3)}});
  EXPECT_EQ(domain_spread(replicas, 2), 2u);
  EXPECT_EQ(domain_spread(replicas, 64), 3u);
  EXPECT_EQ(domain_spread(replica_specs(5), 64), 5u) << "nothing is known";
  EXPECT_EQ(domain_spread({}, 2), 0u);
}

// REPLICATE-5: labels that cross each other. By each level alone, two copies
// could be sent; but each of the two pairs of levels forbids it.
TEST(DomainSpread, SeesThroughLevelsThatCross) {
  replica_specs replicas(3);
  replicas[0].domain = {.host = "a", .data_path = "1"};
  replicas[1].domain = {.host = "a", .data_path = "2"};
  replicas[2].domain = {.host = "b", .data_path = "1"};
  EXPECT_EQ(domain_spread(replicas, 2), 2u) << "the last two";
  auto crossed = replicas;
  crossed[1].domain.process = "p";
  crossed[2].domain.process = "p";
  EXPECT_EQ(domain_spread(crossed, 2), 1u);
}

// REPLICATE-5
TEST(DomainSpread, IsExactForFewReplicas) {
  test::seeded seeded;
  const auto label = [&]() -> std::string {
    const auto x = seeded.random.up_to(4);
    return x == 0 ? "" : std::to_string(x);
  };
  for (int round = 0; round < 300; ++round) {
    replica_specs replicas(1 + seeded.random.up_to(7));
    for (auto& x : replicas)
      x.domain = {label(), "", label(),
                  test::one_in(seeded.random, 3) ? label() : ""};
    ASSERT_EQ(domain_spread(replicas, 64), spread_by_brute_force(replicas))
      << "round " << round;
  }
}

// REPLICATE-5: where labels cross, it may take too long to be sure that so many
// are too many. Then they pass.
TEST(DomainSpread, GivesUpInFavourOfTheUser) {
  replica_specs replicas(500);
  for (std::size_t i = 0; i < replicas.size(); ++i)
    replicas[i].domain = {.host = std::to_string(i / 20),
                          .data_path = std::to_string(i * 7 % 25)};
  EXPECT_GE(domain_spread(replicas, 25), 20u);
}

} // namespace
} // namespace coppice::policy
