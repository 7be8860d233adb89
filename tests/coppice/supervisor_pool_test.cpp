// This file is part of coppice. License: see LICENSE in the source root.

// Pools: group J of the catalogue.

#include "support/tree_test.hpp"

namespace coppice::test {
namespace {

class SupervisorPool : public supervision_test {
public:
  SupervisorPool() { w.always(testkit::starts()); }

  void start(child_spec rest, restart_limits limits = {},
             count_limit children_max = infinity) {
    supervise({.name = "app",
               .strategy = simple_one_for_one,
               .limits = limits,
               .children_max = children_max,
               .children = {w.spec(std::move(rest))}});
  }

  caf::actor instance(caf::message arguments = {}) {
    const auto reply = start_instance("/app", std::move(arguments));
    EXPECT_THAT(reply, Succeeds());
    return reply ? reply->actor : caf::actor{};
  }

  outcome<command_reply> terminate(const caf::actor& x) {
    return command_to(root(), command::terminate_child{x});
  }

  child_script w = script("w");
};

// RESTART-1, BUDGET-1. J01
TEST_F(SupervisorPool, RestartsTheInstanceThatFailed_J01) {
  start({.backoff = at_once}, {.restarts_max = 2});
  instance();
  instance();
  for (auto expected = 3u; expected <= 4u; ++expected) {
    w.now(throws());
    settle();
    EXPECT_EQ(w.lives(), expected);
    EXPECT_EQ(counts("/app"), (child_counts{1, 2, 0, 2}));
  }
  w.now(throws());
  settle();
  EXPECT_TRUE(has_ended());
  EXPECT_EQ(end_reason()->failure_class, failure_classes::gave_up);
}

// J02: an instance is restarted with its own arguments.
TEST_F(SupervisorPool, KeepsTheArgumentsOfAnInstance_J02) {
  std::vector<std::string> seen_arguments;
  auto spec = w.spec({.backoff = at_once});
  spec.start = [inner = spec.start, &seen_arguments](start_context& context) {
    seen_arguments.push_back(context.arguments().get_as<std::string>(0));
    inner(context);
  };
  supervise(
    {.name = "app", .strategy = simple_one_for_one, .children = {spec}});
  instance(caf::make_message("x"s));
  w.now(throws());
  settle();
  instance(caf::make_message("y"s));
  EXPECT_THAT(seen_arguments, ElementsAre("x", "x", "y"));
}

// J03: two thousand instances are counted, listed, and gone again.
TEST_F(SupervisorPool, HoldsThousands_J03) {
  start({.restart = temporary});
  std::vector<caf::actor> all;
  for (int i = 0; i < 2'000; ++i)
    all.push_back(instance());
  EXPECT_EQ(counts("/app"), (child_counts{1, 2'000, 0, 2'000}));
  const auto listing = children("/app");
  ASSERT_THAT(listing, Succeeds());
  EXPECT_EQ(listing->children.size(), 2'000u);
  for (const auto& x : all)
    kill(x);
  all.clear();
  settle();
  EXPECT_EQ(counts("/app"), (child_counts{1, 0, 0, 0}));
  EXPECT_EQ(tree().context()->dog().stats().lives, 0u);
}

// J04: no more than `children_max`.
TEST_F(SupervisorPool, RefusesOneTooMany_J04) {
  start({.restart = temporary}, {}, 2);
  const auto first = instance();
  instance();
  EXPECT_THAT(start_instance("/app"), FailsWith(errc::children_max_reached));
  EXPECT_THAT(terminate(first), Succeeds());
  EXPECT_THAT(start_instance("/app"), Succeeds());
}

TEST_F(SupervisorPool, RefusesAllOfThemIfItsMaximumIsZero_J04) {
  start({}, {}, 0);
  EXPECT_THAT(start_instance("/app"), FailsWith(errc::children_max_reached));
}

// J05: those that are being retried count.
TEST_F(SupervisorPool, CountsRetryingInstances_J05) {
  start({.backoff = each_second}, {}, 1);
  instance();
  w.now(throws());
  settle();
  EXPECT_THAT(start_instance("/app"), FailsWith(errc::children_max_reached));
  EXPECT_EQ(counts("/app"), (child_counts{1, 0, 0, 1}));
}

// J07: the limit is reached while several retry: it ends, nothing starts.
TEST_F(SupervisorPool, StartsNothingAfterGivingUp_J07) {
  start({.backoff = each_second}, {.restarts_max = 2});
  for (int i = 0; i < 3; ++i)
    instance();
  for (int i = 0; i < 3; ++i) {
    const auto listing = children("/app");
    ASSERT_THAT(listing, Succeeds());
    for (const auto& line : listing->children)
      if (line.actor) {
        kill(line.actor);
        break;
      }
    settle();
  }
  EXPECT_TRUE(has_ended());
  const auto lives = w.lives();
  run_for(1min);
  EXPECT_EQ(w.lives(), lives);
}

// RESTART-1. J10: instances that come and go leave nothing behind.
TEST_F(SupervisorPool, ForgetsInstancesThatFinished_J10) {
  start({.restart = temporary}, {.restarts_max = 0});
  for (int i = 0; i < 2'000; ++i) {
    instance();
    w.now(finish());
    settle();
  }
  EXPECT_FALSE(has_ended());
  EXPECT_EQ(counts("/app"), (child_counts{1, 0, 0, 0}));
  EXPECT_EQ(tree().context()->dog().stats().lives, 0u);
}

// "Choices": the number of an instance is its name.
TEST_F(SupervisorPool, NamesInstancesByNumber) {
  start({});
  instance();
  instance();
  EXPECT_THAT(seen(), HappensInOrder(Ready("/app/1", 1), Ready("/app/2", 1)));
}

} // namespace
} // namespace coppice::test
