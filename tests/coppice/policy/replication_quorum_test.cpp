// This file is part of coppice. License: see LICENSE in the source root.

// Requests that need more than one answer.

#include "support/replication_harness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace coppice::test {
namespace {

using namespace policy;
using testing::AnyOf;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

using harness = replication_harness;

/// Failures are final: there is no budget for others.
replication_spec without_failover(replication_spec spec) {
  spec.budget.share = spec.copies - spec.quorum;
  spec.budget.reserve = 0;
  return spec;
}

// -- the first k -------------------------------------------------------------

// REPLICATE-2
TEST(ReplicationQuorum, AnswersOnceSoManyHave) {
  harness h{replication_spec::first_of(2, 3)};
  EXPECT_THAT(h.request(), ElementsAre("send 0 original", "send 1 original",
                                       "send 2 at_once"));
  EXPECT_THAT(h.answered(2), IsEmpty());
  EXPECT_THAT(h.answered(0),
              ElementsAre(AnyOf("answer 0", "answer 2"), "cancel 1"));
  EXPECT_THAT(h.answered(1), ElementsAre("forget"));
}

// REPLICATE-2: one of three is a race.
TEST(ReplicationQuorum, OfOneIsARace) {
  harness h{replication_spec::first_of(1, 3)};
  EXPECT_THAT(h.request(), ElementsAre("send 0 original", "send 1 at_once",
                                       "send 2 at_once"));
  EXPECT_THAT(h.answered(2), ElementsAre("answer 2", "cancel 0", "cancel 1"));
}

// REPLICATE-1, REPLICATE-2
TEST(ReplicationQuorum, SurvivesTheFailuresThatItCan) {
  harness h{without_failover(replication_spec::first_of(2, 3))};
  h.request();
  EXPECT_THAT(h.failed(1), IsEmpty());
  EXPECT_THAT(h.answered(0), IsEmpty());
  EXPECT_THAT(h.answered(2), ElementsAre(StartsWith("answer"), "forget"));
}

// REPLICATE-1, REPLICATE-2: nobody waits for what cannot come.
TEST(ReplicationQuorum, GivesUpOnceItIsOutOfReach) {
  harness h{without_failover(replication_spec::first_of(2, 3))};
  h.request();
  EXPECT_THAT(h.answered(0), IsEmpty());
  EXPECT_THAT(h.failed(1), IsEmpty());
  EXPECT_THAT(h.failed(2), ElementsAre("give_up all_failed", "forget"));
}

// REPLICATE-1
TEST(ReplicationQuorum, CancelsWhatCannotHelpAnyMore) {
  harness h{without_failover(replication_spec::first_of(3, 3))};
  h.request();
  EXPECT_THAT(h.failed(1),
              ElementsAre("give_up all_failed", "cancel 0", "cancel 2"));
}

// REPLICATE-1, REPLICATE-2
TEST(ReplicationQuorum, EndsWithAFatalFailure) {
  harness h{replication_spec::first_of(2, 3)};
  h.request();
  h.answered(0);
  EXPECT_THAT(h.failed(2, {.is_fatal = true}),
              ElementsAre("give_up fatal", "cancel 1"));
}

// REPLICATE-1, REPLICATE-2: a majority of one replica there is not.
TEST(ReplicationQuorum, WithoutEnoughReplicasThereIsNone) {
  harness h{replication_spec::first_of(2, 3)};
  h.set_present(0, false);
  h.set_present(2, false);
  EXPECT_THAT(h.request(), Contains("give_up no_replica"));
  h.failed(0);
  EXPECT_EQ(h.core().size(), 0u);
  h.set_present(0, true);
  EXPECT_THAT(h.request(), ElementsAre("send 0 original", "send 1 original"));
}

// -- majorities --------------------------------------------------------------

// REPLICATE-2
TEST(ReplicationQuorum, AMajorityIsOfEqualAnswers) {
  harness h{replication_spec::majority_of(3)};
  h.request();
  EXPECT_THAT(h.answered(0), IsEmpty());
  EXPECT_THAT(h.answered(1), IsEmpty());
  EXPECT_THAT(h.answered(2, 1),
              ElementsAre(AnyOf("answer 1", "answer 2"), "forget"));
}

// REPLICATE-2
TEST(ReplicationQuorum, AMajorityDoesNotWaitForTheRest) {
  harness h{replication_spec::majority_of(3)};
  h.request();
  EXPECT_THAT(h.answered(2), IsEmpty());
  EXPECT_THAT(h.answered(1, 2),
              ElementsAre(AnyOf("answer 1", "answer 2"), "cancel 0"));
}

// REPLICATE-1, REPLICATE-2
TEST(ReplicationQuorum, WithoutAgreementThereIsNoAnswer) {
  harness h{without_failover(replication_spec::majority_of(3))};
  h.request();
  h.answered(0);
  h.answered(1);
  EXPECT_THAT(h.answered(2), ElementsAre("give_up no_agreement", "forget"));
}

// REPLICATE-1, REPLICATE-2: as soon as it is clear.
TEST(ReplicationQuorum, DisagreementEndsItWhenNobodyCanHelp) {
  harness h{without_failover(replication_spec::majority_of(5)), 5};
  h.request();
  h.answered(0);
  h.answered(1);
  EXPECT_THAT(h.answered(2), IsEmpty());
  EXPECT_THAT(h.answered(3), ElementsAre("give_up no_agreement", "cancel 4"));
}

// REPLICATE-1, REPLICATE-2
TEST(ReplicationQuorum, FailuresCountAgainstAgreement) {
  harness h{without_failover(replication_spec::majority_of(3))};
  h.request();
  h.answered(0);
  EXPECT_THAT(h.answered(1), IsEmpty());
  EXPECT_THAT(h.failed(2), ElementsAre(StartsWith("give_up"), "forget"));
  EXPECT_EQ(h.snapshot().answered, 0u);
}

// REPLICATE-2: two equal answers of one copy are one.
TEST(ReplicationQuorum, EachCopyHasOneVote) {
  harness h{replication_spec::first_of(2, 3)};
  h.request();
  EXPECT_THAT(h.answered(0), IsEmpty());
  EXPECT_THAT(h.answered(0), IsEmpty());
  EXPECT_THAT(h.answered(1), Not(IsEmpty()));
}

// REPLICATE-6: where there is one copy, its answer is enough.
TEST(ReplicationQuorum, OfWhatMustNotBeCopiedIsOne) {
  harness h{replication_spec::first_of(2, 3)};
  EXPECT_THAT(h.request(false), ElementsAre("send 0 original"));
  EXPECT_THAT(h.answered(0), ElementsAre("answer 0", "forget"));
}

} // namespace
} // namespace coppice::test
