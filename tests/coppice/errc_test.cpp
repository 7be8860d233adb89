// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/errc.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <string>
#include <system_error>

namespace coppice {
namespace {

using testing::HasSubstr;

constexpr auto last = static_cast<std::uint8_t>(last_errc);

// FAILURE-1: the code is stable. Changing a number breaks mixed clusters.
TEST(Errc, KeepsItsNumbers) {
  EXPECT_EQ(static_cast<int>(errc::none), 0);
  EXPECT_EQ(static_cast<int>(errc::invalid_spec), 1);
  EXPECT_EQ(static_cast<int>(errc::start_failed), 10);
  EXPECT_EQ(static_cast<int>(errc::gave_up), 15);
  EXPECT_EQ(static_cast<int>(errc::node_lost), 21);
  EXPECT_EQ(static_cast<int>(errc::shutdown), 26);
  EXPECT_EQ(static_cast<int>(errc::cancelled), 27);
  EXPECT_EQ(static_cast<int>(errc::deadline_exceeded), 28);
  EXPECT_EQ(static_cast<int>(errc::overloaded), 29);
  EXPECT_EQ(static_cast<int>(errc::cannot_finish), 30);
}

// FAILURE-1: every code has one name, which leads back to it.
TEST(Errc, ConvertsToAndFromText) {
  std::set<std::string> names;
  for (std::uint8_t i = 0; i <= last; ++i) {
    const auto code = static_cast<errc>(i);
    EXPECT_TRUE(names.insert(to_string(code)).second) << to_string(code);
    auto back = errc::unknown;
    EXPECT_TRUE(from_string(to_string(code), back));
    EXPECT_EQ(back, code);
    EXPECT_STRNE(describe(code), "");
  }
}

// FAILURE-1: the table of names has not slipped.
TEST(Errc, HasItsOwnName) {
  EXPECT_EQ(to_string(errc::none), "none");
  EXPECT_EQ(to_string(errc::children_max_reached), "children_max_reached");
  EXPECT_EQ(to_string(errc::gave_up), "gave_up");
  EXPECT_EQ(to_string(errc::permanent_failure), "permanent_failure");
  EXPECT_EQ(to_string(errc::shutdown), "shutdown");
}

// FAILURE-2: a code from a newer node is no reason to crash.
TEST(Errc, SurvivesUnknownValues) {
  const auto newer = static_cast<errc>(200);
  EXPECT_EQ(to_string(newer), "unknown(200)");
  EXPECT_STREQ(describe(newer), "unknown");
  EXPECT_THAT(make_error_code(newer).message(), HasSubstr("200"));
}

// FAILURE-2
TEST(Errc, RefusesTextAndIntegersThatNameNothing) {
  auto x = errc::stalled;
  EXPECT_FALSE(from_string("no_such_code", x));
  EXPECT_FALSE(from_string("", x));
  EXPECT_FALSE(from_integer(static_cast<std::uint8_t>(last + 1), x));
  EXPECT_FALSE(from_integer(255, x));
  EXPECT_EQ(x, errc::stalled);
  EXPECT_TRUE(from_integer(last, x));
  EXPECT_EQ(x, last_errc);
}

// FAILURE-2: usable as std::error_code.
TEST(Errc, IsAnErrorCode) {
  const std::error_code code = errc::parking_full;
  EXPECT_EQ(code, errc::parking_full);
  EXPECT_NE(code, errc::unavailable);
  EXPECT_STREQ(code.category().name(), "coppice");
  EXPECT_EQ(code.message(), describe(errc::parking_full));
  EXPECT_THAT(error_category().message(-1), HasSubstr("-1"));
  EXPECT_THAT(error_category().message(256), HasSubstr("256"));
  EXPECT_FALSE(std::error_code{errc::none});
}

// FAILURE-2: usable as caf::error.
TEST(Errc, IsACafError) {
  const auto err = caf::make_error(errc::unknown_child);
  EXPECT_TRUE(compat::is_error(err));
  EXPECT_TRUE(err == errc::unknown_child);
  EXPECT_FALSE(err == errc::unavailable);
  EXPECT_FALSE(compat::is_error(caf::make_error(errc::none)));
}

// FAILURE-2: crosses nodes.
TEST(Errc, RoundTripsThroughBytes) {
  caf::actor_system_config cfg;
  add_types(cfg);
  caf::actor_system sys{cfg};
  for (std::uint8_t i = 0; i <= last; ++i) {
    const auto in = static_cast<errc>(i);
    compat::byte_buffer bytes;
    ASSERT_TRUE(compat::to_bytes(sys, bytes, in));
    auto out = errc::unknown;
    ASSERT_TRUE(compat::from_bytes(sys, bytes, out));
    EXPECT_EQ(out, in);
  }
}

} // namespace
} // namespace coppice
