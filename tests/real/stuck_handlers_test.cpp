// This file is part of coppice. License: see LICENSE in the source root.

// Handlers that do not return, on CAF's real scheduler: on a thread of the
// pool, on a thread of their own, and on all threads of the pool.

#include "coppice/actors/worker.hpp"
#include "coppice/supervise.hpp"
#include "coppice/system_config.hpp"

#include "support/event_log.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>

using namespace std::literals;

namespace coppice::test {

namespace {

/// Spins, deaf to everything, until the test lets go: so that the actor system
/// can end after all.
using release = std::shared_ptr<std::atomic<bool>>;

caf::behavior spinner(worker* self, release let_go) {
  return {[self, let_go](const std::string& order) {
    while (order == "spin" && !*let_go) {}
    return self->incarnation();
  }};
}

class StuckHandler : public testing::Test {
protected:
  StuckHandler() { options_.on_event = log_.recorder(); }

  [[nodiscard]] child_spec child(const char* id, isolation_kind isolation) {
    return {.id = id,
            .start = spawns(spinner, let_go_),
            .shutdown = 50ms,
            .kill_grace = 50ms,
            .backoff = {.first = 1ms, .cap = 1ms},
            .heartbeat = {.stall_timeout = 200ms},
            .isolation = isolation};
  }

  [[nodiscard]] supervision_tree up(std::vector<child_spec> children) {
    options_.scan_interval = 20ms;
    return std::move(supervise(system_,
                               {.name = "app",
                                .limits = {.restarts_max = 1'000},
                                .children = std::move(children)},
                               options_)
                       .value());
  }

  /// The incarnation that answers, or the error.
  std::string ask(const child_ref& whom, const char* order) {
    caf::scoped_actor self{system_};
    std::string answer;
    compat::ask(self, whom.handle(), patience, std::string{order})
      .receive([&](std::uint64_t x) { answer = std::to_string(x); },
               [&](caf::error& e) { answer = from_error(e).failure_class; });
    return answer;
  }

  void spin(const child_ref& whom) { compat::post(whom.handle(), "spin"s); }

  release let_go_ = std::make_shared<std::atomic<bool>>(false);
  event_log log_;
  supervise_options options_;
  system_config config_{2};
  caf::actor_system system_{config_};
};

} // namespace

// HEARTBEAT-6, STOP-2, H14, P02: found, given up, replaced, and in the end the
// count falls again.
TEST_F(StuckHandler, OnAPoolThreadIsReplacedAndCountedUntilItReturns_H14) {
  auto tree = up({child("a", isolation_kind::shared)});
  const auto a = tree.child("/app/a").value();
  spin(a);
  ASSERT_TRUE(log_.wait_for(event_kind::stalled, "/app/a")) << log_.text();
  ASSERT_TRUE(log_.wait_for(event_kind::abandoned, "/app/a")) << log_.text();
  ASSERT_TRUE(log_.wait_for(event_kind::ready, "/app/a", 2)) << log_.text();
  EXPECT_EQ(ask(a, "hello"), "2");
  EXPECT_EQ(tree.abandoned(), (std::vector<left_behind>{{"/app/a", 1}}));
  *let_go_ = true;
  ASSERT_TRUE(log_.wait_for(event_kind::abandoned_ended, "/app/a"))
    << log_.text();
  EXPECT_TRUE(tree.abandoned().empty());
  EXPECT_EQ(log_.count(event_kind::stalled), 1);
}

// HEARTBEAT-5, STOP-2: it costs a thread, and nobody else notices.
TEST_F(StuckHandler, OnItsOwnThreadHindersNobody) {
  auto tree = up({child("alone", isolation_kind::thread),
                  child("b", isolation_kind::shared),
                  child("c", isolation_kind::shared)});
  const auto alone = tree.child("/app/alone").value();
  spin(alone);
  ASSERT_TRUE(log_.wait_for(event_kind::abandoned, "/app/alone"))
    << log_.text();
  EXPECT_EQ(ask(tree.child("/app/b").value(), "hello"), "1");
  EXPECT_EQ(ask(tree.child("/app/c").value(), "hello"), "1");
  ASSERT_TRUE(log_.wait_for(event_kind::ready, "/app/alone", 2)) << log_.text();
  EXPECT_EQ(ask(alone, "hello"), "2");
  *let_go_ = true;
}

// HEARTBEAT-5: the watchdog says so, the root still works, a child with a
// thread of its own still answers, and all recovers once a thread is free.
TEST_F(StuckHandler, OnAllPoolThreadsIsAnEventOfItsOwn) {
  auto tree = up({child("a", isolation_kind::shared),
                  child("b", isolation_kind::shared),
                  child("alone", isolation_kind::thread)});
  const auto a = tree.child("/app/a").value();
  spin(a);
  spin(tree.child("/app/b").value());
  ASSERT_TRUE(log_.wait_for(
    [](const auto& x) { return x.kind == event_kind::pool_stuck; }))
    << log_.text();
  ASSERT_TRUE(log_.wait_for(event_kind::abandoned, "/app/a")) << log_.text();
  ASSERT_TRUE(log_.wait_for(event_kind::abandoned, "/app/b")) << log_.text();
  EXPECT_EQ(ask(tree.child("/app/alone").value(), "hello"), "1");
  EXPECT_TRUE(tree.root().count_children());
  *let_go_ = true;
  ASSERT_TRUE(log_.wait_for(
    [](const auto& x) { return x.kind == event_kind::pool_free; }))
    << log_.text();
  EXPECT_TRUE(log_.wait_for(event_kind::ready, "/app/a", 2)) << log_.text();
  EXPECT_NE(ask(a, "hello"), "1");
}

// FAILURE-6: not a time-out, although its handler never returned.
TEST_F(StuckHandler, LeavesItsRequesterWithTheFailure) {
  auto tree = up({child("a", isolation_kind::thread)});
  EXPECT_EQ(ask(tree.child("/app/a").value(), "spin"), "stall");
  *let_go_ = true;
}

// STOP-3: the deadline holds, and the report names who is left.
TEST_F(StuckHandler, DoesNotHoldUpTheStopOfTheTree) {
  options_.scan_interval = 20ms;
  auto deaf = child("deaf", isolation_kind::thread);
  deaf.shutdown = infinity;
  deaf.heartbeat.stall_timeout = infinity;
  auto tree = up({deaf, child("good", isolation_kind::shared)});
  const auto whom = tree.child("/app/deaf").value();
  spin(whom);
  const auto report = tree.stop(1s);
  EXPECT_TRUE(report.complete);
  EXPECT_EQ(report.left, (std::vector<left_behind>{{"/app/deaf", 1}}));
  *let_go_ = true;
}

// HEARTBEAT-7, P17: more busy workers than threads, and nobody is convicted.
TEST_F(StuckHandler, IsNotWhoeverIsMerelyBusy_P17) {
  std::vector<child_spec> children;
  for (const auto* id : {"a", "b", "c", "d", "e", "f", "g", "h"})
    children.push_back(child(id, isolation_kind::shared));
  auto tree = up(std::move(children));
  for (int round = 0; round < 200; ++round)
    for (const auto* id : {"a", "b", "c", "d", "e", "f", "g", "h"})
      ASSERT_EQ(ask(tree.child("/app/"s + id).value(), "hello"), "1");
  EXPECT_EQ(log_.count(event_kind::stalled), 0) << log_.text();
}

} // namespace coppice::test
