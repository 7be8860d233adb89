// This file is part of coppice. License: see LICENSE in the source root.

// What a context costs: to whoever looks at it, makes one, or ends it.

#include "coppice/context.hpp"

#include "coppice/request_handler.hpp"

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

namespace {

using namespace std::literals;

using coppice::context;
using coppice::deadline_clock;

// A worker in a tight loop. Target: at most 2 ns.
void check(benchmark::State& state) {
  const auto ctx = context::lasting(1h);
  for (auto _ : state)
    benchmark::DoNotOptimize(ctx.cancelled());
}
BENCHMARK(check);

void check_without_a_deadline(benchmark::State& state) {
  const auto ctx = context::without_deadline();
  for (auto _ : state)
    benchmark::DoNotOptimize(ctx.cancelled());
}
BENCHMARK(check_without_a_deadline);

// Two workers on behalf of one request.
void check_by_two_threads(benchmark::State& state) {
  static const auto ctx = context::lasting(1h);
  for (auto _ : state)
    benchmark::DoNotOptimize(ctx.cancelled());
}
BENCHMARK(check_by_two_threads)->Threads(2)->UseRealTime();

void check_that_reads_the_clock(benchmark::State& state) {
  const auto ctx = context::lasting(1h);
  for (auto _ : state)
    benchmark::DoNotOptimize(ctx.is_over());
}
BENCHMARK(check_that_reads_the_clock);

void copy_of_a_handle(benchmark::State& state) {
  const auto ctx = context::lasting(1h);
  for (auto _ : state) {
    auto copy = ctx;
    benchmark::DoNotOptimize(copy);
  }
}
BENCHMARK(copy_of_a_handle);

void entry_and_end(benchmark::State& state) {
  for (auto _ : state) {
    auto ctx = context::with_default_deadline();
    benchmark::DoNotOptimize(ctx);
  }
}
BENCHMARK(entry_and_end);

// Made and dropped; nobody looks, so the clock never hears of it.
void child_that_nobody_looks_at(benchmark::State& state) {
  const auto parent = context::lasting(1h);
  for (auto _ : state) {
    auto child = parent.with_timeout(1min);
    benchmark::DoNotOptimize(child);
  }
}
BENCHMARK(child_that_nobody_looks_at);

// One copy of a request, as a replicator makes it for each that it sends.
void child_that_is_a_copy(benchmark::State& state) {
  const auto parent = context::lasting(1h).idempotent();
  const auto tie = std::make_shared<coppice::request_tie>(2);
  for (auto _ : state) {
    auto child = parent.with_copy({.number = 1, .tie = tie});
    benchmark::DoNotOptimize(child);
  }
}
BENCHMARK(child_that_is_a_copy);

// What a worker does before each request: for one that is no copy, and for one
// that is.
void claim_of_no_copy(benchmark::State& state) {
  const auto ctx = context::lasting(1h);
  for (auto _ : state)
    benchmark::DoNotOptimize(coppice::claim_work(ctx));
}
BENCHMARK(claim_of_no_copy);

void claim_of_a_copy(benchmark::State& state) {
  const auto tie = std::make_shared<coppice::request_tie>(2);
  const auto ctx = context::lasting(1h).with_copy({.number = 1, .tie = tie});
  for (auto _ : state)
    benchmark::DoNotOptimize(coppice::claim_work(ctx));
}
BENCHMARK(claim_of_a_copy);

// The answer of a copy that another one forestalled.
void refusal_of_a_copy(benchmark::State& state) {
  const auto ctx = context::lasting(1h).with_copy({.number = 1});
  for (auto _ : state)
    benchmark::DoNotOptimize(coppice::drop_unclaimed(ctx));
}
BENCHMARK(refusal_of_a_copy);

// The same beside a million brothers: it must not matter.
void child_beside_a_million(benchmark::State& state) {
  const auto parent = context::lasting(1h);
  std::vector<context> brothers;
  for (auto i = 0; i < 1'000'000; ++i)
    brothers.push_back(parent.with_cancel());
  for (auto _ : state) {
    auto child = parent.with_timeout(1min);
    benchmark::DoNotOptimize(child);
  }
}
BENCHMARK(child_beside_a_million);

// With the first check, which has the clock wait for it.
void child_that_is_looked_at(benchmark::State& state) {
  const auto parent = context::lasting(1h);
  for (auto _ : state)
    benchmark::DoNotOptimize(parent.with_timeout(1min).cancelled());
}
BENCHMARK(child_that_is_looked_at);

void callback_there_and_back(benchmark::State& state) {
  const auto ctx = context::lasting(1h);
  for (auto _ : state) {
    const auto registration = ctx.on_cancel([] {});
    benchmark::DoNotOptimize(&registration);
  }
}
BENCHMARK(callback_there_and_back);

// From the call to the last of them marked.
void cancel_of_children(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  std::vector<context> children(count);
  for (auto _ : state) {
    state.PauseTiming();
    const auto parent = context::lasting(1h);
    for (auto& x : children)
      x = parent.with_cancel();
    state.ResumeTiming();
    parent.cancel();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(cancel_of_children)
  ->Arg(1)
  ->Arg(1'000)
  ->Unit(benchmark::kMicrosecond);

} // namespace
