// This file is part of coppice. License: see LICENSE in the source root.

// What strangers, broken networks and careless code do to failures.

#include "coppice/failure.hpp"
#include "coppice/failure_codec.hpp"
#include "coppice/failure_convert.hpp"
#include "coppice/failure_json.hpp"
#include "coppice/failure_limits.hpp"
#include "coppice/failure_user.hpp"

#include "support/seed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

namespace coppice {
namespace {

using namespace std::literals;
using testing::HasSubstr;

template <class F>
failure caught(F f) {
  try {
    f();
  } catch (...) {
    return from_exception(std::current_exception());
  }
  return {};
}

/// Every rendering works, and keeps to its limit.
void expect_printable(const failure& x) {
  EXPECT_LE(to_string(x).size(), failure_limits::line_max);
  EXPECT_EQ(to_string(x).find('\n'), std::string::npos);
  EXPECT_LE(encode(x).size(), failure_limits::bytes_max);
  // Escapes take up to four times the bytes, and rows have their names.
  EXPECT_LE(describe(x).size(), 8 * failure_limits::bytes_max);
  EXPECT_LE(to_json(x).size(), 8 * failure_limits::bytes_max);
  EXPECT_NE(for_user(x).text, "");
  EXPECT_EQ(problem_json(x).front(), '{');
}

failure deep(int levels) {
  auto x = caught([] { throw std::runtime_error("the beginning"); });
  for (int i = 0; i < levels; ++i) {
    append_frame(x, {.path = "/app", .decision = "give up"});
    x = wrap(std::move(x), {.failure_class = "gave_up",
                            .message = "level " + std::to_string(i),
                            .where = here("/app/a/b/c", 1)});
  }
  return x;
}

// FAILURE-1: a thousand levels are cut in the middle, and say so.
TEST(FailureBadInput, SurvivesAThousandLevels) {
  const auto x = deep(1'000);
  EXPECT_EQ(depth(x), failure_limits::links_max);
  EXPECT_THAT(to_string(x), HasSubstr("causes left out]"));
  EXPECT_THAT(to_string(x), HasSubstr("the beginning"));
  EXPECT_THAT(describe(x), HasSubstr("level 999"));
  expect_printable(x);
}

// FAILURE-1: so is a chain of nested exceptions.
TEST(FailureBadInput, SurvivesAThousandNestedExceptions) {
  auto ptr = std::make_exception_ptr(std::runtime_error("the beginning"));
  for (int i = 0; i < 1'000; ++i) {
    try {
      try {
        std::rethrow_exception(ptr);
      } catch (...) {
        std::throw_with_nested(std::runtime_error(std::to_string(i)));
      }
    } catch (...) {
      ptr = std::current_exception();
    }
  }
  const auto x = from_exception(ptr);
  EXPECT_EQ(x.message, "999");
  EXPECT_LE(depth(x), failure_limits::links_max);
  expect_printable(x);
}

// FAILURE-1: a huge context is cut, and says so.
TEST(FailureBadInput, SurvivesHugeContext) {
  failure x{.message = "huge"};
  for (int i = 0; i < 100'000; ++i) {
    x.misc[std::to_string(i)] = std::string(100, 'v');
    x.sensitive[std::to_string(i)] = "secret";
  }
  x.misc["0"].assign(10'000'000, 'v');
  enforce_limits(x);
  EXPECT_EQ(x.misc.size(), failure_limits::misc_max);
  EXPECT_EQ(x.sensitive.size(), failure_limits::misc_max);
  EXPECT_EQ(x.misc_left_out, 2 * (100'000 - failure_limits::misc_max));
  EXPECT_THAT(x.misc["0"], HasSubstr("[cut from 10000000 bytes]"));
  EXPECT_THAT(describe(x), HasSubstr("[199936 entries left out]"));
  expect_printable(x);
}

// FAILURE-1: every rendering works on what nobody has bounded yet.
TEST(FailureBadInput, PrintsWhatIsNotBounded) {
  failure x{.message = std::string(1'000'000, '\xff'),
            .user_message = std::string(1'000'000, '\n')};
  x.secondary.resize(100);
  EXPECT_LE(to_string(x).size(), failure_limits::line_max);
  EXPECT_NE(describe(x), "");
  EXPECT_NE(to_json(x), "");
  EXPECT_EQ(problem_json(x).front(), '{');
}

struct not_an_exception {};

// FAILURE-1: whatever is thrown is a bug, and prints.
TEST(FailureBadInput, TakesWhatIsNoException) {
  const auto check = [](const failure& x) {
    EXPECT_EQ(x.failure_class, failure_classes::crash);
    EXPECT_TRUE(x.is_bug);
    EXPECT_EQ(for_user(x).text, default_user_text);
    expect_printable(x);
  };
  check(caught([] { throw 42; }));
  check(caught([] { throw "text"; }));
  check(caught([] { throw "text"s; }));
  check(caught([] { throw not_an_exception{}; }));
  check(caught([] { throw static_cast<void*>(nullptr); }));
}

// FAILURE-1: what goes wrong while a failure is handled is told beside it.
TEST(FailureBadInput, TakesExceptionsThrownWhileHandlingOne) {
  failure x;
  try {
    throw std::runtime_error("first");
  } catch (...) {
    x = from_exception(std::current_exception());
    try {
      throw std::logic_error("while cleaning up");
    } catch (...) {
      add_secondary(x, from_exception(std::current_exception()));
    }
    // The first is still the one in hand.
    EXPECT_EQ(from_exception(std::current_exception()).message, "first");
  }
  EXPECT_EQ(x.message, "first");
  ASSERT_EQ(x.secondary.size(), 1u);
  EXPECT_EQ(x.secondary[0]->message, "while cleaning up");
  EXPECT_THAT(describe(x), HasSubstr("beside it, 1 of 1: crash: while"));
  expect_printable(x);
}

/// Changes, removes or repeats a few bytes, or cuts the rest off.
void damage(std::string& bytes, policy::random_source& random) {
  const auto at = random.up_to(bytes.size() - 1);
  switch (random.up_to(3)) {
    case 0:
      bytes[at] = static_cast<char>(random.up_to(255));
      break;
    case 1:
      bytes.erase(at, random.up_to(8));
      break;
    case 2:
      bytes.insert(at, std::string{bytes, random.up_to(bytes.size() - 1),
                                   random.up_to(64)});
      break;
    default:
      bytes.resize(at);
  }
}

// FAILURE-2: bytes in any disorder are refused, or give a failure that can be
// written, read and printed.
TEST(FailureBadInput, TakesCorruptMessages) {
  test::seeded seeded_test;
  auto& random = seeded_test.random;
  auto sample = deep(5);
  add_secondary(sample, deep(2));
  sample.sensitive["card"] = "4711";
  const auto good = encode(sample);
  std::size_t accepted = 0;
  for (int round = 0; round < 5'000; ++round) {
    auto bytes = good;
    for (auto n = 1 + random.up_to(4); n > 0 && bytes.size() > 64; --n)
      damage(bytes, random);
    failure x;
    if (!decode(bytes, x))
      continue;
    ++accepted;
    failure back;
    ASSERT_TRUE(decode(encode(x), back));
    ASSERT_EQ(back, x);
    ASSERT_NO_FATAL_FAILURE(expect_printable(x));
  }
  EXPECT_GT(accepted, 0u);
}

// FAILURE-2: what is larger than any failure is not even looked at.
TEST(FailureBadInput, RefusesHugeMessages) {
  auto bytes = encode(failure{.failure_class = "a"});
  bytes.resize(failure_limits::wire_max + 1);
  failure x;
  EXPECT_FALSE(decode(bytes, x));
}

} // namespace
} // namespace coppice
