// This file is part of coppice. License: see LICENSE in the source root.

// What a single field may hold. How fields and specs go together is tested in
// spec_tree_validation_test.cpp.

#include "coppice/policy/spec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

namespace coppice::policy {
namespace {

using namespace std::literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr auto nan = std::numeric_limits<double>::quiet_NaN();
constexpr auto inf = std::numeric_limits<double>::infinity();
constexpr std::chrono::hours three_centuries{24 * 365 * 300};
constexpr auto days = 24h;

constexpr auto above_zero = "a finite length above zero";
constexpr auto above_zero_or_infinity = "a length above zero, or infinity";
constexpr auto zero_or_more = "a finite length of zero or more";
constexpr auto zero_or_more_or_infinity
  = "a length of zero or more, or infinity";
constexpr auto too_long = "a duration beyond 292 years";

void start_nothing(start_context&) {}

/// A sound supervisor of two children.
supervisor_spec sound() {
  return {.children = {{.id = "clock", .start = start_nothing},
                       {.id = "feed", .start = start_nothing}}};
}

/// Sets one field of a supervisor and of its child `feed`.
using change = void (*)(supervisor_spec& app, child_spec& feed);

struct broken_field {
  change set;
  spec_defect found;
};

void expect_defects(std::initializer_list<broken_field> cases) {
  for (const auto& [set, found] : cases) {
    auto app = sound();
    set(app, app.children[1]);
    EXPECT_THAT(validate(app, "app"), ElementsAre(found))
      << "instead of " << to_string(found) << ": "
      << to_string(validate(app, "app"));
  }
}

void expect_sound(std::initializer_list<change> cases) {
  auto number = 0;
  for (const auto set : cases) {
    auto app = sound();
    set(app, app.children[1]);
    EXPECT_EQ(to_string(validate(app, "app")), "") << "case " << number;
    ++number;
  }
}

/// A field of `feed`.
spec_defect of_feed(const std::string& field, const std::string& value,
                    const std::string& expected) {
  return {"app.children[1](feed)." + field, value, expected};
}

spec_defect of_app(const std::string& field, const std::string& value,
                   const std::string& expected) {
  return {"app." + field, value, expected};
}

// TOPOLOGY-1: the defaults are sound, or nothing would be.
TEST(SpecField, IsSoundByDefault_B01) {
  EXPECT_THAT(validate(sound(), "app"), IsEmpty());
  EXPECT_THAT(validate(supervisor_spec{}, "app"), IsEmpty());
  EXPECT_THAT(validate(child_spec{.id = "a", .start = start_nothing}, {}, "a"),
              IsEmpty());
}

// TOPOLOGY-1: ids are parts of paths; names are the first parts.
TEST(SpecField, RefusesBadNames_B01) {
  const auto size = "1 to 255 bytes";
  const auto characters = "neither `/`, which separates the parts of a path, "
                          "nor control characters";
  expect_defects({
    {[](auto& app, auto&) { app.name = ""; },
     of_app("name", "\"\" (0 bytes)", size)},
    {[](auto& app, auto&) { app.name = std::string(256, 'x'); },
     of_app("name", '"' + std::string(60, 'x') + "...\" (256 bytes)", size)},
    {[](auto& app, auto&) { app.name = "a/b"; },
     of_app("name", "\"a/b\"", characters)},
    {[](auto&, auto& feed) { feed.id = "a/b"; },
     {"app.children[1](a/b).id", "\"a/b\"", characters}},
    {[](auto&, auto& feed) { feed.id = "a\tb"; },
     {"app.children[1](a\\x09b).id", "\"a\\x09b\"", characters}},
    {[](auto&, auto& feed) { feed.id = "a\x7f"; },
     {"app.children[1](a\\x7f).id", "\"a\\x7f\"", characters}},
    {[](auto&, auto& feed) { feed.id = "a\0b"s; },
     {"app.children[1](a\\x00b).id", "\"a\\x00b\"", characters}},
    {[](auto&, auto& feed) { feed.id = ""; },
     {"app.children[1].id", "\"\" (0 bytes)", size}},
  });
  expect_sound({
    [](auto& app, auto&) { app.name = std::string(255, 'x'); },
    [](auto&, auto& feed) { feed.id = std::string(255, 'x'); },
    [](auto&, auto& feed) { feed.id = "x"; },
    [](auto&, auto& feed) {
      feed.id = "preis-\u00fcbersicht \u2192 b\u00f6rse";
    },
  });
}

// TOPOLOGY-1: a quoted id does not end in the middle of a character.
TEST(SpecField, QuotesLongNamesInWholeCharacters_B01) {
  auto app = sound();
  app.name = std::string(59, 'x') + "\u00fc" + std::string(300, 'x');
  EXPECT_EQ(validate(app, "app").at(0).value,
            '"' + std::string(59, 'x') + "...\" (361 bytes)");
}

// BUDGET-1: 0 is legal; infinity has to be spelled out, and may be.
TEST(SpecField, RefusesBadRestartLimits_B02) {
  const auto count = "a count from 0 to 1000000000, or infinity";
  expect_defects({
    {[](auto& app, auto&) { app.limits.restarts_max = -1; },
     of_app("limits.restarts_max", "a negative number", count)},
    {[](auto& app, auto&) { app.limits.restarts_max = 1'000'000'001; },
     of_app("limits.restarts_max", "1000000001", count)},
    {[](auto& app, auto&) { app.limits.window = 0s; },
     of_app("limits.window", "0s", above_zero_or_infinity)},
    {[](auto& app, auto&) { app.limits.window = -1ns; },
     of_app("limits.window", "-1ns", above_zero_or_infinity)},
    {[](auto& app, auto&) { app.limits.window = three_centuries; },
     of_app("limits.window", too_long, above_zero_or_infinity)},
    {[](auto&, auto& feed) { feed.limits.restarts_max = -5; },
     of_feed("limits.restarts_max", "a negative number", count)},
    {[](auto&, auto& feed) { feed.limits.window = 0s; },
     of_feed("limits.window", "0s", above_zero_or_infinity)},
  });
  expect_sound({
    [](auto& app, auto&) { app.limits = {.restarts_max = 0, .window = 1ns}; },
    [](auto& app, auto&) {
      app.limits = {.restarts_max = 1'000'000'000, .window = infinity};
    },
    [](auto& app, auto&) {
      app.limits = {.restarts_max = infinity, .window = duration::max()};
    },
  });
}

// BUDGET-4
TEST(SpecField, RefusesBadWeights_B02) {
  const auto range = "a number from 0 to 1000";
  expect_defects({
    {[](auto& app, auto&) { app.weights.crash = 1001; },
     of_app("weights.crash", "1001", range)},
    {[](auto& app, auto&) { app.weights.stall = 2000; },
     of_app("weights.stall", "2000", range)},
    {[](auto& app, auto&) { app.weights.start_failure = UINT32_MAX; },
     of_app("weights.start_failure", "4294967295", range)},
    {[](auto& app, auto&) { app.weights.node_loss = 1001; },
     of_app("weights.node_loss", "1001", range)},
    {[](auto& app, auto&) { app.weights.clean_end = 1001; },
     of_app("weights.clean_end", "1001", range)},
  });
  expect_sound({[](auto& app, auto&) {
                  app.weights = {0, 0, 0, 0, 0};
                },
                [](auto& app, auto&) {
                  app.weights = {1000, 1000, 1000, 1000, 1000};
                }});
}

// BUDGET-5
TEST(SpecField, RefusesBadPauses_B02) {
  expect_defects({
    {[](auto& app, auto&) { app.pause_length = 0s; },
     of_app("pause_length", "0s", above_zero)},
    {[](auto& app, auto&) { app.pause_length = infinity; },
     of_app("pause_length", "infinity", above_zero)},
    {[](auto& app, auto&) { app.children_max = -1; },
     of_app("children_max", "a negative number",
            "a count of zero or more, or infinity")},
  });
}

// TOPOLOGY-1: integers that no enumerator has.
TEST(SpecField, RefusesUnknownEnumerators_B01_B02) {
  const auto actions = "escalate, stop_child, park or pause";
  expect_defects({
    {[](auto& app, auto&) { app.strategy = restart_strategy{4}; },
     of_app("strategy", "4",
            "one_for_one, one_for_all, rest_for_one or simple_one_for_one")},
    {[](auto& app, auto&) { app.on_exhausted = exhaustion_action{4}; },
     of_app("on_exhausted", "4", actions)},
    {[](auto& app, auto&) { app.auto_shutdown = auto_shutdown_mode{3}; },
     of_app("auto_shutdown", "3", "never, any_significant or all_significant")},
    {[](auto& app, auto&) { app.revive = revive_mode{2}; },
     of_app("revive", "2", "none or all")},
    {[](auto&, auto& feed) { feed.restart = restart_type{255}; },
     of_feed("restart", "255", "permanent, transient or temporary")},
    {[](auto&, auto& feed) { feed.on_exhausted = exhaustion_action{9}; },
     of_feed("on_exhausted", "9", actions)},
    {[](auto&, auto& feed) {
       feed.on_failure = {{"io", failure_action{3}}};
     },
     of_feed("on_failure[0].action", "3", "restart, stop or escalate")},
    {[](auto&, auto& feed) { feed.backoff.jitter = jitter_kind{4}; },
     of_feed("backoff.jitter", "4", "none, full, equal or proportional")},
    {[](auto&, auto& feed) { feed.heartbeat.detector = detector_kind{2}; },
     of_feed("heartbeat.detector", "2", "fixed_timeout or phi_accrual")},
    {[](auto&, auto& feed) { feed.isolation = isolation_kind{2}; },
     of_feed("isolation", "2", "shared or thread")},
    {[](auto&, auto& feed) { feed.parking.overflow = parking_overflow{2}; },
     of_feed("parking.overflow", "2", "refuse_newest or drop_oldest")},
  });
}

// STOP-1, START-1: grace 0 is legal, a start deadline of 0 is not.
TEST(SpecField, RefusesBadTimesToStartAndStop_B01_B08_H10) {
  const auto grace = "a length of zero or more, infinity, or brutal_kill";
  expect_defects({
    {[](auto&, auto& feed) { feed.shutdown = -1ns; },
     of_feed("shutdown", "-1ns", grace)},
    {[](auto&, auto& feed) { feed.shutdown = three_centuries; },
     of_feed("shutdown", too_long, grace)},
    {[](auto&, auto& feed) { feed.kill_grace = -1s; },
     of_feed("kill_grace", "-1s", zero_or_more)},
    {[](auto&, auto& feed) { feed.kill_grace = infinity; },
     of_feed("kill_grace", "infinity", zero_or_more)},
    {[](auto&, auto& feed) { feed.start_deadline = 0s; },
     of_feed("start_deadline", "0s", above_zero_or_infinity)},
    {[](auto&, auto& feed) { feed.start_deadline = -2s; },
     of_feed("start_deadline", "-2s", above_zero_or_infinity)},
  });
  expect_sound({
    [](auto&, auto& feed) { feed.shutdown = 0s; },
    [](auto&, auto& feed) { feed.shutdown = infinity; },
    [](auto&, auto& feed) { feed.shutdown = brutal_kill; },
    [](auto&, auto& feed) { feed.start_deadline = infinity; },
    [](auto&, auto& feed) { feed.start_deadline = 1ns; },
    [](supervisor_spec&, child_spec& feed) {
      feed.shutdown = 0s;
      feed.kill_grace = 0s; // legal, if rarely wise: the static check warns
    },
  });
}

// BACKOFF-1, BACKOFF-2
TEST(SpecField, RefusesBadBackoff_B01) {
  const auto factor = "a number from 1 to 1000";
  const auto ratio = "a number from 0 to 1";
  const auto cap = "a length from `first` to 365 days";
  expect_defects({
    {[](auto&, auto& feed) { feed.backoff.first = -1ns; },
     of_feed("backoff.first", "-1ns", zero_or_more)},
    {[](auto&, auto& feed) { feed.backoff.first = infinity; },
     of_feed("backoff.first", "infinity", zero_or_more)},
    {[](auto&, auto& feed) { feed.backoff.first = three_centuries; },
     of_feed("backoff.first", too_long, zero_or_more)},
    {[](auto&, auto& feed) { feed.backoff.cap = 99ms; },
     of_feed("backoff.cap", "99ms", "at least `first`, which is 100ms")},
    {[](auto&, auto& feed) { feed.backoff.cap = infinity; },
     of_feed("backoff.cap", "infinity", cap)},
    {[](auto&, auto& feed) { feed.backoff.cap = -1s; },
     of_feed("backoff.cap", "-1s", cap)},
    {[](auto&, auto& feed) { feed.backoff.cap = 365 * days + 1ns; },
     of_feed("backoff.cap", "31536000000000001ns", cap)},
    {[](auto&, auto& feed) { feed.backoff.factor = 0.999; },
     of_feed("backoff.factor", "0.999", factor)},
    {[](auto&, auto& feed) { feed.backoff.factor = 1000.5; },
     of_feed("backoff.factor", "1000.5", factor)},
    {[](auto&, auto& feed) { feed.backoff.factor = -nan; },
     of_feed("backoff.factor", "nan", factor)},
    {[](auto&, auto& feed) { feed.backoff.factor = inf; },
     of_feed("backoff.factor", "inf", factor)},
    {[](auto&, auto& feed) { feed.backoff.factor = 1e300; },
     of_feed("backoff.factor", "1e+300", factor)},
    {[](auto&, auto& feed) { feed.backoff.jitter_ratio = -0.1; },
     of_feed("backoff.jitter_ratio", "-0.1", ratio)},
    {[](auto&, auto& feed) { feed.backoff.jitter_ratio = 1.5; },
     of_feed("backoff.jitter_ratio", "1.5", ratio)},
    {[](auto&, auto& feed) { feed.backoff.jitter_ratio = nan; },
     of_feed("backoff.jitter_ratio", "nan", ratio)},
    {[](auto&, auto& feed) { feed.backoff.reset_after = -1s; },
     of_feed("backoff.reset_after", "-1s", zero_or_more_or_infinity)},
  });
  expect_sound({
    [](auto&, auto& feed) { feed.backoff.first = 0s; },
    [](auto&, auto& feed) { feed.backoff.first = feed.backoff.cap; },
    [](auto&, auto& feed) { feed.backoff.cap = feed.backoff.first; },
    [](auto&, auto& feed) { feed.backoff.cap = 365 * days; },
    [](auto&, auto& feed) { feed.backoff.factor = 1.0; },
    [](auto&, auto& feed) { feed.backoff.factor = 1000.0; },
    [](auto&, auto& feed) { feed.backoff.jitter_ratio = 0.0; },
    [](auto&, auto& feed) { feed.backoff.jitter_ratio = 1.0; },
    [](auto&, auto& feed) { feed.backoff.reset_after = 0s; },
    [](auto&, auto& feed) { feed.backoff.reset_after = infinity; },
  });
}

// HEARTBEAT-3, HEARTBEAT-4
TEST(SpecField, RefusesBadHeartbeats_B08) {
  expect_defects({
    {[](auto&, auto& feed) { feed.heartbeat.stall_timeout = 0s; },
     of_feed("heartbeat.stall_timeout", "0s", above_zero_or_infinity)},
    {[](auto&, auto& feed) { feed.heartbeat.stall_timeout = three_centuries; },
     of_feed("heartbeat.stall_timeout", too_long, above_zero_or_infinity)},
    {[](auto&, auto& feed) { feed.heartbeat.idle_timeout = -1s; },
     of_feed("heartbeat.idle_timeout", "-1s", above_zero_or_infinity)},
    {[](auto&, auto& feed) { feed.heartbeat.extension_max = infinity; },
     of_feed("heartbeat.extension_max", "infinity", zero_or_more)},
    {[](auto&, auto& feed) { feed.heartbeat.extension_max = -1s; },
     of_feed("heartbeat.extension_max", "-1s", zero_or_more)},
    {[](auto&, auto& feed) { feed.heartbeat.probe_every = 0s; },
     of_feed("heartbeat.probe_every", "0s", above_zero_or_infinity)},
  });
  expect_sound({
    [](auto&, auto& feed) { feed.heartbeat.stall_timeout = infinity; },
    [](auto&, auto& feed) { feed.heartbeat.idle_timeout = 1ns; },
    [](auto&, auto& feed) { feed.heartbeat.extension_max = 0s; },
    [](auto&, auto& feed) { feed.heartbeat.probe_every = 1s; },
  });
}

// HEARTBEAT-4
TEST(SpecField, RefusesBadPhi_B08) {
  const auto threshold = "a number above 0, at most 100";
  const auto samples = "a number from 2 to 10000";
  expect_defects({
    {[](auto&, auto& feed) { feed.heartbeat.phi.threshold = 0.0; },
     of_feed("heartbeat.phi.threshold", "0", threshold)},
    {[](auto&, auto& feed) { feed.heartbeat.phi.threshold = 100.5; },
     of_feed("heartbeat.phi.threshold", "100.5", threshold)},
    {[](auto&, auto& feed) { feed.heartbeat.phi.threshold = nan; },
     of_feed("heartbeat.phi.threshold", "nan", threshold)},
    {[](auto&, auto& feed) { feed.heartbeat.phi.samples_max = 1; },
     of_feed("heartbeat.phi.samples_max", "1", samples)},
    {[](auto&, auto& feed) { feed.heartbeat.phi.samples_max = 10'001; },
     of_feed("heartbeat.phi.samples_max", "10001", samples)},
    {[](auto&, auto& feed) { feed.heartbeat.phi.deviation_min = 0s; },
     of_feed("heartbeat.phi.deviation_min", "0s", above_zero)},
    {[](auto&, auto& feed) { feed.heartbeat.phi.acceptable_pause = -1s; },
     of_feed("heartbeat.phi.acceptable_pause", "-1s", zero_or_more)},
    {[](auto&, auto& feed) { feed.heartbeat.phi.acceptable_pause = infinity; },
     of_feed("heartbeat.phi.acceptable_pause", "infinity", zero_or_more)},
    {[](auto&, auto& feed) { feed.heartbeat.phi.first_estimate = 0s; },
     of_feed("heartbeat.phi.first_estimate", "0s", above_zero)},
  });
  expect_sound({
    [](auto&, auto& feed) { feed.heartbeat.phi.threshold = 100.0; },
    [](auto&, auto& feed) { feed.heartbeat.phi.threshold = 1e-9; },
    [](auto&, auto& feed) { feed.heartbeat.phi.samples_max = 2; },
    [](auto&, auto& feed) { feed.heartbeat.phi.samples_max = 10'000; },
  });
}

// TOPOLOGY-1
TEST(SpecField, RefusesTooManyParkedMessages_B01) {
  expect_defects(
    {{[](auto&, auto& feed) { feed.parking.messages_max = 1'000'001; },
      of_feed("parking.messages_max", "1000001",
              "a number from 0 to 1000000")}});
  expect_sound(
    {[](auto&, auto& feed) { feed.parking.messages_max = 1'000'000; }});
}

} // namespace
} // namespace coppice::policy
