// This file is part of coppice. License: see LICENSE in the source root.

// The worker of examples/do_work, as its user would test it.

#include "do_work/do_work.hpp"

#include "coppice/testkit/supervision_test.hpp"

#include <gmock/gmock.h>

namespace coppice::test {
namespace {

using namespace std::literals;
using namespace coppice::testkit;

// --(doc:testing-begin)--
class DoWork : public supervision_test {
public:
  static void SetUpTestSuite() { init_types<caf::id_block::do_work>(); }

  void start(example::work_plan plan) {
    sink = system().spawn([this](caf::event_based_actor*) -> caf::behavior {
      return {[this](int number) { numbers.push_back(number); }};
    });
    supervise({.name = "app",
               .children = {{.id = "generator",
                             .start = spawns(example::do_work, sink, plan),
                             .restart = transient,
                             .heartbeat = {.stall_timeout = 1s}}}});
  }

  void TearDown() override {
    caf::anon_send_exit(sink, caf::exit_reason::user_shutdown);
    supervision_test::TearDown();
  }

  caf::actor sink;
  std::vector<int> numbers;
};

// HEARTBEAT-1, HEARTBEAT-3: no guessing how long the delay may take. Until the
// pulse there is no work in hand, so silence is fine, twice the limit and all.
TEST_F(DoWork, HandsOutItsNumbersAfterASlowStart) {
  start({.numbers = {0, 1, 2, 3, 4}, .delay = 2s});
  run_for(2s - 1ns);
  EXPECT_EQ(child("/app/generator").signs->beats, 0u);
  EXPECT_THAT(numbers, testing::IsEmpty());
  run_for(1ns);
  EXPECT_THAT(numbers, testing::ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(seen(), NeverHappens(BeatLate("/app/generator")));
  EXPECT_EQ(child("/app/generator").info.why, policy::stopped_why::finished);
}
// --(doc:testing-end)--

} // namespace
} // namespace coppice::test
