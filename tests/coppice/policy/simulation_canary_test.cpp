// This file is part of coppice. License: see LICENSE in the source root.

// Canaries: policies that are broken on purpose. A checker that does not
// object to one of them proves nothing about the others.

#include "support/seed.hpp"
#include "support/simulation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

using namespace coppice;
using namespace coppice::policy;

namespace {

using test::sabotage;

/// Schedules in which a canary has to be caught. The shyest ones are caught
/// once in some hundred.
constexpr std::uint64_t schedules = 20'000;

template <class Directive, class Change>
sabotage each(Change change) {
  return {.spec = {}, .directives = [change](directives& todo) {
            for (auto& x : todo)
              if (auto* found = std::get_if<Directive>(&x))
                change(*found);
          }};
}

template <class Directive>
sabotage without() {
  return {.spec = {}, .directives = [](directives& todo) {
            std::erase_if(todo, [](const directive& x) {
              return std::holds_alternative<Directive>(x);
            });
          }};
}

template <class Directive>
sabotage twice() {
  return {.spec = {}, .directives = [](directives& todo) {
            for (std::size_t i = 0; i < todo.size(); ++i)
              if (std::holds_alternative<Directive>(todo[i])) {
                todo.insert(todo.begin() + static_cast<std::ptrdiff_t>(i),
                            directive{todo[i]});
                ++i;
              }
          }};
}

template <class Change>
sabotage other_spec(Change change) {
  return {.spec = change, .directives = {}};
}

template <class Change>
sabotage other_children(Change change) {
  return other_spec([change](supervisor_spec& spec) {
    for (auto& child : spec.children)
      change(child);
  });
}

struct canary {
  const char* name;
  /// Part of what the checker says to it.
  std::string_view objection;
  sabotage broken;
};

void PrintTo(const canary& x, std::ostream* out) {
  *out << x.name;
}

class SimulationCanary : public testing::TestWithParam<canary> {};

// START-1, RESTART-2, BUDGET-1, STOP-1
TEST_P(SimulationCanary, IsCaught) {
  test::seeded seeded;
  const auto& [name, objection, broken] = GetParam();
  for (std::uint64_t i = 0; i < schedules; ++i)
    if (test::simulation{seeded.seed + i, broken}.run().find(objection)
        != std::string::npos)
      return;
  FAIL() << "the checker never says '" << objection << "' to " << name;
}

/// Life after death.
sabotage undead() {
  return {
    .spec = {}, .directives = [last = start_life{}](directives& todo) mutable {
      for (const auto& x : todo)
        if (const auto* start = std::get_if<start_life>(&x))
          last = *start;
      if (todo.empty() || !std::holds_alternative<end_supervisor>(todo.back()))
        return;
      ++last.life.generation;
      ++last.incarnation;
      todo.insert(todo.begin(), last);
    }};
}

const canary orders[] = {
  {"StartsTwice", "two lives of one child", twice<start_life>()},
  {"StopsTwice", "asks twice", twice<stop_life>()},
  {"AnswersTwice", "answers twice", twice<answer_command>()},
  {"EndsTwice", "ends twice", twice<end_supervisor>()},
  {"DropsStarts", "says that it is starting", without<start_life>()},
  {"DropsStops", "says that it is stopping", without<stop_life>()},
  {"DropsKills", "has no timer for a kill", without<kill_life>()},
  {"DropsAbandoning", "two lives of one child", without<abandon_life>()},
  {"DropsTimers", "has no timer for a retry", without<arm_timer>()},
  {"DropsAnswers", "lets a command wait for nothing",
   without<answer_command>()},
  {"DropsForgetting", "lists others than there are", without<forget_child>()},
  {"StartsALifeAtTheEnd", "although it is ending", undead()},
  {"NeverSaysReady", "forgets to say that it is ready",
   without<report_ready>()},
  {"NeverEnds", "whether it is ending", without<end_supervisor>()},
  {"ArmsTimersLate", "has no timer for a kill",
   each<arm_timer>([](arm_timer& x) { x.due += duration{1}; })},
  {"StartsAnotherChild", "starts before its predecessor",
   each<start_life>([](start_life& x) { x.life.key ^= 1; })},
  {"RepeatsIncarnations", "an incarnation that was there before",
   each<start_life>(
     [](start_life& x) { x.incarnation = (x.incarnation + 1) / 2; })},
  {"StopsTheLifeBefore", "stops a life that is not there",
   each<stop_life>([](stop_life& x) { --x.life.generation; })},
  {"DoublesTheGrace", "waits longer than the grace",
   each<stop_life>([](stop_life& x) {
     x.grace = x.grace.is_finite() ? time_limit{x.grace.span() * 2} : x.grace;
   })},
};

const canary policies[] = {
  {"OverspendsTheBudget", "overspends the budget",
   other_spec([](supervisor_spec& x) {
     x.limits.restarts_max = x.limits.restarts_max.is_infinite()
                               ? x.limits.restarts_max
                               : count_limit{x.limits.restarts_max.count() + 1};
   })},
  {"UnderspendsTheBudget", "refuses what is affordable",
   other_spec([](supervisor_spec& x) {
     if (x.limits.restarts_max.count() > 0)
       x.limits.restarts_max = x.limits.restarts_max.count() - 1;
   })},
  {"ForgetsRestartsTooSoon", "overspends the budget",
   other_spec([](supervisor_spec& x) {
     if (x.limits.window.is_finite())
       x.limits.window = x.limits.window.span() / 2;
   })},
  {"MiscountsByOneNanosecond", "overspends the budget",
   other_spec([](supervisor_spec& x) {
     if (x.limits.window.is_finite())
       x.limits.window = x.limits.window.span() - duration{1};
   })},
  {"OverspendsAChildsBudget", "overspends the budget",
   other_children([](child_spec& x) {
     if (!x.limits.restarts_max.is_infinite())
       x.limits.restarts_max = x.limits.restarts_max.count() + 1;
   })},
  {"ChargesNodeLoss", "refuses what is affordable",
   other_spec([](supervisor_spec& x) { x.weights.node_loss += 1; })},
  {"EscalatesNothing", "should have given up",
   other_spec([](supervisor_spec& x) {
     if (x.on_exhausted == exhaustion_action::escalate)
       x.on_exhausted = exhaustion_action::park;
   })},
  {"RevivesWhatOperatorsStopped", "starts what was stopped for good",
   other_spec([](supervisor_spec& x) { x.revive = revive_mode::all; })},
  {"RestartsOneForAll", "starts a group before it has stopped",
   other_spec([](supervisor_spec& x) {
     if (x.strategy == one_for_all)
       x.strategy = one_for_one;
   })},
  {"RestartsTheRestAlone", "starts a group before it has stopped",
   other_spec([](supervisor_spec& x) {
     if (x.strategy == rest_for_one)
       x.strategy = one_for_one;
   })},
  {"SkipsThePause", "pauses for another time",
   other_spec(
     [](supervisor_spec& x) { x.pause_length = x.pause_length.span() / 2; })},
  {"RetriesFailedStartsAtOnce", "tries again too soon",
   other_children([](child_spec& x) { x.backoff.first = duration{0}; })},
  {"WaitsBeyondTheCap", "waits longer than the cap",
   other_children([](child_spec& x) {
     x.backoff.cap = x.backoff.cap.span() * 2;
     x.backoff.first = x.backoff.cap;
   })},
  {"KillsTooEarly", "kills before the grace is over",
   other_children([](child_spec& x) { x.shutdown = brutal_kill; })},
  {"WaitsBeforeItKills", "asks whom it should kill",
   other_children([](child_spec& x) { x.shutdown = stop_grace{infinity}; })},
  {"AbandonsTooEarly", "abandons before the kill grace is over",
   other_children([](child_spec& x) { x.kill_grace = duration{0}; })},
  {"AbandonsTooLate", "has no timer for giving a life up",
   other_children(
     [](child_spec& x) { x.kill_grace = x.kill_grace.span() + duration{1}; })},
  {"WaitsForeverForReady", "has no timer for a start deadline",
   other_children(
     [](child_spec& x) { x.start_deadline = time_limit{infinity}; })},
  {"IgnoresTheRules", "restarts against the rules",
   other_children([](child_spec& x) { x.on_failure.clear(); })},
  {"StartsInAnotherOrder", "where a should be",
   other_spec([](supervisor_spec& x) { std::ranges::reverse(x.children); })},
};

const auto name_of = [](const auto& info) {
  return std::string{info.param.name};
};

INSTANTIATE_TEST_SUITE_P(OfOrders, SimulationCanary, testing::ValuesIn(orders),
                         name_of);
INSTANTIATE_TEST_SUITE_P(OfPolicies, SimulationCanary,
                         testing::ValuesIn(policies), name_of);

} // namespace
