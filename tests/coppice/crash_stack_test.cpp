// This file is part of coppice. License: see LICENSE in the source root.

// What a crash looks like from outside of the tree, with the hook linked.

#include "coppice/actors/worker.hpp"
#include "coppice/failure_stack.hpp"
#include "coppice/supervise.hpp"
#include "coppice/system_config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>

namespace coppice::test {
namespace {

using namespace std::literals;

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

constexpr auto line_of_the_throw = __LINE__ + 4;

[[gnu::noinline, gnu::noclone]] int parse_header(int x) {
  if (x > 0)
    throw std::runtime_error("bad header");
  return x;
}

std::atomic<bool> let_go{false};

[[gnu::noinline, gnu::noclone]] void search_for_ever() {
  while (!let_go.load(std::memory_order_relaxed)) {}
}

child_spec supervisor_of(std::string id, child_spec child) {
  supervisor_spec spec;
  spec.limits = {.restarts_max = 0};
  spec.children = {std::move(child)};
  return {.id = std::move(id), .supervisor = std::move(spec)};
}

/// The failure with which a tree of three supervisors and `child` gives up.
failure end_of_tree_with(child_spec child) {
  system_config config{2};
  caf::actor_system system{config};
  supervise_options options;
  options.scan_interval = 10ms;
  auto tree = supervise(system,
                        {.name = "app",
                         .limits = {.restarts_max = 0},
                         .children = {supervisor_of(
                           "db", supervisor_of("shard", std::move(child)))}},
                        std::move(options));
  if (!tree)
    return tree.error();
  const auto end = tree->wait(1min);
  let_go = true;
  if (!end) {
    ADD_FAILURE() << "the tree did not end";
    return {};
  }
  return end->value_or(failure{});
}

// FAILURE-3, FAILURE-4: root to leaf, and the line that threw.
TEST(CrashStack, NamesTheThrowThreeSupervisorsUp) {
  auto why = end_of_tree_with(
    {.id = "conn", .start = spawns([](worker* self) -> caf::behavior {
                     compat::post(caf::actor{self}, 1);
                     return {[](int x) { parse_header(x); }};
                   })});
  ASSERT_TRUE(fill_stack_text(why, 30s));
  const auto& leaf = root_cause(why);
  EXPECT_EQ(leaf.failure_class, failure_classes::crash);
  EXPECT_EQ(leaf.where.path, "/app/db/shard/conn");
  EXPECT_THAT(leaf.stack_text,
              Contains(HasSubstr("crash_stack_test.cpp:"
                                 + std::to_string(line_of_the_throw))));
  EXPECT_THAT(leaf.stack_text, Contains(HasSubstr("parse_header")));
  const auto report = describe(why);
  EXPECT_THAT(report, HasSubstr("/app/db/shard"));
  EXPECT_THAT(report, HasSubstr("parse_header"));
}

// FAILURE-4: no actor, no scope, no stack.
TEST(CrashStack, IsNotTakenOutsideOfActors) {
  try {
    parse_header(1);
  } catch (...) {
    EXPECT_TRUE(from_exception(std::current_exception()).stack.empty());
  }
}

// HEARTBEAT-6
TEST(CrashStack, OfAnEndlessLoopNamesTheFunction) {
  let_go = false;
  auto why
    = end_of_tree_with({.id = "search",
                        .start = spawns([](worker* self) -> caf::behavior {
                          compat::post(caf::actor{self}, 1);
                          return {[](int) { search_for_ever(); }};
                        }),
                        .shutdown = brutal_kill,
                        .kill_grace = 10ms,
                        .heartbeat = {.stall_timeout = 100ms},
                        .isolation = isolation_kind::thread});
  ASSERT_TRUE(fill_stack_text(why, 30s));
  const auto& leaf = root_cause(why);
  EXPECT_EQ(leaf.failure_class, failure_classes::stall);
  EXPECT_THAT(leaf.stack_text, Contains(HasSubstr("search_for_ever")));
}

} // namespace
} // namespace coppice::test
