// This file is part of coppice. License: see LICENSE in the source root.

// What holds in any reachable state. Catalogue: K08. The harness itself
// objects to two lives of a child, to orders to the dead, to a command that
// is answered twice or not at all, and to counts that are not the listing's.

#include "coppice/policy/random.hpp"

#include "support/core_harness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

namespace coppice::test {
namespace {

using namespace policy;

/// Does anything that can be done to a supervisor, in any order.
class monkey {
public:
  monkey(core_harness& h, std::uint64_t seed) : h_(h), random_(seed) {}

  void act() {
    switch (pick(18)) {
      case 0:
      case 1:
      case 2:
        return on_live([this](const auto& id) { h_.crash(id); });
      case 3:
        return on_live([this](const auto& id) { h_.finish(id); });
      case 4:
        return on_live([this](const auto& id) { h_.stall(id); });
      case 5:
        return on_live(
          [this](const auto& id) { h_.crash(id, "permanent_failure"); });
      case 6:
        return on_live([this](const auto& id) { h_.report_healthy(id); });
      case 7:
        h_.terminate(some_id());
        return;
      case 8:
        h_.restart(some_id());
        return;
      case 9:
        h_.remove(some_id());
        return;
      case 10:
        h_.retry_now(some_id());
        return;
      case 11:
        add();
        return;
      case 12:
        h_.script(some_id(), {some_step(), some_step()});
        return;
      case 13:
        h_.manners(some_id(), some_manners());
        return;
      case 14:
        h_.release(some_id());
        return;
      case 15:
        h_.oversleep(1ms * pick(3000));
        return;
      default:
        h_.run_for(1ms * pick(3000));
    }
  }

private:
  std::int64_t pick(std::uint64_t n) {
    return static_cast<std::int64_t>(random_.up_to(n - 1));
  }

  std::string some_id() {
    const auto all = h_.core().listing(h_.now());
    if (all.empty() || pick(20) == 0)
      return "nobody";
    return all[static_cast<std::size_t>(pick(all.size()))].id;
  }

  template <class Act>
  void on_live(Act act) {
    const auto id = some_id();
    if (h_.state(id) == "running" || h_.state(id) == "starting")
      act(id);
  }

  void add() {
    if (h_.core().is_pool()) {
      h_.start_instance();
      return;
    }
    const restart_type types[] = {permanent, transient, temporary};
    auto spec = worker("n" + std::to_string(pick(4)));
    h_.start_child(spec.as(types[pick(3)]).grace(1s));
  }

  start_step some_step() {
    const start_step steps[]
      = {start_ok,    start_slow(500ms), start_never_ready, start_ignored,
         start_error, start_dies(),      start_dies(300ms)};
    return steps[pick(7)];
  }

  stop_manners some_manners() {
    const stop_manners all[] = {{}, deaf, spinning, slow_stop(700ms)};
    return all[pick(4)];
  }

  core_harness& h_;
  random_source random_;
};

supervisor_spec some_tree(random_source& random) {
  const restart_strategy strategies[] = {one_for_one, one_for_all, rest_for_one,
                                         simple_one_for_one};
  const exhaustion_action actions[]
    = {exhaustion_action::escalate, exhaustion_action::stop_child,
       exhaustion_action::park, exhaustion_action::pause};
  const restart_type types[] = {permanent, transient, temporary};
  auto result = tree(strategies[random.up_to(3)], {},
                     {.restarts_max = random.up_to(5), .window = 5s});
  result.on_exhausted = actions[random.up_to(3)];
  result.revive = random.up_to(3) == 0 ? revive_mode::all : revive_mode::none;
  result.pause_length = 2s;
  const auto pool = result.strategy == simple_one_for_one;
  if (!pool && random.up_to(2) == 0)
    result.auto_shutdown = auto_shutdown_mode::all_significant;
  const auto n = pool ? 1 : random.up_to(5);
  for (std::uint64_t i = 0; i < n; ++i) {
    auto x = worker("c" + std::to_string(i));
    x.as(types[random.up_to(2)]).grace(1s).starts_within(2s);
    if (random.up_to(3) > 0)
      x.backs_off({.first = 100ms, .cap = 2s});
    else
      x.backs_off({.first = 0s, .cap = 2s, .jitter = jitter_kind::none});
    if (random.up_to(3) == 0)
      x.budget({.restarts_max = 1, .window = 5s}, actions[random.up_to(3)]);
    x.significant = result.auto_shutdown != auto_shutdown_mode::never
                    && x.restart != permanent;
    result.children.push_back(x);
  }
  return result;
}

/// @returns a line about how it went, for the check that runs differ.
std::string play(std::uint64_t seed) {
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  random_source random{seed};
  core_harness h{some_tree(random), seed};
  monkey m{h, seed};
  h.start();
  for (int i = 0; i < 60 && !h.end(); ++i)
    m.act();
  const auto outcome = h.outcome();
  if (!h.end()) {
    const auto before = h.clock();
    h.stop(time_limit{3s});
    h.run_for(3s);
    EXPECT_TRUE(h.end()) << "STOP-3";
    EXPECT_LE(h.time_of_end(), before + 3s);
  } else {
    EXPECT_EQ(h.answer_to(h.stop()), "ok");
  }
  const auto counts = h.core().counts();
  EXPECT_EQ(counts.running, 0u);
  h.forget_journal();
  h.run_for(1h);
  for (const auto& line : h.journal())
    EXPECT_EQ(line.find("start"), std::string::npos) << line;
  return outcome + std::to_string(counts.specs);
}

// START-3, STOP-3, STOP-4
TEST(CoreRandom, WhateverHappensTheInvariantsHold_K08) {
  std::map<std::string, int> outcomes;
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    ++outcomes[play(seed)];
    if (testing::Test::HasFailure())
      FAIL() << "seed " << seed;
  }
  EXPECT_GT(outcomes.size(), 8u) << "all runs alike: the monkey is asleep";
}

/// Has the core order something that it never would.
void forge(core_harness& h, const directive& order) {
  h.tell([&](auto) { return directives{order}; });
}

// The canary: a check that cannot fail is none.
TEST(CoreHarness, ObjectsToWhatMustNotHappen) {
  core_harness h{tree(one_for_one, {worker("a"), worker("b")})};
  h.start();
  const auto old = h.life("b");
  h.terminate("b");
  const auto a = h.life("a");
  const start_life second{{a.key, a.generation + 1}, 2};
  EXPECT_NONFATAL_FAILURE(forge(h, kill_life{old}), "is history");
  EXPECT_NONFATAL_FAILURE(forge(h, stop_life{{77, 7}, 1s}),
                          "never was such a life");
  EXPECT_NONFATAL_FAILURE(forge(h, answer_command{77}), "never asked");
  EXPECT_NONFATAL_FAILURE(forge(h, report_ready{}), "ready twice");
  EXPECT_NONFATAL_FAILURE(forge(h, second), "two lives at a time");

  core_harness last{tree(one_for_one, {worker("a")})};
  last.start();
  EXPECT_NONFATAL_FAILURE(forge(last, end_supervisor{}), "left behind");
}

} // namespace
} // namespace coppice::test
