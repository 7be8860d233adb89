// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/failure.hpp"

#include "coppice/failure_limits.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace coppice {
namespace {

using namespace std::literals;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

failure leaf() {
  return {.failure_class = "db_down",
          .code = std::make_error_code(std::errc::connection_refused),
          .message = "no route to db-7",
          .user_message = "Please try again in a minute.",
          .help_link = "https://example.org/db",
          .where = here("/app/db/conn-1", 3),
          .misc = {{"host", "db-7"}},
          .retry_after = 200ms};
}

failure raw() {
  return {.failure_class = "crash", .message = "boom", .is_bug = true};
}

failure chain_of(std::size_t links) {
  auto res = failure{.failure_class = "link", .message = "1"};
  for (std::size_t i = 2; i <= links; ++i)
    res = wrap(std::move(res),
               {.failure_class = "link", .message = std::to_string(i)});
  return res;
}

failure_frame frame(std::size_t n) {
  return {.path = "/" + std::to_string(n), .decision = "restart"};
}

// FAILURE-1: what, when, where, for users, and how to get more.
TEST(Failure, HoldsWhatHappened) {
  const auto before = wall_now();
  const auto x = leaf();
  const auto line = static_cast<std::uint32_t>(__LINE__);
  EXPECT_EQ(x.failure_class, "db_down");
  EXPECT_EQ(x.code.category, "generic");
  EXPECT_EQ(x.code.value, static_cast<int>(std::errc::connection_refused));
  EXPECT_NE(x.code.name, "");
  EXPECT_GE(x.when, before);
  EXPECT_LE(x.when, wall_now());
  EXPECT_NE(x.where.host, "");
  EXPECT_GT(x.where.process, 0u);
  EXPECT_EQ(x.where.path, "/app/db/conn-1");
  EXPECT_EQ(x.where.incarnation, 3u);
  EXPECT_THAT(x.where.file, EndsWith("failure_test.cpp"));
  EXPECT_THAT(x.where.function, HasSubstr("leaf"));
  EXPECT_LT(x.where.line, line);
  EXPECT_GT(x.where.line, 0u);
  EXPECT_EQ(x.reference.size(), 13u);
  EXPECT_TRUE(is_well_formed(x));
  EXPECT_FALSE(is_well_formed(raw()));
}

// FAILURE-1: copies keep the reference; no two failures share one, on however
// many threads they are made.
TEST(Failure, HasAReferenceOfItsOwn) {
  const auto x = leaf();
  EXPECT_EQ(failure{x}.reference, x.reference);
  std::vector<std::vector<std::string>> made(4);
  {
    std::vector<std::jthread> threads;
    for (auto& mine : made)
      threads.emplace_back([&mine] {
        for (int i = 0; i < 1'000; ++i)
          mine.push_back(failure::new_reference());
      });
  }
  std::set<std::string> all;
  for (const auto& mine : made)
    all.insert(mine.begin(), mine.end());
  EXPECT_EQ(all.size(), 4'000u);
}

// FAILURE-1: equality is deep; every field counts.
TEST(Failure, ComparesByValue) {
  const auto x = wrap(raw(), leaf());
  auto same = x;
  same.inner = failure_cause{failure{*x.inner}}; // another object, equal
  EXPECT_NE(same.inner.shared(), x.inner.shared());
  EXPECT_EQ(same, x);
  auto other_cause = *x.inner;
  other_cause.message += '!';
  auto other = x;
  other.inner = failure_cause{std::move(other_cause)};
  EXPECT_NE(other, x);
  other = x;
  other.inner = {};
  EXPECT_NE(other, x);
  other = x;
  other.where.incarnation += 1;
  EXPECT_NE(other, x);
}

// Q01: leaf under inner under root; each link has its path and attempts.
TEST(Failure, NestsRootToLeaf) {
  auto x = raw();
  x.where.path = "/app/db/conn-1";
  append_frame(x, {.path = "/app/db", .decision = "restart", .attempt = 1});
  append_frame(x, {.path = "/app/db", .decision = "gave up", .attempt = 2});
  x = wrap(x, {.failure_class = "gave_up", .where = {.path = "/app/db"}});
  append_frame(x, {.path = "/app", .decision = "escalate", .attempt = 1});
  x = wrap(x, {.failure_class = "gave_up", .where = {.path = "/app"}});
  ASSERT_EQ(depth(x), 3u);
  EXPECT_EQ(x.where.path, "/app");
  EXPECT_EQ(x.inner->where.path, "/app/db");
  EXPECT_EQ(x.inner->frames.front().decision, "escalate");
  EXPECT_EQ(root_cause(x).message, "boom");
  EXPECT_EQ(root_cause(x).frames.size(), 2u);
  EXPECT_EQ(find(x, "crash"), &root_cause(x));
  EXPECT_EQ(find(x, "gave_up"), &x);
  EXPECT_EQ(find(x, "stall"), nullptr);
}

// FAILURE-1: a raw failure stays a bug until somebody thought of the user.
TEST(Failure, KnowsBugsFromKnownEdgeCases) {
  EXPECT_FALSE(leaf().is_bug);
  EXPECT_TRUE(wrap(raw(), {.failure_class = "gave_up"}).is_bug);
  EXPECT_FALSE(wrap(raw(), leaf()).is_bug);
  EXPECT_TRUE(wrap(raw(), leaf()).inner->is_bug);
  EXPECT_FALSE(wrap(leaf(), {.failure_class = "gave_up"}).is_bug);
  auto admitted = leaf();
  admitted.is_bug = true;
  EXPECT_TRUE(wrap(leaf(), admitted).is_bug);
}

// FAILURE-1: what had a cause keeps it, above the new one.
TEST(Failure, WrapsBelowTheCausesOfTheOuter) {
  const auto outer = wrap({.message = "2"}, {.message = "1"});
  const auto x = wrap({.message = "3"}, outer);
  ASSERT_EQ(depth(x), 3u);
  EXPECT_EQ(x.message, "1");
  EXPECT_EQ(x.inner->message, "2");
  EXPECT_EQ(root_cause(x).message, "3");
}

// FAILURE-1: chains are bounded; both ends stay, and the cut shows.
TEST(Failure, DropsTheMiddleOfLongChains) {
  using failure_limits::links_max;
  EXPECT_EQ(depth(chain_of(links_max)), links_max);
  for (const auto links : {links_max + 1, links_max + 2, std::size_t{1000}}) {
    const auto x = chain_of(links);
    EXPECT_EQ(depth(x), links_max);
    EXPECT_EQ(x.message, std::to_string(links));
    EXPECT_EQ(x.inner->message, std::to_string(links - 1));
    EXPECT_EQ(root_cause(x).message, "1");
    std::size_t lost = 0;
    for (auto link = &x; link; link = link->inner.shared().get())
      lost += link->links_left_out;
    EXPECT_EQ(lost, links - links_max);
    EXPECT_THAT(describe(x),
                HasSubstr("[" + std::to_string(lost) + " causes left out]"));
  }
}

// FAILURE-1: joining two long chains is bounded, too.
TEST(Failure, DropsTheMiddleOfJoinedChains) {
  const auto x = wrap(chain_of(64), chain_of(64));
  EXPECT_LE(depth(x), failure_limits::links_max);
  EXPECT_EQ(x.message, "64");
  EXPECT_EQ(root_cause(x).message, "1");
}

// FAILURE-3: frames are bounded; the first and the last stay.
TEST(Failure, DropsTheMiddleOfManyFrames) {
  auto x = raw();
  for (std::size_t i = 0; i < 200; ++i)
    append_frame(x, frame(i));
  ASSERT_EQ(x.frames.size(), failure_limits::frames_max);
  EXPECT_EQ(x.frames.front().path, "/0");
  EXPECT_EQ(x.frames[31].path, "/31");
  EXPECT_EQ(x.frames[32].path, "/168");
  EXPECT_EQ(x.frames.back().path, "/199");
  EXPECT_EQ(x.frames_left_out, 200 - failure_limits::frames_max);
  EXPECT_THAT(describe(x), HasSubstr("[136 frames left out]"));
}

// FAILURE-1: context is bounded in entries and in bytes.
TEST(Failure, BoundsMisc) {
  auto x = raw();
  for (int i = 100; i < 200; ++i)
    x.misc[std::to_string(i)] = std::string(10'000, 'x');
  x.misc[std::string(10'000, '0')] = "long key";
  x.misc[std::string(10'001, '0')] = "longer key";
  enforce_limits(x);
  EXPECT_EQ(x.misc.size(), failure_limits::misc_max);
  EXPECT_EQ(x.misc_left_out, 102 - failure_limits::misc_max);
  for (const auto& [key, value] : x.misc) {
    EXPECT_LE(key.size(), failure_limits::name_max);
    EXPECT_LE(value.size(), failure_limits::misc_value_max);
  }
  EXPECT_THAT(x.misc["100"], EndsWith("[cut from 10000 bytes]"));
}

// FAILURE-1: each text is bounded by itself; limits, once enforced, change
// nothing more.
TEST(Failure, BoundsTexts) {
  const auto bounded = [](auto member, std::size_t max) {
    auto x = raw();
    member(x) = std::string(1'000'000, 'm');
    enforce_limits(x);
    EXPECT_EQ(member(x).size(), max);
    EXPECT_THAT(member(x), EndsWith("[cut from 1000000 bytes]"));
    const auto once = x;
    enforce_limits(x);
    EXPECT_EQ(x, once);
    EXPECT_TRUE(is_within_limits(x));
  };
  using namespace failure_limits;
  bounded(
    [](auto& x) -> auto& { return x.message; }, text_max);
  bounded(
    [](auto& x) -> auto& { return x.user_message; }, text_max);
  bounded(
    [](auto& x) -> auto& { return x.failure_class; }, name_max);
  bounded(
    [](auto& x) -> auto& { return x.where.path; }, name_max);
  bounded(
    [](auto& x) -> auto& { return x.misc["k"]; }, misc_value_max);
}

// FAILURE-3, FAILURE-4: frames and stacks are bounded, and say so.
TEST(Failure, BoundsFramesAndStacks) {
  auto x = raw();
  x.stack.assign(1'000, 42);
  x.stack_text.assign(900, "main");
  append_frame(x, {.decision = std::string(1'000'000, 'd')});
  EXPECT_EQ(x.frames[0].decision.size(), failure_limits::name_max);
  EXPECT_EQ(x.stack.size(), failure_limits::stack_max);
  EXPECT_EQ(x.stack_text.size(), failure_limits::stack_max);
  EXPECT_EQ(x.stack_left_out, 1'000 - failure_limits::stack_max);
  EXPECT_THAT(describe(x), HasSubstr("[872 calls left out]"));
}

// a cut text is still valid UTF-8.
TEST(Failure, CutsBetweenCodePoints) {
  EXPECT_EQ(cut("short", 5), "short");
  std::string text = "a";
  for (int i = 0; i < 100; ++i)
    text += "\u20ac"; // three bytes
  for (std::size_t max = 30; max < 60; ++max) {
    const auto res = cut(text, max);
    EXPECT_LE(res.size(), max);
    const auto kept = res.substr(0, res.find(" [cut"));
    EXPECT_EQ(kept.size() % 3, 1u) << max;
  }
  EXPECT_LE(cut(text, 3).size(), 3u);
  EXPECT_EQ(cut(std::string(100, '\x80'), 0), "");
}

// what is cut twice says how long it was at first.
TEST(Failure, RemembersTheFirstCut) {
  const auto once = cut(std::string(5'000, 'x'), 1'000);
  EXPECT_THAT(cut(once, 100), EndsWith(" [cut from 5000 bytes]"));
  const auto fake = std::string(200, 'x') + " [cut from 9z bytes]";
  EXPECT_THAT(cut(fake, 100), EndsWith(" [cut from 220 bytes]"));
}

// Q06: one line, whatever is inside.
TEST(Failure, RendersAsOneLine) {
  auto x = wrap(raw(), leaf());
  x.reference = "REF";
  EXPECT_EQ(to_string(x),
            "db_down in /app/db/conn-1#3: no route to db-7 (generic:111 "
            "Connection refused) <- crash: boom [ref REF]");
  EXPECT_THAT(to_string(raw()), StartsWith("crash: boom [bug, ref "));
  x.message = "fake\nline\x1b[31m\t\x7f";
  EXPECT_THAT(to_string(x),
              AllOf(HasSubstr("fake\\nline\\x1b[31m\\t\\x7f"),
                    Not(HasSubstr("\n")), Not(HasSubstr("\x1b"))));
}

// Q06: deep and long ones keep to the limit and to both ends.
TEST(Failure, RendersAsOneLineOfBoundedLength) {
  auto x = failure{.failure_class = "the_leaf"};
  for (int i = 0; i < 500; ++i) {
    auto outer = failure{.failure_class = std::string(5'000, '\x01'),
                         .code = {"c", 1, std::string(5'000, '\n')},
                         .message = std::string(70'000, '\x1b'),
                         .reference = std::string(5'000, '\x02')};
    outer.where.path = std::string(5'000, '\x03');
    x = wrap(std::move(x), std::move(outer));
  }
  x.failure_class = "the_root";
  const auto text = to_string(x);
  EXPECT_LE(text.size(), failure_limits::line_max);
  EXPECT_THAT(text, StartsWith("the_root"));
  EXPECT_THAT(text, HasSubstr("<- the_leaf"));
  EXPECT_THAT(text, HasSubstr("causes left out]"));
}

// FAILURE-3: the full report reads root to leaf, frames included.
TEST(Failure, RendersAsAReport) {
  auto cause = raw();
  cause.message = "boom\nand more";
  append_frame(cause, {.path = "/app/db", .decision = "restart", .attempt = 1});
  append_frame(cause, {.path = "/app",
                       .decision = "escalate",
                       .attempt = 2,
                       .attempts_in_window = 4});
  const auto text = describe(wrap(cause, leaf()));
  const auto at = [&text](std::string_view what) {
    EXPECT_NE(text.find(what), std::string::npos) << what << " in\n" << text;
    return text.find(what);
  };
  EXPECT_LT(at("db_down: no route"), at("caused by crash: boom"));
  EXPECT_LT(at("caused by"), at("/app escalate, attempt 2 (4 in the window)"));
  EXPECT_LT(at("/app escalate"), at("/app/db restart"));
  EXPECT_LT(at("Please try again"), at("https://example.org/db"));
  EXPECT_LT(at("after 200ms"), at("host = db-7"));
  EXPECT_LT(at("known edge case"), at("bug\n"));
  at("boom\n              and more");
  EXPECT_THAT(text, EndsWith("\n"));
}

// FAILURE-1: times are ISO 8601 in UTC, to the nanosecond, over the range.
TEST(Failure, WritesTimesInUtc) {
  EXPECT_EQ(utc_text(wall_time{}), "1970-01-01T00:00:00.000000000Z");
  EXPECT_EQ(utc_text(wall_time{1'714'564'800'123'456'789ns}),
            "2024-05-01T12:00:00.123456789Z");
  EXPECT_EQ(utc_text(wall_time{-1ns}), "1969-12-31T23:59:59.999999999Z");
  EXPECT_THAT(utc_text(wall_time::max()), StartsWith("2262-04-11T23:47:16."));
  EXPECT_THAT(utc_text(wall_time::min()), StartsWith("1677-09-21T00:12:43."));
}

} // namespace
} // namespace coppice
