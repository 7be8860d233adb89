// This file is part of coppice. License: see LICENSE in the source root.

// What a throw costs. Two programs are made of this file: `throw_bench`, as a
// program is without coppice, and `throw_hook_bench`, with the hook linked.
// Compare medians of runs that alternate; a throw's cost varies a lot from
// process to process.

#include "coppice/throw_stack.hpp"

#include <benchmark/benchmark.h>

#include <cstddef>

namespace {

using coppice::throw_capture;

volatile int sink = 0;

[[gnu::noinline, gnu::noclone]] void throw_from(std::size_t frames) {
  if (frames <= 1)
    throw 42;
  else
    throw_from(frames - 1);
  sink = 1;
}

[[gnu::noinline]] void catch_from(std::size_t frames) {
  try {
    throw_from(frames);
  } catch (int x) {
    sink = x;
  }
}

// From `depth` calls below the handler; of its stack, with those above, so many
// frames are taken.
void throw_and_catch(benchmark::State& state) {
  const auto taken = static_cast<std::size_t>(state.range(1));
  coppice::set_stack_depth(taken);
  coppice::set_throw_capture(taken > 0 ? throw_capture::always
                                       : throw_capture::never);
  for (auto _ : state)
    catch_from(static_cast<std::size_t>(state.range(0)));
  coppice::set_throw_capture(throw_capture::in_actors);
  state.SetLabel(coppice::has_throw_hook() ? "hook" : "no hook");
}
BENCHMARK(throw_and_catch)
  ->ArgNames({"depth", "frames"})
  ->ArgsProduct({{5, 16, 50}, {0, 16, 32}});

// What an actor pays for each handler that does not throw.
void scope(benchmark::State& state) {
  for (auto _ : state) {
    const coppice::throw_capture_scope in_actor;
    benchmark::ClobberMemory();
  }
}
BENCHMARK(scope);

void stack_without_a_throw(benchmark::State& state) {
  for (auto _ : state)
    benchmark::DoNotOptimize(coppice::capture_here());
}
BENCHMARK(stack_without_a_throw);

} // namespace
