// This file is part of coppice. License: see LICENSE in the source root.

// How the fields of a spec, and the specs of a tree, go together. What a
// single field may hold is tested in spec_validation_test.cpp.

#include "coppice/policy/spec.hpp"

#include "support/seed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace coppice::policy {
namespace {

using namespace std::literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

void start_nothing(start_context&) {}

child_spec worker(std::string id) {
  return {.id = std::move(id), .start = start_nothing};
}

/// Matches a defect by its field and a piece of what is expected.
auto defect(const std::string& field, const std::string& expected) {
  return AllOf(Field("field", &spec_defect::field, field),
               Field("expected", &spec_defect::expected, HasSubstr(expected)));
}

spec_defects check(const supervisor_spec& spec) {
  return validate(spec, "app");
}

// START-1: give a start function or a supervisor; not nothing, not both.
TEST(SpecTree, RefusesAChildThatIsNothingOrTwoThings_B01) {
  const supervisor_spec app{.children = {{.id = "none"},
                                         {.id = "both",
                                          .start = start_nothing,
                                          .supervisor = supervisor_spec{}}}};
  EXPECT_THAT(
    check(app),
    ElementsAre(spec_defect{"app.children[0](none).start", "nothing",
                            "a start function, or else an inner `supervisor`"},
                spec_defect{"app.children[1](both).supervisor",
                            "a supervisor beside a start function",
                            "one of `start` and `supervisor`"}));
}

// RESTART-1, RESTART-2, STOP-1: all good combinations are accepted.
TEST(SpecTree, AcceptsAllGoodCombinations_B03) {
  for (const auto strategy :
       {one_for_one, one_for_all, rest_for_one, simple_one_for_one})
    for (const auto restart : {permanent, transient, temporary})
      for (const auto& shutdown : {stop_grace{brutal_kill}, stop_grace{0s},
                                   stop_grace{1000ms}, stop_grace{infinity}})
        for (const auto kind : {child_kind::worker, child_kind::supervisor}) {
          auto child = worker("child");
          child.restart = restart;
          child.shutdown = shutdown;
          if (kind == child_kind::supervisor) {
            child.start = nullptr;
            child.supervisor = supervisor_spec{.children = {worker("x")}};
          }
          EXPECT_EQ(
            to_string(check({.strategy = strategy, .children = {child}})), "");
        }
}

// TOPOLOGY-1: ids are unique per supervisor; both positions are named.
TEST(SpecTree, RefusesDuplicateIds_B04) {
  const supervisor_spec app{
    .children = {worker("a"), worker("b"), worker("a"), worker("a")}};
  EXPECT_THAT(
    check(app),
    ElementsAre(spec_defect{"app.children[2](a).id", "\"a\"",
                            "an id of its own; children[0] has this one "
                            "already"},
                defect("app.children[3](a).id", "children[0]")));
}

// TOPOLOGY-1: the same id under two supervisors is no duplicate.
TEST(SpecTree, AcceptsTheSameIdUnderTwoSupervisors_B04) {
  const auto inner = [](std::string id) {
    return child_spec{.id = std::move(id),
                      .supervisor = supervisor_spec{
                        .children = {worker("a"), worker("b")}}};
  };
  EXPECT_THAT(check({.children = {worker("c"), inner("a"), inner("b")}}),
              IsEmpty());
}

// TOPOLOGY-1: a missing id is missing, twice, not a duplicate.
TEST(SpecTree, DoesNotCallMissingIdsDuplicates_B04) {
  EXPECT_THAT(check({.children = {worker(""), worker("")}}),
              ElementsAre(defect("app.children[0].id", "1 to 255 bytes"),
                          defect("app.children[1].id", "1 to 255 bytes")));
}

// TOPOLOGY-1: a pool has one template.
TEST(SpecTree, RefusesAPoolWithoutOneTemplate_B05) {
  EXPECT_THAT(check({.strategy = simple_one_for_one}),
              ElementsAre(spec_defect{
                "app.children", "0 specs",
                "exactly one in a pool: the template of its instances"}));
  EXPECT_THAT(check({.strategy = simple_one_for_one,
                     .children = {worker("a"), worker("b")}}),
              ElementsAre(Field(&spec_defect::value, "2 specs")));
}

// TOPOLOGY-1: the children that are there from the start must have room; the
// template of a pool is not a child.
TEST(SpecTree, RefusesMoreChildrenThanItAllows_J04) {
  const auto app = [](restart_strategy strategy, count_limit most,
                      std::vector<child_spec> children) {
    return supervisor_spec{.strategy = strategy,
                           .children_max = most,
                           .children = std::move(children)};
  };
  EXPECT_THAT(check(app(one_for_one, 0, {worker("a")})),
              ElementsAre(
                spec_defect{"app.children_max", "0",
                            "at least 1, as `children` has so many"}));
  EXPECT_THAT(check(app(one_for_all, 1, {worker("a"), worker("b")})),
              ElementsAre(defect("app.children_max", "at least 2")));
  EXPECT_THAT(check(app(one_for_one, 2, {worker("a"), worker("b")})),
              IsEmpty());
  EXPECT_THAT(check(app(one_for_one, 0, {})), IsEmpty());
  EXPECT_THAT(check(app(simple_one_for_one, 0, {worker("a")})), IsEmpty());
}

struct significance {
  restart_strategy strategy;
  auto_shutdown_mode mode;
  restart_type restart;
  bool significant;
  std::vector<std::string> expected; // pieces of the defects
};

// STOP-5: refused where OTP refuses it, at start and at runtime alike.
TEST(SpecTree, RefusesWhatOtpRefusesOfSignificance_B06) {
  using enum auto_shutdown_mode;
  const auto permanent_child = "false for a permanent child"s;
  const auto never_shuts_down = "false where `auto_shutdown` is never"s;
  const auto in_a_pool = "false in a pool"s;
  const significance cases[] = {
    {one_for_one, never, transient, false, {}},
    {one_for_one, any_significant, permanent, false, {}},
    {one_for_one, any_significant, transient, true, {}},
    {one_for_all, all_significant, temporary, true, {}},
    {one_for_one, any_significant, permanent, true, {permanent_child}},
    {one_for_one, never, temporary, true, {never_shuts_down}},
    {rest_for_one, never, permanent, true, {permanent_child, never_shuts_down}},
    {simple_one_for_one, never, transient, true, {in_a_pool}},
    {simple_one_for_one, never, permanent, true, {permanent_child, in_a_pool}},
  };
  for (const auto& x : cases) {
    auto child = worker("a");
    child.restart = x.restart;
    child.significant = x.significant;
    supervisor_spec app{.strategy = x.strategy, .auto_shutdown = x.mode};
    const auto at_runtime = validate(child, app, "app.children[0](a)");
    app.children.push_back(child);
    EXPECT_EQ(check(app), at_runtime);
    ASSERT_EQ(at_runtime.size(), x.expected.size()) << to_string(at_runtime);
    for (std::size_t i = 0; i < x.expected.size(); ++i)
      EXPECT_THAT(at_runtime[i],
                  defect("app.children[0](a).significant", x.expected[i]));
  }
}

// STOP-5: a pool has no significant children, so it cannot wait for any.
TEST(SpecTree, RefusesAutoShutdownOfAPool_B06) {
  for (const auto mode : {auto_shutdown_mode::any_significant,
                          auto_shutdown_mode::all_significant})
    EXPECT_THAT(check({.strategy = simple_one_for_one,
                       .auto_shutdown = mode,
                       .children = {worker("a")}}),
                ElementsAre(spec_defect{"app.auto_shutdown", to_string(mode),
                                        "never in a pool"}));
}

// BUDGET-5: parking at a delay of zero would be a hot loop, whoever parks.
TEST(SpecTree, RefusesParkingWithoutADelay_B08) {
  auto child = worker("a");
  child.backoff.first = 0s;
  child.backoff.cap = 0s;
  EXPECT_THAT(check({.children = {child}}), IsEmpty());
  const auto hot_loop = ElementsAre(
    spec_defect{"app.children[0](a).backoff.cap", "0s",
                "a length above zero: `park` retries at this distance for "
                "ever"});
  EXPECT_THAT(check(
                {.on_exhausted = exhaustion_action::park, .children = {child}}),
              hot_loop);
  child.on_exhausted = exhaustion_action::park;
  EXPECT_THAT(check({.children = {child}}), hot_loop);
  EXPECT_THAT(validate(child, {}, "app.children[0](a)"), hot_loop);
  child.backoff.cap = 1ms;
  EXPECT_THAT(check({.children = {child}}), IsEmpty());
}

// HEARTBEAT-4: a deadline not above the assumed interval refuses every beat.
TEST(SpecTree, RefusesATimeoutWithinTheAssumedInterval_B08) {
  auto child = worker("a");
  auto& heartbeat = child.heartbeat;
  heartbeat.stall_timeout = 1s; // as long as the first estimate
  EXPECT_THAT(check({.children = {child}}), IsEmpty())
    << "a fixed timeout assumes no interval";
  heartbeat.detector = detector_kind::phi_accrual;
  EXPECT_THAT(check({.children = {child}}),
              ElementsAre(
                spec_defect{"app.children[0](a).heartbeat.phi.first_estimate",
                            "1s", "less than `stall_timeout`, which is 1s"}));
  heartbeat.stall_timeout = 1s + 1ns;
  EXPECT_THAT(check({.children = {child}}), IsEmpty());
  heartbeat.stall_timeout = infinity;
  EXPECT_THAT(check({.children = {child}}), IsEmpty());
}

// RESTART-3: rules name classes, each one once.
TEST(SpecTree, RefusesUselessFailureRules_B01) {
  auto child = worker("a");
  child.on_failure = {{"io", failure_action::restart},
                      {"", failure_action::stop},
                      {"io", failure_action::escalate},
                      {"", failure_action::stop}};
  const auto field = [](int number) {
    return "app.children[0](a).on_failure[" + std::to_string(number)
           + "].failure_class";
  };
  EXPECT_THAT(check({.children = {child}}),
              ElementsAre(spec_defect{field(1), "\"\"",
                                      "the class of a failure"},
                          spec_defect{field(2), "\"io\"",
                                      "one rule per class; on_failure[0] has "
                                      "this one already"},
                          defect(field(3), "the class of a failure")));
}

/// A supervisor with `depth - 1` others below it, and a bad worker last.
supervisor_spec chain(int depth) {
  auto bad = worker("leaf");
  bad.kill_grace = infinity;
  supervisor_spec spec{.children = {bad}};
  for (int i = 1; i < depth; ++i) {
    child_spec inner{.id = "s", .supervisor = std::move(spec)};
    spec = supervisor_spec{.children = {std::move(inner)}};
  }
  return spec;
}

// TOPOLOGY-1: inner supervisors are looked into, with the path.
TEST(SpecTree, NamesFieldsOfInnerSupervisorsByPath_B01) {
  auto app = chain(3);
  app.children.insert(app.children.begin(), worker("first"));
  EXPECT_THAT(check(app),
              ElementsAre(spec_defect{
                "app.children[1](s).supervisor.children[0](s).supervisor"
                ".children[0](leaf).kill_grace",
                "infinity", "a finite length of zero or more"}));
  const auto inner = app.children[1];
  EXPECT_THAT(validate(inner, {}, "new"),
              ElementsAre(Field(&spec_defect::field,
                                "new.supervisor.children[0](s).supervisor"
                                ".children[0](leaf).kill_grace")));
}

// TOPOLOGY-1: an inner supervisor takes its child's id, whatever its name.
TEST(SpecTree, IgnoresTheNamesOfInnerSupervisors_B01) {
  EXPECT_THAT(check({.children = {{.id = "a",
                                   .supervisor
                                   = supervisor_spec{.name = "not/a/name"}}}}),
              IsEmpty());
}

// TOPOLOGY-1: the recursion is bounded.
TEST(SpecTree, RefusesTreesAbove64Levels_B01) {
  EXPECT_THAT(check(chain(64)),
              ElementsAre(Field(&spec_defect::value, "infinity")));
  for (const auto depth : {65, 66, 1'000})
    EXPECT_THAT(
      check(chain(depth)),
      ElementsAre(AllOf(
        Field(&spec_defect::value, "supervisor number 65 from the root down"),
        Field(&spec_defect::expected, "at most 64 above one another"))));
}

// TOPOLOGY-1: all at once, in the order of the fields.
TEST(SpecTree, ReportsEverythingInOneGo_B01_B02) {
  auto inner = worker("feed");
  inner.id = "a/\n";
  inner.backoff = {.first = -1s, .cap = infinity, .factor = 0};
  inner.significant = true;
  supervisor_spec app{.name = "",
                      .limits = {.restarts_max = -1, .window = 0s},
                      .children_max = 1,
                      .children = {{}, inner}};
  app.weights.stall = 5000;
  app.children[0].supervisor = supervisor_spec{.pause_length = infinity};
  std::vector<std::string> fields;
  for (const auto& found : check(app))
    fields.push_back(found.field);
  EXPECT_THAT(fields, ElementsAre("app.name", "app.limits.restarts_max",
                                  "app.limits.window", "app.weights.stall",
                                  "app.children_max", "app.children[0].id",
                                  "app.children[0].supervisor.pause_length",
                                  "app.children[1](a/\\x0a).id",
                                  "app.children[1](a/\\x0a).backoff.first",
                                  "app.children[1](a/\\x0a).backoff.cap",
                                  "app.children[1](a/\\x0a).backoff.factor",
                                  "app.children[1](a/\\x0a).significant",
                                  "app.children[1](a/\\x0a).significant"));
}

// TOPOLOGY-1: defects are found independently of each other: two broken
// children, at random places of a long list, are two defects.
TEST(SpecTree, FindsTheBrokenOnesAmongMany_B01) {
  test::seeded seeded;
  auto& random = seeded.random;
  supervisor_spec app;
  for (int i = 0; i < 10'000; ++i)
    app.children.push_back(worker("child-" + std::to_string(i)));
  for (int round = 0; round < 5; ++round) {
    const auto first = random.up_to(9'998);
    const auto second = first + 1 + random.up_to(9'998 - first);
    auto broken = app;
    broken.children[first].kill_grace = -1s;
    broken.children[second].start = nullptr;
    const auto place = [](std::uint64_t i) {
      const auto number = std::to_string(i);
      return "app.children[" + number + "](child-" + number + ")";
    };
    EXPECT_THAT(check(broken),
                UnorderedElementsAre(defect(place(first) + ".kill_grace", ""),
                                     defect(place(second) + ".start", "")));
  }
}

} // namespace
} // namespace coppice::policy
