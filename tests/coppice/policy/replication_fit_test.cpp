// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/replication_spec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

// What does not fit together: fields of a replication spec, and its replicas.

namespace coppice::policy {
namespace {

using namespace std::literals;

using replica_specs = std::vector<replica_spec>;

replica_specs replicas(std::size_t count) {
  replica_specs result;
  for (std::size_t i = 0; i < count; ++i)
    result.push_back({.name = "r" + std::to_string(i)});
  return result;
}

/// The first `hosts` of them on a host each, all others on the last one.
replica_specs replicas_on(std::size_t count, std::size_t hosts) {
  auto result = replicas(count);
  for (std::size_t i = 0; i < count; ++i)
    result[i].domain.host = std::to_string(std::min(i, hosts - 1));
  return result;
}

std::string defects_of(const replication_spec& spec,
                       const replica_specs& where = replicas(3)) {
  return to_string(validate(spec, where, "x"));
}

// -- modes -------------------------------------------------------------------

// REPLICATE-2: each mode has its number of copies.
TEST(ReplicationFit, IsOfCopiesToTheirMode) {
  EXPECT_EQ(defects_of({.copies = 2}),
            "x.copies: found 2, expected 1 for hedge; further copies are its "
            "`hedge.extra_max`");
  EXPECT_EQ(defects_of(replication_spec::race(1)),
            "x.copies: found 1, expected a number from 2 to 64");
  EXPECT_EQ(defects_of(replication_spec::tied(65), replicas(100)),
            "x.copies: found 65, expected a number from 2 to 64");
}

// REPLICATE-2: hedges are for modes that do not send everything at once.
TEST(ReplicationFit, IsOfTheHedgeToItsMode) {
  EXPECT_EQ(defects_of({.hedge = {}}),
            "x.hedge: found nothing, expected when a copy is late: mode "
            "`hedge` needs it");
  auto race = replication_spec::race(2);
  race.hedge = hedge_spec{};
  EXPECT_EQ(defects_of(race),
            "x.hedge: found settings, expected nothing for race, which sends "
            "all copies at once");
  auto quorum = replication_spec::first_of(1, 2);
  quorum.hedge = hedge_spec{};
  EXPECT_EQ(defects_of(quorum),
            "x.hedge: found settings, expected nothing for quorum, which "
            "sends all copies at once");
  EXPECT_EQ(defects_of(replication_spec::tied_and_hedged({})),
            "x.hedge.trigger: found after_send, expected after_start for tied: "
            "before, all copies wait in queues, and another one only waits in "
            "one more");
}

// REPLICATE-2: quorums are for the mode of that name, and can be reached.
TEST(ReplicationFit, IsOfTheQuorumToItsCopies) {
  EXPECT_EQ(defects_of(replication_spec::first_of(0, 3)),
            "x.quorum: found 0, expected a number from 1 to 3");
  EXPECT_EQ(defects_of(replication_spec::first_of(4, 3)),
            "x.quorum: found 4, expected a number from 1 to 3");
  EXPECT_EQ(defects_of({.quorum = 1}),
            "x.quorum: found 1, expected 0 for hedge");
  EXPECT_EQ(defects_of({.quorum_agrees = true}),
            "x.quorum_agrees: found true, expected false for hedge");
}

// REPLICATE-2: half of the answers are no majority: the other half could be
// equal as well.
TEST(ReplicationFit, RefusesAQuorumThatTwoAnswersCouldHave) {
  auto spec = replication_spec::majority_of(4);
  EXPECT_EQ(defects_of(spec, replicas(4)), "");
  spec.quorum = 2;
  EXPECT_EQ(defects_of(spec, replicas(4)),
            "x.quorum_agrees: found true, expected false, or a `quorum` of 3 "
            "or more: with fewer, two answers could have one each");
  spec.quorum_agrees = false;
  EXPECT_EQ(defects_of(spec, replicas(4)), "");
}

// -- replicas ----------------------------------------------------------------

// TOPOLOGY-1
TEST(ReplicationFit, NeedsReplicas) {
  EXPECT_EQ(defects_of({}, {}),
            "x.replicas: found 0, expected 1 to 1000 replicas");
  EXPECT_EQ(defects_of({}, replicas(1'001)),
            "x.replicas: found 1001, expected 1 to 1000 replicas");
}

// TOPOLOGY-1
TEST(ReplicationFit, NeedsNamesThatCanBeTold) {
  auto all = replicas(3);
  all[2].name = "";
  EXPECT_EQ(defects_of({}, all),
            "x.replicas[2].name: found \"\", expected 1 to 255 bytes");
  all[2].name = "r0";
  EXPECT_EQ(defects_of({}, all),
            "x.replicas[2].name: found \"r0\", expected a name of its own; "
            "replicas[0] has this one already");
  all[2].name = "r\a";
  EXPECT_EQ(defects_of({}, all),
            "x.replicas[2].name: found \"r\\x07\", expected no control "
            "characters");
  all[2].name = std::string(256, 'r');
  EXPECT_EQ(defects_of({}, all), "x.replicas[2].name: found \""
                                   + std::string(60, 'r')
                                   + "...\", expected 1 to 255 bytes");
  all[2] = {.name = "r2", .servers = 1'000'001};
  EXPECT_EQ(defects_of({}, all),
            "x.replicas[2].servers: found 1000001, expected a number from 0 "
            "to 1000000");
}

// REPLICATE-3: a load per server is not known without servers.
TEST(ReplicationFit, NeedsServersForALimitByLoad) {
  auto all = replicas(3);
  const replication_spec spec{.off_switch = {.load_max = 0.5}};
  all[0].servers = all[2].servers = 4;
  EXPECT_EQ(defects_of(spec, all),
            "x.off_switch.load_max: found 0.5, expected nothing, or `servers` "
            "of all replicas: replicas[1] does not state them");
  all[1].servers = 4;
  EXPECT_EQ(defects_of(spec, all), "");
  for (const auto wrong :
       {0.0, -1.0, std::nan(""), std::numeric_limits<double>::infinity()})
    EXPECT_THAT(defects_of({.off_switch = {.load_max = wrong}}, all),
                testing::StartsWith("x.off_switch.load_max: found"));
}

// REPLICATE-5: no replica gets two copies of a request.
TEST(ReplicationFit, NeedsAReplicaPerCopy) {
  EXPECT_EQ(defects_of(replication_spec::race(4)),
            "x.copies: found 4, expected at most 3, as there are so many "
            "replicas");
  EXPECT_EQ(defects_of(replication_spec::hedged({.extra_max = 3})),
            "x.hedge.extra_max: found 3, expected at most 2, as there are 3 "
            "replicas and `copies` takes 1");
  EXPECT_EQ(defects_of(replication_spec::hedged(), replicas(1)),
            "x.hedge.extra_max: found 1, expected another replica to send it "
            "to; `copies` takes all 1");
  const hedge_spec late{.trigger = hedge_trigger::after_start};
  EXPECT_EQ(defects_of(replication_spec::tied_and_hedged(late), replicas(2)),
            "x.hedge.extra_max: found 1, expected another replica to send it "
            "to; `copies` takes all 2");
}

// REPLICATE-5: no second copy could ever be sent.
TEST(ReplicationFit, RefusesReplicasThatAllShareADomain) {
  auto spec = replication_spec::hedged();
  EXPECT_EQ(defects_of(spec, replicas_on(3, 1)),
            "x.replicas: found 3 that share failure domains, expected two at "
            "least that share none, as no second copy is sent else; or let "
            "`shared_domain` be flag");
  spec.shared_domain = shared_domain_rule::flag;
  EXPECT_EQ(defects_of(spec, replicas_on(3, 1)), "");
}

// REPLICATE-5: two by two, without a label that all have.
TEST(ReplicationFit, SeesThatAllShareADomainWithoutOneThatAllHave) {
  auto all = replicas(3);
  all[0].domain = {.host = "a", .data_path = "1"};
  all[1].domain = {.process = "p", .host = "a"};
  all[2].domain = {.process = "p", .data_path = "1"};
  EXPECT_THAT(defects_of({}, all),
              testing::StartsWith("x.replicas: found 3 that share"));
  all[2].domain.data_path = "2";
  EXPECT_EQ(defects_of({}, all), "");
}

// REPLICATE-5
TEST(ReplicationFit, NeedsADomainPerCopyIfTheyMayNotShareOne) {
  auto spec = replication_spec::race(3);
  EXPECT_EQ(defects_of(spec, replicas_on(5, 3)), "");
  EXPECT_EQ(defects_of(spec, replicas_on(5, 2)),
            "x.copies: found 3, expected at most 2: no more replicas are "
            "without a failure domain in common; or let `shared_domain` be "
            "flag");
  spec.shared_domain = shared_domain_rule::flag;
  EXPECT_EQ(defects_of(spec, replicas_on(5, 2)), "");
  EXPECT_EQ(defects_of(replication_spec::hedged({.extra_max = 3}),
                       replicas_on(5, 3)),
            "x.hedge.extra_max: found 3, expected at most 2: no more replicas "
            "are without a failure domain in common; or let `shared_domain` be "
            "flag");
}

// TOPOLOGY-1: all defects at once, in the order of the fields.
TEST(ReplicationFit, ReportsAllDefects) {
  const replication_spec spec{.copies = 0,
                              .quorum = 2,
                              .budget = {.share = -1.0, .window = 0s},
                              .latency_window = infinity,
                              .ejection = {.share_max = 2}};
  std::vector<std::string> fields;
  for (const auto& x : validate(spec, {{.name = ""}}, "x"))
    fields.push_back(x.field);
  EXPECT_THAT(
    fields, testing::ElementsAre("x.copies", "x.quorum", "x.budget.share",
                                 "x.budget.window", "x.latency_window",
                                 "x.ejection.share_max", "x.replicas[0].name"));
}

} // namespace
} // namespace coppice::policy
