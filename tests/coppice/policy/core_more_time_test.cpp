// This file is part of coppice. License: see LICENSE in the source root.

// A child that starts, or ends, asks for more time.

#include "coppice/policy/supervision_core.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <variant>

namespace coppice::test {
namespace {

using namespace policy;
using namespace std::literals;

constexpr time_point at(duration since) {
  return time_point{} + 1h + since;
}

/// One child, with 5 s to start, 5 s to end, and at most 10 s on top of each.
struct one_child {
  one_child()
    : core({.children = {{.id = "a",
                          .start = [](start_context&) {},
                          .heartbeat = {.extension_max = 10s}}}},
           1) {
    for (const auto& x : core.on_start(at(0s)))
      if (const auto* start = std::get_if<start_life>(&x))
        life = start->life;
  }

  template <class Directive>
  static bool says(const directives& todo) {
    return std::ranges::any_of(todo, [](const auto& x) {
      return std::holds_alternative<Directive>(x);
    });
  }

  supervision_core core;
  life_id life;
};

} // namespace

// HEARTBEAT-4, START-1, P06
TEST(CoreMoreTime, PutsOffTheStartDeadline) {
  one_child h;
  h.core.on_more_time(h.life, 4s, at(4s));
  EXPECT_FALSE(one_child::says<stop_life>(h.core.on_timer(at(7999ms))));
  EXPECT_TRUE(one_child::says<stop_life>(h.core.on_timer(at(8s))));
}

// HEARTBEAT-4: never sooner, and a span that is over before is no news.
TEST(CoreMoreTime, NeverShortensTheStartDeadline) {
  one_child h;
  h.core.on_more_time(h.life, 1s, at(1s));
  h.core.on_more_time(h.life, -1s, at(1s));
  EXPECT_FALSE(one_child::says<stop_life>(h.core.on_timer(at(4999ms))));
  EXPECT_TRUE(one_child::says<stop_life>(h.core.on_timer(at(5s))));
}

// HEARTBEAT-4: up to a cap.
TEST(CoreMoreTime, AddsUpToTheCapAndNoFurther) {
  one_child h;
  for (auto now = 1s; now < 15s; ++now)
    h.core.on_more_time(h.life, duration::max(), at(now));
  EXPECT_FALSE(one_child::says<stop_life>(h.core.on_timer(at(14999ms))));
  EXPECT_TRUE(one_child::says<stop_life>(h.core.on_timer(at(15s))));
}

// STOP-1, HEARTBEAT-4: the grace of its end has a cap of its own.
TEST(CoreMoreTime, PutsOffTheKill) {
  one_child h;
  h.core.on_more_time(h.life, 15s, at(0s));
  h.core.on_ready(h.life, at(1s));
  h.core.terminate_child(0, h.life.key, at(20s));
  h.core.on_more_time(h.life, 10s, at(21s));
  EXPECT_FALSE(one_child::says<kill_life>(h.core.on_timer(at(30999ms))));
  EXPECT_TRUE(one_child::says<kill_life>(h.core.on_timer(at(31s))));
  // Who is killed has nothing to ask for.
  h.core.on_more_time(h.life, 10s, at(31s));
  EXPECT_TRUE(one_child::says<abandon_life>(h.core.on_timer(at(32s))));
}

// STOP-3: the deadline of the whole tree holds.
TEST(CoreMoreTime, DoesNotPutOffTheEndOfTheTree) {
  one_child h;
  h.core.on_ready(h.life, at(1s));
  h.core.stop(0, 2s, at(10s));
  h.core.on_more_time(h.life, 10s, at(11s));
  EXPECT_TRUE(one_child::says<kill_life>(h.core.on_timer(at(12s))));
}

// HEARTBEAT-4, STOP-2
TEST(CoreMoreTime, IsNothingToOneThatRunsNorToHistory) {
  one_child h;
  h.core.on_ready(h.life, at(1s));
  EXPECT_TRUE(h.core.on_more_time(h.life, 10s, at(2s)).empty());
  EXPECT_EQ(h.core.state_of(h.life.key), child_state::running);
  auto other = h.life;
  ++other.generation;
  h.core.on_more_time(other, 10s, at(2s));
  EXPECT_EQ(h.core.state_of(h.life.key), child_state::running);
}

} // namespace coppice::test
