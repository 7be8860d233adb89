// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/replica_set.hpp"

#include "support/random_choice.hpp"
#include "support/seed.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace coppice::policy {
namespace {

using namespace std::literals;

using ids = std::vector<replica_id>;

bool contains(const ids& list, replica_id who) {
  return std::find(list.begin(), list.end(), who) != list.end();
}

/// A replica set under random facts, and what must hold after each of them.
class random_run {
public:
  explicit random_run(std::uint64_t seed) : random_(seed) {
    specs_.resize(1 + random_.up_to(11));
    for (std::size_t i = 0; i < specs_.size(); ++i) {
      specs_[i].name = std::to_string(i);
      if (!test::one_in(random_, 3))
        specs_[i].domain.host = std::to_string(random_.up_to(3));
      specs_[i].servers = static_cast<std::uint32_t>(random_.up_to(2));
    }
    copies_.resize(specs_.size());
    facts_.resize(specs_.size());
    share_ = test::one_of(random_, {0.0, 0.3, 0.5, 1.0});
    rule_ = test::one_of(random_, {shared_domain_rule::flag,
                                   shared_domain_rule::refuse});
    set_ = replica_set{specs_,
                       test::one_of(random_, {replica_choice::uniform,
                                              replica_choice::two_choices}),
                       {.failures_max = 2,
                        .slow_factor = 2.0,
                        .samples_min = 3,
                        .first = 10ms,
                        .cap = 40ms,
                        .share_max = share_},
                       random_.next(),
                       rule_};
  }

  void step() {
    if (test::one_in(random_, 3))
      now_ += duration{static_cast<std::int64_t>(random_.up_to(3'000'000))};
    const auto who = static_cast<replica_id>(random_.up_to(specs_.size() - 1));
    switch (random_.up_to(9)) {
      case 0:
        facts_[who].is_present = test::one_in(random_, 2);
        set_.set_present(who, facts_[who].is_present);
        break;
      case 1:
        push_back(who, now_ + test::one_of(random_, {1ms, 5ms, 20ms}));
        break;
      case 2:
      case 3:
      case 4:
      case 5:
        resolve_one(who);
        break;
      default:
        choose();
    }
    check();
  }

  [[nodiscard]] std::uint64_t probes() const { return probes_; }
  [[nodiscard]] std::uint64_t returns() const { return returns_; }

private:
  struct facts {
    bool is_present = true;
    time_point pushed_back_until = time_point::min();
    bool was_aside = false;
    time_point probe_sent;
    bool is_probed = false;
  };

  void push_back(replica_id who, time_point until) {
    auto& latest = facts_[who].pushed_back_until;
    latest = std::max(latest, until);
    set_.push_back(who, until);
  }

  void resolve_one(replica_id who) {
    auto& copies = copies_[who];
    if (copies.empty())
      return;
    const auto which
      = copies.begin()
        + static_cast<std::ptrdiff_t>(random_.up_to(copies.size() - 1));
    const auto sent = *which;
    copies.erase(which);
    auto& x = facts_[who];
    const auto is_probe = x.is_probed && sent >= x.probe_sent;
    x.is_probed &= !is_probe;
    const auto was_aside = set_.snapshot(now_, who).is_set_aside;
    const auto how
      = test::one_of(random_, {copy_outcome::answered, copy_outcome::answered,
                               copy_outcome::failed, copy_outcome::cancelled});
    set_.on_resolved(now_, who, how, now_ - sent);
    if (was_aside && !set_.snapshot(now_, who).is_set_aside) {
      ++returns_;
      EXPECT_TRUE(is_probe) << "only a probe brings back";
      EXPECT_EQ(how, copy_outcome::answered);
    }
  }

  [[nodiscard]] bool is_pushed_back(replica_id who) const {
    return now_ < facts_[who].pushed_back_until;
  }

  [[nodiscard]] bool is_barred(replica_id who) const {
    return !facts_[who].is_present || is_pushed_back(who);
  }

  [[nodiscard]] bool shares_domain(replica_id who, const ids& used) const {
    return std::any_of(used.begin(), used.end(), [&](replica_id x) {
      return share_domain(specs_[who].domain, specs_[x].domain);
    });
  }

  void choose() {
    ids used;
    for (replica_id i = 0; i < specs_.size(); ++i)
      if (test::one_in(random_, 4))
        used.push_back(i);
    const auto may_probe = test::one_in(random_, 2);
    const auto choice = set_.choose(now_, used, may_probe);
    expect_sound(choice, used, may_probe);
    if (!choice || test::one_in(random_, 5))
      return; // thought better of it
    set_.on_sent(choice->who);
    copies_[choice->who].push_back(now_);
    if (choice->is_probe) {
      ++probes_;
      auto& x = facts_[choice->who];
      EXPECT_FALSE(x.is_probed) << "one at a time";
      x.is_probed = true;
      x.probe_sent = now_;
    }
  }

  void expect_sound(const std::optional<replica_set::choice>& choice,
                    const ids& used, bool may_probe) {
    auto is_anybody_left = false;
    auto is_unwilling_left = false;
    auto is_sound_left = false;
    auto is_unshared_sound_left = false;
    for (replica_id i = 0; i < specs_.size(); ++i) {
      const auto is_left = !contains(used, i) && !is_barred(i);
      const auto is_sound = is_left && set_.snapshot(now_, i).is_available;
      is_anybody_left |= is_left;
      is_unwilling_left |= !contains(used, i) && facts_[i].is_present;
      is_sound_left |= is_sound;
      is_unshared_sound_left |= is_sound && !shares_domain(i, used);
    }
    ASSERT_EQ(choice.has_value(),
              may_probe ? is_anybody_left : is_unwilling_left);
    if (!choice)
      return;
    const auto who = choice->who;
    const auto is_aside = set_.snapshot(now_, who).is_set_aside;
    EXPECT_FALSE(contains(used, who)) << "used";
    EXPECT_TRUE(facts_[who].is_present) << "gone";
    EXPECT_FALSE(is_pushed_back(who) && is_anybody_left) << "pushed back";
    EXPECT_EQ(choice->shares_domain, shares_domain(who, used));
    if (choice->is_probe) {
      EXPECT_TRUE(is_aside);
    } else if (is_aside) {
      EXPECT_FALSE(is_unshared_sound_left);
      if (rule_ == shared_domain_rule::flag) {
        EXPECT_FALSE(is_sound_left);
      }
    }
    if (choice->shares_domain) {
      EXPECT_FALSE(is_unshared_sound_left);
    }
  }

  void check() {
    std::size_t aside = 0;
    for (replica_id i = 0; i < specs_.size(); ++i) {
      const auto x = set_.snapshot(now_, i);
      ASSERT_EQ(x.outstanding, copies_[i].size());
      ASSERT_GE(x.sent, x.answered + x.failed + x.outstanding);
      ASSERT_EQ(x.is_available, !x.is_set_aside && !is_barred(i));
      aside += x.is_set_aside ? 1 : 0;
    }
    ASSERT_LE(static_cast<double>(aside),
              share_ * static_cast<double>(specs_.size()) + 1e-6);
    const auto available = set_.available(now_);
    ASSERT_LE(available, specs_.size());
    ASSERT_EQ(available > 0, set_.choose(now_, {}, true).has_value());
  }

  random_source random_;
  std::vector<replica_spec> specs_;
  double share_ = 0;
  shared_domain_rule rule_{};
  replica_set set_{{}, replica_choice::uniform, {}, 0};
  std::vector<std::vector<time_point>> copies_; ///< When they were sent.
  std::vector<facts> facts_;
  time_point now_ = time_point{} + 1h;
  std::uint64_t probes_ = 0;
  std::uint64_t returns_ = 0;
};

// REPLICATE-3, REPLICATE-5: whatever happens, nobody gets a second copy, gone
// ones get none, and no more are set aside than may be.
TEST(ReplicaSetAtRandom, KeepsItsPromises) {
  test::seeded seeded;
  std::uint64_t probes = 0;
  std::uint64_t returns = 0;
  for (int round = 0; round < 300; ++round) {
    random_run run{seeded.random.next()};
    for (int i = 0; i < 400; ++i) {
      run.step();
      if (testing::Test::HasFailure())
        FAIL() << "in round " << round << ", step " << i;
    }
    probes += run.probes();
    returns += run.returns();
  }
  EXPECT_GT(probes, 300u) << "or nothing was tested";
  EXPECT_GT(returns, 100u);
}

} // namespace
} // namespace coppice::policy
