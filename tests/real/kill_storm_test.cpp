// This file is part of coppice. License: see LICENSE in the source root.

// Lives are killed, from outside and at random, as fast as they come.

#include "coppice/actors/worker.hpp"
#include "coppice/supervise.hpp"
#include "coppice/system_config.hpp"

#include "support/event_log.hpp"
#include "support/seed.hpp"

#include <caf/actor_registry.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>

using namespace std::literals;

namespace coppice::test {

namespace {

/// How many lives of a child there are at a time, and ever.
struct census {
  std::atomic<int> alive{0};
  std::atomic<int> most{0};
  std::atomic<int> ever{0};
};

struct counted {
  explicit counted(std::shared_ptr<census> x) : register_(std::move(x)) {
    ++register_->ever;
    const auto now = ++register_->alive;
    auto most = register_->most.load();
    while (now > most && !register_->most.compare_exchange_weak(most, now)) {}
  }
  ~counted() { --register_->alive; }
  counted(const counted&) = delete;
  counted& operator=(const counted&) = delete;

private:
  std::shared_ptr<census> register_;
};

caf::behavior victim(worker* self, std::shared_ptr<census> lives) {
  // Lives as long as the behavior, which CAF drops when the actor ends.
  auto me = std::make_shared<counted>(std::move(lives));
  return {[me, self](int) { return self->incarnation(); }};
}

constexpr int victims = 8;
constexpr int kills = 2'000;

} // namespace

// RESTART-1, STOP-4, K04: after all of it everybody is there, once.
TEST(KillStorm, LeavesTheTreeInItsConfiguredShape) {
  seeded seeded_test;
  auto& random = seeded_test.random;
  system_config config{2};
  caf::actor_system system{config};
  const auto baseline = system.registry().running();
  std::vector<std::shared_ptr<census>> lives;
  {
    event_log log;
    supervise_options options;
    options.on_event = log.recorder();
    std::vector<child_spec> children;
    for (int i = 0; i < victims; ++i) {
      lives.push_back(std::make_shared<census>());
      children.push_back({.id = std::to_string(i),
                          .start = spawns(victim, lives.back()),
                          .backoff = {.first = 0ms, .cap = 0ms}});
    }
    auto tree = supervise(
      system,
      {.name = "app",
       .children
       = {{.id = "storm",
           .supervisor = supervisor_spec{.limits = {.restarts_max = infinity},
                                         .children = std::move(children)}}}},
      options);
    ASSERT_TRUE(tree) << describe(tree.error());
    const auto storm = tree->supervisor("/app/storm").value();
    for (int i = 0; i < kills; ++i) {
      const auto id = std::to_string(random.up_to(victims - 1));
      const auto line = storm.get_child(id, patience);
      ASSERT_TRUE(line) << describe(line.error());
      if (line->actor)
        caf::anon_send_exit(line->actor, caf::exit_reason::kill);
    }
    for (int i = 0; i < victims; ++i) {
      const auto child
        = tree->child("/app/storm/" + std::to_string(i), patience).value();
      EXPECT_TRUE(log.wait_for([&](const auto& x) {
        return x.kind == event_kind::ready && x.path == child.path();
      }));
    }
    const auto report = tree->stop(patience);
    EXPECT_TRUE(report.complete);
    EXPECT_TRUE(report.left.empty());
  }
  for (const auto& life : lives) {
    EXPECT_EQ(life->most, 1) << "two lives of a child at a time";
    EXPECT_EQ(life->alive, 0);
    EXPECT_GT(life->ever, 1);
  }
  // Who has answered may still be on its way out; who stays fails by time-out.
  system.registry().await_running_count_equal(baseline);
}

// STOP-4, H18, E15: a supervisor that is killed takes its children with it.
TEST(KillStorm, TakesChildrenWithTheirSupervisor_H18) {
  system_config config{2};
  caf::actor_system system{config};
  event_log log;
  supervise_options options;
  options.on_event = log.recorder();
  auto lives = std::make_shared<census>();
  auto tree = supervise(
    system,
    {.name = "app",
     .limits = {.restarts_max = infinity},
     .children
     = {{.id = "inner",
         .supervisor
         = supervisor_spec{.children
                           = {{.id = "x", .start = spawns(victim, lives)}}},
         .backoff = {.first = 0ms, .cap = 0ms}}}},
    options);
  ASSERT_TRUE(tree) << describe(tree.error());
  for (int i = 2; i <= 50; ++i) {
    const auto inner = tree->supervisor("/app/inner", patience);
    ASSERT_TRUE(inner) << describe(inner.error());
    caf::anon_send_exit(inner->handle(), caf::exit_reason::kill);
    ASSERT_TRUE(log.wait_for(event_kind::ready, "/app/inner", i)) << log.text();
  }
  EXPECT_TRUE(tree->stop(patience).complete);
  EXPECT_EQ(lives->ever, 50);
  EXPECT_EQ(lives->alive, 0);
}

} // namespace coppice::test
