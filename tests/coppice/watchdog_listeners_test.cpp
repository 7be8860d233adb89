// This file is part of coppice. License: see LICENSE in the source root.

// Who is told, who is not, and when.

#include "coppice/watchdog.hpp"

#include "support/watch_harness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>

namespace coppice::test {
namespace {

using policy::heartbeat_spec;
using policy::time_point;
using testing::ElementsAre;
using testing::IsEmpty;

using kind = watch_notice::kind;

const heartbeat_spec three_seconds{.stall_timeout = 3s};

// -- timers ------------------------------------------------------------------

TEST(WatchdogTimers, EachOwnerHasOne) {
  watch_harness h;
  const auto other = h.dog.add_owner(h.recorder());
  h.dog.arm(h.owner, at(2s), 1);
  h.dog.arm(other, at(3s), 2);
  h.dog.arm(h.owner, at(1s), 3);
  EXPECT_EQ(h.dog.next_due(), at(1s));
  h.run_to(1min);
  EXPECT_THAT(h.transcript(), ElementsAre("1s timer 3", "3s timer 2"));
  EXPECT_EQ(h.dog.next_due(), time_point::max());
}

TEST(WatchdogTimers, CanBeDisarmed) {
  watch_harness h;
  h.dog.arm(h.owner, at(1s), 1);
  h.dog.disarm(h.owner);
  h.dog.disarm(h.owner);
  h.dog.disarm(4711);
  h.dog.arm(4711, at(1s), 1);
  EXPECT_EQ(h.dog.next_due(), time_point::max());
  h.run_to(1min);
  EXPECT_THAT(h.transcript(), IsEmpty());
}

// One that re-arms itself at once must not keep the watchdog to itself.
TEST(WatchdogTimers, OneThatArmsItselfWaitsForTheNextRun) {
  watch_harness h;
  h.on_notice = [&](const watch_notice& x) {
    if (x.generation < 5)
      h.dog.arm(h.owner, h.now, x.generation + 1);
  };
  h.dog.arm(h.owner, at(0s), 1);
  h.dog.run(h.now);
  EXPECT_EQ(h.heard.size(), 1u);
  h.run_to(1s);
  EXPECT_EQ(h.heard.size(), 5u);
}

TEST(WatchdogTimers, OneThatIsDueCanStillBeTakenBack) {
  watch_harness h;
  const auto second = h.dog.add_owner(h.recorder());
  const auto third = h.dog.add_owner(h.recorder());
  h.on_notice = [&](const watch_notice& x) {
    if (x.generation != 1)
      return;
    h.dog.disarm(second);
    h.dog.arm(third, at(2s), 4);
  };
  h.dog.arm(h.owner, at(1s - 1ns), 1);
  h.dog.arm(second, at(1s), 2);
  h.dog.arm(third, at(1s), 3);
  h.oversleep_to(1s);
  h.run_to(1min);
  EXPECT_THAT(h.transcript(), ElementsAre("1s timer 1", "2s timer 4"));
}

// -- listeners ---------------------------------------------------------------

TEST(WatchdogListeners, HearNothingOnceRemoved) {
  watch_harness h;
  auto life = h.start(three_seconds);
  life.beat.begin_work();
  h.dog.arm(h.owner, at(1s), 1);
  h.dog.remove_owner(h.owner);
  h.dog.remove_owner(h.owner);
  h.run_to(1min);
  EXPECT_THAT(h.transcript(), IsEmpty());
  EXPECT_EQ(h.dog.stats().lives, 1u) << "still to be released";
}

TEST(WatchdogListeners, MayRemoveThemselvesAndEachOther) {
  watch_harness h;
  const auto other = h.dog.add_owner(h.recorder());
  h.dog.arm(h.owner, at(1s), 1);
  h.dog.arm(other, at(1s), 2);
  h.on_notice = [&](const watch_notice&) {
    h.dog.remove_owner(h.owner);
    h.dog.remove_owner(other);
  };
  h.run_to(1min);
  EXPECT_THAT(h.transcript(), ElementsAre("1s timer 1"));
}

// What a listener holds may call back when it is destroyed.
TEST(WatchdogListeners, AreDestroyedWithoutALock) {
  watch_harness h;
  const auto held = [&h] {
    return std::shared_ptr<int>(new int{0}, [&h](int* x) {
      delete x;
      h.dog.disarm(h.owner);
    });
  };
  owner_id own = 0;
  own = h.dog.add_owner(
    [&, x = held()](const watch_notice&) { h.dog.remove_owner(own); });
  h.dog.arm(own, at(1s), 1);
  h.run_to(2s);
  h.dog.remove_owner(h.dog.add_owner([x = held()](const watch_notice&) {}));
  h.dog.set_monitor([x = held()](const watch_notice&) {});
  h.dog.set_monitor(nullptr);
}

// OBSERVE-1: one that throws breaks nothing.
TEST(WatchdogListeners, MayThrow) {
  watch_harness h;
  auto first = h.start(three_seconds);
  auto second = h.start(three_seconds);
  first.beat.begin_work();
  second.beat.begin_work();
  h.on_notice = [](const watch_notice&) -> void {
    throw std::runtime_error("not my day");
  };
  h.run_to(1min);
  EXPECT_EQ(h.heard.size(), 4u);
  EXPECT_EQ(h.dog.stats().listener_failures, 4u);
}

TEST(WatchdogListeners, AMonitorMayBeAbsent) {
  watch_harness h{1};
  h.dog.set_monitor(nullptr);
  auto life = h.start(three_seconds);
  life.beat.begin_work();
  h.oversleep_to(10s);
  h.run_to(1min);
  EXPECT_THAT(h.transcript(), ElementsAre("12s late 0", "13s stalled 0"));
}

} // namespace
} // namespace coppice::test
