// This file is part of coppice. License: see LICENSE in the source root.

#include "support/random_spec.hpp"

#include "support/random_choice.hpp"

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

} // namespace coppice::test
