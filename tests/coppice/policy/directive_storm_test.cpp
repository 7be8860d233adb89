// This file is part of coppice. License: see LICENSE in the source root.

// No fact leads to more than a few directives per child, however late it
// comes and however much has piled up; so no supervisor drowns in its own.

#include "coppice/policy/supervision_core.hpp"

#include "support/fact.hpp"
#include "support/random_choice.hpp"
#include "support/random_spec.hpp"
#include "support/seed.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace coppice;
using namespace coppice::policy;
using namespace std::chrono_literals;

namespace {

constexpr time_point t0{1h};

supervisor_spec many(restart_strategy strategy, std::size_t count) {
  supervisor_spec spec{.strategy = strategy,
                       .limits = {.restarts_max = infinity}};
  for (std::size_t i = 0; i < count; ++i)
    spec.children.push_back(
      {.id = "c" + std::to_string(i),
       .backoff = {.first = 10ms, .cap = 1s, .jitter = jitter_kind::none}});
  return spec;
}

template <class Directive>
std::vector<Directive> all_of(const directives& todo) {
  std::vector<Directive> result;
  for (const auto& x : todo)
    if (const auto* found = std::get_if<Directive>(&x))
      result.push_back(*found);
  return result;
}

/// Whoever is started is ready at once; returns the lives.
std::vector<life_id> settle(supervision_core& core, directives todo,
                            time_point now) {
  std::vector<life_id> lives;
  for (std::size_t i = 0; i < todo.size(); ++i)
    if (const auto* start = std::get_if<start_life>(&todo[i])) {
      lives.push_back(start->life);
      const auto more = core.on_ready(start->life, now);
      todo.insert(todo.end(), more.begin(), more.end());
    }
  return lives;
}

constexpr end_of_life crash{.cause = end_cause::crash, .failure_class = "bug"};

// BACKOFF-1: a supervisor that gets no processor for 5 s while a retry was
// due after 10 ms starts one life, not those that it has missed.
TEST(LateTimer, StartsOneLife_M14) {
  supervision_core core{many(one_for_one, 1), 1};
  const auto lives = settle(core, core.on_start(t0), t0);
  ASSERT_EQ(lives.size(), 1u);
  const auto waiting = core.on_down(lives[0], crash, t0);
  EXPECT_EQ(all_of<arm_timer>(waiting).at(0).due, t0 + 10ms);
  const auto late = core.on_timer(t0 + 5s);
  EXPECT_EQ(all_of<start_life>(late).size(), 1u);
  EXPECT_TRUE(all_of<start_life>(core.on_timer(t0 + 5s)).empty());
}

// BACKOFF-1, RESTART-2: the same for retries of many, in a group.
TEST(LateTimer, RestartsAGroupOnce_M14) {
  supervision_core core{many(one_for_all, 3), 1};
  const auto lives = settle(core, core.on_start(t0), t0);
  for (const auto life : lives)
    EXPECT_TRUE(all_of<start_life>(core.on_down(life, crash, t0)).empty());
  const auto late = core.on_timer(t0 + 5s);
  EXPECT_EQ(all_of<start_life>(late).size(), 1u); // one after the other
  EXPECT_EQ(settle(core, late, t0 + 5s).size(), 3u);
  EXPECT_EQ(core.restarts_in_window(t0 + 5s), 1u);
}

// STOP-1: a late timer kills, but does not give the killed life up at once.
TEST(LateTimer, KillsBeforeItAbandons_M14) {
  auto spec = many(one_for_one, 1);
  spec.children[0].kill_grace = 0ms;
  supervision_core core{spec, 1};
  const auto lives = settle(core, core.on_start(t0), t0);
  core.terminate_child(1, lives.at(0).key, t0);
  const auto late = core.on_timer(t0 + 1h);
  EXPECT_EQ(all_of<kill_life>(late).size(), 1u);
  EXPECT_TRUE(all_of<abandon_life>(late).empty());
  const auto next = all_of<arm_timer>(late).at(0).due;
  EXPECT_EQ(all_of<abandon_life>(core.on_timer(next)).size(), 1u);
}

// RESTART-6: without any delay, the core still waits for news in between.
TEST(DirectiveStorm, DoesNotComeFromRetriesWithoutDelay_G08) {
  auto spec = many(one_for_one, 1);
  spec.children[0].backoff = {.first = 0s, .cap = 0s};
  supervision_core core{spec, 1};
  auto life = all_of<start_life>(core.on_start(t0)).at(0).life;
  core.on_ready(life, t0);
  auto todo = core.on_down(life, crash, t0);
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_EQ(all_of<start_life>(todo).size(), 1u);
    ASSERT_LE(todo.size(), 8u);
    life = all_of<start_life>(todo)[0].life;
    todo = core.on_start_failed(life, crash, t0);
  }
}

// STOP-1: a thousand children and one fact: a few directives for each.
TEST(DirectiveStorm, DoesNotComeFromManyChildren) {
  constexpr std::size_t count = 1'000;
  constexpr std::size_t per_child_max = 6;
  supervision_core core{many(one_for_one, count), 1};
  const auto lives = settle(core, core.on_start(t0), t0);
  ASSERT_EQ(lives.size(), count);
  for (const auto life : lives)
    EXPECT_LE(core.on_down(life, crash, t0).size(), per_child_max);
  const auto late = core.on_timer(t0 + 1h);
  EXPECT_EQ(all_of<start_life>(late).size(), count);
  EXPECT_LE(late.size(), per_child_max * count);
  const auto end = core.stop(1, 0ms, t0 + 1h);
  EXPECT_LE(end.size(), per_child_max * count);
  EXPECT_LE(core.on_timer(t0 + 1h).size(), per_child_max * count);
  EXPECT_TRUE(core.has_ended());
}

// Whatever it is told, sense or nonsense, of lives that there are or not.
TEST(DirectiveStorm, DoesNotComeFromNonsense) {
  test::seeded seeded;
  auto& random = seeded.random;
  for (int i = 0; i < 2'000; ++i) {
    const auto spec = test::random_supervisor(random);
    supervision_core core{spec, random.next()};
    auto now = t0;
    auto todo = core.on_start(now);
    for (int step = 0; step < 60; ++step) {
      test::fact x{.kind = test::fact_kind{
                     static_cast<std::uint8_t>(1 + random.up_to(14))}};
      x.key = static_cast<child_key>(random.up_to(4));
      x.life = {x.key, static_cast<std::uint32_t>(random.up_to(4))};
      x.how = {.cause = end_cause{static_cast<std::uint8_t>(random.up_to(5))},
               .failure_class = "odd"};
      const auto added = test::random_child(random, spec, "x");
      x.spec = &added;
      const auto next = test::random_supervisor(random);
      x.next = &next;
      if (x.kind == test::fact_kind::reload
          && !core.reload_defects(next).empty())
        continue;
      x.within = duration{static_cast<std::int64_t>(random.up_to(1'000'000))};
      now += duration{static_cast<std::int64_t>(random.up_to(100'000'000))};
      const auto before = core.listing(now).size();
      todo = test::tell(core, x, now);
      const auto children = std::max(before, core.listing(now).size());
      ASSERT_LE(todo.size(), 12 * (children + 3)) << to_string(x);
    }
  }
}

} // namespace
