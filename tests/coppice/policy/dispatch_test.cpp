// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/dispatch.hpp"

#include "coppice/policy/stable_hash.hpp"

#include "support/random_choice.hpp"
#include "support/seed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

namespace coppice::policy {
namespace {

using enum dispatch_kind;
using testing::ElementsAre;

dispatcher pool_of(dispatch_kind kind, member_id size, std::uint64_t seed = 1) {
  dispatcher pool{kind, seed};
  for (member_id i = 1; i <= size; ++i)
    pool.add(i);
  return pool;
}

std::vector<member_id> choices(dispatcher& pool, int count) {
  std::vector<member_id> result;
  for (int i = 0; i < count; ++i)
    result.push_back(pool.choose().value().who);
  return result;
}

// DEADLINE-3: none available is a value, whatever the kind.
TEST(Dispatcher, HasNobodyToChooseWhereNobodyIs) {
  for (const auto kind :
       {round_robin, least_loaded, two_random_choices, by_key}) {
    dispatcher pool{kind, 1};
    EXPECT_EQ(pool.choose(7), std::nullopt);
    pool.add(1);
    EXPECT_EQ(pool.choose(7).value().who, 1u);
    pool.pause(1);
    EXPECT_EQ(pool.choose(7), std::nullopt);
    pool.resume(1);
    EXPECT_EQ(pool.choose(7).value().who, 1u);
    pool.remove(1);
    EXPECT_EQ(pool.choose(7), std::nullopt);
  }
}

TEST(Dispatcher, RefusesWhatMakesNoSense) {
  auto pool = pool_of(round_robin, 2);
  EXPECT_FALSE(pool.add(2));
  EXPECT_FALSE(pool.remove(3));
  EXPECT_FALSE(pool.pause(3));
  EXPECT_FALSE(pool.resume(3));
  EXPECT_FALSE(pool.on_done({3, 1}));
  const auto chosen = pool.choose().value();
  EXPECT_TRUE(pool.on_done(chosen));
  EXPECT_FALSE(pool.on_done(chosen)) << "ended twice";
  EXPECT_EQ(pool.members(), 2u);
  EXPECT_EQ(pool.outstanding(3), 0u);
}

// -- round robin -------------------------------------------------------------

TEST(RoundRobin, GoesRound) {
  auto pool = pool_of(round_robin, 3);
  EXPECT_THAT(choices(pool, 7), ElementsAre(1, 2, 3, 1, 2, 3, 1));
}

TEST(RoundRobin, KeepsItsTurnWhenMembersComeAndGo) {
  auto pool = pool_of(round_robin, 4);
  EXPECT_THAT(choices(pool, 1), ElementsAre(1));
  pool.pause(2); // whose turn it was
  EXPECT_THAT(choices(pool, 2), ElementsAre(3, 4));
  pool.resume(2);
  EXPECT_THAT(choices(pool, 2), ElementsAre(1, 2));
  pool.remove(1);
  pool.add(9);
  EXPECT_THAT(choices(pool, 4), ElementsAre(3, 4, 9, 2));
}

TEST(RoundRobin, SkipsTheBusy) {
  auto pool = pool_of(round_robin, 3);
  EXPECT_EQ(pool.choose(0, 1).value().who, 1u);
  const auto second = pool.choose(0, 1).value();
  EXPECT_EQ(pool.choose(0, 1).value().who, 3u);
  EXPECT_EQ(pool.choose(0, 1), std::nullopt);
  pool.on_done(second);
  EXPECT_EQ(pool.choose(0, 1).value().who, 2u);
}

// -- by load -----------------------------------------------------------------

TEST(LeastLoaded, ChoosesTheOneWithTheFewestOutstanding) {
  auto pool = pool_of(least_loaded, 3);
  const auto first = pool.choose().value();
  EXPECT_THAT(choices(pool, 2), ElementsAre(2, 3));
  pool.on_done(first);
  EXPECT_THAT(choices(pool, 1), ElementsAre(1));
}

// Ties are fair: an idle pool does not send everything to its first member.
TEST(LeastLoaded, TakesTurnsAmongEquals) {
  auto pool = pool_of(least_loaded, 3);
  std::vector<member_id> seen;
  for (int i = 0; i < 6; ++i) {
    const auto chosen = pool.choose().value();
    seen.push_back(chosen.who);
    pool.on_done(chosen);
  }
  EXPECT_THAT(seen, ElementsAre(1, 2, 3, 1, 2, 3));
}

TEST(LeastLoaded, NeverLetsLoadsDifferByMoreThanOne) {
  auto pool = pool_of(least_loaded, 7);
  for (int i = 0; i < 1'000; ++i) {
    ASSERT_TRUE(pool.choose());
    std::vector<std::size_t> loads;
    for (member_id who = 1; who <= 7; ++who)
      loads.push_back(pool.outstanding(who));
    const auto [least, most] = std::minmax_element(loads.begin(), loads.end());
    ASSERT_LE(*most - *least, 1u);
  }
}

TEST(TwoRandomChoices, IsTheSameForTheSameSeed) {
  auto one = pool_of(two_random_choices, 10, 5);
  auto same = pool_of(two_random_choices, 10, 5);
  auto other = pool_of(two_random_choices, 10, 6);
  const auto expected = choices(one, 100);
  EXPECT_EQ(choices(same, 100), expected);
  EXPECT_NE(choices(other, 100), expected);
}

// 10'000 into 100: by one random choice, the fullest has some 128; by two,
// 101 or 102 (the excess grows as log log n, not as the root of the mean).
TEST(TwoRandomChoices, SpreadsAsThePowerOfTwoChoicesPromises) {
  test::seeded seeded;
  auto pool = pool_of(two_random_choices, 100, seeded.seed);
  choices(pool, 10'000);
  for (member_id who = 1; who <= 100; ++who)
    EXPECT_LE(pool.outstanding(who), 106u);
}

TEST(TwoRandomChoices, FindsTheOnlyOneThatIsNotBusy) {
  auto pool = pool_of(two_random_choices, 50);
  std::set<member_id> seen;
  for (int i = 0; i < 50; ++i)
    seen.insert(pool.choose(0, 1).value().who);
  EXPECT_EQ(seen.size(), 50u);
  EXPECT_EQ(pool.choose(0, 1), std::nullopt);
}

// -- by key ------------------------------------------------------------------

member_id owner(dispatcher& pool, std::uint64_t key) {
  const auto chosen = pool.choose(key).value();
  pool.on_done(chosen);
  return chosen.who;
}

// Fixed values: another compiler or a later version must find the same.
TEST(StableHash, IsTheSameEverywhere) {
  EXPECT_EQ(stable_hash(std::uint64_t{0}), 0u);
  // The first output of SplitMix64 for seed 0.
  EXPECT_EQ(stable_hash(std::uint64_t{0x9e3779b97f4a7c15u}),
            0xe220a8397b1dcdafu);
  // FNV-1a of "a" is af63dc4c8601ec8c.
  EXPECT_EQ(stable_hash("a"), stable_hash(std::uint64_t{0xaf63dc4c8601ec8cu}));
  EXPECT_NE(stable_hash("ab"), stable_hash("ba"));
}

TEST(ByKey, FindsTheSameMemberEverywhere) {
  auto pool = pool_of(by_key, 8);
  std::vector<member_id> owners;
  for (std::uint64_t key = 0; key < 8; ++key)
    owners.push_back(owner(pool, key));
  EXPECT_THAT(owners, ElementsAre(4, 7, 4, 5, 6, 1, 4, 4));
}

TEST(ByKey, SpreadsKeysEvenly) {
  auto pool = pool_of(by_key, 10);
  std::map<member_id, int> counts;
  for (std::uint64_t key = 0; key < 10'000; ++key)
    ++counts[owner(pool, key)];
  for (const auto& [who, count] : counts)
    EXPECT_NEAR(count, 1'000, 150) << who; // five standard deviations
  EXPECT_EQ(counts.size(), 10u);
}

TEST(ByKey, MovesOnlyTheKeysOfWhoComesOrGoes) {
  auto pool = pool_of(by_key, 10);
  std::vector<member_id> before;
  for (std::uint64_t key = 0; key < 2'000; ++key)
    before.push_back(owner(pool, key));
  pool.pause(3);
  pool.remove(7);
  for (std::uint64_t key = 0; key < 2'000; ++key) {
    const auto was = before[key];
    const auto is = owner(pool, key);
    ASSERT_EQ(is == was, was != 3 && was != 7) << key;
  }
  pool.resume(3);
  pool.add(7);
  pool.add(11);
  for (std::uint64_t key = 0; key < 2'000; ++key) {
    const auto is = owner(pool, key);
    ASSERT_TRUE(is == before[key] || is == 11) << key;
  }
}

// Another worker does not have what this one keeps for the key.
TEST(ByKey, DoesNotPassABusyMembersKeyOn) {
  auto pool = pool_of(by_key, 3);
  EXPECT_TRUE(pool.choose(5, 1));
  EXPECT_EQ(pool.choose(5, 1), std::nullopt);
}

// -- lives -------------------------------------------------------------------

// A late end of an old life must not free the new one.
TEST(Dispatcher, DoesNotChargeALifeForTheOneBefore) {
  auto pool = pool_of(round_robin, 1);
  const auto old = pool.choose().value();
  pool.pause(1);
  EXPECT_EQ(pool.outstanding(1), 0u);
  EXPECT_FALSE(pool.on_done(old));
  pool.resume(1);
  const auto fresh = pool.choose().value();
  EXPECT_NE(old, fresh);
  EXPECT_FALSE(pool.on_done(old));
  EXPECT_EQ(pool.outstanding(1), 1u);
  EXPECT_TRUE(pool.on_done(fresh));
  EXPECT_EQ(pool.outstanding(1), 0u);
}

// One that pauses in the middle of its life goes on with what it has.
TEST(Dispatcher, RemembersWhatAResumedMemberHasInHand) {
  auto pool = pool_of(round_robin, 1);
  auto kept = pool.choose().value();
  pool.pause(1);
  kept.life = pool.resume(1, 1);
  EXPECT_NE(kept.life, 0u);
  EXPECT_EQ(pool.resume(1, 7), kept.life) << "did not pause";
  EXPECT_EQ(pool.outstanding(1), 1u);
  EXPECT_EQ(pool.choose(0, 1), std::nullopt) << "is busy";
  EXPECT_TRUE(pool.on_done(kept));
  EXPECT_EQ(pool.outstanding(1), 0u);
}

// Whatever happens: only available members, right counts, no gaps.
TEST(Dispatcher, KeepsItsBooksUnderRandomChanges) {
  test::seeded seeded;
  auto& random = seeded.random;
  for (int round = 0; round < 200; ++round) {
    const auto kind = test::one_of(random, {round_robin, least_loaded,
                                            two_random_choices, by_key});
    dispatcher pool{kind, random.next()};
    std::map<member_id, bool> pauses;
    std::multimap<member_id, chosen_member> out;
    for (int step = 0; step < 200; ++step) {
      const auto who = random.up_to(6);
      const auto is_member = pauses.contains(who);
      switch (random.up_to(6)) {
        case 0:
          ASSERT_EQ(pool.add(who), !is_member);
          pauses.try_emplace(who, false);
          break;
        case 1:
          ASSERT_EQ(pool.remove(who), is_member);
          pauses.erase(who);
          out.erase(who);
          break;
        case 2:
          if (pool.pause(who)) {
            pauses[who] = true;
            out.erase(who);
          }
          break;
        case 3:
          if (pool.resume(who))
            pauses[who] = false;
          break;
        case 4:
          if (const auto found = out.find(who); found != out.end()) {
            ASSERT_TRUE(pool.on_done(found->second));
            out.erase(found);
          }
          break;
        default:
          const auto chosen = pool.choose(random.next());
          const auto has_any = std::any_of(pauses.begin(), pauses.end(),
                                           [](auto& x) { return !x.second; });
          ASSERT_EQ(chosen.has_value(), has_any);
          if (chosen) {
            ASSERT_TRUE(pauses.contains(chosen->who));
            ASSERT_FALSE(pauses[chosen->who]);
            out.emplace(chosen->who, *chosen);
          }
      }
      for (member_id x = 0; x <= 6; ++x)
        ASSERT_EQ(pool.outstanding(x), out.count(x));
    }
  }
}

} // namespace
} // namespace coppice::policy
