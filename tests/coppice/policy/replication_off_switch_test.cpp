// This file is part of coppice. License: see LICENSE in the source root.

// When extra copies are not sent although they would be paid for: they do not
// help, there is too much load, or there is no other place for them.

#include "support/replication_harness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace coppice::test {
namespace {

using namespace policy;
using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::Ge;
using testing::IsEmpty;
using testing::Le;
using testing::SizeIs;

using harness = replication_harness;

replication_spec hedged(off_switch_spec off_switch) {
  auto spec
    = replication_spec::hedged({.quantile = std::nullopt, .delay = 10ms});
  spec.budget.share = 63.0;
  spec.off_switch = off_switch;
  spec.ejection.share_max = 0.0;
  return spec;
}

/// Requests that are late, of which the extra copy wins or loses.
/// @returns how many had one.
std::uint64_t ask(harness& h, int requests, bool extra_wins) {
  const auto before = h.snapshot().late_sent;
  for (int i = 0; i < requests; ++i) {
    h.request();
    const auto is_hedged = !h.after(10ms).empty();
    const auto winner = is_hedged && extra_wins ? 1u : 0u;
    h.answered(winner);
    h.failed(1 - winner);
  }
  return h.snapshot().late_sent - before;
}

// -- they do not help --------------------------------------------------------

// REPLICATE-7
TEST(ReplicationOffSwitch, HedgesThatNeverWinAreSwitchedOff) {
  harness h{hedged({.wins_min = 0.5, .judged_by = 10, .probe_every = 5})};
  EXPECT_EQ(ask(h, 9, false), 9u);
  EXPECT_FALSE(h.snapshot().is_switched_off) << "judged too early";
  EXPECT_EQ(ask(h, 1, false), 1u);
  EXPECT_TRUE(h.snapshot().is_switched_off);
  EXPECT_EQ(h.snapshot().win_rate, 0.0);
  EXPECT_EQ(h.snapshot().refused.switched_off, 0u);
}

// REPLICATE-7: one of so many goes on, to see whether they help again.
TEST(ReplicationOffSwitch, ProbesGoOn) {
  harness h{hedged({.wins_min = 0.5, .judged_by = 10, .probe_every = 5})};
  ask(h, 10, false);
  EXPECT_THAT(ask(h, 100, false), AllOf(Ge(19u), Le(21u)));
  EXPECT_THAT(h.snapshot().refused.switched_off, AllOf(Ge(79u), Le(81u)));
  EXPECT_TRUE(h.snapshot().is_switched_off);
}

// REPLICATE-7
TEST(ReplicationOffSwitch, ProbesThatWinSwitchItOnAgain) {
  harness h{hedged({.wins_min = 0.5, .judged_by = 10, .probe_every = 5})};
  ask(h, 10, false);
  ask(h, 55, true);
  EXPECT_FALSE(h.snapshot().is_switched_off);
  EXPECT_EQ(ask(h, 20, true), 20u);
  EXPECT_GE(h.snapshot().win_rate, 0.5);
}

// REPLICATE-7
TEST(ReplicationOffSwitch, HedgesThatWinAreNotSwitchedOff) {
  harness h{hedged({.wins_min = 0.5, .judged_by = 10, .probe_every = 5})};
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(ask(h, 1, true), 1u);
    EXPECT_EQ(ask(h, 1, i % 5 == 0), 1u);
  }
  EXPECT_FALSE(h.snapshot().is_switched_off);
}

// REPLICATE-7: if that is what the user wants.
TEST(ReplicationOffSwitch, CanBeLeftOut) {
  harness h{hedged({.wins_min = 0.0, .judged_by = 10})};
  EXPECT_EQ(ask(h, 100, false), 100u);
  EXPECT_FALSE(h.snapshot().is_switched_off);
}

// REPLICATE-1, REPLICATE-7: a failover is no hedge that does not help.
TEST(ReplicationOffSwitch, FailoversAreSentAllTheSame) {
  harness h{hedged({.wins_min = 0.5, .judged_by = 10, .probe_every = 5})};
  ask(h, 10, false);
  ASSERT_TRUE(h.snapshot().is_switched_off);
  for (int i = 0; i < 10; ++i) {
    h.request();
    EXPECT_THAT(h.failed(0), ElementsAre("send 1 failover"));
    EXPECT_THAT(h.answered(1), ElementsAre("answer 1", "forget"));
  }
}

// REPLICATE-3, REPLICATE-7: the original does not care.
TEST(ReplicationOffSwitch, NeverTouchesTheOriginal) {
  harness h{hedged({.wins_min = 1.0, .judged_by = 10, .probe_every = 10'000})};
  ask(h, 10, false);
  h.request();
  EXPECT_THAT(h.after(1h), IsEmpty());
  EXPECT_THAT(h.answered(0), ElementsAre("answer 0", "forget"));
}

// -- load --------------------------------------------------------------------

std::vector<replica_spec> with_servers(std::size_t n, std::uint32_t servers) {
  auto result = replicas(n);
  for (auto& x : result)
    x.servers = servers;
  return result;
}

// REPLICATE-7: and they come back when the load is gone.
TEST(ReplicationOffSwitch, TooMuchLoadStopsHedges) {
  harness h{hedged({.wins_min = 0.0, .load_max = 1.0}), with_servers(2, 2)};
  EXPECT_EQ(ask(h, 1, true), 1u);
  for (int i = 0; i < 8; ++i)
    h.request();
  EXPECT_THAT(h.after(1h), IsEmpty());
  EXPECT_EQ(h.snapshot().refused.load, 8u);
  for (request_id id = h.latest() - 7; id <= h.latest(); ++id)
    h.tell({.what = replication_fact::kind::answered, .copy = {id, 0}});
  EXPECT_EQ(ask(h, 1, true), 1u);
}

// REPLICATE-7: a race harms above a third; that is its default.
TEST(ReplicationOffSwitch, RacesStopAboveAThird) {
  harness h{replication_spec::race(2), with_servers(3, 10)};
  int racing = 0;
  for (int i = 0; i < 20; ++i)
    racing += h.request().size() == 2 ? 1 : 0;
  EXPECT_THAT(racing, AllOf(Ge(9), Le(11)));
  EXPECT_EQ(h.snapshot().refused.load, static_cast<unsigned>(20 - racing));
}

// REPLICATE-7: other modes have none.
TEST(ReplicationOffSwitch, HedgesAndTiedOnesHaveNoLimit) {
  harness h{replication_spec::tied(2), with_servers(2, 1)};
  for (int i = 0; i < 20; ++i)
    EXPECT_THAT(h.request(), SizeIs(2));
}

// REPLICATE-7: where one does not say how many it has, nobody knows the load.
TEST(ReplicationOffSwitch, LoadIsNotGuessed) {
  auto all = with_servers(2, 1);
  all.front().servers = 0;
  harness h{replication_spec::race(2), all};
  for (int i = 0; i < 20; ++i)
    EXPECT_THAT(h.request(), SizeIs(2));
}

// -- failure domains ---------------------------------------------------------

/// Two on one disk, one on another.
std::vector<replica_spec> on_disks() {
  auto result = replicas(3);
  result[0].domain.data_path = "disk a";
  result[1].domain.data_path = "disk a";
  result[2].domain.data_path = "disk b";
  return result;
}

replication_spec race(shared_domain_rule rule) {
  auto spec = replication_spec::race(2);
  spec.shared_domain = rule;
  return spec;
}

// REPLICATE-5: the checker objects to two on one disk.
TEST(ReplicationOffSwitch, CopiesGoToDifferentDomains) {
  for (const auto rule :
       {shared_domain_rule::refuse, shared_domain_rule::flag}) {
    harness h{race(rule), on_disks()};
    for (int i = 0; i < 100; ++i) {
      EXPECT_THAT(h.request(), SizeIs(2));
      EXPECT_EQ((h.place_of(0) == 2u) + (h.place_of(1) == 2u), 1);
      h.answered(0);
      h.failed(1);
    }
    EXPECT_EQ(h.snapshot().shared_domain, 0u);
  }
}

// REPLICATE-5
TEST(ReplicationOffSwitch, ACopyInTheSameDomainIsRefused) {
  harness h{race(shared_domain_rule::refuse), on_disks()};
  h.set_present(2, false);
  EXPECT_THAT(h.request(), ElementsAre("send 0 original"));
  EXPECT_EQ(h.snapshot().refused.domain, 1u);
  EXPECT_THAT(h.answered(0), ElementsAre("answer 0", "forget"));
}

// REPLICATE-5
TEST(ReplicationOffSwitch, ACopyInTheSameDomainIsFlagged) {
  harness h{race(shared_domain_rule::flag), on_disks()};
  h.set_present(2, false);
  const auto said
    = h.tell({.what = replication_fact::kind::request, .copy = {1, 0}});
  ASSERT_THAT(said, SizeIs(2));
  EXPECT_FALSE(said[0].shares_domain);
  EXPECT_TRUE(said[1].shares_domain);
  EXPECT_EQ(h.snapshot().shared_domain, 1u);
  EXPECT_EQ(h.snapshot().refused.domain, 0u);
}

} // namespace
} // namespace coppice::test
