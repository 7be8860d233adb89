// This file is part of coppice. License: see LICENSE in the source root.

// Small supervisors, all schedules: whatever order a few events come in, the
// contract holds. What random schedules hit once in a million is in here.

#include "support/core_checker.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

using namespace coppice;
using namespace coppice::policy;
using namespace std::chrono_literals;

namespace {

using test::fact;
using test::fact_kind;

/// Counts through all sequences of choices, depth first.
class odometer {
public:
  explicit odometer(std::size_t depth) : depth_(depth) {}

  /// The next of `choices` on this way; the first beyond the depth.
  std::size_t choose(std::size_t choices) {
    if (at_ == digits_.size()) {
      if (at_ == depth_)
        return 0;
      digits_.push_back({0, choices});
    }
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

/// One supervisor, and everything that may happen to it next.
class small_world {
public:
  explicit small_world(const supervisor_spec& spec)
    : core_(spec, 1), checker_(spec, core_) {
    tell({.kind = fact_kind::start});
  }

  [[nodiscard]] std::vector<fact> options() const {
    std::vector<fact> result;
    for (const auto& [key, child] : checker_.children()) {
      if (child.life.is_alive)
        add_news(result, child.life);
      result.push_back({.kind = fact_kind::terminate, .key = key});
      result.push_back({.kind = fact_kind::restart, .key = key});
    }
    if (checker_.armed())
      result.push_back({.kind = fact_kind::timer});
    return result;
  }

  void tell(fact x) {
    if (x.is_command())
      x.token = ++tokens_;
    if (x.kind == fact_kind::timer)
      now_ = std::max(now_, *checker_.armed());
    history_.push_back(x);
    checker_.before(x, now_);
    checker_.after(test::tell(core_, x, now_));
  }

  /// Everybody ends when asked to; nobody else does anything any more.
  void end() {
    tell({.kind = fact_kind::stop});
    for (int i = 0; i < 20 && !checker_.has_ended(); ++i)
      for (const auto& [key, child] : checker_.children())
        if (child.life.is_alive && child.life.is_stopping()) {
          tell(down(child.life, end_cause::clean_end));
          break;
        }
    if (!checker_.has_ended())
      checker_.object("never ends");
  }

  [[nodiscard]] bool has_ended() const { return checker_.has_ended(); }

  [[nodiscard]] std::string objection() const {
    auto text = checker_.objection();
    if (!text.empty())
      for (const auto& x : history_)
        text += "\n  " + to_string(x);
    return text;
  }

  /// Lets the supervisor start as it should.
  void get_ready() {
    for (std::size_t i = 0; i < checker_.children().size(); ++i)
      for (const auto& [key, child] : checker_.children())
        if (child.life.is_alive && !child.life.is_ready)
          tell({.kind = fact_kind::ready, .life = child.life.life});
  }

private:
  static fact down(const test::seen_life& life, end_cause cause) {
    return {.kind = fact_kind::down,
            .life = life.life,
            .how = {.cause = cause, .failure_class = ""}};
  }

  static void add_news(std::vector<fact>& result, const test::seen_life& life) {
    result.push_back(
      down(life, life.is_stopping() ? end_cause::clean_end : end_cause::crash));
    if (life.is_stopping())
      return;
    if (!life.is_ready) {
      result.push_back({.kind = fact_kind::ready, .life = life.life});
      return;
    }
    result.push_back(down(life, end_cause::clean_end));
    result.push_back({.kind = fact_kind::stalled, .life = life.life});
  }

  supervision_core core_;
  test::core_checker checker_;
  time_point now_{1h};
  command_token tokens_ = 0;
  std::vector<fact> history_;
};

supervisor_spec small(restart_strategy strategy,
                      std::vector<restart_type> types, duration first) {
  supervisor_spec spec{.strategy = strategy,
                       .limits = {.restarts_max = 2, .window = infinity}};
  char id = 'a';
  for (const auto type : types)
    spec.children.push_back(
      {.id = std::string(1, id++),
       .restart = type,
       .shutdown = stop_grace{1s},
       .backoff = {.first = first, .cap = 1s, .jitter = jitter_kind::none}});
  return spec;
}

enum class origin { start, ready };

/// All ways of so many steps from there.
void explore(const supervisor_spec& spec, origin from, std::size_t steps) {
  odometer way{steps};
  std::size_t ways = 0;
  do {
    small_world world{spec};
    if (from == origin::ready)
      world.get_ready();
    while (!way.is_at_depth() && !world.has_ended()) {
      const auto options = world.options();
      world.tell(options[way.choose(options.size())]);
    }
    world.end();
    ASSERT_EQ(world.objection(), "");
    ++ways;
  } while (way.advance());
  std::cout << ways << " ways\n";
}

// START-1, START-2
TEST(Exploration, OfStarts) {
  explore(small(one_for_one, {permanent, transient}, 100ms), origin::start, 5);
  explore(small(one_for_all, {permanent, temporary}, 0ms), origin::start, 5);
}

// RESTART-2, RESTART-4, RESTART-5, STOP-4
TEST(Exploration, OfTwoInOneForOne) {
  explore(small(one_for_one, {permanent, transient}, 100ms), origin::ready, 5);
}

// RESTART-2, RESTART-4, RESTART-5, STOP-4
TEST(Exploration, OfTwoInOneForAll) {
  explore(small(one_for_all, {permanent, transient}, 100ms), origin::ready, 5);
}

// RESTART-5, RESTART-6
TEST(Exploration, OfTwoInOneForAllThatRetryAtOnce) {
  explore(small(one_for_all, {permanent, permanent}, 0ms), origin::ready, 5);
}

// RESTART-2, RESTART-4, RESTART-5, STOP-4
TEST(Exploration, OfThreeInRestForOne) {
  explore(small(rest_for_one, {permanent, temporary, permanent}, 100ms),
          origin::ready, 4);
}

// RESTART-5, RESTART-6
TEST(Exploration, OfThreeInRestForOneThatRetryAtOnce) {
  explore(small(rest_for_one, {permanent, permanent, permanent}, 0ms),
          origin::ready, 4);
}

// BUDGET-5
TEST(Exploration, OfExhaustedOnes) {
  for (const auto action :
       {exhaustion_action::stop_child, exhaustion_action::park,
        exhaustion_action::pause}) {
    auto spec = small(one_for_all, {permanent, permanent}, 100ms);
    spec.limits.restarts_max = 0;
    spec.on_exhausted = action;
    explore(spec, origin::ready, 5);
  }
}

// STOP-5
TEST(Exploration, OfSignificantOnes) {
  for (const auto mode : {auto_shutdown_mode::any_significant,
                          auto_shutdown_mode::all_significant}) {
    auto spec = small(rest_for_one, {transient, temporary}, 100ms);
    spec.auto_shutdown = mode;
    for (auto& child : spec.children)
      child.significant = true;
    explore(spec, origin::ready, 5);
  }
}

} // namespace
