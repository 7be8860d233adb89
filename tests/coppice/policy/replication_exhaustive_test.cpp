// This file is part of coppice. License: see LICENSE in the source root.

// One request and three replicas, all schedules: whatever order the facts about
// its copies come in, there is one answer, and then it is forgotten. What
// random schedules hit once in a million is in here.

#include "support/replication_harness.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

using namespace coppice;
using namespace coppice::policy;
using namespace std::chrono_literals;

namespace {

using test::replication_fact;
using test::replication_sabotage;
using test::replication_world;
using enum replication_fact::kind;

/// Counts through all sequences of choices, depth first.
class odometer {
public:
  explicit odometer(std::size_t depth) : depth_(depth) {}

  /// The next of `choices` on this way.
  std::size_t choose(std::size_t choices) {
    if (at_ == digits_.size())
      digits_.push_back({0, choices});
    return digits_[at_++].value;
  }

  [[nodiscard]] bool is_at_depth() const { return at_ == depth_; }

  /// To the next way. Is there one?
  bool advance() {
    at_ = 0;
    while (!digits_.empty() && ++digits_.back().value == digits_.back().end)
      digits_.pop_back();
    return !digits_.empty();
  }

private:
  struct digit {
    std::size_t value;
    std::size_t end;
  };
  std::vector<digit> digits_;
  std::size_t depth_;
  std::size_t at_ = 0;
};

/// Everything that may happen next to this request, told of by the checker.
std::vector<replication_fact> options(const replication_world& world,
                                      request_id id, bool agrees) {
  std::vector<replication_fact> result;
  const auto found = world.checker().requests().find(id);
  if (found == world.checker().requests().end())
    return result;
  const auto& copies = found->second.copies;
  for (std::uint32_t i = 0; i < copies.size(); ++i) {
    const copy_name copy{id, i};
    if (copies[i].has_reported())
      continue;
    if (!copies[i].started)
      result.push_back({.what = started, .copy = copy});
    result.push_back({.what = answered, .copy = copy, .equal_to = i});
    for (std::uint32_t other = 0; agrees && other < copies.size(); ++other)
      if (copies[other].has_answered && copies[other].equal_to == other)
        result.push_back({.what = answered, .copy = copy, .equal_to = other});
    result.push_back({.what = failed, .copy = copy});
    if (!found->second.has_ended)
      result.push_back(
        {.what = failed, .copy = copy, .how = {.is_fatal = true}});
  }
  if (!found->second.has_ended)
    result.push_back({.what = over, .copy = {id, 0}});
  if (world.core().next_due())
    result.push_back({.what = timer});
  return result;
}

/// Whoever has not reported fails.
void finish(replication_world& world, request_id id, bool agrees) {
  for (int left = 100; left > 0; --left) {
    const auto todo = options(world, id, agrees);
    const auto next = std::ranges::find(todo, failed, &replication_fact::what);
    if (next == todo.end())
      break;
    world.tell(*next);
  }
  world.run_out();
  world.check_counts();
}

struct outcome {
  std::size_t ways = 0;
  std::string objection;
};

/// One way of so many facts.
/// @returns what is wrong with it; empty if nothing is.
std::string follow(const replication_spec& spec, odometer& way,
                   const replication_sabotage& broken) {
  constexpr request_id id = 1;
  replication_world world{spec, test::replicas(3), 1, broken};
  world.tell({.what = request, .copy = {id, 0}});
  while (!way.is_at_depth()) {
    const auto next = options(world, id, spec.quorum_agrees);
    if (next.empty())
      break;
    const auto& fact = next[way.choose(next.size())];
    if (fact.what == timer)
      world.fire();
    else
      world.tell(fact);
  }
  finish(world, id, spec.quorum_agrees);
  return world.objection();
}

/// All of them. The budget is never empty.
outcome explore(replication_spec spec, std::size_t facts,
                const replication_sabotage& broken = {}) {
  spec.budget = {.share = 63.0};
  odometer way{facts};
  outcome result;
  do {
    result.objection = follow(spec, way, broken);
    ++result.ways;
  } while (result.objection.empty() && way.advance());
  return result;
}

void expect_sound(const replication_spec& spec, std::size_t facts,
                  std::size_t ways_min) {
  const auto [ways, objection] = explore(spec, facts);
  EXPECT_EQ(objection, "");
  EXPECT_GE(ways, ways_min) << "explores less than it did";
  std::cout << ways << " ways\n";
}

replication_spec hedge(hedge_trigger trigger) {
  return replication_spec::hedged({.trigger = trigger,
                                   .quantile = std::nullopt,
                                   .delay = 10ms,
                                   .extra_max = 2});
}

replication_spec tied_and_hedged() {
  return replication_spec::tied_and_hedged(
    {.trigger = hedge_trigger::after_start,
     .quantile = std::nullopt,
     .delay = 10ms});
}

constexpr std::size_t depth = 6;

// REPLICATE-1, REPLICATE-2, REPLICATE-4
TEST(ReplicationExploration, OfRaces) {
  expect_sound(replication_spec::race(3), depth, 10'000);
}

// REPLICATE-1, REPLICATE-2, REPLICATE-4: long enough for three lives.
TEST(ReplicationExploration, OfHedgesAfterTheSend) {
  expect_sound(hedge(hedge_trigger::after_send), depth + 2, 10'000);
}

// REPLICATE-1, REPLICATE-2, REPLICATE-4
TEST(ReplicationExploration, OfHedgesAfterTheStart) {
  expect_sound(hedge(hedge_trigger::after_start), depth + 4, 1'500);
}

// REPLICATE-1, REPLICATE-2, REPLICATE-4
TEST(ReplicationExploration, OfTiedOnes) {
  expect_sound(replication_spec::tied(3), depth, 10'000);
  expect_sound(replication_spec::tied(2), depth + 2, 1'000);
}

// REPLICATE-1, REPLICATE-2, REPLICATE-4
TEST(ReplicationExploration, OfTiedOnesThatAreHedged) {
  expect_sound(tied_and_hedged(), depth + 1, 10'000);
}

// REPLICATE-1, REPLICATE-2
TEST(ReplicationExploration, OfTwoOfThree) {
  expect_sound(replication_spec::first_of(2, 3), depth, 10'000);
}

// REPLICATE-1, REPLICATE-2
TEST(ReplicationExploration, OfMajorities) {
  expect_sound(replication_spec::majority_of(3), depth, 10'000);
}

// -- canaries ----------------------------------------------------------------

replication_sabotage broken(std::function<void(replication_core::steps&)> how) {
  return {.spec = {}, .steps = std::move(how)};
}

// A checker that cannot object proves nothing.
TEST(ReplicationExploration, CatchesWhoAnswersTwice) {
  const auto x = broken([](auto& steps) {
    const auto found = std::ranges::find(steps, step_kind::answer,
                                         &replication_step::kind);
    if (found != steps.end())
      steps.insert(found, replication_step{*found});
  });
  const auto [ways, objection] = explore(replication_spec::race(3), depth, x);
  EXPECT_EQ(objection.find("answers twice"), 0u) << objection;
}

// It answers once more when the losers have reported.
TEST(ReplicationExploration, CatchesWhoBelievesLosersToo) {
  replication_step last{step_kind::answer, {0, 0}};
  const auto x = broken([last](auto& steps) mutable {
    const auto answer = std::ranges::find(steps, step_kind::answer,
                                          &replication_step::kind);
    if (answer != steps.end())
      last = *answer;
    else if (!steps.empty() && steps.front().kind == step_kind::forget
             && steps.front().copy.request == last.copy.request)
      steps.insert(steps.begin(), last);
  });
  const auto [ways, objection] = explore(replication_spec::race(3), depth, x);
  EXPECT_EQ(objection.find("answers twice"), 0u) << objection;
}

TEST(ReplicationExploration, CatchesWhoNeverAnswers) {
  const auto x = broken([](auto& steps) {
    std::erase_if(steps,
                  [](const auto& y) { return y.kind == step_kind::answer; });
  });
  const auto [ways, objection] = explore(replication_spec::race(3), depth, x);
  EXPECT_EQ(objection.find("does not answer"), 0u) << objection;
}

TEST(ReplicationExploration, CatchesWhoForgetsToCancel) {
  const auto x = broken([](auto& steps) {
    std::erase_if(steps,
                  [](const auto& y) { return y.kind == step_kind::cancel; });
  });
  const auto [ways, objection] = explore(replication_spec::race(3), depth, x);
  EXPECT_EQ(objection.find("leaves a copy running"), 0u) << objection;
}

} // namespace
