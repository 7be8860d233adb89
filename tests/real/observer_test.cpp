// This file is part of coppice. License: see LICENSE in the source root.

// Whose observer it is may destroy what it refers to after the tree.

#include "coppice/actors/worker.hpp"
#include "coppice/event_bus.hpp"
#include "coppice/supervise.hpp"
#include "coppice/system_config.hpp"

#include "support/event_log.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>
#include <utility>

namespace coppice::test {

namespace {

caf::behavior idle(worker*) {
  return {[](int) {}};
}

supervisor_spec idle_tree(std::string name) {
  return {.name = std::move(name),
          .children = {{.id = "x", .start = spawns(idle)}}};
}

} // namespace

// OBSERVE-1: what was published before is delivered, in order.
TEST(EventBus, DeliversWhatIsQueuedWhenItIsClosed) {
  std::latch go_on{1};
  std::vector<std::uint64_t> numbers;
  event_bus bus{[&](const supervision_event& event) {
                  go_on.wait();
                  numbers.push_back(event.number);
                },
                false};
  for (int i = 0; i < 3; ++i)
    bus.publish({});
  std::thread closer{[&] { bus.close(); }};
  go_on.count_down();
  closer.join();
  EXPECT_EQ(numbers, (std::vector<std::uint64_t>{1, 2, 3}));
}

TEST(EventBus, IsSilentOnceItIsClosed) {
  for (const auto inline_delivery : {false, true}) {
    std::atomic<int> seen{0};
    {
      event_bus bus{[&](const supervision_event&) { ++seen; }, inline_delivery};
      bus.close();
      bus.publish({});
    }
    EXPECT_EQ(seen, 0) << inline_delivery;
  }
}

TEST(EventBus, CanBeClosedByItsObserver) {
  std::latch closed{1};
  event_bus* self = nullptr;
  event_bus bus{[&](const supervision_event&) {
                  self->close();
                  closed.count_down();
                },
                false};
  self = &bus;
  bus.publish({});
  closed.wait();
}

// An actor that ends late keeps the context, not the observer.
TEST(SupervisionTree, IsSilentOnceItIsDestroyed) {
  system_config config{2};
  caf::actor_system system{config};
  std::shared_ptr<tree_context> context;
  std::atomic<int> after{0};
  {
    std::atomic<bool> destroyed{false};
    supervise_options options;
    options.on_event = [&](const supervision_event&) { after += destroyed; };
    {
      auto tree = supervise(system, idle_tree("app"), options);
      ASSERT_TRUE(tree) << describe(tree.error());
      context = tree->context();
    }
    destroyed = true;
    context->events().publish({});
    context->events().close(); // would deliver it now
  }
  EXPECT_EQ(after, 0);
}

// STOP-3: assigning to a tree ends the one that it was.
TEST(SupervisionTree, EndsWhenAnotherIsAssignedToIt) {
  system_config config{2};
  caf::actor_system system{config};
  auto one = supervise(system, idle_tree("one"));
  auto two = supervise(system, idle_tree("two"));
  ASSERT_TRUE(one && two);
  const auto context = one->context();
  *one = std::move(*two);
  EXPECT_TRUE(context->has_ended());
  EXPECT_EQ(one->context()->root_path(), "/two");
  EXPECT_FALSE(one->has_ended());
}

} // namespace coppice::test
