// This file is part of coppice. License: see LICENSE in the source root.

// Contexts alone: deadlines, cancellation and callbacks, in virtual time.

#include "coppice/context.hpp"

#include "coppice/failure_convert.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace coppice::test {
namespace {

using namespace std::literals;
using policy::criticality;
using policy::time_point;
using testing::ElementsAre;
using testing::HasSubstr;

class Context : public testing::Test {
protected:
  [[nodiscard]] request_entry entry() const {
    return {.reference = "r-1", .clock = clock};
  }

  void pass(policy::duration span) {
    time += span;
    clock->run(time);
  }

  time_point time{1h};
  std::shared_ptr<deadline_clock> clock = std::make_shared<deadline_clock>(
    deadline_clock::options{.manual = true, .now = [this] { return time; }});
};

failure no_disk() {
  return {.failure_class = "disk",
          .message = "no disk",
          .user_message = "We are out of room.",
          .retry_after = 5min};
}

// DEADLINE-1: a default that is there without a word.
TEST_F(Context, HasADeadlineByDefault) {
  const auto ctx = context::with_default_deadline(entry());
  EXPECT_EQ(ctx.deadline(), time + context_limits::default_deadline);
  EXPECT_EQ(ctx.remaining(), context_limits::default_deadline);
  EXPECT_EQ(ctx.criticality(), criticality::critical);
  EXPECT_EQ(ctx.reference(), "r-1");
}

// DEADLINE-1: infinity by name, and by no other way.
TEST_F(Context, IsInfiniteByNameAlone) {
  EXPECT_EQ(context::without_deadline(entry()).deadline(), std::nullopt);
  EXPECT_TRUE(context::without_deadline(entry()).remaining().is_infinite());
  EXPECT_TRUE(context::until(time_point::max(), entry()).deadline());
  EXPECT_TRUE(context::lasting(std::chrono::hours::max(), entry()).deadline());
}

// DEADLINE-1: the thread that ends contexts learns of one at its first check.
TEST_F(Context, CostsTheClockNothingUntilItIsLookedAt) {
  const auto ctx = context::lasting(1s, entry());
  EXPECT_EQ(clock->next_due(), time_point::max());
  EXPECT_FALSE(ctx.cancelled());
  EXPECT_EQ(clock->next_due(), time + 1s);
}

// DEADLINE-1: not before, and not after.
TEST_F(Context, EndsAtItsDeadline) {
  const auto ctx = context::lasting(1s, entry());
  EXPECT_FALSE(ctx.cancelled());
  pass(1s - 1ns);
  EXPECT_FALSE(ctx.cancelled());
  EXPECT_FALSE(ctx.is_over());
  EXPECT_FALSE(ctx.cause());
  EXPECT_EQ(ctx.remaining(), 1ns);
  pass(1ns);
  EXPECT_TRUE(ctx.cancelled());
  ASSERT_TRUE(ctx.cause());
  EXPECT_EQ(ctx.cause()->failure_class, "deadline_exceeded");
  EXPECT_EQ(ctx.remaining(), 0s);
  EXPECT_EQ(clock->statistics().expired, 1u);
}

// DEADLINE-1: whoever reads the clock need not wait for the thread.
TEST_F(Context, IsOverBeforeTheThreadSaysSo) {
  const auto ctx = context::lasting(1s, entry());
  EXPECT_FALSE(ctx.cancelled());
  time += 1s; // the thread did not get to run
  EXPECT_FALSE(ctx.cancelled());
  EXPECT_TRUE(ctx.is_over());
  EXPECT_TRUE(ctx.cancelled());
  EXPECT_EQ(clock->statistics().armed, 0u);
}

// DEADLINE-1: bad input is born expired, with a cause.
TEST_F(Context, IsBornExpiredInThePast) {
  const auto root = context::without_deadline(entry());
  const auto nan = std::numeric_limits<double>::quiet_NaN();
  for (const auto& ctx :
       {context::until(time, entry()), context::until(time - 1ns, entry()),
        context::until(time_point::min(), entry()),
        context::lasting(0s, entry()), context::lasting(-1s, entry()),
        context::lasting(std::chrono::hours::min(), entry()),
        context::lasting(std::chrono::duration<double>{nan}, entry()),
        root.with_timeout(-1ns), root.with_deadline(time),
        root.with_timeout(std::chrono::hours::min())}) {
    EXPECT_TRUE(ctx.cancelled());
    ASSERT_TRUE(ctx.cause());
    EXPECT_EQ(ctx.cause()->failure_class, "deadline_exceeded");
    EXPECT_FALSE(ctx.cancel());
  }
  EXPECT_FALSE(root.cancelled());
}

// DEADLINE-1: what overflows means the far end, never a wrapped-around past.
TEST_F(Context, ClampsWhatOverflows) {
  const auto root = context::without_deadline(entry());
  for (const auto& ctx :
       {context::lasting(std::chrono::hours::max(), entry()),
        context::lasting(policy::duration::max(), entry()),
        context::lasting(std::chrono::duration<double>{1e300}, entry()),
        root.with_timeout(std::chrono::hours::max())}) {
    EXPECT_FALSE(ctx.cancelled());
    ASSERT_TRUE(ctx.deadline());
    EXPECT_GT(*ctx.deadline(), time + std::chrono::hours{24 * 365 * 200});
  }
}

// DEADLINE-1: the smaller of both counts.
TEST_F(Context, InheritsTheSmallerDeadline) {
  const auto parent = context::lasting(10s, entry());
  EXPECT_EQ(parent.with_cancel().deadline(), time + 10s);
  EXPECT_EQ(parent.with_timeout(1min).deadline(), time + 10s);
  EXPECT_EQ(parent.with_timeout(1s).deadline(), time + 1s);
  EXPECT_EQ(parent.with_deadline(time + 2s).deadline(), time + 2s);
  EXPECT_EQ(parent.with_timeout(1s).with_timeout(5s).deadline(), time + 1s);
}

// DEADLINE-1: how much a request matters is said at the entry, and copied.
TEST_F(Context, InheritsWhatWasSaidAtTheEntry) {
  auto said = entry();
  said.criticality = criticality::sheddable;
  const auto child = context::lasting(1s, said).with_cancel().with_timeout(1ms);
  EXPECT_EQ(child.criticality(), criticality::sheddable);
  EXPECT_EQ(child.reference(), "r-1");
  EXPECT_EQ(child.clock(), clock.get());
}

TEST_F(Context, CutsLongReferences) {
  auto said = entry();
  said.reference = std::string(1'000, 'x');
  EXPECT_LE(context::without_deadline(said).reference().size(),
            context_limits::reference_bytes_max);
}

// DEADLINE-4: down, never up.
TEST_F(Context, CancelsItsChildren) {
  const auto root = context::lasting(1min, entry());
  const auto left = root.with_cancel();
  const auto right = root.with_timeout(1s);
  const auto leaf = left.with_cancel();
  EXPECT_TRUE(left.cancel());
  EXPECT_TRUE(left.cancelled());
  EXPECT_TRUE(leaf.cancelled());
  EXPECT_FALSE(right.cancelled());
  EXPECT_FALSE(root.cancelled());
  EXPECT_TRUE(root.cancel());
  EXPECT_TRUE(right.cancelled());
}

// DEADLINE-4: the cause is kept, three levels down, and so is who was first.
TEST_F(Context, KeepsTheCauseThroughThreeLevels) {
  const auto root = context::lasting(1min, entry());
  const auto leaf = root.with_cancel().with_timeout(10s).with_cancel();
  EXPECT_TRUE(root.cancel(no_disk()));
  ASSERT_TRUE(leaf.cause());
  EXPECT_EQ(leaf.cause()->failure_class, "disk");
  EXPECT_EQ(leaf.cause(), root.cause());
}

// DEADLINE-4: cancelled twice: the first one wins, the second one learns it.
TEST_F(Context, IsCancelledOnce) {
  const auto ctx = context::lasting(1min, entry());
  EXPECT_TRUE(ctx.cancel(no_disk()));
  EXPECT_FALSE(ctx.cancel());
  pass(1h);
  EXPECT_EQ(ctx.cause()->failure_class, "disk");
  EXPECT_EQ(clock->statistics().expired, 0u);
}

// DEADLINE-1, DEADLINE-4: a deadline that has passed came first.
TEST_F(Context, CannotBeCancelledAfterItsDeadline) {
  const auto ctx = context::lasting(1s, entry());
  time += 1s;
  EXPECT_FALSE(ctx.cancel(no_disk()));
  EXPECT_EQ(ctx.cause()->failure_class, "deadline_exceeded");
}

// DEADLINE-4: a child of what is over.
TEST_F(Context, IsBornCancelledBelowWhatIsOver) {
  const auto root = context::lasting(1min, entry());
  EXPECT_TRUE(root.cancel(no_disk()));
  const auto child = root.with_timeout(1s).with_cancel();
  EXPECT_TRUE(child.cancelled());
  EXPECT_EQ(child.cause()->failure_class, "disk");
}

// DEADLINE-4: what a requester is told: well-formed, with the cause inside.
TEST_F(Context, SaysWhyItIsOver) {
  const auto ctx = context::lasting(1min, entry());
  ctx.cancel(no_disk());
  const auto why = ctx.why_over();
  EXPECT_TRUE(is_well_formed(why));
  EXPECT_EQ(why.failure_class, "cancelled");
  EXPECT_EQ(why.code, failure_code{errc::cancelled});
  EXPECT_EQ(why.user_message, "We are out of room.");
  EXPECT_EQ(why.retry_after, 5min);
  EXPECT_EQ(why.reference, "r-1");
  ASSERT_TRUE(why.inner);
  EXPECT_EQ(why.inner->failure_class, "disk");
  EXPECT_TRUE(to_error(why) == errc::cancelled);
}

// DEADLINE-1: and when time ended it.
TEST_F(Context, SaysThatTimeIsUp) {
  const auto why = context::until(time, entry()).why_over();
  EXPECT_TRUE(is_well_formed(why));
  EXPECT_EQ(why.failure_class, "deadline_exceeded");
  EXPECT_EQ(why.code, failure_code{errc::deadline_exceeded});
  EXPECT_EQ(why.reference, "r-1");
  EXPECT_EQ(why.retry_after, context_limits::retry_after);
  EXPECT_FALSE(why.is_bug);
  EXPECT_THAT(why.message, HasSubstr("r-1"));
}

// DEADLINE-1: no context is not a context without a deadline.
TEST_F(Context, CountsAsCancelledIfItIsEmpty) {
  const context none;
  EXPECT_TRUE(none.cancelled());
  EXPECT_TRUE(none.is_over());
  EXPECT_FALSE(none.cancel());
  EXPECT_EQ(none.remaining(), 0s);
  EXPECT_TRUE(none.with_cancel().empty());
  EXPECT_TRUE(none.with_timeout(1s).empty());
  EXPECT_TRUE(is_well_formed(none.why_over()));
  auto calls = 0;
  const auto registration = none.on_cancel([&] { ++calls; });
  EXPECT_EQ(calls, 1);
}

// -- callbacks ---------------------------------------------------------------

// DEADLINE-4: once; all of the tree is over by then; and no lock is held.
TEST_F(Context, CallsBackOnce) {
  const auto root = context::lasting(1min, entry());
  const auto child = root.with_cancel();
  auto calls = 0;
  const auto registration = root.on_cancel([&] {
    ++calls;
    EXPECT_TRUE(child.cancelled());
    EXPECT_FALSE(root.cancel());
    EXPECT_TRUE(root.with_cancel().cancelled());
  });
  EXPECT_EQ(calls, 0);
  root.cancel();
  root.cancel();
  pass(1h);
  EXPECT_EQ(calls, 1);
}

// DEADLINE-1: waiting for a callback is looking.
TEST_F(Context, CallsBackAtTheDeadline) {
  const auto ctx = context::lasting(1min, entry()).with_timeout(1s);
  std::vector<std::string> seen;
  const auto registration
    = ctx.on_cancel([&] { seen.push_back(ctx.cause()->failure_class); });
  pass(999ms);
  EXPECT_THAT(seen, ElementsAre());
  pass(1ms);
  EXPECT_THAT(seen, ElementsAre("deadline_exceeded"));
}

TEST_F(Context, CallsBackAtOnceIfItIsOver) {
  const auto ctx = context::lasting(0s, entry());
  auto calls = 0;
  const auto registration = ctx.on_cancel([&] { ++calls; });
  EXPECT_EQ(calls, 1);
}

TEST_F(Context, DoesNotCallWhatWasTakenBack) {
  const auto ctx = context::lasting(1s, entry());
  auto calls = 0;
  auto first = ctx.on_cancel([&] { ++calls; });
  {
    const auto second = ctx.on_cancel([&] { ++calls; });
  }
  auto third = ctx.on_cancel([&] { calls += 10; });
  first = std::move(third); // takes the first one back
  pass(1s);
  EXPECT_EQ(calls, 10);
}

// A callback may end its own registration, and the last handle.
TEST_F(Context, LetsACallbackLetGoOfEverything) {
  auto ctx = std::make_unique<context>(context::lasting(1s, entry()));
  cancel_registration registration;
  registration = ctx->on_cancel([&] {
    registration.reset();
    ctx.reset();
  });
  ctx->cancel();
  EXPECT_EQ(ctx, nullptr);
}

TEST_F(Context, SwallowsWhatCallbacksThrow) {
  const auto ctx = context::lasting(1s, entry());
  auto calls = 0;
  const auto first = ctx.on_cancel([] { throw std::runtime_error{"no"}; });
  const auto second = ctx.on_cancel([&] { ++calls; });
  pass(1s);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(clock->statistics().callback_failures, 1u);
}

// -- memory ------------------------------------------------------------------

// DEADLINE-4: what is dropped is forgotten, by its parent and by the clock.
TEST_F(Context, ForgetsAMillionShortChildren) {
  const auto parent = context::lasting(1h, entry());
  auto over = 0;
  for (auto i = 0; i < 1'000'000; ++i)
    over += parent.with_timeout(1s).cancelled() ? 1 : 0;
  EXPECT_EQ(over, 0);
  EXPECT_EQ(clock->statistics().armed, 0u);
  EXPECT_EQ(clock->next_due(), time_point::max());
}

// DEADLINE-4: children in any order of their ends, and the rest still hears.
TEST_F(Context, CancelsThoseThatAreLeft) {
  const auto parent = context::lasting(1h, entry());
  std::vector<context> children;
  for (auto i = 0; i < 100; ++i)
    children.push_back(parent.with_cancel());
  for (const auto i : {99, 50, 49, 51, 0, 1})
    children.erase(children.begin()
                   + std::min<std::ptrdiff_t>(i, std::ssize(children) - 1));
  auto calls = 0;
  std::vector<cancel_registration> registrations;
  for (const auto& x : children)
    registrations.push_back(x.on_cancel([&] { ++calls; }));
  parent.cancel();
  EXPECT_EQ(calls, 94);
}

// DEADLINE-4: neither the end nor the destruction of a long chain recurses.
TEST_F(Context, MayBeAMillionLevelsDeep) {
  const auto root = context::lasting(1h, entry());
  auto leaf = root;
  for (auto i = 0; i < 1'000'000; ++i)
    leaf = leaf.with_cancel();
  EXPECT_FALSE(leaf.cancelled());
  EXPECT_TRUE(root.cancel(no_disk()));
  EXPECT_EQ(leaf.cause()->failure_class, "disk");
}

TEST_F(Context, OutlivesTheHandlesAbove) {
  auto leaf = context::lasting(1s, entry()).with_cancel().with_cancel();
  EXPECT_FALSE(leaf.cancelled());
  pass(1s);
  EXPECT_TRUE(leaf.cancelled());
}

} // namespace
} // namespace coppice::test
