// This file is part of coppice. License: see LICENSE in the source root.

#include "support/random_spec.hpp"

#include "support/random_choice.hpp"

#include <algorithm>

namespace coppice::test {

using namespace policy;
using namespace std::chrono_literals;

namespace {

time_limit some_time(random_source& random) {
  return one_of<duration>(random, {1ms, 10ms, 100ms, 1s});
}

restart_limits random_limits(random_source& random) {
  restart_limits x;
  x.restarts_max = static_cast<std::uint64_t>(random.up_to(3));
  if (one_in(random, 8))
    x.restarts_max = infinity;
  x.window = one_in(random, 8) ? time_limit{infinity} : some_time(random);
  return x;
}

cause_weights random_weights(random_source& random) {
  const auto weight = [&random] {
    return static_cast<std::uint32_t>(random.up_to(2));
  };
  return {.crash = weight(),
          .stall = weight(),
          .start_failure = weight(),
          .node_loss = weight(),
          .clean_end = weight()};
}

backoff_spec random_backoff(random_source& random) {
  using enum jitter_kind;
  backoff_spec x;
  x.first = one_of<duration>(random, {0ms, 1ms, 10ms, 100ms});
  x.cap = one_of<duration>(random, {100ms, 200ms, 10s});
  x.factor = one_of(random, {1.0, 2.0, 10.0});
  x.jitter = one_of(random, {none, none, full, equal, proportional});
  x.reset_after = one_of<time_limit>(random, {0ms, 10ms, 1s, infinity});
  return x;
}

exhaustion_action random_action(random_source& random) {
  using enum exhaustion_action;
  return one_of(random, {escalate, stop_child, park, pause});
}

std::vector<failure_rule> random_rules(random_source& random) {
  using enum failure_action;
  if (!one_in(random, 4))
    return {};
  const auto* name = one_of<const char*>(
    random, {"odd", "stall", "start_failure", "permanent_failure"});
  return {{name, one_of(random, {restart, stop, escalate})}};
}

/// What was spent under larger limits is judged by these exactly.
restart_limits random_reduction(random_source& random,
                                const restart_limits& before) {
  auto x = before;
  if (!before.restarts_max.is_infinite())
    x.restarts_max = random.up_to(before.restarts_max.count());
  if (const auto window = some_time(random);
      window.span() < before.window.span())
    x.window = window;
  return x;
}

child_spec random_other(random_source& random, const supervisor_spec& parent,
                        const child_spec& before) {
  auto x = one_in(random, 2) ? before : random_child(random, parent, before.id);
  x.supervisor = before.supervisor;
  x.start = before.start;
  x.significant = x.significant && x.restart != permanent
                  && parent.auto_shutdown != auto_shutdown_mode::never;
  if (!before.limits.restarts_max.is_infinite())
    x.limits = one_in(random, 4) ? restart_limits{.restarts_max = infinity}
                                 : random_reduction(random, before.limits);
  return x;
}

auto_shutdown_mode random_auto_shutdown(random_source& random) {
  using enum auto_shutdown_mode;
  return one_of(random,
                {never, never, never, any_significant, all_significant});
}

} // namespace

child_spec random_child(random_source& random, const supervisor_spec& parent,
                        std::string id) {
  child_spec x{.id = std::move(id)};
  if (one_in(random, 6))
    x.supervisor = supervisor_spec{};
  else
    x.start = [](start_context&) {};
  x.restart = one_of(random, {permanent, permanent, transient, temporary});
  x.shutdown = one_of<stop_grace>(random, {brutal_kill, infinity,
                                           stop_grace{0ms}, stop_grace{10ms},
                                           stop_grace{1s}, stop_grace{1s}});
  x.kill_grace = one_of<duration>(random, {0ms, 10ms, 1s});
  x.start_deadline = one_of<time_limit>(random, {1ms, 100ms, 1s, infinity});
  x.backoff = random_backoff(random);
  if (one_in(random, 3))
    x.limits = random_limits(random);
  x.on_exhausted = random_action(random);
  x.on_failure = random_rules(random);
  x.significant = parent.auto_shutdown != auto_shutdown_mode::never
                  && x.restart != permanent && one_in(random, 2);
  return x;
}

supervisor_spec random_supervisor(random_source& random) {
  supervisor_spec x;
  x.strategy = one_of(random, {one_for_one, one_for_all, rest_for_one,
                               one_for_all, rest_for_one, simple_one_for_one});
  x.limits = random_limits(random);
  if (!one_in(random, 4))
    x.limits.restarts_max = 3 + random.up_to(200);
  if (one_in(random, 4))
    x.weights = random_weights(random);
  x.on_exhausted = random_action(random);
  x.pause_length = some_time(random);
  x.revive = one_in(random, 4) ? revive_mode::all : revive_mode::none;
  const auto is_pool = x.strategy == simple_one_for_one;
  if (!is_pool)
    x.auto_shutdown = random_auto_shutdown(random);
  const auto count = is_pool ? 1 : random.up_to(4);
  for (std::uint64_t i = 0; i < count; ++i)
    x.children.push_back(
      random_child(random, x, std::string(1, static_cast<char>('a' + i))));
  if (one_in(random, 8))
    x.children_max = count + random.up_to(2);
  return x;
}

supervisor_spec random_reload(random_source& random,
                              const supervisor_spec& before) {
  auto x = random_supervisor(random);
  const auto is_pool = before.strategy == simple_one_for_one;
  if (is_pool) {
    x.strategy = simple_one_for_one;
    x.auto_shutdown = auto_shutdown_mode::never;
  } else if (x.strategy == simple_one_for_one || one_in(random, 2)) {
    x.strategy = before.strategy;
  }
  x.children_max = infinity;
  x.limits = random_reduction(random, before.limits);
  x.children.clear();
  for (const auto& child : before.children)
    if (is_pool || !one_in(random, 4))
      x.children.push_back(random_other(random, x, child));
  const std::string id(1, static_cast<char>('a' + random.up_to(6)));
  const auto is_there = [&id](const child_spec& y) { return y.id == id; };
  if (!is_pool && !std::ranges::any_of(x.children, is_there)
      && !std::ranges::any_of(before.children, is_there)) {
    const auto place = random.up_to(x.children.size());
    x.children.insert(x.children.begin() + static_cast<std::ptrdiff_t>(place),
                      random_child(random, x, id));
  }
  if (x.children.size() > 1 && one_in(random, 4))
    std::ranges::swap(x.children.front(), x.children.back());
  return x;
}

} // namespace coppice::test
