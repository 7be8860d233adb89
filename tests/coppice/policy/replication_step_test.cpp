// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/replication_step.hpp"

#include <gtest/gtest.h>

namespace coppice::policy {
namespace {

// REPLICATE-7: each step reads as a sentence, with what it is about.
TEST(ReplicationStep, ReadsAsASentence) {
  const copy_name copy{.request = 7, .number = 1};
  EXPECT_EQ(to_string(replication_step{.kind = step_kind::send,
                                       .copy = copy,
                                       .replica = 2,
                                       .why_sent = copy_reason::late}),
            "send #7.1 to 2, late");
  EXPECT_EQ(to_string(replication_step{.kind = step_kind::send,
                                       .copy = copy,
                                       .replica = 2,
                                       .why_sent = copy_reason::failover,
                                       .shares_domain = true}),
            "send #7.1 to 2, failover, in a shared domain");
  EXPECT_EQ(to_string(replication_step{
              .kind = step_kind::cancel, .copy = copy, .replica = 3}),
            "cancel #7.1 at 3");
  EXPECT_EQ(to_string(replication_step{
              .kind = step_kind::release, .copy = copy, .replica = 3}),
            "release #7.1 at 3");
  EXPECT_EQ(to_string(
              replication_step{.kind = step_kind::answer, .copy = copy}),
            "answer #7.1");
  EXPECT_EQ(to_string(replication_step{.kind = step_kind::give_up,
                                       .copy = copy,
                                       .why_given_up = give_up_reason::fatal}),
            "give_up #7, fatal");
  EXPECT_EQ(to_string(
              replication_step{.kind = step_kind::forget, .copy = copy}),
            "forget #7");
}

// REPLICATE-7
TEST(ReplicationStep, NamesItsReasons) {
  EXPECT_STREQ(to_string(copy_reason::original), "original");
  EXPECT_STREQ(to_string(copy_reason::at_once), "at_once");
  EXPECT_STREQ(to_string(give_up_reason::all_failed), "all_failed");
  EXPECT_STREQ(to_string(give_up_reason::over), "over");
  EXPECT_STREQ(to_string(give_up_reason::no_agreement), "no_agreement");
  EXPECT_STREQ(to_string(give_up_reason::no_replica), "no_replica");
  EXPECT_STREQ(to_string(static_cast<step_kind>(99)), "unknown");
  EXPECT_STREQ(to_string(static_cast<copy_reason>(99)), "unknown");
  EXPECT_STREQ(to_string(static_cast<give_up_reason>(99)), "unknown");
}

} // namespace
} // namespace coppice::policy
