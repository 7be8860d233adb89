// This file is part of coppice. License: see LICENSE in the source root.

// The standing queue: when there is one, what it sheds, and in which order it
// is served.

#include "coppice/policy/admission_core.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <variant>

namespace coppice::policy {
namespace {

using namespace std::literals;
using enum criticality;

constexpr time_point at(duration t) {
  return time_point{} + t;
}

class StandingQueue : public testing::Test {
protected:
  void arrive(std::uint64_t id, duration when, criticality level = critical) {
    ASSERT_TRUE(
      core.on_arrival(at(when), {.id = id, .level = level}).admitted());
  }

  /// What the core does at `when`: `+4` serves, `-2` sheds.
  std::string steps(duration when) {
    std::string out;
    for (;;) {
      const auto step = core.next(at(when));
      if (const auto* go = std::get_if<serve_ticket>(&step))
        out += " +" + std::to_string(go->who.id);
      else if (const auto* away = std::get_if<shed_ticket>(&step))
        out += (away->why == shed_reason::standing_queue ? " -" : " ?")
               + std::to_string(away->who.id);
      else
        return out;
    }
  }

  std::string after(std::uint64_t done, duration when) {
    EXPECT_TRUE(core.on_done(at(when), done, 1ms));
    return steps(when);
  }

  admission_core core{{}, 1, 1};
};

// DEADLINE-3: never empty for 100 ms, to the nanosecond: then the newest is
// next, and what waited longer than 5 ms goes.
TEST_F(StandingQueue, ShedsTheOldAndServesTheNewestFirst) {
  arrive(0, 0s);
  EXPECT_EQ(steps(0s), " +0");
  for (std::uint64_t id = 1; id <= 3; ++id)
    arrive(id, 0s);
  EXPECT_EQ(after(0, 100ms - 1ns), " +1") << "not standing yet: in order";
  arrive(4, 98ms + 2ms);
  arrive(5, 100ms);
  EXPECT_TRUE(core.snapshot(at(100ms)).standing);
  EXPECT_EQ(after(1, 100ms), " -2 -3 +5");
  EXPECT_EQ(after(5, 101ms), " +4");
}

// DEADLINE-3: an age of exactly the target is not too old.
TEST_F(StandingQueue, ToleratesTheTargetItself) {
  arrive(0, 0s);
  EXPECT_EQ(steps(0s), " +0");
  arrive(1, 0s);
  arrive(2, 200ms);
  arrive(3, 201ms);
  EXPECT_EQ(steps(205ms), " -1");
  EXPECT_EQ(steps(205ms + 1ns), " -2");
}

// DEADLINE-3: a burst that drains is not a standing queue.
TEST_F(StandingQueue, IsOverOnceTheQueueWasEmpty) {
  arrive(0, 0s);
  EXPECT_EQ(steps(0s), " +0");
  arrive(1, 0s);
  EXPECT_EQ(after(0, 99ms), " +1"); // empty now
  arrive(2, 99ms);
  arrive(3, 99ms);
  EXPECT_FALSE(core.snapshot(at(198ms)).standing);
  EXPECT_EQ(after(1, 198ms), " +2");
  EXPECT_TRUE(core.snapshot(at(199ms)).standing);
}

// DEADLINE-3: the last one is served however old it is: to shed it would only
// leave the server idle.
TEST_F(StandingQueue, KeepsTheLastOne) {
  arrive(0, 0s);
  EXPECT_EQ(steps(0s), " +0");
  arrive(1, 0s);
  EXPECT_EQ(steps(10s), "");
  EXPECT_EQ(after(0, 10s), " +1");
}

// DEADLINE-3: what passes a flood of less critical ones by is not late.
TEST_F(StandingQueue, IsNotBlamedOnTheMoreCritical) {
  arrive(0, 0s);
  EXPECT_EQ(steps(0s), " +0");
  arrive(1, 0s, sheddable);
  arrive(2, 0s, sheddable);
  arrive(3, 190ms, critical);
  arrive(4, 191ms, critical);
  EXPECT_EQ(after(0, 200ms), " -1 -2 +3") << "10 ms old, and in order";
  EXPECT_EQ(after(3, 200ms), " +4");
}

// DEADLINE-3: without adaptive LIFO it sheds the same, and keeps the order.
TEST_F(StandingQueue, CanKeepItsOrder) {
  admission_core fifo{{.standing = {.adaptive_lifo = false}}, 1, 1};
  for (const std::uint64_t id : {1, 2, 3})
    (void) fifo.on_arrival(at(id == 1 ? 0ms : 198ms), {.id = id});
  EXPECT_TRUE(std::holds_alternative<shed_ticket>(fifo.next(at(200ms))));
  EXPECT_EQ(std::get<serve_ticket>(fifo.next(at(200ms))).who.id, 2u);
}

// DEADLINE-3: infinity says that there is no such thing.
TEST_F(StandingQueue, CanBeSwitchedOff) {
  admission_core patient{{.standing = {.interval = infinity}}, 1, 1};
  for (const std::uint64_t id : {1, 2, 3})
    (void) patient.on_arrival(at(0s), {.id = id});
  EXPECT_EQ(std::get<serve_ticket>(patient.next(at(24h))).who.id, 1u);
  EXPECT_FALSE(patient.snapshot(at(24h)).standing);
}

// DEADLINE-3: while all workers are between two lives, nothing is shed by age.
TEST_F(StandingQueue, IsNotMadeByAnOutage) {
  core.resize(at(0s), 0);
  for (const std::uint64_t id : {1, 2, 3})
    arrive(id, 0s);
  EXPECT_EQ(steps(10s), "");
  core.resize(at(10s), 1);
  EXPECT_EQ(steps(10s), " +1");
  EXPECT_EQ(after(1, 10s + 99ms), " +2");
}

// DEADLINE-3: services of 50 ms make a target of 50 ms, over two servers 25.
TEST_F(StandingQueue, GivesSlowServicesMoreTime) {
  admission_core slow{{.service = {.samples_min = 1, .window = 1h}}, 2, 1};
  (void) slow.on_arrival(at(0s), {.id = 0});
  (void) slow.next(at(0s));
  slow.on_done(at(0s), 0, 50ms);
  for (const std::uint64_t id : {1, 2, 3, 4, 5})
    (void) slow.on_arrival(at(0s), {.id = id});
  (void) slow.next(at(0s));
  (void) slow.next(at(0s)); // 3, 4 and 5 wait
  EXPECT_FALSE(slow.snapshot(at(499ms)).standing) << "20 targets of 25 ms";
  EXPECT_TRUE(slow.snapshot(at(570ms)).standing);
  // Due is the first of the three, once the queue counts as standing.
  const auto due = slow.next_due().value();
  EXPECT_GE(due, at(500ms));
  EXPECT_LE(due, at(565ms));
  EXPECT_TRUE(std::holds_alternative<rest>(slow.next(due - 1ns)));
  EXPECT_TRUE(std::holds_alternative<shed_ticket>(slow.next(due)));
}

} // namespace
} // namespace coppice::policy
