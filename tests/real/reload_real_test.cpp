// This file is part of coppice. License: see LICENSE in the source root.

// Reloads of a tree at work, on CAF's real scheduler and clock.

#include "coppice/actors/worker.hpp"
#include "coppice/supervise.hpp"
#include "coppice/system_config.hpp"

#include "support/event_log.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

using namespace std::literals;

namespace coppice::test {
namespace {

constexpr std::size_t groups = 20;
constexpr std::size_t members = 10;

caf::behavior idle(worker*) {
  return {[](int) {}};
}

/// Trees that differ in policies, in one group, and in one member of each.
supervisor_spec tree_number(std::size_t n) {
  supervisor_spec root{.name = "app", .limits = {.restarts_max = infinity}};
  for (std::size_t i = 0; i < groups + n % 2; ++i) {
    supervisor_spec group{.strategy = n % 3 == 0 ? one_for_all : rest_for_one,
                          .limits = {.restarts_max = infinity}};
    for (std::size_t j = 0; j < members + n % 2; ++j)
      group.children.push_back(
        {.id = std::to_string(j),
         .start = spawns(idle),
         .backoff = {.first = 1ms, .cap = 5ms},
         .heartbeat = {.stall_timeout = 10s + 1s * static_cast<int>(n)}});
    root.children.push_back({.id = "g" + std::to_string(i),
                             .supervisor = std::move(group),
                             .backoff = {.first = 1ms, .cap = 5ms}});
  }
  return root;
}

// TOPOLOGY-3: while children and inner supervisors are killed all the time,
// each reload is answered, and in the end the tree is that of the last spec.
TEST(ReloadForReal, HoldsInAStormOfKills) {
  event_log log;
  system_config config{2};
  caf::actor_system system{config};
  supervise_options options;
  options.on_event = log.recorder();
  options.scan_interval = 20ms;
  auto tree = supervise(system, tree_number(0), options);
  ASSERT_TRUE(tree) << describe(tree.error());
  std::atomic<bool> over{false};
  std::thread killer{[&] {
    for (std::size_t i = 0; !over; ++i) {
      const auto group = tree->supervisor("/app/g" + std::to_string(i % groups),
                                          patience);
      if (!group)
        continue;
      const auto victim = group->get_child(std::to_string(i % members),
                                           patience);
      const auto& target = i % 7 == 0 ? group->handle()
                           : victim   ? victim->actor
                                      : group->handle();
      if (target)
        compat::post_urgent(
          caf::actor_cast<caf::strong_actor_ptr>(target),
          caf::exit_msg{{}, caf::make_error(caf::exit_reason::kill)});
    }
  }};
  constexpr std::size_t reloads = 40;
  for (std::size_t n = 1; n <= reloads; ++n) {
    const auto report = tree->reload(tree_number(n), patience);
    EXPECT_TRUE(report) << describe(report.error());
    if (report) {
      EXPECT_EQ(report->version, n + 1);
    }
  }
  over = true;
  killer.join();
  EXPECT_EQ(tree->version(), reloads + 1);
  EXPECT_TRUE(log.wait_for(event_kind::reloaded, "/app", reloads));
  // Without kills, and with the last spec, all of it is there soon.
  const auto is_complete = [&] {
    const auto root = tree->root().count_children(patience);
    if (!root || root->running != groups)
      return false;
    for (std::size_t i = 0; i < groups; ++i) {
      const auto group = tree->supervisor("/app/g" + std::to_string(i),
                                          patience);
      const auto counts = group ? group->count_children(patience)
                                : outcome<policy::child_counts>{
                                  failure{.failure_class = "none"}};
      if (!counts || counts->running != members || counts->specs != members)
        return false;
    }
    return true;
  };
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!is_complete() && std::chrono::steady_clock::now() < until)
    std::this_thread::yield();
  EXPECT_TRUE(is_complete()) << log.text();
  EXPECT_TRUE(tree->stop(patience).complete);
  EXPECT_EQ(log.count(event_kind::stalled), 0);
}

// TOPOLOGY-3: a call that nobody answers in time fails as such.
TEST(ReloadForReal, FailsInTimeWhereTheTreeDoesNotAnswer) {
  system_config config{2};
  caf::actor_system system{config};
  auto tree = supervise(system, tree_number(0));
  ASSERT_TRUE(tree) << describe(tree.error());
  const auto report = tree->reload(tree_number(1), 0ms);
  if (!report) { // it may be as fast as that
    EXPECT_EQ(report.error().failure_class, "request_timeout");
  }
  EXPECT_TRUE(tree->reload(tree_number(2), patience));
}

} // namespace
} // namespace coppice::test
