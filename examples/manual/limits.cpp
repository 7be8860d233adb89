// This file is part of coppice. License: see LICENSE in the source root.

// The numbers of docs/choosing_limits.md, computed by the code that decides.
//
// Topology:   app
//             `-- inner, and so on; at the bottom one worker that always
//             crashes
//
// The supervisors are those that run in a service, without actors and on a time
// of their own: an hour takes no time. You should see a line for each number,
// and nothing else.

#include "coppice/policy/backoff.hpp"
#include "coppice/policy/supervision_core.hpp"

#include "check.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace std::literals;
using namespace coppice::policy;
using manual::check;

namespace {

/// A worker whose lives all crash `run` after they are ready, below one or more
/// supervisors with one child each.
class trial {
public:
  trial(const supervisor_spec& root, duration run, duration end) : run_(run) {
    begin(0, root);
    while (!agenda_.empty() && agenda_.begin()->first - time_point{} <= end) {
      auto next = agenda_.extract(agenda_.begin());
      now_ = next.key();
      next.mapped()();
    }
  }

  /// When each life of the worker began.
  std::vector<duration> starts;
  /// When the root gave up.
  std::optional<duration> gave_up;
  /// Is the worker stopped for good, or parked?
  bool stopped = false;
  bool parked = false;

  /// From the first failure on.
  [[nodiscard]] std::optional<duration> time_to_give_up() const {
    return gave_up ? std::optional{*gave_up - run_} : std::nullopt;
  }

  [[nodiscard]] std::vector<duration> gaps() const {
    std::vector<duration> result;
    for (std::size_t i = 1; i < starts.size(); ++i)
      result.push_back(starts[i] - starts[i - 1] - run_);
    return result;
  }

private:
  using fact = std::function<directives(supervision_core&)>;

  void begin(std::size_t level, const supervisor_spec& spec) {
    levels_.resize(level);
    levels_.push_back({std::make_shared<supervision_core>(spec, 1), {}});
    later(level, 0ns, [this](auto& core) { return core.on_start(now_); });
  }

  /// News for a supervisor that has been replaced in the meantime is dropped.
  void later(std::size_t level, duration delay, fact what) {
    agenda_.emplace(now_ + delay, [this, level, what = std::move(what),
                                   weak = std::weak_ptr{levels_[level].core}] {
      if (const auto core = weak.lock())
        for (const auto& step : what(*core))
          std::visit([&](const auto& x) { obey(level, x); }, step);
    });
  }

  void obey(std::size_t level, const start_life& x) {
    levels_[level].child = x.life;
    const auto& spec = levels_[level].core->spec_of(x.life.key);
    if (spec.supervisor) {
      begin(level + 1, *spec.supervisor);
      return;
    }
    starts.push_back(now_ - time_point{});
    later(level, 0ns,
          [this, life = x.life](auto& c) { return c.on_ready(life, now_); });
    later(level, run_,
          [this, life = x.life](auto& c) { return c.on_down(life, {}, now_); });
  }

  void obey(std::size_t level, const arm_timer& x) {
    later(level, x.due - now_,
          [this](auto& core) { return core.on_timer(now_); });
  }

  void obey(std::size_t level, const report_ready&) {
    if (level > 0)
      later(level - 1, 0ns, [this, life = levels_[level - 1].child](auto& c) {
        return c.on_ready(life, now_);
      });
  }

  void obey(std::size_t level, const end_supervisor&) {
    if (level == 0)
      gave_up = now_ - time_point{};
    else
      later(level - 1, 0ns, [this, life = levels_[level - 1].child](auto& c) {
        return c.on_down(life, {}, now_);
      });
  }

  void obey(std::size_t level, const report_event& x) {
    if (x.kind == event_kind::stopped)
      stopped = true;
    if (x.kind == event_kind::backing_off)
      parked = levels_[level].core->describe(x.life.key, now_).parked;
  }

  /// The rest is about actors, or about operators.
  template <class Directive>
  void obey(std::size_t, const Directive&) {}

  struct level_state {
    std::shared_ptr<supervision_core> core;
    life_id child;
  };

  const duration run_;
  time_point now_{};
  std::vector<level_state> levels_;
  std::multimap<time_point, std::function<void()>> agenda_;
};

void never_called(coppice::start_context&) {}

/// A worker whose delays are not blurred.
child_spec worker(backoff_spec backoff = {.jitter = jitter_kind::none}) {
  return {.id = "worker", .start = never_called, .backoff = backoff};
}

/// `levels` supervisors above one another, with the same limits.
supervisor_spec chain(int levels, restart_limits limits, child_spec leaf) {
  supervisor_spec spec{.limits = limits, .children = {std::move(leaf)}};
  for (; levels > 1; --levels) {
    auto inner = worker(spec.children.front().backoff);
    inner.start = {};
    inner.supervisor = std::move(spec);
    spec = {.limits = limits, .children = {std::move(inner)}};
  }
  return spec;
}

constexpr auto end = 10min;
constexpr auto never = std::optional<duration>{};

void one_level() {
  const auto x = trial{chain(1, {}, worker()), 0ns, end};
  check("defaults: lives", x.starts.size(), 4u);
  check("defaults: delays", x.gaps(), {100ms, 200ms, 400ms});
  check("defaults: gives up after", x.time_to_give_up(), 700ms);
  // --(doc:third_failure-begin)--
  // The third failure within 5 s is one too many.
  restart_limits limits{.restarts_max = 2, .window = 5s};
  // --(doc:third_failure-end)--
  const auto y = trial{chain(1, limits, worker()), 0ns, end};
  check("2 in 5 s: lives", y.starts.size(), 3u);
  check("2 in 5 s: gives up after", y.time_to_give_up(), 300ms);
  const auto z = trial{chain(1, {.restarts_max = 0}, worker()), 0ns, end};
  check("0 in 5 s: lives", z.starts.size(), 1u);
}

void long_lives() {
  const auto x = trial{chain(1, {}, worker()), 1400ms, end};
  check("lives of 1.4 s: gives up after", x.time_to_give_up(), 4900ms);
  const auto y = trial{chain(1, {}, worker()), 1500ms, end};
  check("lives of 1.5 s: gives up after", y.time_to_give_up(), never);
  const auto u = trial{chain(1, {.restarts_max = 2}, worker()), 1500ms, end};
  check("the same with 2 in 5 s: gives up after", u.time_to_give_up(), 3300ms);
  const auto z = trial{chain(1, {}, worker()), 10s, 60s};
  check("lives of 10 s: delays", z.gaps(), {0s, 0s, 0s, 0s, 0s, 0s});
}

/// As a worker that hangs after each restart, and is noticed after 30 s.
void hangs() {
  const auto x = trial{chain(1, {}, worker()), 30s, end};
  check("failures 30 s apart, 3 in 5 s: gives up after", x.time_to_give_up(),
        never);
  const auto y = trial{chain(1, {.window = 90s}, worker()), 30s, end};
  check("the same, 3 in 90 s: gives up after", y.time_to_give_up(), 90s);
}

void backoff_against_window() {
  // --(doc:backoff_too_slow-begin)--
  // 1 s + 2 s + 4 s is more than the window: this budget is never spent.
  restart_limits limits{.restarts_max = 3, .window = 5s};
  backoff_spec backoff{.first = 1s, .jitter = jitter_kind::none};
  // --(doc:backoff_too_slow-end)--
  const auto x = trial{chain(1, limits, worker(backoff)), 0ns, end};
  check("first = 1 s, window = 5 s: gives up after", x.time_to_give_up(),
        never);
  limits.window = 7s;
  const auto y = trial{chain(1, limits, worker(backoff)), 0ns, end};
  check("first = 1 s, window = 7 s: gives up after", y.time_to_give_up(), 7s);
  limits = {.restarts_max = 10, .window = 60s};
  const auto z = trial{chain(1, limits, worker()), 0ns, 60min};
  check("10 in 60 s: gives up after", z.time_to_give_up(), never);
  limits = {.restarts_max = 10, .window = 90s};
  const auto u = trial{chain(1, limits, worker()), 0ns, 60min};
  check("10 in 90 s: gives up after", u.time_to_give_up(), 81'100ms);
  check("10 in 90 s: lives", u.starts.size(), 11u);
}

void levels() {
  const backoff_spec at_once{.first = 0s};
  check("1 level: lives",
        trial{chain(1, {}, worker(at_once)), 0ns, end}.starts.size(), 4u);
  check("2 levels: lives",
        trial{chain(2, {}, worker(at_once)), 0ns, end}.starts.size(), 16u);
  check("3 levels: lives",
        trial{chain(3, {}, worker(at_once)), 0ns, end}.starts.size(), 64u);
  const auto x = trial{chain(2, {}, worker()), 0ns, end};
  check("2 levels with backoff: lives", x.starts.size(), 16u);
  check("2 levels with backoff: give up after", x.time_to_give_up(), 3500ms);
  const auto y = trial{chain(3, {}, worker()), 0ns, end};
  check("3 levels with backoff: give up after", y.time_to_give_up(), never);
  // --(doc:outer_window-begin)--
  // The inner ones need 3.5 s to give up: at least 11.2 s are needed here.
  auto spec = chain(3, {}, worker());
  spec.limits.window = 15s;
  // --(doc:outer_window-end)--
  const auto z = trial{spec, 0ns, end};
  check("3 levels, 15 s at the top: give up after", z.time_to_give_up(),
        14'700ms);
  check("3 levels, 15 s at the top: lives", z.starts.size(), 64u);
  spec.limits.window = 11'200ms;
  check("3 levels, 11.2 s at the top: give up after",
        trial{spec, 0ns, end}.time_to_give_up(), 14'700ms);
  spec.limits.window = 11'199ms;
  check("3 levels, a ms less at the top: give up after",
        trial{spec, 0ns, end}.time_to_give_up(), never);
}

void delays() {
  backoff_spec spec;
  std::vector<duration> base;
  for (std::uint32_t n = 1; n <= 10; ++n)
    base.push_back(base_delay(spec, n));
  check("delays by default", base,
        {100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 6400ms, 12'800ms, 25'600ms,
         30s});
  random_source random{1};
  const auto range = [&](jitter_kind kind) {
    spec.jitter = kind;
    auto least = next_delay(spec, 4, random);
    auto most = least;
    for (int i = 0; i < 10'000; ++i) {
      const auto x = next_delay(spec, 4, random);
      least = std::min(least, x);
      most = std::max(most, x);
    }
    return std::pair{least, most};
  };
  // Of the fourth delay, 800 ms.
  check.within("proportional", range(jitter_kind::proportional), 800ms, 960ms);
  check.within("equal", range(jitter_kind::equal), 400ms, 800ms);
  check.within("full", range(jitter_kind::full), 0ms, 800ms);
}

void per_child() {
  // --(doc:own_budget-begin)--
  auto flaky = worker();
  flaky.limits = {.restarts_max = 2, .window = 60s};
  flaky.on_exhausted = exhaustion_action::stop_child;
  // --(doc:own_budget-end)--
  const auto x = trial{chain(1, {}, flaky), 0ns, end};
  check("stop_child: lives", x.starts.size(), 3u);
  check("stop_child: gives up after", x.time_to_give_up(), never);
  check("stop_child: stopped", x.stopped, true);
  flaky.on_exhausted = exhaustion_action::park;
  flaky.backoff.cap = 5s;
  const auto y = trial{chain(1, {}, flaky), 0ns, 21s};
  check("park: delays", y.gaps(), {100ms, 200ms, 5s, 5s, 5s, 5s});
  check("park: shown as parked", y.parked, true);
  flaky.on_exhausted = exhaustion_action::escalate;
  const auto z = trial{chain(1, {}, flaky), 0ns, end};
  check("escalate: gives up after", z.time_to_give_up(), 300ms);
}

void pauses() {
  auto spec = chain(1, {.restarts_max = 2, .window = 60s}, worker());
  spec.on_exhausted = exhaustion_action::pause;
  const auto x = trial{spec, 0ns, 40s};
  check("pause: gives up after", x.time_to_give_up(), never);
  check.within("pause: third delay", {x.gaps()[2], x.gaps()[2]}, 30s, 33s);
}

void weights() {
  restart_budget budget{{.restarts_max = 3, .window = 5s}};
  check("weight 2, once", budget.spend({}, 2), true);
  check("weight 2, twice", budget.spend({}, 2), false);
}

} // namespace

int main() {
  one_level();
  long_lives();
  hangs();
  backoff_against_window();
  levels();
  delays();
  per_child();
  pauses();
  weights();
  return check.result();
}
