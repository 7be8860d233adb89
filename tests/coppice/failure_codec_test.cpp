// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/failure_codec.hpp"

#include "coppice/end_class.hpp"
#include "coppice/failure_convert.hpp"
#include "coppice/failure_limits.hpp"
#include "coppice/policy/random.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <string>
#include <utility>

namespace coppice {
namespace {

using namespace std::literals;

/// Every field of three links is set, two of them to extremes.
failure sample() {
  auto x = failure{.failure_class = "moon_phase",
                   .code = {"tides", std::numeric_limits<std::int64_t>::min(),
                            "neap tide"},
                   .message = "boom \xff\0 bytes"s,
                   .user_message = "\u4eca\u65e5",
                   .help_link = "https://example.org",
                   .when = wall_time::min(),
                   .where = here("/app/a", 7),
                   .misc = {{"", "empty key"}, {"k", ""}},
                   .is_bug = true,
                   .retry_after = std::chrono::nanoseconds::max(),
                   .stack = {0, 1, UINT64_MAX},
                   .stack_text = {"f() at a.cpp:1", ""},
                   .frames_left_out = UINT32_MAX,
                   .links_left_out = 1,
                   .misc_left_out = 2,
                   .secondary_left_out = 3,
                   .stack_left_out = 4};
  add_secondary(x, {.failure_class = "ebb"});
  add_secondary(x, wrap({.failure_class = "flow"}, {.message = "outer"}));
  append_frame(x, {.when = wall_time::max(),
                   .path = "/app",
                   .incarnation = UINT64_MAX,
                   .decision = "backoff 200ms",
                   .attempt = UINT32_MAX,
                   .attempts_in_window = 3});
  append_frame(x, {});
  return wrap(wrap(std::move(x), {.retry_after = -1ns}), {});
}

class FailureAsMessage : public testing::Test {
protected:
  template <class T>
  T round_trip(const T& x) {
    compat::byte_buffer bytes;
    EXPECT_TRUE(compat::to_bytes(sys_, bytes, x));
    T res;
    EXPECT_TRUE(compat::from_bytes(sys_, bytes, res));
    return res;
  }

  struct config : caf::actor_system_config {
    config() { add_types(*this); }
  };
  config cfg_;
  caf::actor_system sys_{cfg_};
};

// FAILURE-2, Q02: chain, frames and unknown categories are equal afterwards.
TEST(FailureCodec, RoundTrips) {
  const auto x = sample();
  failure back;
  ASSERT_TRUE(decode(encode(x), back));
  EXPECT_EQ(back, x);
  EXPECT_EQ(encode(back), encode(x));
}

// FAILURE-2: the largest there is.
TEST(FailureCodec, RoundTripsAtTheLimits) {
  auto x = sample();
  x.message.assign(failure_limits::text_max, 'm');
  for (std::size_t i = 0; i < failure_limits::misc_max; ++i)
    x.misc[std::to_string(i)].assign(failure_limits::misc_value_max, 'v');
  for (std::size_t i = 0; i < failure_limits::frames_max; ++i)
    append_frame(x, {.path = std::string(failure_limits::name_max, 'p')});
  for (std::size_t i = 0; i < failure_limits::links_max; ++i)
    x = wrap(std::move(x), {.message = std::to_string(i)});
  failure back;
  ASSERT_TRUE(decode(encode(x), back));
  EXPECT_EQ(back, x);
}

// FAILURE-2: what is beyond the limits is cut before it travels.
TEST(FailureCodec, EnforcesTheLimits) {
  auto x = sample();
  x.message.assign(1'000'000, 'm');
  x.frames.resize(1'000);
  failure back;
  ASSERT_TRUE(decode(encode(x), back));
  enforce_limits(x);
  EXPECT_EQ(back, x);
}

// FAILURE-2: every truncation is an error, and changes nothing.
TEST(FailureCodec, RefusesTruncatedBytes) {
  const auto bytes = encode(sample());
  const auto before = failure{};
  auto x = before;
  for (std::size_t n = 0; n < bytes.size(); ++n)
    EXPECT_FALSE(decode(std::string_view{bytes}.substr(0, n), x)) << n;
  EXPECT_FALSE(decode(bytes + '\0', x));
  EXPECT_EQ(x, before);
}

// FAILURE-2: no bytes whatever crash it; run it under sanitizers. What it does
// accept it can write again.
TEST(FailureCodec, SurvivesCorruptBytes) {
  const auto good = encode(sample());
  policy::random_source random{42};
  std::size_t accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    auto bytes = good;
    for (auto n = 1 + random.up_to(3); n > 0; --n)
      bytes[random.up_to(bytes.size() - 1)]
        = static_cast<char>(random.up_to(255));
    failure x;
    if (!decode(bytes, x))
      continue;
    ++accepted;
    failure back;
    ASSERT_TRUE(decode(encode(x), back));
    ASSERT_EQ(back, x);
  }
  EXPECT_GT(accepted, 0u); // in texts, most changes go unnoticed
}

// FAILURE-2: claims of size are checked before memory is taken.
TEST(FailureCodec, RefusesClaimsBeyondTheBytes) {
  failure x;
  EXPECT_FALSE(decode("\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"sv, x));
  EXPECT_FALSE(decode("\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"sv, x));
  EXPECT_FALSE(decode("\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"sv, x));
  EXPECT_FALSE(decode("\x01\x41"sv, x)); // 65 links
  EXPECT_FALSE(decode("\x01\x00"sv, x)); // none
  EXPECT_FALSE(decode("\x01\x01\xff\xff\xff\x7f"sv, x));
  EXPECT_FALSE(decode("\x01\x01\x00"sv, x)); // a link without fields
  EXPECT_FALSE(decode(""sv, x));
}

// FAILURE-2: another version is another format.
TEST(FailureCodec, RefusesOtherVersions) {
  auto bytes = encode(sample());
  bytes[0] = 2;
  failure x;
  EXPECT_FALSE(decode(bytes, x));
}

// FAILURE-2: a newer node may add fields; they are skipped, and what follows
// them is read.
TEST(FailureCodec, SkipsFieldsThatItDoesNotKnow) {
  const auto x
    = failure{.failure_class = "a", .reference = "r", .stack_left_out = 5};
  auto bytes = encode(x); // version, one link, its size in one byte
  ASSERT_LT(bytes.size(), 100u);
  const auto known = "\x04\x01\x05"s;
  ASSERT_THAT(bytes, testing::EndsWith(known));
  bytes.resize(bytes.size() - known.size());
  const auto unknown = "\x63\x03new\xff\x7f\0"s; // tags 99 and 16383
  bytes += unknown + known;
  bytes[2] = static_cast<char>(bytes[2] + static_cast<char>(unknown.size()));
  failure back;
  ASSERT_TRUE(decode(bytes, back));
  EXPECT_EQ(back, x);
}

// FAILURE-2: the same inside of what is known: a longer number field, say.
TEST(FailureCodec, SkipsWhatFollowsAKnownField) {
  auto bytes = encode({.failure_class = "a", .stack_left_out = 5});
  ASSERT_THAT(bytes, testing::EndsWith("\x04\x01\x05"));
  bytes[bytes.size() - 2] = 4;
  bytes[2] = static_cast<char>(bytes[2] + 3);
  failure back;
  ASSERT_TRUE(decode(bytes + "new", back));
  EXPECT_EQ(back.stack_left_out, 5u);
}

// FAILURE-2: nodes of the first version, which stop after the last field in
// order, are understood; a failure without what was added since is written as
// they write it (see KeepsItsFormat), so that they understand it in turn.
TEST(FailureCodec, ReadsAndWritesTheFirstVersion) {
  const auto bytes = encode({.failure_class = "a", .reference = "r"});
  failure back;
  ASSERT_TRUE(decode(bytes, back));
  EXPECT_TRUE(back.secondary.empty());
  EXPECT_TRUE(back.sensitive.empty());
  EXPECT_EQ(static_cast<std::size_t>(bytes[2]) + 3, bytes.size());
}

// FAILURE-5: what is sensitive does not travel; that it was there does.
TEST(FailureCodec, LeavesSensitiveValuesAtHome) {
  const auto x = wrap({.message = "card {card}",
                       .sensitive = {{"card", "4711-0815"}, {"pin", "1234"}}},
                      {.sensitive = {{"customer", "Ada"}}});
  const auto bytes = encode(x);
  for (const auto* secret : {"4711", "1234", "Ada"})
    EXPECT_EQ(bytes.find(secret), std::string::npos) << secret;
  failure back;
  ASSERT_TRUE(decode(bytes, back));
  ASSERT_EQ(back.sensitive.size(), 1u);
  EXPECT_TRUE(back.sensitive.at("customer").is_withheld());
  EXPECT_EQ(back.inner->sensitive.at("card").reveal(), "");
  EXPECT_EQ(back.inner->sensitive.size(), 2u);
  EXPECT_EQ(x.inner->sensitive.at("card").reveal(), "4711-0815");
}

// FAILURE-2: more levels than the limit are refused, not followed.
TEST(FailureCodec, RefusesDeepSecondaryFailures) {
  const auto plain = encode({.failure_class = "a"});
  auto chain = plain.substr(1); // without the version
  const auto size_of = [](std::size_t n) {
    std::string res;
    for (; n > 0x7f; n >>= 7)
      res += static_cast<char>(0x80 | (n & 0x7f));
    return res + static_cast<char>(n);
  };
  const auto link = plain.substr(3);
  for (std::size_t level = 1; level < 12; ++level) {
    const auto list = "\x01"s + size_of(chain.size()) + chain;
    const auto fields = link + "\x02" + size_of(list.size()) + list;
    chain = "\x01"s + size_of(fields.size()) + fields;
    failure x;
    EXPECT_EQ(decode("\x01"s + chain, x),
              level <= failure_limits::secondary_levels_max)
      << level;
  }
}

// FAILURE-2: the format does not change by accident, nor with the CAF.
TEST(FailureCodec, KeepsItsFormat) {
  const auto x = failure{.failure_class = "ab",
                         .code = {"c", -1, "d"},
                         .message = "e",
                         .reference = "r",
                         .when = wall_time{64ns},
                         .misc = {{"k", "v"}},
                         .is_bug = true,
                         .retry_after = 1ns};
  EXPECT_EQ(encode(x), "\x01\x01\x27"
                       "\x02"
                       "ab"
                       "\x01"
                       "c\x01\x01"
                       "d"
                       "\x01"
                       "e"
                       "\0\0\x01r\x80\x01"
                       "\x08\0\0\0\0\0\0\0\0"
                       "\x01\x01k\x01v"
                       "\x01\x01\x02"
                       "\0\0\0\0\0\0"s);
}

// FAILURE-2, Q02: a failure is a CAF message.
TEST_F(FailureAsMessage, RoundTripsAlone) {
  const auto x = sample();
  EXPECT_EQ(round_trip(x), x);
}

// FAILURE-2: inside a message, found by its type.
TEST_F(FailureAsMessage, RoundTripsInsideAMessage) {
  const auto x = sample();
  const auto back = round_trip(caf::make_message(x));
  ASSERT_TRUE(back.match_elements<failure>());
  EXPECT_EQ(back.get_as<failure>(0), x);
}

// FAILURE-2, FAILURE-6: inside an error, which is how requesters see it.
TEST_F(FailureAsMessage, RoundTripsInsideAnError) {
  const auto x = sample();
  const auto back = round_trip(to_error(x));
  EXPECT_TRUE(back == errc::unknown);
  EXPECT_EQ(from_error(back), x);
}

// FAILURE-2: what CAF reads is checked, too.
TEST_F(FailureAsMessage, RefusesTruncatedAndCorruptBytes) {
  compat::byte_buffer bytes;
  ASSERT_TRUE(compat::to_bytes(sys_, bytes, sample()));
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    const compat::byte_buffer part(
      bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
    failure x;
    EXPECT_FALSE(compat::from_bytes(sys_, part, x)) << n;
  }
  for (auto& octet : bytes) {
    auto kept = std::exchange(octet, {});
    failure x;
    static_cast<void>(compat::from_bytes(sys_, bytes, x));
    octet = kept;
  }
}

// FAILURE-2: an error from the network may have a category, a code or a context
// that means nothing here; reading it and talking about it stays safe.
TEST_F(FailureAsMessage, SurvivesCorruptErrors) {
  compat::byte_buffer bytes;
  ASSERT_TRUE(compat::to_bytes(sys_, bytes, shutdown_note("abc")));
  std::size_t accepted = 0;
  for (auto& octet : bytes) {
    const auto kept = octet;
    for (int value = 0; value < 256; ++value) {
      octet = static_cast<compat::byte_buffer::value_type>(value);
      caf::error err;
      if (!compat::from_bytes(sys_, bytes, err))
        continue;
      ++accepted;
      static_cast<void>(classify(err));
      EXPECT_NE(to_string(from_error(err)), "");
    }
    octet = kept;
  }
  EXPECT_GT(accepted, 0u);
}

// CAF prints messages for debugging; it uses our one line.
TEST_F(FailureAsMessage, PrintsAsOneLine) {
  const auto x = sample();
  EXPECT_THAT(caf::deep_to_string(x), testing::HasSubstr("moon_phase"));
}

} // namespace
} // namespace coppice
