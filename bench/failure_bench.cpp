// This file is part of coppice. License: see LICENSE in the source root.

// What a failure costs: as bytes, as text, and on its way up through five
// levels. Run with --benchmark_repetitions=9 and look at the medians.

#include "coppice/failure.hpp"

#include "coppice/failure_codec.hpp"
#include "coppice/failure_convert.hpp"
#include "coppice/failure_json.hpp"
#include "coppice/system_config.hpp"

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

namespace coppice {
namespace {

using namespace std::literals;

failure_frame frame(int level) {
  return {.when = wall_now(),
          .path = "/app/region/shard-" + std::to_string(level),
          .incarnation = 2,
          .decision = "backoff 200ms",
          .attempt = 1,
          .attempts_in_window = 3};
}

/// Five frames, 32 return addresses, four entries of context.
failure typical() {
  failure x{.failure_class = "db_down",
            .code = std::make_error_code(std::errc::connection_refused),
            .message = "no route to db-7",
            .user_message = "Please try again in a minute.",
            .help_link = "https://example.org/db",
            .where = here("/app/region/shard-7/conn-1", 3),
            .misc = {{"host", "db-7"},
                     {"port", "5432"},
                     {"query", "select price from goods where id = $1"},
                     {"attempt", "3"}},
            .retry_after = 200ms};
  for (int level = 0; level < 5; ++level)
    x.frames.push_back(frame(level));
  for (std::uint64_t i = 0; i < 32; ++i)
    x.stack.push_back(0x7f1234567000 + 4'711 * i);
  return x;
}

failure raised() {
  try {
    throw std::runtime_error("no route to db-7");
  } catch (...) {
    return from_exception(std::current_exception());
  }
}

failure gave_up(int level) {
  return {.failure_class = failure_classes::gave_up,
          .code = errc::gave_up,
          .message = "3 attempts within 5s, tolerated are 2",
          .where = here("/app/level-" + std::to_string(level), 1),
          .misc = {{"child", "/app/level"}, {"attempts", "3"}}};
}

void encode_it(benchmark::State& state) {
  const auto x = typical();
  for (auto _ : state)
    benchmark::DoNotOptimize(encode(x));
  state.counters["bytes"] = static_cast<double>(encode(x).size());
}
BENCHMARK(encode_it);

void decode_it(benchmark::State& state) {
  const auto bytes = encode(typical());
  for (auto _ : state) {
    failure x;
    benchmark::DoNotOptimize(decode(bytes, x));
  }
}
BENCHMARK(decode_it);

// Goal: at most 5 us.
void encode_and_decode(benchmark::State& state) {
  const auto x = typical();
  for (auto _ : state) {
    failure back;
    benchmark::DoNotOptimize(decode(encode(x), back));
  }
}
BENCHMARK(encode_and_decode);

// What five supervisors that give up do to it, without any actor.
void wrap_at_five_levels(benchmark::State& state) {
  const auto leaf = raised();
  for (auto _ : state) {
    auto x = leaf;
    for (int level = 0; level < 5; ++level) {
      append_frame(x, frame(level));
      x = wrap(std::move(x), gave_up(level));
    }
    benchmark::DoNotOptimize(x);
  }
}
BENCHMARK(wrap_at_five_levels);

// What an answer costs at each level: two copies.
void from_and_to_error(benchmark::State& state) {
  const auto err = to_error(typical());
  for (auto _ : state)
    benchmark::DoNotOptimize(to_error(from_error(err)));
}
BENCHMARK(from_and_to_error);

void one_line(benchmark::State& state) {
  const auto x = typical();
  for (auto _ : state)
    benchmark::DoNotOptimize(to_string(x));
}
BENCHMARK(one_line);

void json(benchmark::State& state) {
  const auto x = typical();
  for (auto _ : state)
    benchmark::DoNotOptimize(to_json(x));
}
BENCHMARK(json);

// -- five actors, each asking the next ---------------------------------------

/// Wraps what comes back from below, as a supervisor that gives up does. The
/// lowest one fails.
caf::behavior level_actor(caf::event_based_actor* self, caf::actor below,
                          int level, bool with_failure) {
  return {[=](int question) -> caf::result<int> {
    if (!below) {
      if (with_failure)
        return to_error(typical());
      return question;
    }
    auto promise = self->make_response_promise<int>();
    compat::ask_without_timeout(self, below, question)
      .then([promise](int answer) mutable { promise.deliver(answer); },
            [promise, level](const caf::error& err) mutable {
              auto x = from_error(err);
              append_frame(x, frame(level));
              promise.deliver(to_error(wrap(std::move(x), gave_up(level))));
            });
    return promise;
  }};
}

/// @param with_failure  Without: the same journey of an `int`, the floor.
void five_actors(benchmark::State& state, bool with_failure) {
  system_config config{1};
  caf::actor_system system{config};
  {
    caf::actor top;
    for (int level = 0; level <= 5; ++level)
      top = system.spawn(level_actor, top, level, with_failure);
    caf::scoped_actor self{system};
    for (auto _ : state)
      compat::ask_without_timeout(self, top, 1)
        .receive([](int) {},
                 [](const caf::error& err) { benchmark::DoNotOptimize(&err); });
    caf::anon_send_exit(top, caf::exit_reason::user_shutdown);
  }
}

// Goal: the difference to the floor at most 20 us.
void through_five_actors(benchmark::State& state) {
  five_actors(state, true);
}
BENCHMARK(through_five_actors)->UseRealTime();

void an_int_through_five_actors(benchmark::State& state) {
  five_actors(state, false);
}
BENCHMARK(an_int_through_five_actors)->UseRealTime();

} // namespace
} // namespace coppice
