// This file is part of coppice. License: see LICENSE in the source root.

// What developers, operators and users see of the same failures.

#include "coppice/failure.hpp"
#include "coppice/failure_json.hpp"
#include "coppice/failure_user.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <string>
#include <utility>

namespace coppice {
namespace {

using namespace std::literals;
using testing::HasSubstr;
using testing::Not;

constexpr wall_time noon{1'714'564'800s};

/// A known edge case, with everything that a failure can have.
failure db_down() {
  failure x{.failure_class = "db_down",
            .code = {"generic", 111, "Connection refused"},
            .message = "no route to db-7 for {customer}",
            .user_message = "The shop is closed for a minute.",
            .help_link = "https://example.org/db",
            .reference = "REF-DB",
            .when = noon,
            .where = {.host = "shop-1",
                      .process = 17,
                      .thread = "main",
                      .path = "/app/db/conn-1",
                      .incarnation = 3,
                      .file = "conn.cpp",
                      .line = 42,
                      .function = "connect"},
            .misc = {{"host", "db-7"}, {"query", "select *\nfrom t"}},
            .sensitive = {{"customer", "Ada Lovelace"}},
            .retry_after = 1'500ms,
            .stack = {0x4005d0, 0x4006e0},
            .stack_text = {"connect at conn.cpp:42", "main at main.cpp:7"},
            .stack_left_out = 5};
  append_frame(x, {.when = noon + 1ms,
                   .path = "/app/db",
                   .incarnation = 1,
                   .decision = "backoff 200ms",
                   .attempt = 1,
                   .attempts_in_window = 1});
  append_frame(x, {.when = noon + 2ms, .path = "/app", .decision = "give up"});
  return x;
}

failure replica(int n) {
  return {.failure_class = "timeout",
          .message = "replica " + std::to_string(n),
          .reference = "REF-R" + std::to_string(n),
          .when = noon};
}

failure with_causes() {
  failure outer{.failure_class = "checkout_failed",
                .message = "no replica answered",
                .reference = "REF-TOP",
                .when = noon + 1s,
                .secondary_left_out = 3};
  add_secondary(outer, wrap(replica(2), replica(1)));
  add_secondary(outer, replica(3));
  return wrap(db_down(), std::move(outer));
}

/// What nobody thought of.
failure bug() {
  return {.failure_class = "crash",
          .code = {"exception", 0, "std::out_of_range"},
          .message = "map::at",
          .help_link = "https://wiki.internal/crash",
          .reference = "REF-BUG",
          .when = noon,
          .where = {.host = "shop-1", .path = "/app/cart", .incarnation = 1},
          .misc = {{"table", "prices"}},
          .sensitive = {{"customer", "Ada Lovelace"}},
          .is_bug = true,
          .retry_after = 1s};
}

// FAILURE-5: the full report, for developers. What was decided about it reads
// root to leaf.
TEST(FailureRendering, DescribesAllThereIs) {
  EXPECT_EQ(describe(with_causes()), R"(checkout_failed: no replica answered
  kind        known edge case
  reference   REF-TOP
  when        2024-05-01T12:00:01.000000000Z
  user sees   The shop is closed for a minute.
  beside it, 1 of 2: timeout: replica 1
    kind        known edge case
    reference   REF-R1
    when        2024-05-01T12:00:00.000000000Z
  caused by timeout: replica 2
    kind        known edge case
    reference   REF-R2
    when        2024-05-01T12:00:00.000000000Z
  beside it, 2 of 2: timeout: replica 3
    kind        known edge case
    reference   REF-R3
    when        2024-05-01T12:00:00.000000000Z
  [3 failures beside it left out]
caused by db_down: no route to db-7 for {customer}
  code        generic:111 Connection refused
  kind        known edge case
  reference   REF-DB
  when        2024-05-01T12:00:00.000000000Z
  where       /app/db/conn-1#3, host shop-1, process 17, thread main, conn.cpp:42, connect
  user sees   The shop is closed for a minute.
  help        https://example.org/db
  retry       after 1500ms
  with        host = db-7
  with        query = select *
              from t
  with        customer = [sensitive]
  done        2024-05-01T12:00:00.002000000Z /app give up
  done        2024-05-01T12:00:00.001000000Z /app/db#1 backoff 200ms, attempt 1 (1 in the window)
  stack       connect at conn.cpp:42
  stack       main at main.cpp:7
  stack       [5 calls left out]
)");
}

// FAILURE-5: one line, for operators.
TEST(FailureRendering, FitsOnALine) {
  EXPECT_EQ(to_string(with_causes()),
            "checkout_failed: no replica answered (+ 5 beside it) <- db_down "
            "in /app/db/conn-1#3: no route to db-7 for {customer} (generic:111 "
            "Connection refused) [ref REF-TOP]");
}

// FAILURE-5: JSON has all there is, too, but for what is sensitive.
TEST(FailureRendering, WritesJson) {
  EXPECT_EQ(
    to_json(db_down()),
    R"({"class":"db_down","code":{"category":"generic","value":111,"name":"Connection refused"},)"
    R"("message":"no route to db-7 for {customer}","user_message":"The shop is closed for a minute.",)"
    R"("help_link":"https://example.org/db","reference":"REF-DB","is_bug":false,)"
    R"("when":"2024-05-01T12:00:00.000000000Z","where":{"host":"shop-1","process":17,"thread":"main",)"
    R"("path":"/app/db/conn-1","incarnation":3,"file":"conn.cpp","line":42,"function":"connect"},)"
    R"("retry_after_ns":1500000000,"misc":{"host":"db-7","query":"select *\nfrom t"},"sensitive":["customer"],)"
    R"("frames":[{"when":"2024-05-01T12:00:00.002000000Z","path":"/app","decision":"give up"},)"
    R"({"when":"2024-05-01T12:00:00.001000000Z","path":"/app/db","incarnation":1,"decision":"backoff 200ms","attempt":1,"attempts_in_window":1}],)"
    R"("stack":["0x00000000004005d0","0x00000000004006e0"],"stack_text":["connect at conn.cpp:42","main at main.cpp:7"],)"
    R"("left_out":{"stack":5}})");
}

// FAILURE-5: causes nest in JSON as they do in failures.
TEST(FailureRendering, NestsCausesInJson) {
  const auto x = nlohmann::json::parse(to_json(with_causes(), 2));
  EXPECT_EQ(x["inner"]["reference"], "REF-DB");
  ASSERT_EQ(x["secondary"].size(), 2u);
  EXPECT_EQ(x["secondary"][0]["inner"]["reference"], "REF-R2");
  EXPECT_EQ(x["left_out"]["secondary"], 3);
}

// FAILURE-5: text of strangers does not break the JSON.
TEST(FailureRendering, WritesValidJsonWhateverIsInside) {
  auto x = bug();
  x.message = "quote \" zero \0 broken \xff\xc3 control \x1b"s;
  x.misc["\xfe"] = "}";
  x.user_message = x.message;
  x.failure_class = "a/../b?c#d \xff";
  x.reference = "\n";
  EXPECT_TRUE(nlohmann::json::accept(to_json(x)));
  EXPECT_TRUE(nlohmann::json::accept(problem_json(x)));
  x.is_bug = false;
  const auto problem = nlohmann::json::parse(problem_json(x));
  EXPECT_EQ(problem["type"], "/problems/a-..-b-c-d--");
}

// FAILURE-5: users see the text that is for them, and where to ask.
TEST(FailureRendering, TellsUsersWhatIsForThem) {
  EXPECT_EQ(to_string(for_user(with_causes())),
            "The shop is closed for a minute.\n"
            "You can try again in 2 seconds.\n"
            "More: https://example.org/db\n"
            "Reference: REF-TOP\n");
}

// FAILURE-5: of a bug, they see that it is not their fault, and the reference.
TEST(FailureRendering, TellsUsersNothingAboutBugs) {
  EXPECT_EQ(to_string(for_user(bug())),
            default_user_text + "\nReference: REF-BUG\n"s);
  auto admitted = bug();
  admitted.user_message = "We dropped your cart. Sorry.";
  EXPECT_EQ(to_string(for_user(admitted)),
            "We dropped your cart. Sorry.\nReference: REF-BUG\n");
}

// FAILURE-5: nor do they see what was said below a bug, for it was another
// story; a supervisor that gives up on a known edge case changes nothing.
TEST(FailureRendering, LetsTheOutermostSpeak) {
  const failure gave_up{.failure_class = "gave_up", .reference = "REF-UP"};
  EXPECT_EQ(for_user(wrap(db_down(), gave_up)).text, db_down().user_message);
  EXPECT_EQ(for_user(wrap(db_down(), gave_up)).reference, "REF-UP");
  EXPECT_EQ(for_user(wrap(db_down(), bug())).text, default_user_text);
  EXPECT_TRUE(for_user(wrap(db_down(), bug())).is_bug);
  EXPECT_TRUE(for_user(wrap(bug(), gave_up)).is_bug);
  EXPECT_EQ(for_user(wrap(bug(), db_down())).text, db_down().user_message);
  EXPECT_FALSE(for_user(wrap(bug(), db_down())).is_bug);
  EXPECT_EQ(for_user(gave_up).text, default_user_text);
}

// FAILURE-5: a problem of RFC 9457, for a known edge case.
TEST(FailureRendering, WritesProblemsOfKnownEdgeCases) {
  EXPECT_EQ(problem_json(with_causes(),
                         {.type_base = "https://example.org/problems/"}),
            R"({"type":"https://example.org/problems/db_down",)"
            R"("title":"Db down","status":503,)"
            R"("detail":"The shop is closed for a minute.",)"
            R"("instance":"/failures/REF-TOP","reference":"REF-TOP",)"
            R"("help":"https://example.org/db","retry_after":2})");
}

// FAILURE-5: the same for a bug: the friendly text and the reference only.
TEST(FailureRendering, WritesProblemsOfBugs) {
  EXPECT_EQ(problem_json(bug(), {.status = 404}),
            R"({"type":"about:blank","title":"Internal Server Error",)"
            R"("status":500,"detail":")"s
              + default_user_text
              + R"(","instance":"/failures/REF-BUG","reference":"REF-BUG"})");
}

// FAILURE-5: the status follows the code, unless the service knows better.
TEST(FailureRendering, ChoosesTheStatus) {
  const auto status = [](errc code) {
    return problem_status({.code = code, .user_message = "u"});
  };
  EXPECT_EQ(status(errc::unknown_child), 404);
  EXPECT_EQ(status(errc::request_timeout), 504);
  EXPECT_EQ(status(errc::deadline_exceeded), 504);
  EXPECT_EQ(status(errc::cannot_finish), 504);
  EXPECT_EQ(status(errc::cancelled), 499);
  EXPECT_EQ(status(errc::unavailable), 503);
  EXPECT_EQ(status(errc::overloaded), 503);
  EXPECT_EQ(problem_status({.code = errc::deadline_exceeded,
                            .user_message = "u",
                            .retry_after = 1s}),
            504)
    << "the code says more";
  EXPECT_EQ(problem_status({.failure_class = "card_expired"}), 422);
  EXPECT_EQ(problem_status(db_down()), 503); // it says when to come back
  EXPECT_EQ(problem_status(bug()), 500);
  EXPECT_THAT(problem_json(db_down(), {.status = 429}),
              HasSubstr(R"("status":429)"));
}

// FAILURE-5: nothing that leaves the process has secrets in it, and nothing
// that users see has internals in it.
TEST(FailureRendering, KeepsSecretsAndInternals) {
  const auto x = wrap(bug(), {.failure_class = "gave_up"});
  for (const auto& text : {to_string(x), describe(x), to_json(x), encode(x)})
    EXPECT_THAT(text, Not(HasSubstr("Lovelace")));
  for (const auto& text : {problem_json(x), to_string(for_user(x))})
    for (const auto* internal :
         {"Lovelace", "map::at", "out_of_range", "prices", "shop-1", "/app",
          "wiki", "crash", "gave_up", "customer"})
      EXPECT_THAT(text, Not(HasSubstr(internal)));
}

} // namespace
} // namespace coppice
