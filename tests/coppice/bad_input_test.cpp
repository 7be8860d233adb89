// This file is part of coppice. License: see LICENSE in the source root.

// Bad input: each is refused with an error that names field, value and rule,
// and nothing is half started. TOPOLOGY-1.

#include "support/tree_test.hpp"

#include <functional>
#include <limits>

namespace coppice::test {
namespace {

class BadInput : public supervision_test {
public:
  /// The one defect of a tree that is sound but for what `spoil` does.
  void expect_refused(const std::function<void(supervisor_spec&)>& spoil,
                      const std::string& field, const std::string& value) {
    supervisor_spec spec{.name = "app", .children = {a.spec(), b.spec()}};
    spoil(spec);
    const auto result = launch(std::move(spec));
    ASSERT_THAT(result, FailsWith(errc::invalid_spec)) << field;
    EXPECT_THAT(result.error().message, HasSubstr(field));
    EXPECT_THAT(result.error().message, HasSubstr(value));
    EXPECT_EQ(a.lives() + b.lives(), 0u);
    EXPECT_EQ(host().running_actors(), 0u);
  }

  /// The same for a child that is added to a running supervisor.
  void expect_child_refused(const std::function<void(child_spec&)>& spoil,
                            const std::string& field,
                            const std::string& value) {
    auto spec = c.spec();
    spoil(spec);
    const auto result = start_child("/app", std::move(spec));
    ASSERT_THAT(result, FailsWith(errc::invalid_spec)) << field;
    EXPECT_THAT(result.error().message, HasSubstr(field));
    EXPECT_THAT(result.error().message, HasSubstr(value));
    EXPECT_EQ(c.lives(), 0u);
    EXPECT_EQ(counts("/app"), (child_counts{2, 2, 0, 2}));
  }

  child_script a = script("a");
  child_script b = script("b");
  child_script c = script("c");
};

constexpr auto too_long = std::chrono::hours{std::numeric_limits<int>::max()};

// B01 to B05: impossible specs.
TEST_F(BadInput, IsRefusedForAWholeTree_B01_B02_B04) {
  expect_refused([](auto& x) { x.name = ""; }, "name", "");
  expect_refused([](auto& x) { x.name = "a/b"; }, "name", "a/b");
  expect_refused([](auto& x) { x.children[1].id = "a"; }, "id", "a");
  expect_refused([](auto& x) { x.children[1].id = ""; }, "children[1]", "id");
  expect_refused([](auto& x) { x.children[1].start = nullptr; },
                 "app.children[1](b)", "start");
  expect_refused([](auto& x) { x.limits.window = 0s; }, "app.limits.window",
                 "0");
  expect_refused([](auto& x) { x.limits.window = -1s; }, "app.limits.window",
                 "-1s");
  expect_refused([](auto& x) { x.limits.window = too_long; },
                 "app.limits.window", "");
  expect_refused([](auto& x) { x.limits.restarts_max = -1; },
                 "app.limits.restarts_max", "");
  expect_refused([](auto& x) { x.children[0].shutdown = -1s; },
                 "app.children[0](a).shutdown", "-1s");
  expect_refused([](auto& x) { x.children[0].start_deadline = 0s; },
                 "app.children[0](a).start_deadline", "0");
  expect_refused([](auto& x) { x.children[0].kill_grace = infinity; },
                 "app.children[0](a).kill_grace", "infinity");
  expect_refused([](auto& x) { x.children[0].backoff.first = -1ms; },
                 "app.children[0](a).backoff.first", "-1ms");
  expect_refused([](auto& x) { x.children[0].backoff.cap = too_long; },
                 "app.children[0](a).backoff.cap", "");
  expect_refused([](auto& x) { x.children[0].heartbeat.stall_timeout = 0s; },
                 "app.children[0](a).heartbeat.stall_timeout", "0");
  expect_refused([](auto& x) { x.children[0].significant = true; },
                 "app.children[0](a).significant", "");
  expect_refused([](auto& x) { x.strategy = simple_one_for_one; },
                 "app.children", "2");
  expect_refused([](
                   auto& x) { x.strategy = static_cast<restart_strategy>(99); },
                 "app.strategy", "99");
}

// B01: inside an inner supervisor the path says where.
TEST_F(BadInput, IsRefusedDeepInside_B01) {
  expect_refused(
    [this](auto& x) {
      x.children.push_back(
        {.id = "inner",
         .supervisor = supervisor_spec{.limits = {.window = 0s},
                                       .children = {c.spec()}}});
    },
    "app.children[2](inner).supervisor.limits.window", "0");
}

// B01, B06: a child that is added; the supervisor survives.
TEST_F(BadInput, IsRefusedForAChild_B01_B06) {
  supervise({.name = "app", .children = {a.spec(), b.spec()}});
  expect_child_refused([](auto& x) { x.id = ""; }, "id", "");
  expect_child_refused([](auto& x) { x.start = nullptr; }, "start", "");
  expect_child_refused([](auto& x) { x.shutdown = -1s; }, "shutdown", "-1s");
  expect_child_refused([](auto& x) { x.limits.window = 0s; }, "limits.window",
                       "0");
  expect_child_refused([](auto& x) { x.backoff.factor = 0.5; },
                       "backoff.factor", "0.5");
  expect_child_refused([](auto& x) { x.significant = true; }, "significant",
                       "");
  expect_child_refused(
    [](auto& x) { x.restart = static_cast<restart_type>(99); }, "restart",
    "99");
  EXPECT_THAT(start_child("/app", c.spec()), Succeeds());
}

// Options are checked as specs are.
TEST_F(BadInput, IsRefusedInOptions) {
  supervise_options options;
  options.scan_interval = 0ms;
  options.start_within = -1s;
  options.stop_within = too_long;
  const auto result = launch({.name = "app", .children = {a.spec()}}, options);
  ASSERT_THAT(result, FailsWith(errc::invalid_spec));
  for (const auto* field :
       {"options.scan_interval", "options.start_within", "options.stop_within"})
    EXPECT_THAT(result.error().message, HasSubstr(field));
  EXPECT_EQ(a.lives(), 0u);
}

// B08: a timeout below the scan interval cannot be kept.
TEST_F(BadInput, IsATimeoutBelowTheScanInterval_B08) {
  supervise_options options;
  options.scan_interval = 1s;
  const auto result
    = launch({.name = "app",
              .children = {a.spec({.heartbeat = {.stall_timeout = 500ms}})}},
             options);
  ASSERT_THAT(result, FailsWith(errc::invalid_spec));
  EXPECT_THAT(result.error().message,
              testing::AllOf(HasSubstr("stall_timeout"), HasSubstr("500ms"),
                             HasSubstr("1s")));
  EXPECT_EQ(a.lives(), 0u);
}

// START-2: factories that throw or return nothing: typed, and rolled back.
TEST_F(BadInput, IsAFactoryThatThrowsOrReturnsNothing) {
  for (const auto& act : {start_function_throws(), returns_nothing()}) {
    auto bad = script("bad");
    bad.always(act);
    supervise({.name = "app", .children = {a.spec(), bad.spec(), b.spec()}});
    ASSERT_TRUE(has_ended());
    EXPECT_EQ(end_reason()->code, failure_code{errc::start_failed});
    EXPECT_EQ(end_reason()->misc.at("child"), "/app/bad");
    EXPECT_EQ(b.lives(), 0u);
    EXPECT_EQ(host().running_actors(), 0u);
  }
}

// A factory that spawns, and then throws: the actor does not stay.
TEST_F(BadInput, IsAFactoryThatThrowsAfterSpawning) {
  auto spec = a.spec();
  spec.start = [start = spec.start](start_context& context) {
    start(context);
    throw std::runtime_error{"too late"};
  };
  supervise({.name = "app"});
  const auto result = start_child("/app", spec);
  run_for(10s);
  ASSERT_THAT(result, FailsWith(errc::start_failed));
  EXPECT_THAT(describe(result.error()), HasSubstr("too late"));
  EXPECT_EQ(counts("/app").specs, 0u);
  EXPECT_EQ(host().running_actors(), 1u);
}

// Commands on unknown children name child and supervisor.
TEST_F(BadInput, IsACommandOnAnUnknownChild) {
  supervise({.name = "app", .children = {a.spec()}});
  for (const auto& result :
       {terminate_child("/app/x"), restart_child("/app/x"),
        delete_child("/app/x"), retry_now("/app/x"),
        command_to(root(), command::find_child{"x"s}),
        command_to(root(), command::refer_to_child{"x"})}) {
    ASSERT_THAT(result, FailsWith(errc::unknown_child));
    EXPECT_THAT(result.error().message,
                testing::AllOf(HasSubstr("/app"), HasSubstr("'x'")));
  }
  for (const auto* path : {"", "x", "/", "//", "/app", "/x/a"})
    EXPECT_THAT(tree().child(path, 1s), FailsWith(errc::unknown_child)) << path;
}

// A command on a child that is not in the state for it.
TEST_F(BadInput, IsACommandInTheWrongState) {
  supervise({.name = "app", .children = {a.spec()}});
  EXPECT_THAT(retry_now("/app/a"), Not(Succeeds()));
  EXPECT_THAT(start_instance("/app"), Not(Succeeds()));
  EXPECT_EQ(state_of("/app/a"), child_state::running);
  EXPECT_EQ(a.lives(), 1u);
}

} // namespace
} // namespace coppice::test
