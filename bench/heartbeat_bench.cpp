// This file is part of coppice. License: see LICENSE in the source root.

// What a heartbeat costs: to the worker, to the watchdog, and to the machine.

#include "coppice/heartbeat_board.hpp"
#include "coppice/heartbeat_scan.hpp"

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::literals;

using coppice::heartbeat;
using coppice::heartbeat_board;
using coppice::heartbeat_scan;
using coppice::slot_id;
using coppice::policy::duration;
using coppice::policy::heartbeat_spec;
using coppice::policy::life_id;
using coppice::policy::time_point;

constexpr std::size_t million = 1'000'000;

time_point steady_now() {
  return std::chrono::steady_clock::now();
}

/// CPU time of this thread.
duration thread_time() {
  timespec result;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &result);
  return std::chrono::seconds{result.tv_sec}
         + std::chrono::nanoseconds{result.tv_nsec};
}

// -- the worker's side -------------------------------------------------------

// One worker in a tight loop: each beat waits for the one before it.
void beat_in_a_loop(benchmark::State& state) {
  heartbeat_board board;
  auto writer = board.writer(board.acquire());
  for (auto _ : state) {
    writer.beat();
    benchmark::ClobberMemory();
  }
}
BENCHMARK(beat_in_a_loop);

// Many workers, one beat each: what a beat adds to other work.
void beat_of_one_in_a_thousand(benchmark::State& state) {
  heartbeat_board board;
  std::vector<heartbeat> writers;
  for (auto i = 0; i < 1000; ++i)
    writers.push_back(board.writer(board.acquire()));
  for (auto _ : state)
    for (auto& writer : writers) {
      writer.beat();
      benchmark::ClobberMemory();
    }
  state.SetItemsProcessed(state.iterations() * 1000);
}
BENCHMARK(beat_of_one_in_a_thousand);

void beat_with_a_note(benchmark::State& state) {
  heartbeat_board board;
  auto writer = board.writer(board.acquire());
  for (auto _ : state) {
    writer.beat("phase 2");
    benchmark::ClobberMemory();
  }
}
BENCHMARK(beat_with_a_note);

void beat_of_nobody(benchmark::State& state) {
  heartbeat writer;
  benchmark::DoNotOptimize(writer);
  for (auto _ : state) {
    writer.beat();
    benchmark::ClobberMemory();
  }
}
BENCHMARK(beat_of_nobody);

void begin_and_end_of_work(benchmark::State& state) {
  heartbeat_board board;
  auto writer = board.writer(board.acquire());
  for (auto _ : state) {
    writer.begin_work();
    writer.end_work();
    benchmark::ClobberMemory();
  }
}
BENCHMARK(begin_and_end_of_work);

// Two threads, with slots that were acquired one after the other: they do not
// share a cache line.
void beat_of_two_threads(benchmark::State& state) {
  static heartbeat_board board;
  auto writer = board.writer(board.acquire());
  for (auto _ : state) {
    writer.beat();
    benchmark::ClobberMemory();
  }
}
BENCHMARK(beat_of_two_threads)->Threads(2)->UseRealTime();

// -- the watchdog's side -----------------------------------------------------

enum class who_is_busy { nobody, one_percent, all };

struct population {
  explicit population(std::size_t lives, who_is_busy busy)
    : scan{100ms, [this] { return now; }} {
    slots.reserve(lives);
    writers.reserve(lives);
    for (std::size_t i = 0; i < lives; ++i) {
      const auto slot = scan.acquire();
      slots.push_back(slot);
      writers.push_back(scan.writer(slot));
      scan.watch(slot, 1, life_id{static_cast<std::uint32_t>(i), 1},
                 heartbeat_spec{.stall_timeout = 1h}, true, now);
      if (busy == who_is_busy::all
          || (busy == who_is_busy::one_percent && i % 100 == 0))
        writers.back().begin_work();
    }
  }

  void pass() {
    now = scan.next_due();
    scan.begin(now);
    while (scan.step()) {}
    scan.finish();
  }

  time_point now{};
  heartbeat_scan scan;
  std::vector<slot_id> slots;
  std::vector<heartbeat> writers;
};

void scan_a_million(benchmark::State& state) {
  population all{million, static_cast<who_is_busy>(state.range(0))};
  all.pass();
  for (auto _ : state)
    all.pass();
}
BENCHMARK(scan_a_million)
  ->Arg(static_cast<int>(who_is_busy::nobody))
  ->Arg(static_cast<int>(who_is_busy::one_percent))
  ->Arg(static_cast<int>(who_is_busy::all))
  ->Unit(benchmark::kMillisecond);

// All busy, and each has beaten since the last scan.
void scan_a_million_that_beat(benchmark::State& state) {
  population all{million, who_is_busy::all};
  all.pass();
  for (auto _ : state) {
    state.PauseTiming();
    for (auto& writer : all.writers)
      writer.beat();
    state.ResumeTiming();
    all.pass();
  }
}
BENCHMARK(scan_a_million_that_beat)->Unit(benchmark::kMillisecond);

void life_from_acquire_to_release(benchmark::State& state) {
  population others{static_cast<std::size_t>(state.range(0)),
                    who_is_busy::nobody};
  auto& scan = others.scan;
  const heartbeat_spec spec;
  for (auto _ : state) {
    const auto slot = scan.acquire();
    auto writer = scan.writer(slot);
    scan.watch(slot, 1, life_id{7, 1}, spec, true, others.now);
    writer.release();
    scan.unwatch(slot);
  }
}
BENCHMARK(life_from_acquire_to_release)->Arg(0)->Arg(100'000);

// -- the machine's side ------------------------------------------------------

// A million idle lives, scanned once a second by a thread that sleeps in
// between, so with cold caches. One iteration is one scan.
void share_of_a_core(benchmark::State& state) {
  population all{million, who_is_busy::nobody};
  duration used{0};
  std::uint64_t scans = 0;
  for (auto _ : state) {
    std::thread watcher{[&] {
      std::this_thread::sleep_until(steady_now() + 1s);
      const auto before = thread_time();
      all.pass();
      used += thread_time() - before;
      ++scans;
    }};
    watcher.join();
  }
  const auto per_scan = static_cast<double>(used.count())
                        / static_cast<double>(scans);
  state.counters["cpu_per_scan_ms"] = per_scan / 1e6;
  state.counters["share_percent"] = per_scan / 1e9 * 100;
}
BENCHMARK(share_of_a_core)
  ->Iterations(10)
  ->UseRealTime()
  ->Unit(benchmark::kMillisecond);

} // namespace
