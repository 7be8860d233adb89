// This file is part of coppice. License: see LICENSE in the source root.

// What `check` says of the worst case, beside trees of real supervision cores
// in which the worst is tried out.

#include "coppice/policy/spec_check.hpp"

#include "support/nested_world.hpp"
#include "support/random_choice.hpp"
#include "support/seed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace coppice::test {
namespace {

using namespace policy;
using namespace std::literals;

constexpr duration scan = 100ms;

void start_nothing(start_context&) {}

// -- random trees ------------------------------------------------------------

/// How wild the specs are.
enum class flavour : std::uint8_t {
  plain,   ///< Every budget escalates, and no delays: the bound is exact.
  delayed, ///< The same, with backoff.
  wild,    ///< Weights, budgets of children, actions and rules; no delays.
};

backoff_spec random_backoff(random_source& random, flavour how) {
  if (how != flavour::delayed)
    return {.first = 0s, .jitter = jitter_kind::none, .reset_after = infinity};
  return {.first = one_of<duration>(random, {0ms, 100ms, 1s}),
          .cap = one_of<duration>(random, {1s, 4s}),
          .factor = one_of(random, {1.0, 1.5, 2.0}),
          .jitter = one_of(random, {jitter_kind::none, jitter_kind::none,
                                    jitter_kind::proportional}),
          .reset_after = infinity};
}

void make_wild(random_source& random, child_spec& x) {
  using enum exhaustion_action;
  if (one_in(random, 3))
    x.limits = {.restarts_max = random.up_to(3), .window = 5s};
  x.on_exhausted = one_of(random, {escalate, escalate, stop_child, park});
  if (one_in(random, 6))
    x.on_failure = {{"odd", one_of(random, {failure_action::stop,
                                            failure_action::escalate})}};
}

void make_wild(random_source& random, supervisor_spec& x) {
  using enum exhaustion_action;
  const auto weight = [&random] {
    return static_cast<std::uint32_t>(
      random.up_to(8) == 0 ? 0 : random.up_to(1) + 1);
  };
  x.on_exhausted = one_of(random,
                          {escalate, escalate, stop_child, park, pause});
  if (one_in(random, 4))
    x.weights
      = {.crash = weight(), .start_failure = weight(), .clean_end = weight()};
  if (one_in(random, 8))
    x.limits.restarts_max = infinity;
}

supervisor_spec random_tree(random_source& random, flavour how, int depth) {
  supervisor_spec x;
  x.strategy = one_of(random,
                      {one_for_one, one_for_one, one_for_all, rest_for_one});
  if (how == flavour::wild && depth < 3 && one_in(random, 4))
    x.strategy = simple_one_for_one;
  x.limits = {.restarts_max = random.up_to(2),
              .window = one_of<time_limit>(random, {5s, 20s, infinity})};
  if (how == flavour::wild)
    make_wild(random, x);
  const auto count = x.strategy == simple_one_for_one ? 1 : 1 + random.up_to(2);
  for (std::uint64_t i = 0; i < count; ++i) {
    child_spec child{.id = std::string(1, static_cast<char>('a' + i))};
    if (depth > 1 && x.strategy != simple_one_for_one && one_in(random, 2))
      child.supervisor = random_tree(random, how, depth - 1);
    else
      child.start = start_nothing;
    child.restart = one_of(random,
                           {permanent, permanent, transient, temporary});
    if (how == flavour::plain && child.supervisor)
      child.restart = permanent;
    child.backoff = random_backoff(random, how);
    if (how == flavour::wild)
      make_wild(random, child);
    x.children.push_back(std::move(child));
  }
  return x;
}

// -- trying it out -----------------------------------------------------------

std::vector<std::string> workers_of(const spec_check& x) {
  std::vector<std::string> paths;
  for (const auto& line : x.worst)
    if (line.kind == child_kind::worker)
      paths.push_back(line.path);
  return paths;
}

/// More than a finite bound of these small trees can be.
constexpr std::uint64_t without_end = 3 * 3 * 3 * 3 * 3;

/// Each life of one worker crashes at once, until the tree has ended, or the
/// worker is gone. Says how long that took.
duration crash_loop(nested_world& world, const std::string& path) {
  world.start();
  const auto begin = world.clock();
  while (!world.has_ended() && world.restarts(path) <= without_end) {
    if (world.is_running(path))
      world.end(path, end_cause::crash);
    else if (!world.advance())
      break;
  }
  return world.clock() - begin;
}

/// Workers end at once, one after another, in any order and by any cause.
void burst(nested_world& world, random_source& random) {
  auto calm = true;
  world.start_fails = [&](const std::string&) {
    return !calm && one_in(random, 10);
  };
  world.instances = 2;
  world.start();
  calm = false;
  for (auto left = 300; left > 0 && !world.has_ended(); --left) {
    const auto running = world.running();
    if (running.empty())
      break;
    world.end(one_from(random, running),
              one_of(random, {end_cause::crash, end_cause::crash,
                              end_cause::clean_end}),
              one_in(random, 10) ? "odd" : "crash");
  }
}

/// The first child that was restarted more often than it should be.
std::string exceeded(const spec_check& x, const nested_world& world) {
  for (const auto& line : x.worst)
    if (!line.restarts.is_infinite()
        && world.restarts(line.path) > line.restarts.count())
      return line.path + ": " + std::to_string(world.restarts(line.path))
             + " restarts, " + to_string(line.restarts) + " at most";
  return {};
}

/// The first child that was never restarted as often as it could be, whoever
/// of all workers crashed.
std::string not_reached(const spec_check& x, const supervisor_spec& spec) {
  std::map<std::string, std::uint64_t> most;
  for (const auto& path : workers_of(x)) {
    nested_world world{spec};
    crash_loop(world, path);
    if (const auto objection = exceeded(x, world); !objection.empty())
      return objection;
    for (const auto& line : x.worst)
      most[line.path] = std::max(most[line.path], world.restarts(line.path));
  }
  for (const auto& line : x.worst)
    if (line.restarts.is_infinite() ? most[line.path] <= without_end
                                    : most[line.path] != line.restarts.count())
      return line.path + ": " + std::to_string(most[line.path])
             + " restarts, could be " + to_string(line.restarts);
  return {};
}

// TOPOLOGY-2, BUDGET-1, BUDGET-6: the worst case is reached, and not exceeded.
TEST(SpecCheckWorstCase, IsExactWhereAllBudgetsEscalate) {
  seeded seeded_test;
  for (auto i = 0; i < 500; ++i) {
    SCOPED_TRACE(i);
    const auto spec = random_tree(seeded_test.random, flavour::plain, 3);
    const auto found = check(spec, scan, infinity);
    ASSERT_EQ(not_reached(found, spec), "") << to_text(found);
  }
}

// TOPOLOGY-2, BACKOFF-1: the same with delays, where some never end.
TEST(SpecCheckWorstCase, IsNotExceededByCrashLoopsWithBackoff) {
  seeded seeded_test;
  auto without = 0;
  for (auto i = 0; i < 500; ++i) {
    SCOPED_TRACE(i);
    const auto spec = random_tree(seeded_test.random, flavour::delayed, 3);
    const auto found = check(spec, scan, infinity);
    for (const auto& path : workers_of(found)) {
      nested_world world{spec, seeded_test.random.next()};
      const auto took = crash_loop(world, path);
      ASSERT_EQ(exceeded(found, world), "") << to_text(found);
      const auto& limit = found.worst.front().gives_up_within;
      if (world.has_ended()) {
        ASSERT_LE(took, limit.span()) << to_text(found);
      }
      without += world.restarts(path) > without_end ? 1 : 0;
    }
  }
  EXPECT_GT(without, 10) << "backoff never outlived a window";
}

// TOPOLOGY-2, BUDGET-4, BUDGET-5: nor by bursts, whatever the spec says.
TEST(SpecCheckWorstCase, IsNotExceededByBursts) {
  seeded seeded_test;
  auto reached = 0;
  for (auto i = 0; i < 1'500; ++i) {
    SCOPED_TRACE(i);
    const auto spec = random_tree(seeded_test.random, flavour::wild, 3);
    const auto found = check(spec, scan, infinity);
    nested_world world{spec, seeded_test.random.next()};
    burst(world, seeded_test.random);
    ASSERT_EQ(exceeded(found, world), "") << to_text(found);
    for (const auto& line : found.worst)
      reached += line.restarts.count() > 0
                     && world.restarts(line.path) == line.restarts.count()
                   ? 1
                   : 0;
  }
  EXPECT_GT(reached, 150) << "the bursts are too tame to tell anything";
}

// Can these tests fail? A tree with one restart more, or less, must be caught.
TEST(SpecCheckWorstCase, CanaryIsNoticed) {
  seeded seeded_test;
  auto noticed_more = 0;
  auto noticed_less = 0;
  for (auto i = 0; i < 50; ++i) {
    auto spec = random_tree(seeded_test.random, flavour::plain, 3);
    spec.limits.restarts_max = 2;
    const auto found = check(spec, scan, infinity);
    spec.limits.restarts_max = 3;
    noticed_more += not_reached(found, spec).empty() ? 0 : 1;
    spec.limits.restarts_max = 1;
    noticed_less += not_reached(found, spec).empty() ? 0 : 1;
  }
  // Not in trees in which nobody is ever restarted.
  EXPECT_GT(noticed_more, 35);
  EXPECT_GT(noticed_less, 35);
}

// -- times -------------------------------------------------------------------

/// Grace, kill grace and start deadline of all that is in it. In order, no
/// supervisor has a deadline for the stop of what is below it.
void set_times(random_source& random, supervisor_spec& x, bool in_order) {
  for (auto& child : x.children) {
    child.kill_grace = one_of<duration>(random, {1ms, 1s});
    child.start_deadline = one_of<duration>(random, {100ms, 1s});
    child.shutdown = one_of<stop_grace>(random, {stop_grace{10ms},
                                                 stop_grace{2s}, brutal_kill});
    if (!child.supervisor)
      continue;
    auto inner = *child.supervisor;
    set_times(random, inner, in_order);
    child.supervisor = std::move(inner);
    child.start_deadline = one_of<time_limit>(random, {infinity, infinity, 2s});
    child.shutdown = one_of<stop_grace>(random, {infinity, brutal_kill});
    if (!in_order && one_in(random, 2))
      child.shutdown = stop_grace{3s};
  }
}

/// A timer that is set while timers fire is a nanosecond late.
constexpr duration tolerance = 1us;

// TOPOLOGY-2, STOP-1: children stop one by one, pools together.
TEST(SpecCheckWorstCase, StopTimeIsThatOfATreeThatIgnoresEverything) {
  seeded seeded_test;
  for (auto i = 0; i < 2'000; ++i) {
    SCOPED_TRACE(i);
    auto spec = random_tree(seeded_test.random, flavour::wild, 3);
    const auto in_order = i % 2 == 0;
    set_times(seeded_test.random, spec, in_order);
    const auto found = check(spec, scan, infinity);
    nested_world world{spec};
    world.instances = 3;
    const auto ignores = [](const std::string&) { return true; };
    world.ignores_stop = ignores;
    world.ignores_kill = ignores;
    world.start();
    world.stop(infinity);
    world.advance_to_the_end();
    ASSERT_TRUE(world.has_ended());
    const auto& limit = found.worst.front().stop_within;
    ASSERT_LE(world.clock(), limit.span() + tolerance) << to_text(found);
    // What a supervisor's own deadline cuts off may overlap.
    if (in_order) {
      ASSERT_GE(world.clock(), limit.span()) << to_text(found);
    }
  }
}

// TOPOLOGY-2, START-1: children start one by one.
TEST(SpecCheckWorstCase, StartTimeIsThatOfATreeThatStartsJustInTime) {
  seeded seeded_test;
  auto in_time = 0;
  for (auto i = 0; i < 500; ++i) {
    SCOPED_TRACE(i);
    auto spec = random_tree(seeded_test.random, flavour::plain, 3);
    set_times(seeded_test.random, spec, true);
    const auto found = check(spec, scan, infinity);
    std::map<std::string, duration> deadlines;
    for (const auto& line : found.worst)
      deadlines[line.path] = line.start_within.span();
    nested_world world{spec};
    world.starts_after = [&](const std::string& path) {
      return deadlines.at(path);
    };
    world.start();
    while (!world.is_ready() && world.advance()) {}
    const auto& limit = found.worst.front().start_within;
    ASSERT_LE(world.clock(), limit.span()) << to_text(found);
    if (world.is_ready()) {
      ++in_time;
      ASSERT_EQ(world.clock(), limit.span()) << to_text(found);
    }
  }
  EXPECT_GT(in_time, 100);
}

// -- by hand -----------------------------------------------------------------

child_spec worker(std::string id) {
  return {.id = std::move(id), .start = start_nothing};
}

/// `levels` supervisors above one another, and a worker.
supervisor_spec tower(int levels, restart_limits limits) {
  supervisor_spec x{.limits = limits, .children = {worker("leaf")}};
  while (--levels > 0) {
    auto inner = std::move(x);
    x = {.limits = limits, .children = {{.id = "down", .supervisor = inner}}};
  }
  return x;
}

const worst_case& last(const spec_check& x) {
  return x.worst.back();
}

// TOPOLOGY-2, by hand: 11 lives, of which each has 11, of which each has 11.
TEST(SpecCheckWorstCase, MultipliesByLevel) {
  const auto found = check(tower(3, {.restarts_max = 10, .window = infinity}),
                           scan, infinity);
  EXPECT_EQ(last(found).path, "/root/down/down/leaf");
  EXPECT_EQ(last(found).restarts, count_limit{11 * 11 * 11 - 1});
  EXPECT_EQ(found.worst[1].restarts, count_limit{10});
  EXPECT_EQ(found.worst[2].restarts, count_limit{11 * 11 - 1});
}

// TOPOLOGY-2, by hand: 100 + 200 + 400 ms, a fifth more by the jitter.
TEST(SpecCheckWorstCase, KnowsWhenACrashLoopEnds) {
  const auto found = check(tower(1, {}), scan, infinity);
  EXPECT_EQ(last(found).restarts, count_limit{3});
  EXPECT_EQ(found.worst.front().gives_up_within, time_limit{840ms});
}

// TOPOLOGY-2: a billion restarts at 64 levels neither overflow nor take long.
TEST(SpecCheckWorstCase, SurvivesHugeNumbers) {
  auto spec = tower(64, {.restarts_max = 1'000'000'000, .window = infinity});
  const auto found = check(spec, scan, infinity);
  EXPECT_EQ(last(found).restarts.count(), UINT64_MAX - 1);
  auto slow = tower(1, {.restarts_max = 1'000'000'000, .window = infinity});
  slow.children[0].backoff = {.first = 1ns, .cap = 1s, .factor = 1.0000001};
  EXPECT_TRUE(
    check(slow, scan, infinity).worst.front().gives_up_within.is_finite());
}

// TOPOLOGY-2: below an instance of a pool, first lives count as well.
TEST(SpecCheckWorstCase, CountsWhatIsBelowThePoolsInstances) {
  supervisor_spec inner{.limits = {.restarts_max = 3, .window = 5s}};
  inner.children.push_back({.id = "w", .start = start_nothing});
  supervisor_spec pool{.strategy = simple_one_for_one, .children_max = 2};
  pool.children.push_back(
    {.id = "i", .supervisor = inner, .restart = temporary});
  auto leaf = [&] { return check(pool, scan, 10s).worst.back().restarts; };
  EXPECT_EQ(leaf(), count_limit{2 * 4 - 1}); // two instances, four lives each
  pool.children_max = infinity;
  EXPECT_TRUE(leaf().is_infinite());
}

// TOPOLOGY-2: 10'000 children, each with figures of its own.
TEST(SpecCheckWorstCase, HoldsForTenThousandChildren) {
  supervisor_spec spec;
  for (auto i = 0; i < 100; ++i) {
    supervisor_spec group;
    for (auto k = 0; k < 100; ++k)
      group.children.push_back(worker("w" + std::to_string(k)));
    spec.children.push_back({.id = std::to_string(i), .supervisor = group});
  }
  EXPECT_EQ(check(spec, scan, 10s).worst.size(), 10'101u);
}

} // namespace
} // namespace coppice::test
