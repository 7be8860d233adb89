// This file is part of coppice. License: see LICENSE in the source root.

// A supervisor that runs gets a spec with other children.

#include "support/core_harness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace coppice::test {
namespace {

using namespace policy;
using testing::ElementsAre;
using testing::IsEmpty;

backoff_spec waits(duration first, duration cap) {
  return {
    .first = first, .cap = cap, .factor = 1.0, .jitter = jitter_kind::none};
}

std::uint64_t changes_in(const core_harness& h) {
  const auto all = h.events(event_kind::reloaded);
  return all.empty() ? 0 : all.back().what.attempts;
}

// -- children that are new ---------------------------------------------------

// START-1: they are started in order, one after the other.
TEST(CoreReload, StartsWhatIsNewInOrder) {
  core_harness h{tree(rest_for_one, {worker("b"), worker("d")})};
  h.start();
  h.forget_journal();
  h.always("a", start_slow(1s));
  h.reload(tree(rest_for_one, {worker("a"), worker("b"), worker("c"),
                               worker("d"), worker("e")}));
  EXPECT_THAT(h.journal(), ElementsAre("start a#1"));
  h.run_for(1s);
  EXPECT_THAT(h.order(), ElementsAre("start a", "start c", "start e"));
  EXPECT_THAT(h.listing(), ElementsAre("a running", "b running", "c running",
                                       "d running", "e running"));
  EXPECT_EQ(h.info("c").restarts_total, 0u);
  h.forget_journal();
  h.crash("c"); // RESTART-2: the order of the new spec
  EXPECT_THAT(h.order(), ElementsAre("end c", "end e", "end d", "start c",
                                     "start d", "start e"));
}

// RESTART-2: groups follow the new order from the next restart on.
TEST(CoreReload, ReordersWithoutRestarting) {
  core_harness h{tree(rest_for_one, {worker("a"), worker("b"), worker("c")})};
  h.start();
  h.forget_journal();
  h.reload(tree(rest_for_one, {worker("c"), worker("a"), worker("b")}));
  EXPECT_THAT(h.journal(), IsEmpty());
  EXPECT_EQ(changes_in(h), 1u);
  h.crash("a");
  EXPECT_THAT(h.order(), ElementsAre("end a", "end b", "start a", "start b"));
}

// RESTART-6, BUDGET-2: a failed start of a new child is that of a restart.
TEST(CoreReload, RetriesANewChildThatDoesNotStart) {
  core_harness h{tree(one_for_one, {worker("a")})};
  h.start();
  h.script("b", {start_error, start_error});
  h.reload(
    tree(one_for_one, {worker("a"), worker("b").backs_off(waits(1s, 1s))}));
  EXPECT_EQ(h.state("b"), "backoff");
  EXPECT_EQ(h.state("a"), "running");
  h.run_for(2s);
  EXPECT_EQ(h.state("b"), "running");
  EXPECT_EQ(h.restarts_in_window(), 2u);
}

// START-2: while the supervisor itself starts, it is one of its children.
TEST(CoreReload, ANewChildBelongsToAStartThatGoesOn) {
  core_harness h{tree(one_for_one, {worker("a"), worker("b")})};
  h.script("b", {start_slow(1s)});
  h.start();
  h.script("c", {start_slow(1s)});
  h.reload(tree(one_for_one, {worker("a"), worker("b"), worker("c")}));
  h.run_for(1s);
  EXPECT_FALSE(h.is_ready());
  h.run_for(1s);
  EXPECT_TRUE(h.is_ready());
}

TEST(CoreReload, ANewChildThatFailsFailsAStartThatGoesOn) {
  core_harness h{tree(one_for_one, {worker("a"), worker("b")})};
  h.script("b", {start_slow(1s)});
  h.start();
  h.script("c", {start_error});
  h.reload(tree(one_for_one, {worker("a"), worker("b"), worker("c")}));
  h.run_for(1s);
  EXPECT_EQ(h.outcome(), "start_failed");
}

// RESTART-5: behind a sibling's retry, it waits for that.
TEST(CoreReload, ANewChildWaitsForItsPredecessorsRetry) {
  for (const auto strategy : {rest_for_one, one_for_all}) {
    const auto a = worker("a").backs_off(waits(1s, 1s));
    core_harness h{tree(strategy, {a, worker("b")})};
    h.start();
    h.crash("a");
    h.forget_journal();
    h.reload(tree(strategy, {a, worker("n"), worker("b")}));
    EXPECT_THAT(h.order(), IsEmpty());
    h.run_for(1s);
    EXPECT_THAT(h.order(),
                ElementsAre("end b", "start a", "start n", "start b"));
  }
}

// A command's child, which the spec names now, is one of the spec's.
TEST(CoreReload, AdoptsWhatWasAddedByCommand) {
  core_harness h{tree(one_for_one, {worker("a")})};
  h.start();
  h.start_child(worker("x"));
  h.start_child(worker("y"));
  h.reload(tree(one_for_one, {worker("x"), worker("a")}));
  EXPECT_THAT(h.listing(), ElementsAre("x running", "a running", "y running"));
  EXPECT_EQ(h.incarnation("x"), 1u);
  h.reload(tree(one_for_one, {worker("a")}));
  EXPECT_EQ(h.state("x"), "gone");
  EXPECT_EQ(h.state("y"), "running") << "it was never the spec's";
}

// -- children that are gone --------------------------------------------------

// STOP-1: stopped in reverse order, one after the other; and only then are
// those that are new started.
TEST(CoreReload, StopsWhatIsGoneThenStartsWhatIsNew) {
  core_harness h{tree(one_for_one, {worker("a"), worker("b"), worker("c")})};
  h.manners("a", slow_stop(1s));
  h.manners("c", slow_stop(1s));
  h.start();
  h.forget_journal();
  h.reload(tree(one_for_one, {worker("b"), worker("n")}));
  EXPECT_THAT(h.journal(), ElementsAre("stop c#1"));
  h.run_for(2s);
  EXPECT_THAT(h.journal(), ElementsAre("stop c#1", "end c#1", "stop a#1",
                                       "end a#1", "start n#1", "ready n#1"));
  EXPECT_THAT(h.listing(), ElementsAre("b running", "n running"));
  EXPECT_EQ(h.events(event_kind::forgotten).size(), 2u);
}

// What dies while it waits for its turn is not restarted, and costs nothing.
TEST(CoreReload, DoesNotRestartWhatIsGone) {
  core_harness h{tree(one_for_all, {worker("a"), worker("b"), worker("c")},
                      {.restarts_max = 0})};
  h.manners("c", slow_stop(1s));
  h.start();
  h.reload(tree(one_for_all, {worker("b")}, {.restarts_max = 0}));
  h.crash("a");
  EXPECT_EQ(h.outcome(), "runs");
  EXPECT_EQ(h.state("a"), "gone");
  h.run_for(1s);
  EXPECT_THAT(h.listing(), ElementsAre("b running"));
  EXPECT_EQ(h.incarnation("b"), 1u);
}

// Without a life it is forgotten at once, a retry included; and siblings that
// waited for that retry come back (RESTART-5).
TEST(CoreReload, ForgetsAtOnceWhatHasNoLife) {
  const auto a = worker("a").backs_off(waits(10s, 10s));
  core_harness h{tree(one_for_all, {a, worker("b"), worker("held")})};
  h.start();
  h.terminate("held");
  h.script("a", {start_error});
  h.crash("a");
  EXPECT_EQ(h.state("b"), "running");
  h.run_for(10s); // the retry fails, and b waits for the next one
  ASSERT_EQ(h.state("a"), "backoff");
  ASSERT_EQ(h.state("b"), "stopped group");
  h.reload(tree(one_for_all, {worker("b")}));
  EXPECT_THAT(h.listing(), ElementsAre("b running"));
}

// RESTART-4: what an operator holds stays held.
TEST(CoreReload, LeavesHeldWhatIsHeld) {
  core_harness h{tree(one_for_one, {worker("a"), worker("b")})};
  h.start();
  h.terminate("a");
  h.reload(tree(one_for_all, {worker("a").as(transient), worker("b")}));
  EXPECT_EQ(h.state("a"), "stopped operator");
  h.crash("b");
  EXPECT_EQ(h.state("a"), "stopped operator");
}

// Gone and back again, before its turn: nothing has happened.
TEST(CoreReload, ChangesItsMindBeforeTheStop) {
  core_harness h{tree(one_for_one, {worker("a"), worker("b")})};
  h.manners("b", slow_stop(1s));
  h.start();
  h.reload(tree(one_for_one, {}));
  h.reload(tree(one_for_one, {worker("a")}));
  h.run_for(1s);
  EXPECT_EQ(h.state("a"), "running");
  EXPECT_EQ(h.incarnation("a"), 1u);
  EXPECT_EQ(h.state("b"), "gone");
}

// And in the middle of the stop: it ends, and begins anew.
TEST(CoreReload, ChangesItsMindInTheMiddleOfTheStop) {
  for (const auto strategy : {one_for_one, one_for_all, rest_for_one})
    for (const auto kind : {permanent, temporary}) {
      const auto spec = tree(strategy, {worker("a"), worker("b").as(kind)});
      core_harness h{spec};
      h.manners("b", slow_stop(1s));
      h.start();
      h.reload(tree(strategy, {worker("a")}));
      h.reload(spec);
      EXPECT_EQ(h.state("b"), "stopping");
      h.run_for(1s);
      EXPECT_EQ(h.state("b"), "running");
      EXPECT_EQ(h.incarnation("b"), 2u);
      EXPECT_EQ(h.incarnation("a"), 1u);
    }
}

// RESTART-4: unless it is an operator who stops it.
TEST(CoreReload, ComesAndGoesInTheMiddleOfAnOperatorsStop) {
  const auto spec = tree(one_for_one, {worker("a"), worker("b")});
  core_harness h{spec};
  h.manners("b", slow_stop(1s));
  h.start();
  const auto asked = h.terminate("b");
  h.reload(tree(one_for_one, {worker("a")}));
  h.reload(spec);
  h.run_for(1s);
  EXPECT_EQ(h.answer_to(asked), "ok");
  EXPECT_EQ(h.state("b"), "stopped operator");
}

// RESTART-1: temporary children have one life; one that is between two when
// it becomes temporary had it.
TEST(CoreReload, ForgetsWhatBecomesTemporaryWithoutALife) {
  const auto spec = [](restart_type type) {
    return tree(one_for_one, {worker("a").as(type).backs_off(waits(1s, 1s)),
                              worker("b").as(type)});
  };
  core_harness h{spec(permanent)};
  h.start();
  h.crash("a");
  h.reload(spec(temporary));
  EXPECT_THAT(h.listing(), ElementsAre("b running"));
  h.run_for(2s);
  EXPECT_EQ(h.count("start a"), 1u);
  h.crash("b");
  EXPECT_THAT(h.listing(), IsEmpty());
}

// -- in the middle of something ----------------------------------------------

// A group that is being stopped is restarted by the new order, with what is
// new, and without what is gone.
TEST(CoreReload, InTheMiddleOfAGroupsStop) {
  core_harness h{
    tree(rest_for_one, {worker("a"), worker("b"), worker("c"), worker("d")})};
  h.manners("c", slow_stop(1s));
  h.start();
  h.crash("b");
  ASSERT_EQ(h.state("c"), "stopping");
  h.forget_journal();
  h.reload(
    tree(rest_for_one, {worker("a"), worker("d"), worker("n"), worker("b")}));
  EXPECT_THAT(h.order(), IsEmpty());
  h.run_for(1s);
  EXPECT_THAT(h.order(), ElementsAre("end c", "start d", "start n", "start b"));
  EXPECT_EQ(h.incarnation("a"), 1u);
}

// Whoever waits for a sibling's retry is not forgotten when groups end.
TEST(CoreReload, FromGroupsToNone) {
  const auto spec = [](restart_strategy strategy) {
    return tree(strategy, {worker("a").backs_off(waits(10s, 10s)), worker("b"),
                           worker("c")});
  };
  core_harness h{spec(rest_for_one)};
  h.start();
  h.script("a", {start_error});
  h.crash("a");
  h.run_for(10s);
  ASSERT_EQ(h.state("b"), "stopped group");
  h.reload(spec(one_for_one));
  EXPECT_EQ(h.state("a"), "backoff");
  EXPECT_EQ(h.state("b"), "running");
  EXPECT_EQ(h.state("c"), "running");
}

// And whoever is being stopped for a sibling's sake comes back.
TEST(CoreReload, FromGroupsToNoneInTheMiddleOfAGroupsStop) {
  const auto spec = [](restart_strategy strategy) {
    return tree(strategy, {worker("a"), worker("b"), worker("c")});
  };
  core_harness h{spec(one_for_all)};
  h.manners("c", slow_stop(1s));
  h.start();
  h.crash("a");
  ASSERT_EQ(h.state("c"), "stopping");
  h.forget_journal();
  h.reload(spec(one_for_one));
  h.run_for(1s);
  EXPECT_THAT(h.order(), ElementsAre("start a", "end c", "start c"));
  EXPECT_EQ(h.incarnation("b"), 1u);
}

// So does one that is stopped for itself, and waited for a sibling's retry.
TEST(CoreReload, FromGroupsToNoneWhileOneWaitsForASiblingsRetry) {
  const auto spec = [](restart_strategy strategy) {
    return tree(strategy,
                {worker("a").backs_off(waits(10s, 10s)), worker("b")});
  };
  core_harness h{spec(one_for_all)};
  h.manners("b", slow_stop(1s));
  h.start();
  h.crash("a");
  ASSERT_EQ(h.state("a"), "backoff");
  h.stall("b");
  h.reload(spec(one_for_one));
  h.run_for(1s);
  EXPECT_EQ(h.state("a"), "backoff");
  EXPECT_EQ(h.state("b"), "running");
}

// RESTART-1: but not one that is temporary by then.
TEST(CoreReload, BringsNoTemporaryChildBackFromAGroup) {
  const auto spec = [](restart_strategy strategy, restart_type type) {
    return tree(strategy, {worker("a"), worker("b").as(type)});
  };
  core_harness h{spec(one_for_all, permanent)};
  h.manners("b", slow_stop(1s));
  h.start();
  h.crash("a");
  h.reload(spec(one_for_one, permanent));
  h.reload(spec(one_for_one, temporary));
  h.run_for(1s);
  EXPECT_THAT(h.listing(), ElementsAre("a running"));
}

// STOP-4: a supervisor that ends goes by the spec that it has.
TEST(CoreReload, DoesNothingWhileItEnds) {
  core_harness h{tree(one_for_one, {worker("a")})};
  h.manners("a", slow_stop(1s));
  h.start();
  h.stop();
  h.reload(tree(one_for_one, {worker("b")}));
  h.run_for(1s);
  EXPECT_EQ(h.outcome(), "stopped");
  EXPECT_EQ(h.count("start b"), 0u);
  EXPECT_THAT(h.events(event_kind::reloaded), IsEmpty());
}

// STOP-4: who waits for its turn to leave is part of the end.
TEST(CoreReload, EndsInTheMiddleOfLeaving) {
  core_harness h{tree(one_for_one, {worker("a"), worker("b")})};
  h.manners("b", slow_stop(1s));
  h.start();
  h.reload(tree(one_for_one, {worker("n")}));
  const auto asked = h.stop();
  h.run_for(1s);
  EXPECT_EQ(h.answer_to(asked), "ok");
  EXPECT_EQ(h.count("start n"), 0u);
}

} // namespace
} // namespace coppice::test
