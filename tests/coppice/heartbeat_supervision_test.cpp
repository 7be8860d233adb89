// This file is part of coppice. License: see LICENSE in the source root.

// Heartbeats and what follows from their absence: group P of the catalogue.

#include "support/tree_test.hpp"

namespace coppice::test {
namespace {

constexpr auto scan = 100ms;

class HeartbeatSupervision : public supervision_test {
public:
  /// One child, judged after three seconds, abandoned after two more.
  void start(heartbeat_spec limits) {
    supervise({.name = "app", .children = {a.spec(rest(limits))}});
  }

  static child_spec rest(heartbeat_spec limits) {
    return {.shutdown = 1s,
            .kill_grace = 1s,
            .backoff = at_once,
            .heartbeat = limits};
  }

  child_script a = script("a");
};

constexpr heartbeat_spec three_seconds{.stall_timeout = 3s};

// HEARTBEAT-1, -7. P01: a child that beats in time is left alone.
TEST_F(HeartbeatSupervision, LeavesAHealthyChildAlone_P01) {
  a.beats_every(1s);
  start({.stall_timeout = 3s, .idle_timeout = 3s});
  run_for(1h);
  EXPECT_EQ(a.lives(), 1u);
  EXPECT_THAT(seen(), NeverHappens(BeatLate("/app/a")));
  a.mute();
  run_for(10s);
  EXPECT_THAT(seen(), Happens(Stalled("/app/a", 1)));
}

// HEARTBEAT-2. P01: the same by message, for a plain CAF actor.
TEST_F(HeartbeatSupervision, LeavesAHealthyForeignChildAlone_P01) {
  a.beats_every(1s);
  supervise(
    {.name = "app", .children = {a.foreign_spec(rest({.idle_timeout = 3s}))}});
  run_for(1h);
  EXPECT_EQ(a.lives(), 1u);
  EXPECT_THAT(seen(), NeverHappens(BeatLate("/app/a")));
  a.mute();
  run_for(10s);
  EXPECT_THAT(seen(), Happens(Failed("/app/a", 1).cause(end_cause::stall)));
}

// HEARTBEAT-3: an idle worker is healthy, for ever.
TEST_F(HeartbeatSupervision, TakesIdleForHealthy) {
  start(three_seconds);
  send(a.life(), "x");
  run_for(2h);
  EXPECT_EQ(a.lives(), 1u);
  EXPECT_THAT(seen(), NeverHappens(BeatLate("/app/a")));
}

// --(doc:testing_hang-begin)--
// HEARTBEAT-3, -6, -7. P02: a handler that does not return is one stall, in
// time; then it is asked, killed, abandoned, and restarted.
TEST_F(HeartbeatSupervision, RestartsAStalledChild_P02) {
  start(three_seconds);
  run_for(10s);
  a.now(hangs());
  run_for(3s - 1ns);
  EXPECT_THAT(seen(), NeverHappens(Stalled("/app/a")));
  run_for(scan + 1ns);
  EXPECT_THAT(seen(), HappensTimes(1, Stalled("/app/a", 1)));
  EXPECT_TRUE(a.cancelled());
  run_for(3s);
  EXPECT_THAT(seen(),
              HappensInOrder(BeatLate("/app/a", 1), Stalled("/app/a", 1),
                             Abandoned("/app/a", 1), Ready("/app/a", 2)));
  EXPECT_THAT(seen(), HappensTimes(1, Stalled("/app/a")));
  EXPECT_THAT(seen(), HappensTimes(1, Failed("/app/a")));
  EXPECT_THAT(seen(), Happens(Failed("/app/a", 1).cause(end_cause::stall)));
  const auto listing = children("/app");
  ASSERT_THAT(listing, Succeeds());
  EXPECT_EQ(listing->restarts_in_window, 1u);
}
// --(doc:testing_hang-end)--

// "Choices": a stalled handler that looks at `cancelled` gets its grace.
TEST_F(HeartbeatSupervision, LetsAStalledChildEndByItself) {
  start(three_seconds);
  a.now(hangs());
  run_for(3s + scan);
  EXPECT_TRUE(a.cancelled());
  a.release();
  settle();
  EXPECT_THAT(seen(), NeverHappens(Abandoned("/app/a")));
  EXPECT_EQ(a.lives(), 2u);
  EXPECT_EQ(child("/app/a").last_failure->failure_class,
            failure_classes::stall);
}

// HEARTBEAT-4. P03: a warning comes at two thirds; a late beat ends it.
TEST_F(HeartbeatSupervision, WarnsAtTwoThirds_P03) {
  start(three_seconds);
  a.now(hangs());
  run_for(2s - 1ns);
  EXPECT_THAT(seen(), NeverHappens(BeatLate("/app/a")));
  run_for(scan + 1ns);
  EXPECT_THAT(seen(), HappensTimes(1, BeatLate("/app/a", 1)));
  a.beat();
  run_for(1500ms);
  EXPECT_THAT(seen(), NeverHappens(Stalled("/app/a")));
  EXPECT_THAT(seen(), HappensTimes(1, BeatLate("/app/a")));
}

// HEARTBEAT-3. P04: a beat just before the verdict counts from that beat.
TEST_F(HeartbeatSupervision, CountsFromTheLastBeat_P04) {
  start(three_seconds);
  a.now(hangs());
  for (int i = 0; i < 5; ++i) {
    run_for(3s - 2 * scan);
    a.beat();
  }
  EXPECT_THAT(seen(), NeverHappens(Stalled("/app/a")));
  const auto last = now();
  run_for(3s + scan);
  const auto stalls = seen().times_of(event_kind::stalled, "/app/a");
  ASSERT_EQ(stalls.size(), 1u);
  EXPECT_GE(stalls.front() - last, 3s);
  EXPECT_LE(stalls.front() - last, 3s + scan);
}

// HEARTBEAT-3. P05: alive, but its mailbox is not drained: a probe finds out.
TEST_F(HeartbeatSupervision, ProbesTheMailbox_P05) {
  start({.stall_timeout = 3s, .probe_every = 1s});
  run_for(1h);
  EXPECT_EQ(a.lives(), 1u);
  a.now(stops_draining());
  settle();
  send(a.life(), "x");
  run_for(4s + 2 * scan);
  EXPECT_THAT(seen(), HappensTimes(1, Stalled("/app/a", 1)));
  run_for(3s);
  EXPECT_EQ(a.lives(), 2u);
}

// HEARTBEAT-4. P06: more time on request, up to a cap.
TEST_F(HeartbeatSupervision, ExtendsTheTimeoutUpToACap_P06) {
  start({.stall_timeout = 3s, .extension_max = 20s});
  a.now(hangs());
  settle();
  a.extend(10s);
  run_for(13s - 1ns);
  EXPECT_THAT(seen(), NeverHappens(Stalled("/app/a")));
  a.beat();
  a.extend(30s);
  run_for(10s);
  a.extend(30s); // does not help: no progress since
  run_for(13s - 1ns);
  EXPECT_THAT(seen(), NeverHappens(Stalled("/app/a")));
  run_for(2 * scan);
  EXPECT_THAT(seen(), HappensTimes(1, Stalled("/app/a", 1)));
}

// HEARTBEAT-3. P10: beats by somebody else do not count for a worker.
TEST_F(HeartbeatSupervision, CountsNoBeatsOfOthersForAWorker_P10) {
  life_handle somebody_else;
  auto spec = a.spec(rest(three_seconds));
  spec.start = [start = spec.start, &somebody_else](start_context& context) {
    start(context);
    if (context.incarnation() == 1)
      somebody_else = context.life();
  };
  supervise({.name = "app", .children = {spec}});
  a.now(hangs());
  for (int i = 0; i < 10; ++i) {
    run_for(500ms);
    somebody_else.beat();
  }
  EXPECT_THAT(seen(), HappensTimes(1, Stalled("/app/a", 1)));
}

// STOP-2: beats and news from a life that is history are refused.
TEST_F(HeartbeatSupervision, RefusesNewsFromAPastLife) {
  a.beats_every(1s);
  std::vector<life_handle> lives;
  auto spec = a.foreign_spec(rest({.idle_timeout = 3s}));
  spec.start = [start = spec.start, &lives](start_context& context) {
    lives.push_back(context.life());
    start(context);
  };
  supervise({.name = "app", .children = {spec}});
  a.mute();
  run_for(4s);
  ASSERT_EQ(lives.size(), 2u);
  EXPECT_THAT(seen(), HappensTimes(1, Stalled("/app/a")));
  for (int i = 0; i < 10; ++i) {
    lives.front().beat(); // for the second life, they would be in time
    lives.front().ready();
    lives.front().healthy();
    run_for(500ms);
  }
  EXPECT_THAT(seen(), Happens(Stalled("/app/a", 2)));
}

// HEARTBEAT-2. P11: no slot, no timer is left of a life that has ended.
TEST_F(HeartbeatSupervision, LeavesNothingBehind_P11) {
  auto t = script("t");
  supervise(
    {.name = "app",
     .children = {t.spec({.restart = temporary, .heartbeat = three_seconds}),
                  a.foreign_spec({.restart = temporary})}});
  EXPECT_EQ(tree().context()->dog().stats().lives, 2u);
  t.now(finish());
  a.now(throws());
  settle();
  EXPECT_EQ(tree().context()->dog().stats().lives, 0u);
  EXPECT_EQ(host().running_actors(), 1u);
}

// HEARTBEAT-4. P12: each limit in its own phase, and only there.
TEST_F(HeartbeatSupervision, KeepsThePhasesApart_P12) {
  a.starts({slow_start(4s)});
  a.on_stop(dies_slowly(4s));
  a.beats_every(500ms);
  auto spec = a.foreign_spec(
    {.shutdown = 5s, .heartbeat = {.stall_timeout = 1s, .idle_timeout = 1s}});
  supervise({.name = "app", .children = {spec}});
  run_for(6s);
  EXPECT_EQ(state_of("/app/a"), child_state::running);
  a.mute();
  const auto answer = submit(root(), command::terminate_child{"a"s});
  run_for(4s);
  EXPECT_THAT(outcome_of(answer), Succeeds());
  EXPECT_THAT(seen(), NeverHappens(Stalled("/app/a")));
}

// HEARTBEAT-5: a watcher that was late itself judges nobody by that time.
TEST_F(HeartbeatSupervision, ForgivesTheTimeItMissedItself) {
  start(three_seconds);
  a.now(hangs());
  run_for(1s);
  host().suspend_for(1h);
  EXPECT_THAT(seen(), NeverHappens(Stalled("/app/a")));
  EXPECT_THAT(seen(), Happens(Event(event_kind::watcher_late, "")));
  a.beat();
  run_for(2s);
  EXPECT_THAT(seen(), NeverHappens(Stalled("/app/a")));
  run_for(5s);
  EXPECT_THAT(seen(), HappensTimes(1, Stalled("/app/a", 1)));
}

// HEARTBEAT-6: the verdict carries evidence.
TEST_F(HeartbeatSupervision, ShowsEvidence) {
  start(three_seconds);
  a.now(hangs());
  settle();
  a.beat("reading page 7");
  run_for(3s + scan);
  const auto why = child("/app/a").last_failure;
  ASSERT_NE(why, nullptr);
  EXPECT_EQ(why->failure_class, failure_classes::stall);
  EXPECT_EQ(why->code, failure_code{errc::stalled});
  EXPECT_EQ(why->misc.at("last_mark"), "reading page 7");
  EXPECT_THAT(why->misc.at("age"), HasSubstr("s"));
  EXPECT_EQ(why->where.path, "/app/a");
  EXPECT_EQ(why->where.incarnation, 1u);
}

// HEARTBEAT-4: the snapshot shows the suspicion grow.
TEST_F(HeartbeatSupervision, ShowsSuspicionInTheListing) {
  start(three_seconds);
  a.now(hangs());
  run_for(1500ms);
  const auto line = child("/app/a");
  ASSERT_TRUE(line.signs);
  EXPECT_TRUE(line.signs->busy);
  EXPECT_NEAR(line.signs->suspicion, 0.5, 0.05);
}

} // namespace
} // namespace coppice::test
