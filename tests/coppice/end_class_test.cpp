// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/end_class.hpp"

#include <gtest/gtest.h>

#include <string>

namespace coppice {
namespace {

// RESTART-1: normal, shutdown and shutdown with a note are clean.
TEST(EndClass, TellsCleanEnds) {
  EXPECT_EQ(classify(caf::error{}), end_class::normal);
  EXPECT_EQ(classify(caf::make_error(caf::exit_reason::normal)),
            end_class::normal);
  EXPECT_EQ(classify(caf::make_error(caf::exit_reason::user_shutdown)),
            end_class::shutdown);
  EXPECT_EQ(classify(caf::make_error(errc::shutdown)), end_class::shutdown);
  EXPECT_EQ(classify(shutdown_note("moved to node 7")),
            end_class::shutdown_with_note);
  EXPECT_TRUE(is_clean(caf::error{}));
  EXPECT_TRUE(is_clean(caf::make_error(caf::exit_reason::user_shutdown)));
  EXPECT_TRUE(is_clean(shutdown_note("moved to node 7")));
}

// RESTART-1, the other side of the same line
TEST(EndClass, TellsAbnormalEnds) {
  EXPECT_EQ(classify(caf::make_error(caf::exit_reason::kill)),
            end_class::killed);
  EXPECT_EQ(classify(caf::make_error(caf::exit_reason::unreachable)),
            end_class::unreachable);
  EXPECT_EQ(classify(caf::make_error(caf::exit_reason::unknown)),
            end_class::failed);
  EXPECT_EQ(classify(caf::make_error(caf::sec::runtime_error)),
            end_class::failed);
  EXPECT_FALSE(is_clean(caf::make_error(caf::exit_reason::kill)));
  EXPECT_FALSE(is_clean(caf::make_error(caf::sec::runtime_error)));
}

// BUDGET-4: node loss weighs nothing, so it must be told from the rest.
TEST(EndClass, TellsTheLossOfTheNode) {
  EXPECT_EQ(classify(
              caf::make_error(caf::exit_reason::remote_link_unreachable)),
            end_class::node_lost);
}

// RESTART-1, BUDGET-6: by default, a CAF actor that gets an error for an answer
// dies of it. That is a failure of its own, whatever the answer says.
TEST(EndClass, TakesAnswersForFailures) {
  for (const auto code : {errc::shutting_down, errc::stopped, errc::killed,
                          errc::node_lost, errc::gave_up})
    EXPECT_EQ(classify(caf::make_error(code)), end_class::failed)
      << to_string(code);
}

// RESTART-1: the note is for people and for the parent.
TEST(EndClass, KeepsTheNote) {
  EXPECT_EQ(note_of(shutdown_note("moved to node 7")), "moved to node 7");
  EXPECT_EQ(note_of(shutdown_note("")), "");
  EXPECT_EQ(note_of(caf::make_error(errc::shutdown)), "");
  EXPECT_EQ(note_of(caf::make_error(errc::gave_up, std::string{"x"})), "");
  EXPECT_EQ(note_of(caf::error{}), "");
}

// RESTART-1: a clean end stays one after the network.
TEST(EndClass, SurvivesTheWire) {
  caf::actor_system_config cfg;
  add_types(cfg);
  caf::actor_system sys{cfg};
  compat::byte_buffer bytes;
  ASSERT_TRUE(compat::to_bytes(sys, bytes, shutdown_note("bye")));
  caf::error reason;
  ASSERT_TRUE(compat::from_bytes(sys, bytes, reason));
  EXPECT_EQ(classify(reason), end_class::shutdown_with_note);
  EXPECT_EQ(note_of(reason), "bye");
}

// OBSERVE-1: every class has a name.
TEST(EndClass, HasNames) {
  EXPECT_STREQ(to_string(end_class::shutdown_with_note), "shutdown_with_note");
  EXPECT_STREQ(to_string(static_cast<end_class>(99)), "unknown");
}

} // namespace
} // namespace coppice
