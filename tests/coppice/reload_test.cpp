// This file is part of coppice. License: see LICENSE in the source root.

// Another spec for a whole tree that runs, and holding a child.

#include "support/tree_test.hpp"

namespace coppice::test {
namespace {

class Reload : public supervision_test {
public:
  outcome<command_reply> reload(supervisor_spec spec) {
    return command_to(root(),
                      command::reload{std::make_shared<supervisor_spec>(spec)});
  }

  pending<command_reply> begin_reload(supervisor_spec spec) {
    return submit(root(),
                  command::reload{std::make_shared<supervisor_spec>(spec)});
  }

  /// "/app/db" with `inner`, beside "/app/a".
  supervisor_spec nested(std::vector<child_spec> inner,
                         restart_limits limits = {}) {
    return {.name = "app",
            .children
            = {a.spec(),
               {.id = "db",
                .supervisor = supervisor_spec{.limits = limits,
                                              .children = std::move(inner)},
                .backoff = at_once}}};
  }

  child_script a = script("a");
  child_script b = script("b");
  child_script c = script("c");
};

// TOPOLOGY-3: the whole tree goes over; lives are kept; the report says what
// changed, and events have the version.
TEST_F(Reload, GoesDownTheWholeTree) {
  supervise(nested({b.spec({.backoff = at_once})}));
  EXPECT_EQ(tree().version(), 1u);
  const auto reply = reload(
    nested({b.spec({.backoff = each_second}), c.spec()}, {.restarts_max = 7}));
  ASSERT_THAT(reply, Succeeds());
  EXPECT_EQ(reply->reloaded.version, 2u);
  EXPECT_EQ(tree().version(), 2u);
  EXPECT_EQ(to_string(reply->reloaded.changes),
            "/app/db: limits.restarts_max: 3 -> 7\n"
            "/app/db/b: backoff.first: 0s -> 1s\n"
            "/app/db/b: backoff.cap: 30s -> 1s\n"
            "/app/db/c: added, a worker");
  EXPECT_THAT(seen(), Happens(Event(event_kind::reloaded, "/app").attempts(0)));
  EXPECT_THAT(seen(),
              Happens(Event(event_kind::reloaded, "/app/db").attempts(4)));
  EXPECT_EQ(c.lives(), 1u);
  b.now(throws());
  settle();
  EXPECT_EQ(b.lives(), 1u) << "it waits a second by now";
  run_for(1s);
  EXPECT_EQ(b.lives(), 2u);
  EXPECT_EQ(a.lives(), 1u);
  EXPECT_EQ(incarnation_of("/app/db"), 1u);
  EXPECT_EQ(seen().events().front().version, 1u);
  EXPECT_EQ(seen().events().back().version, 2u);
}

// TOPOLOGY-3: or not at all. Nothing has changed, not even the version.
TEST_F(Reload, RefusesAsAWhole) {
  supervise(nested({b.spec()}));
  const auto events = seen().events().size();
  auto next = nested({b.spec(), c.spec()});
  next.children[0].supervisor = supervisor_spec{};
  next.children[0].start = {};
  const auto reply = reload(next);
  ASSERT_THAT(reply, FailsWith(errc::reload_refused));
  EXPECT_EQ(reply.error().failure_class, "reload_refused");
  EXPECT_THAT(reply.error().message,
              HasSubstr("app.children[0](a).supervisor: found a supervisor"));
  next = nested({b.spec(), c.spec({.kill_grace = infinity})});
  EXPECT_THAT(reload(next), FailsWith(errc::invalid_spec));
  EXPECT_THAT(tree().reload(next), FailsWith(errc::invalid_spec));
  next = nested({b.spec(), c.spec({.heartbeat = {.stall_timeout = 1ms}})});
  const auto too_fast = tree().reload(next);
  ASSERT_THAT(too_fast, FailsWith(errc::invalid_spec));
  EXPECT_THAT(too_fast.error().message, HasSubstr("scan_interval"));
  settle();
  EXPECT_EQ(seen().events().size(), events);
  EXPECT_EQ(tree().version(), 1u);
  EXPECT_EQ(c.lives(), 0u);
}

// TOPOLOGY-3: it is the tree that is reloaded.
TEST_F(Reload, IsForTheRootAlone) {
  supervise(nested({b.spec()}));
  const auto part
    = std::make_shared<supervisor_spec>(supervisor_spec{.name = "app"});
  EXPECT_THAT(command_to(supervisor("/app/db"), command::reload{part}),
              FailsWith(errc::reload_refused));
}

// TOPOLOGY-3, STOP-4: a tree that ends is not changed.
TEST_F(Reload, IsRefusedWhileTheTreeEnds) {
  const auto spec = nested({b.spec()});
  a.on_stop(dies_slowly(1s));
  supervise(spec);
  const auto stopped = submit(root(), command::stop{infinity});
  settle();
  EXPECT_THAT(reload(spec), FailsWith(errc::shutting_down));
  run_for(1s);
  EXPECT_THAT(outcome_of(stopped), Succeeds());
}

// An inner supervisor that gives up before it hears of the new spec starts
// from that one: its parent has it already.
TEST_F(Reload, ReachesASupervisorThatRestartsMeanwhile) {
  supervise(nested({b.spec({.backoff = at_once})}, {.restarts_max = 0}));
  kill(caf::actor_cast<caf::actor>(child("/app/db").actor));
  const auto reply = begin_reload(
    nested({b.spec({.backoff = at_once}), c.spec()}, {.restarts_max = 5}));
  settle();
  ASSERT_THAT(outcome_of(reply), Succeeds());
  EXPECT_EQ(incarnation_of("/app/db"), 2u);
  EXPECT_EQ(c.lives(), 1u);
  b.now(throws());
  settle();
  EXPECT_EQ(incarnation_of("/app/db"), 2u) << "five restarts are affordable";
  EXPECT_THAT(seen(), NeverHappens(GaveUp("/app")));
}

// START-3: while it starts, too.
TEST_F(Reload, IsSafeWhileTheTreeStarts) {
  b.starts({slow_start(1s)});
  supervise(nested({b.spec(), c.spec()}));
  EXPECT_FALSE(is_ready());
  const auto reply = reload(nested({c.spec()}));
  ASSERT_THAT(reply, Succeeds());
  run_for(10s);
  EXPECT_TRUE(is_ready());
  EXPECT_EQ(c.lives(), 1u);
  EXPECT_THAT(children("/app/db")->children, testing::SizeIs(1));
}

// HEARTBEAT-4, TOPOLOGY-3: a life that hangs is judged by the new limits, and
// its silence does not begin anew.
TEST_F(Reload, JudgesALifeThatHangsByTheNewLimits) {
  const auto spec = [this](duration timeout) {
    return nested(
      {b.spec({.backoff = at_once, .heartbeat = {.stall_timeout = timeout}})});
  };
  supervise(spec(1min));
  run_for(10s);
  b.now(hangs());
  run_for(4s);
  ASSERT_THAT(reload(spec(5s)), Succeeds());
  run_for(1s - 1ns);
  EXPECT_THAT(seen(), NeverHappens(Stalled("/app/db/b")));
  run_for(200ms);
  EXPECT_THAT(seen(), HappensTimes(1, BeatLate("/app/db/b", 1)));
  EXPECT_THAT(seen(), HappensTimes(1, Stalled("/app/db/b", 1)));
}

TEST_F(Reload, GivesALifeThatHangsMoreTime) {
  const auto spec = [this](duration timeout) {
    return nested({b.spec({.heartbeat = {.stall_timeout = timeout}})});
  };
  supervise(spec(3s));
  b.now(hangs());
  run_for(2500ms); // a warning came at two seconds
  ASSERT_THAT(reload(spec(10s)), Succeeds());
  run_for(7s);
  EXPECT_THAT(seen(), NeverHappens(Stalled("/app/db/b")));
  run_for(1s);
  EXPECT_THAT(seen(), HappensTimes(1, Stalled("/app/db/b", 1)));
}

// HEARTBEAT-3: a probe that is out counts from when it was sent.
TEST_F(Reload, JudgesAProbeByTheNewLimits) {
  const auto spec = [this](duration timeout) {
    return nested(
      {b.spec({.backoff = at_once,
               .heartbeat = {.stall_timeout = timeout, .probe_every = 10s}})});
  };
  supervise(spec(1min));
  b.now(stops_draining());
  run_for(13s); // the probe is out for some three seconds
  ASSERT_THAT(reload(spec(5s)), Succeeds());
  run_for(1500ms);
  EXPECT_THAT(seen(), NeverHappens(Stalled("/app/db/b")));
  run_for(1s);
  EXPECT_THAT(seen(), HappensTimes(1, Stalled("/app/db/b", 1)));
}

// RESTART-4: what an operator holds stays held, and says why, until it is
// started again.
TEST_F(Reload, LeavesHeldWhatIsHeld) {
  const auto spec = nested({b.spec(), c.spec()});
  supervise(spec);
  ASSERT_THAT(command_to(supervisor("/app/db"),
                         command::terminate_child{"b"s, "disk is full"}),
              Succeeds());
  EXPECT_EQ(child("/app/db/b").hold_reason, "disk is full");
  ASSERT_THAT(reload(spec), Succeeds());
  EXPECT_EQ(child("/app/db/b").hold_reason, "disk is full");
  EXPECT_EQ(state_of("/app/db/b"), child_state::stopped);
  ASSERT_THAT(terminate_child("/app/db/b"), Succeeds());
  EXPECT_EQ(child("/app/db/b").hold_reason, "disk is full");
  ASSERT_THAT(restart_child("/app/db/b"), Succeeds());
  EXPECT_EQ(child("/app/db/b").hold_reason, "");
  EXPECT_EQ(child("/app/db/c").hold_reason, "");
}

// RESTART-4, STOP-4: a child between two lives gets no other one.
TEST_F(Reload, HoldsAChildInBackoffAndASupervisor) {
  supervise(nested({b.spec({.backoff = each_second})}));
  b.now(throws());
  settle();
  ASSERT_EQ(state_of("/app/db/b"), child_state::backoff);
  ASSERT_THAT(command_to(supervisor("/app/db"),
                         command::terminate_child{"b"s, "later"}),
              Succeeds());
  run_for(10s);
  EXPECT_EQ(b.lives(), 1u);
  EXPECT_EQ(child("/app/db/b").hold_reason, "later");
  ASSERT_THAT(command_to(root(), command::terminate_child{"db"s, "all of it"}),
              Succeeds());
  EXPECT_EQ(state_of("/app/db"), child_state::stopped);
  EXPECT_EQ(child("/app/db").hold_reason, "all of it");
  ASSERT_THAT(reload(nested({b.spec(), c.spec()})), Succeeds());
  EXPECT_EQ(c.lives(), 0u) << "held";
  ASSERT_THAT(restart_child("/app/db"), Succeeds());
  EXPECT_EQ(c.lives(), 1u) << "from the new spec";
}

// A child that leaves the spec is gone, and references say so at once.
TEST_F(Reload, StopsWhatLeavesTheSpec) {
  supervise(nested({b.spec(), c.spec()}));
  const auto to_c = ref("/app/db/c");
  ASSERT_THAT(reload(nested({b.spec()})), Succeeds());
  EXPECT_THAT(seen(), Happens(Forgotten("/app/db/c")));
  EXPECT_THAT(ask<std::string>(to_c.handle(), 1s, "x"s),
              FailsWith(errc::stopped));
}

} // namespace
} // namespace coppice::test
