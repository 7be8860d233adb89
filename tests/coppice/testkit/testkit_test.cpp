// This file is part of coppice. License: see LICENSE in the source root.

// Canaries: the fixture and its matchers can fail, and say so readably.

#include "coppice/testkit/supervision_test.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <string>

namespace coppice::testkit {
namespace {

using namespace std::literals;
using testing::ElementsAre;
using testing::HasSubstr;

using TestKit = supervision_test;

// Catalogue 2.0: a child is started, fails, and comes back, at known times.
TEST_F(TestKit, StepsFromDueTimeToDueTime) {
  auto a = script("a");
  supervise({.name = "app",
             .children = {a.spec(
               {.backoff = {.first = 100ms, .jitter = jitter_kind::none}})}});
  EXPECT_TRUE(is_ready());
  a.now(throws());
  run_for(99ms);
  EXPECT_EQ(a.lives(), 1u);
  run_for(1ms);
  EXPECT_THAT(starts_of("/app/a"), ElementsAre(0ms, 100ms));
  EXPECT_EQ(now(), 100ms);
  EXPECT_THAT(seen(), HappensInOrder(Started("/app/a", 1), Ready("/app/a", 1),
                                     Failed("/app/a", 1),
                                     BackingOff("/app/a").span(100ms),
                                     Ready("/app/a", 2).at(100ms)));
}

// Catalogue 2.0: requests, and their timeouts, are in virtual time.
TEST_F(TestKit, AsksInVirtualTime) {
  auto a = script("a");
  supervise({.name = "app", .children = {a.spec()}});
  const auto answer = ask<std::string>(a.life(), 1s, "hello"s);
  ASSERT_TRUE(answer) << describe(answer.error());
  EXPECT_EQ(*answer, "a#1: hello");
  a.on_messages({hangs()});
  const auto nothing = ask<std::string>(a.life(), 1s, "again"s);
  ASSERT_FALSE(nothing);
  EXPECT_THAT(describe(nothing.error()), HasSubstr("request_timeout"));
  EXPECT_EQ(now(), 1s);
}

/// A journal with two events.
journal small_journal() {
  journal result;
  const auto write = result.observer();
  supervision_event event;
  event.path = "/app/a";
  event.incarnation = 1;
  write(event);
  event.kind = event_kind::ready;
  event.at += 10ms;
  write(event);
  return result;
}

template <class Matcher>
std::string explanation(const Matcher& matcher, const journal& x) {
  testing::StringMatchResultListener listener;
  EXPECT_FALSE(testing::ExplainMatchResult(matcher, x, &listener));
  return listener.str();
}

// Canary: the matchers object, and name what is missing and what is there.
TEST(TestKitCanary, MatchersCanFail) {
  const auto x = small_journal();
  EXPECT_THAT(x, HappensInOrder(Started("/app/a"), Ready("/app/a", 1)));
  EXPECT_THAT(x,
              testing::Not(HappensInOrder(Ready("/app/a"), Started("/app/a"))));
  EXPECT_THAT(x, HappensTimes(1, Ready("/app/a").at(10ms)));
  EXPECT_THAT(x, testing::Not(Happens(Ready("/app/a").at(11ms))));
  EXPECT_THAT(x, testing::Not(Happens(Ready("/app/a", 2))));
  EXPECT_THAT(x, testing::Not(Happens(Ready("/app/b"))));
  EXPECT_THAT(x, testing::Not(Happens(Ready("/app/a").because("crash"))));
  EXPECT_THAT(explanation(HappensInOrder(Ready("/app/a"), Started("/app/a")),
                          x),
              testing::AllOf(HasSubstr("has no\n    /app/a started"),
                             HasSubstr("after\n    10ms /app/a#1 ready"),
                             HasSubstr("before it:\n    0s /app/a#1")));
  EXPECT_THAT(explanation(NeverHappens(Ready("/app/a")), x),
              HasSubstr("10ms /app/a#1 ready"));
  EXPECT_THAT(testing::PrintToString(x), HasSubstr("10ms /app/a#1 ready"));
}

caf::behavior talks_to_itself(caf::event_based_actor* self) {
  compat::post(caf::actor{self}, "again"s);
  return {
    [=](const std::string& text) { compat::post(caf::actor{self}, text); }};
}

caf::behavior wakes_at_once(caf::event_based_actor* self) {
  compat::tell_after(self, 0ms, caf::actor{self}, "again"s);
  return {[=](const std::string& text) {
    compat::tell_after(self, 0ms, caf::actor{self}, text);
  }};
}

void kill(virtual_system& host, const caf::actor& x) {
  compat::post_urgent(caf::actor_cast<caf::strong_actor_ptr>(x),
                      caf::exit_msg{{},
                                    caf::make_error(caf::exit_reason::kill)});
  host.settle();
}

// Canary: what never comes to rest fails the test instead of hanging it.
TEST(TestKitCanary, MessagesWithoutEndFailTheTest) {
  virtual_system host{nullptr, {.messages_max = 1'000}};
  const auto actor = host.system().spawn(talks_to_itself);
  EXPECT_NONFATAL_FAILURE(host.settle(), "do not come to rest");
  EXPECT_TRUE(host.has_run_away());
  kill(host, actor);
  EXPECT_EQ(host.running_actors(), 0u);
}

TEST(TestKitCanary, TimersWithoutDelayFailTheTest) {
  virtual_system host{nullptr, {.steps_at_once_max = 1'000}};
  const auto actor = host.system().spawn(wakes_at_once);
  EXPECT_NONFATAL_FAILURE(host.run_for(1ms), "do not come to rest");
  kill(host, actor);
  EXPECT_EQ(host.running_actors(), 0u);
}

// Canary, H19: an actor that is left running fails the test.
TEST_F(TestKit, NoticesActorsThatAreLeft) {
  auto a = script("a");
  supervise({.name = "app", .children = {a.spec()}});
  const auto left = system().spawn(
    [](caf::event_based_actor*) { return caf::behavior{[](int) {}}; });
  EXPECT_NONFATAL_FAILURE(stop_everything(), "1 actors were left running");
  kill(host(), left);
}

// Canary: a spec that is not valid, and a child that is not there.
TEST_F(TestKit, NoticesWhatIsNotThere) {
  EXPECT_NONFATAL_FAILURE(
    {
      const auto bad = launch({.name = ""});
      EXPECT_TRUE(bad) << describe(bad.error());
    },
    "invalid_spec");
  supervise({.name = "app"});
  EXPECT_NONFATAL_FAILURE(static_cast<void>(child("/app/a")), "no child");
  EXPECT_NONFATAL_FAILURE(static_cast<void>(supervisor("/app/a")),
                          "no supervisor");
}

// Catalogue 2.0: a life that hangs in virtual time handles nothing, exits
// included, until it is released.
TEST_F(TestKit, SimulatesHandlersThatDoNotReturn) {
  auto a = script("a");
  supervise({.name = "app",
             .children = {a.spec({.restart = temporary,
                                  .heartbeat = {.stall_timeout = infinity}})}});
  a.now(hangs());
  settle();
  const auto life = a.life();
  const auto waiting = request<std::string>(life, 1min, "x"s);
  compat::post_urgent(caf::actor_cast<caf::strong_actor_ptr>(life),
                      caf::exit_msg{{},
                                    caf::make_error(caf::exit_reason::kill)});
  run_for(10s);
  EXPECT_EQ(a.hanging(), 1u);
  EXPECT_FALSE(waiting->has_value());
  EXPECT_EQ(state_of("/app/a"), policy::child_state::running);
  a.release();
  settle();
  EXPECT_THAT(seen(), Happens(Forgotten("/app/a")));
  EXPECT_TRUE(waiting->has_value());
}

} // namespace
} // namespace coppice::testkit
