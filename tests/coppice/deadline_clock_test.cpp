// This file is part of coppice. License: see LICENSE in the source root.

// The clock of contexts with a thread of its own, and without.

#include "coppice/deadline_clock.hpp"

#include "coppice/context.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <system_error>

#if defined(__linux__)
#  include <pthread.h>
#endif

namespace coppice::test {
namespace {

using namespace std::literals;
using policy::time_point;

#if defined(__linux__)

/// While it exists, no thread can be started: none finds room for its stack.
class no_threads {
public:
  no_threads() {
    pthread_getattr_default_np(&before_);
    auto huge = before_;
    pthread_attr_setstacksize(&huge, std::size_t{1} << 46);
    pthread_setattr_default_np(&huge);
  }
  ~no_threads() { pthread_setattr_default_np(&before_); }
  no_threads(const no_threads&) = delete;
  no_threads& operator=(const no_threads&) = delete;

private:
  pthread_attr_t before_{};
};

// DEADLINE-1: a look is a look, also where nobody can be told to wait for it.
TEST(DeadlineClock, IsAskedWhereItHasNoThread) {
  auto now = std::make_shared<std::atomic<policy::duration>>(1h);
  const auto clock = std::make_shared<deadline_clock>(
    deadline_clock::options{.now = [now] { return time_point{now->load()}; }});
  const auto ctx = context::lasting(1s, {.clock = clock});
  {
    const no_threads guard;
    EXPECT_FALSE(ctx.cancelled());
    EXPECT_EQ(clock->statistics().armed, 0u);
    EXPECT_THROW(ctx.on_cancel([] {}), std::system_error);
  }
  EXPECT_FALSE(ctx.cancelled());
  EXPECT_EQ(clock->statistics().armed, 1u);
  *now = 1h + 1s;
  EXPECT_TRUE(ctx.is_over());
}

#endif

} // namespace
} // namespace coppice::test
