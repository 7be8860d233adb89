// This file is part of coppice. License: see LICENSE in the source root.

// Failures on their way up, end to end: group Q of the catalogue.

#include "coppice/failure_codec.hpp"

#include "support/tree_test.hpp"

#include <chrono>

namespace coppice::test {
namespace {

class FailurePropagation : public supervision_test {
public:
  /// leaf under inner under mid under the root; nobody tolerates anything.
  failure end_of_three_levels(work_act act) {
    auto leaf = script("leaf");
    const supervisor_spec inner{.limits = {.restarts_max = 0},
                                .children = {leaf.spec()}};
    const supervisor_spec mid{.limits = {.restarts_max = 0},
                              .children
                              = {{.id = "inner", .supervisor = inner}}};
    supervise({.name = "app",
               .limits = {.restarts_max = 0},
               .children = {{.id = "mid", .supervisor = mid}}});
    leaf.now(std::move(act));
    settle();
    EXPECT_TRUE(has_ended());
    return end_reason().value_or(failure{});
  }
};

// FAILURE-3, BUDGET-6. Q01: the chain reads root to leaf, each link with path,
// child, life, decision and attempts; the innermost has the exception.
TEST_F(FailurePropagation, ChainsThreeLevels_Q01) {
  const auto top = end_of_three_levels(throws("no disk"));
  const failure* at = &top;
  const std::pair<const char*, const char*> expected[]
    = {{"/app", "/app/mid"},
       {"/app/mid", "/app/mid/inner"},
       {"/app/mid/inner", "/app/mid/inner/leaf"}};
  for (const auto& [path, of] : expected) {
    EXPECT_EQ(at->failure_class, failure_classes::gave_up);
    EXPECT_EQ(at->where.path, path);
    EXPECT_EQ(at->misc.at("child"), of);
    EXPECT_EQ(at->misc.at("child_incarnation"), "1");
    EXPECT_EQ(at->misc.at("attempts"), "1");
    ASSERT_TRUE(at->inner) << describe(top);
    at = &*at->inner;
    ASSERT_FALSE(at->frames.empty()) << describe(top);
    EXPECT_EQ(at->frames.back().path, path);
    EXPECT_EQ(at->frames.back().decision, "give up");
  }
  EXPECT_FALSE(at->inner);
  EXPECT_EQ(at->failure_class, failure_classes::crash);
  EXPECT_THAT(at->message, HasSubstr("no disk"));
  EXPECT_THAT(describe(*at), HasSubstr("runtime_error"));
  EXPECT_EQ(at->where.path, "/app/mid/inner/leaf");
  EXPECT_EQ(at->where.incarnation, 1u);
  EXPECT_TRUE(at->is_bug);
}

// BUDGET-5, FAILURE-3: who gives up says which limits were too tight.
TEST_F(FailurePropagation, NamesTheLimitsThatWereReached) {
  auto leaf = script("leaf");
  auto spec = leaf.spec();
  spec.limits = {.restarts_max = 0, .window = 60s};
  supervise({.name = "app", .limits = {.restarts_max = 3}, .children = {spec}});
  leaf.now(throws("no disk"));
  settle();
  ASSERT_TRUE(has_ended());
  EXPECT_THAT(end_reason().value_or(failure{}).message,
              HasSubstr("1 attempts within 1min, tolerated are 0"));
}

// RESTART-3, FAILURE-3: where a rule says escalate, no limit is to blame.
TEST_F(FailurePropagation, NamesTheRuleThatEscalates) {
  auto leaf = script("leaf");
  auto spec = leaf.spec();
  spec.on_failure = {{"crash", policy::failure_action::escalate}};
  supervise({.name = "app", .children = {spec}});
  leaf.now(throws("no disk"));
  settle();
  ASSERT_TRUE(has_ended());
  EXPECT_THAT(end_reason().value_or(failure{}).message,
              HasSubstr("a rule about its class says escalate"));
}

// FAILURE-2. Q02: the chain is the same after a journey as bytes.
TEST_F(FailurePropagation, SurvivesTheWire_Q02) {
  const auto top = end_of_three_levels(throws("no disk"));
  failure back;
  ASSERT_TRUE(decode(encode(top), back));
  EXPECT_EQ(back, top);
  compat::byte_buffer bytes;
  ASSERT_TRUE(compat::to_bytes(system(), bytes, top));
  failure again;
  ASSERT_TRUE(compat::from_bytes(system(), bytes, again));
  EXPECT_EQ(again, top);
}

// FAILURE-2: so are codes of categories that nobody knows.
TEST_F(FailurePropagation, KeepsUnknownCategories_Q02) {
  const auto top = end_of_three_levels(
    throws(failure{.failure_class = "billing",
                   .code = failure_code{"acme.billing", 17, "card_expired"},
                   .message = "card 4711",
                   .user_message = "Please check your card."}));
  failure back;
  ASSERT_TRUE(decode(encode(top), back));
  EXPECT_EQ(back, top);
  EXPECT_EQ(root_cause(back).code,
            (failure_code{"acme.billing", 17, "card_expired"}));
}

// FAILURE-1: what, when, where, for users, for more, and why.
TEST_F(FailurePropagation, IsWholeAtTheTop) {
  const auto before = wall_now();
  const auto top = end_of_three_levels(
    throws(failure{.failure_class = "billing",
                   .message = "card 4711",
                   .user_message = "Please check your card.",
                   .help_link = "https://example.org/cards",
                   .misc = {{"customer", "12"}}}));
  EXPECT_GE(top.when, before);
  EXPECT_FALSE(top.where.host.empty());
  EXPECT_GT(top.where.process, 0u);
  EXPECT_FALSE(top.reference.empty());
  const auto& leaf = root_cause(top);
  EXPECT_TRUE(is_well_formed(leaf)) << describe(top);
  EXPECT_EQ(leaf.user_message, "Please check your card.");
  EXPECT_EQ(leaf.help_link, "https://example.org/cards");
  EXPECT_EQ(leaf.misc.at("customer"), "12");
  EXPECT_FALSE(leaf.is_bug); // thrown as a failure: a known edge case
  EXPECT_EQ(leaf.where.path, "/app/mid/inner/leaf");
}

// FAILURE-3: each decision about one failure is a frame of it.
TEST_F(FailurePropagation, RecordsEachDecision) {
  auto a = script("a");
  supervise({.name = "app",
             .limits = {.restarts_max = infinity},
             .children = {a.spec({.backoff = each_second})}});
  a.now(throws("no disk"));
  settle();
  const auto why = child("/app/a").last_failure;
  ASSERT_NE(why, nullptr);
  ASSERT_FALSE(why->frames.empty());
  EXPECT_EQ(why->frames.front().path, "/app");
  EXPECT_THAT(why->frames.front().decision, HasSubstr("backoff 1s"));
  EXPECT_EQ(why->frames.front().attempt, 1u);
  EXPECT_THAT(seen(),
              Happens(BackingOff("/app/a").because(failure_classes::crash)));
}

// FAILURE-6: the requester of a crash gets the failure, at once, whole.
TEST_F(FailurePropagation, ReachesTheRequester) {
  auto a = script("a");
  supervise({.name = "app", .children = {a.spec()}});
  const failure wanted{.failure_class = "billing",
                       .message = "card 4711",
                       .user_message = "Please check your card.",
                       .misc = {{"customer", "12"}}};
  a.on_messages({throws(wanted)});
  const auto answer = ask<std::string>(a.life(), 1h, "pay"s);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().failure_class, "billing");
  EXPECT_EQ(answer.error().user_message, wanted.user_message);
  EXPECT_EQ(answer.error().reference, wanted.reference);
  EXPECT_EQ(answer.error().misc.at("customer"), "12");
  EXPECT_EQ(now(), 0s);
}

// FAILURE-6: so do those whose requests still waited in the mailbox.
TEST_F(FailurePropagation, ReachesThoseWhoWaitInTheMailbox) {
  auto a = script("a");
  supervise({.name = "app", .children = {a.spec()}});
  a.on_messages({throws("no disk")});
  const auto life = a.life();
  const auto first = request<std::string>(life, 1h, "1"s);
  const auto second = request<std::string>(life, 1h, "2"s);
  settle();
  EXPECT_TRUE(first->has_value());
  EXPECT_TRUE(second->has_value());
  EXPECT_THAT(outcome_of(second), Not(Succeeds()));
}

// Q03: a start that fails says which child, and in which phase.
TEST_F(FailurePropagation, NamesThePhaseOfAFailedStart_Q03) {
  const std::tuple<start_act, const char*, const char*> cases[] = {
    {start_function_throws("no disk"), failure_classes::crash, "no disk"},
    {crash_on_start("no disk"), failure_classes::crash, "no disk"},
    {finish_on_start(), failure_classes::start_failure, "before it was ready"},
    {returns_nothing(), failure_classes::start_failure, "without spawning"},
    {never_ready(), failure_classes::start_timeout, "not ready within 5s"}};
  for (const auto& [act, failure_class, text] : cases) {
    auto a = script("a");
    a.always(act);
    supervise({.name = "app", .children = {a.spec()}});
    run_for(5s);
    ASSERT_TRUE(has_ended()) << text;
    const auto why = end_reason();
    ASSERT_TRUE(why) << text;
    EXPECT_EQ(why->misc.at("child"), "/app/a");
    EXPECT_EQ(root_cause(*why).failure_class, failure_class) << describe(*why);
    EXPECT_THAT(root_cause(*why).message, HasSubstr(text));
    EXPECT_EQ(root_cause(*why).where.path, "/app/a");
  }
}

} // namespace
} // namespace coppice::test
