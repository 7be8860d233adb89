// This file is part of coppice. License: see LICENSE in the source root.

// What supervisors must survive: group K of the catalogue.

#include "coppice/life.hpp"

#include "support/tree_test.hpp"

namespace coppice::test {
namespace {

class Robustness : public supervision_test {
public:
  void start() {
    supervise({.name = "app",
               .limits = {.restarts_max = 0},
               .children = {a.spec(), b.spec()}});
  }

  void expect_untouched() {
    settle();
    EXPECT_FALSE(has_ended());
    EXPECT_EQ(a.lives(), 1u);
    EXPECT_EQ(b.lives(), 1u);
    EXPECT_EQ(counts("/app"), (child_counts{2, 2, 0, 2}));
  }

  child_script a = script("a");
  child_script b = script("b");
};

// K01: a supervisor ignores messages that it does not know.
TEST_F(Robustness, IgnoresUnknownMessages_K01) {
  start();
  send(root().handle(), "hello");
  compat::post(root().handle(), 42, "x"s);
  expect_untouched();
}

// K02: an unknown request is answered with an error.
TEST_F(Robustness, AnswersUnknownRequests_K02) {
  start();
  EXPECT_THAT(ask<std::string>(root().handle(), 1min, "hello"s),
              Not(Succeeds()));
  EXPECT_EQ(now(), 0s);
  expect_untouched();
}

// "Choices". K03: exit and down messages about strangers change nothing.
TEST_F(Robustness, IgnoresExitsAndDownsOfStrangers_K03) {
  start();
  const auto stranger = system().spawn(
    [](caf::event_based_actor*) { return caf::behavior{[](int) {}}; });
  const auto why = caf::make_error(caf::exit_reason::user_shutdown);
  compat::post(root().handle(), caf::exit_msg{stranger.address(), why});
  compat::post(root().handle(), caf::exit_msg{a.life().address(), why});
  compat::post(root().handle(), caf::down_msg{stranger.address(), why});
  compat::post(root().handle(), caf::down_msg{a.life().address(), why});
  expect_untouched();
  EXPECT_THAT(seen(),
              HappensTimes(2, Event(event_kind::message_ignored, "/app")));
  kill(stranger);
}

// K04: news of a life that is history is ignored.
TEST_F(Robustness, IgnoresNewsOfPastLives_K04) {
  supervise({.name = "app",
             .limits = {.restarts_max = 1},
             .children = {a.spec({.backoff = at_once}), b.spec()}});
  const auto past = child("/app/a").info.life;
  a.now(throws());
  settle();
  ASSERT_EQ(a.lives(), 2u);
  const auto why = caf::make_error(caf::sec::runtime_error);
  compat::post(root().handle(), life_end{past, why});
  compat::post(root().handle(), life_news{past, life_news_kind::ready});
  compat::post(root().handle(), life_news{past, life_news_kind::start_failed});
  compat::post(root().handle(), life_news{past, life_news_kind::declined});
  compat::post(root().handle(), life_end{{77, 1}, why}); // never was one
  settle();
  EXPECT_FALSE(has_ended());
  EXPECT_EQ(a.lives(), 2u);
  EXPECT_EQ(state_of("/app/a"), child_state::running);
}

// OBSERVE-1. K07: an observer that throws changes nothing.
TEST_F(Robustness, SurvivesAnObserverThatThrows_K07) {
  supervise_options options;
  // Outlives the body of the test: the tree stops, and tells, after it.
  auto calls = std::make_shared<int>(0);
  options.on_event = [calls](const supervision_event&) {
    ++*calls;
    throw std::runtime_error{"observer"};
  };
  supervise({.name = "app", .children = {a.spec({.backoff = at_once})}},
            options);
  a.now(throws());
  settle();
  EXPECT_EQ(a.lives(), 2u);
  EXPECT_GE(*calls, 4);
  EXPECT_EQ(tree().context()->events().observer_failures(),
            static_cast<std::uint64_t>(*calls));
}

// RESTART-3. K07: so is a start function that throws something odd.
TEST_F(Robustness, SurvivesExceptionsOfAnyType_K07) {
  auto odd = a.spec({.restart = transient, .backoff = each_second});
  odd.start = [start = odd.start, calls = 0](start_context& context) mutable {
    if (++calls == 2)
      throw 42;
    start(context);
  };
  supervise(
    {.name = "app", .limits = {.restarts_max = infinity}, .children = {odd}});
  a.now(throws());
  run_for(1s);
  EXPECT_THAT(seen(),
              Happens(Failed("/app/a", 2).cause(end_cause::start_failure)));
  run_for(10s);
  EXPECT_EQ(state_of("/app/a"), child_state::running);
}

// K08: in any state the listing and the counts agree.
TEST_F(Robustness, ListsWhatItCounts_K08) {
  auto c = script("c");
  auto d = script("d");
  auto e = script("e");
  c.starts({slow_start(1min)});
  d.on_stop(dies_slowly(1min));
  supervise({.name = "app",
             .limits = {.restarts_max = infinity},
             .children = {a.spec(),
                          b.spec({.backoff = {.first = 1h, .cap = 1h}}),
                          d.spec({.shutdown = infinity}),
                          {.id = "inner", .supervisor = supervisor_spec{}},
                          e.spec({.restart = transient})}});
  b.now(throws());
  e.now(finish());
  submit(root(), command::start_child{c.spec({.start_deadline = infinity})});
  submit(root(), command::terminate_child{"d"s});
  settle();
  const auto listing = children("/app");
  ASSERT_THAT(listing, Succeeds());
  ASSERT_EQ(listing->children.size(), 6u);
  const std::pair<const char*, child_state> expected[]
    = {{"a", child_state::running},  {"b", child_state::backoff},
       {"d", child_state::stopping}, {"inner", child_state::running},
       {"e", child_state::stopped},  {"c", child_state::starting}};
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(listing->children[i].info.id, expected[i].first);
    EXPECT_EQ(listing->children[i].info.state, expected[i].second)
      << expected[i].first;
  }
  const auto lines = listing->children;
  const auto count = [&lines](auto which) {
    return static_cast<std::uint64_t>(
      std::count_if(lines.begin(), lines.end(), which));
  };
  const auto total = counts("/app");
  EXPECT_EQ(total.specs, lines.size());
  EXPECT_EQ(total.supervisors, count([](const child_line& x) {
              return x.info.kind == child_kind::supervisor;
            }));
  EXPECT_EQ(total.workers, total.specs - total.supervisors);
  EXPECT_EQ(total.running, count([](const child_line& x) {
              return x.info.state == child_state::running;
            }));
}

} // namespace
} // namespace coppice::test
