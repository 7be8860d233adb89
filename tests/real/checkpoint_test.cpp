// This file is part of coppice. License: see LICENSE in the source root.

// Long handlers that look at their request, on CAF's real scheduler and clock.

#include "coppice/actors/worker.hpp"
#include "coppice/ask.hpp"
#include "coppice/supervise.hpp"
#include "coppice/system_config.hpp"

#include "support/event_log.hpp"

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>

using namespace std::literals;

namespace coppice::test {
namespace {

/// Set when the handler begins, and when it ends.
struct milestones {
  std::promise<void> begun;
  std::promise<void> ended;
};
using shared_milestones = std::shared_ptr<milestones>;

/// Works for as long as anybody wants it to.
caf::behavior digger(worker* self, shared_milestones seen) {
  return {handles(self, [=](const context& ctx, int n) {
    seen->begun.set_value();
    while (self->checkpoint(ctx)) {}
    seen->ended.set_value();
    return n;
  })};
}

class Checkpoint : public testing::Test {
protected:
  Checkpoint() { options_.on_event = log_.recorder(); }

  /// What became of a request; `meanwhile` runs once its handler has begun.
  template <class F>
  std::string ask(const context& ctx, F meanwhile) {
    options_.scan_interval = 20ms;
    auto tree
      = supervise(system_,
                  {.name = "app",
                   .children = {{.id = "a",
                                 .start = spawns(digger, seen_),
                                 .heartbeat = {.stall_timeout = 200ms}}}},
                  options_);
    std::string result;
    caf::scoped_actor self{system_};
    auto request = coppice::ask(self, ctx, tree->child("/app/a").value(), 1);
    EXPECT_EQ(seen_->begun.get_future().wait_for(patience),
              std::future_status::ready);
    meanwhile(*tree);
    std::move(request).receive([&](int n) { result = std::to_string(n); },
                               [&](const failure& why) {
                                 result = why.failure_class;
                               });
    EXPECT_EQ(seen_->ended.get_future().wait_for(patience),
              std::future_status::ready);
    return result;
  }

  shared_milestones seen_ = std::make_shared<milestones>();
  event_log log_;
  supervise_options options_;
  system_config config_{2};
  caf::actor_system system_{config_};
};

// DEADLINE-4: work in progress sees it, and the requester need not wait for it.
TEST_F(Checkpoint, EndsWorkThatIsCancelled) {
  const auto ctx = context::with_default_deadline();
  EXPECT_EQ(ask(ctx, [&](auto&) { ctx.cancel(); }), "cancelled");
}

// DEADLINE-1, HEARTBEAT-1: at the deadline; and it beats, so it is no stall,
// although it takes longer than the timeout.
TEST_F(Checkpoint, EndsWorkAtTheDeadlineAndIsNoStall) {
  EXPECT_EQ(ask(context::lasting(500ms), [](auto&) {}), "deadline_exceeded");
  EXPECT_EQ(log_.count(event_kind::stalled), 0) << log_.text();
}

// STOP-1: the same call says that the life is asked to end.
TEST_F(Checkpoint, EndsWorkWhenItsLifeIsToEnd) {
  EXPECT_EQ(ask(context::with_default_deadline(),
                [](auto& tree) { EXPECT_TRUE(tree.stop(10s).complete); }),
            "1");
}

} // namespace
} // namespace coppice::test
