// This file is part of coppice. License: see LICENSE in the source root.

// A beat, and a scan of the board. More in heartbeat_bench.cpp.

#include "coppice/heartbeat_scan.hpp"

#include "figure.hpp"

namespace figures {

namespace {

using namespace std::literals;
using namespace coppice;

double ns_since(clock::time_point begin) {
  return std::chrono::duration<double, std::nano>{clock::now() - begin}.count();
}

double ns_per_beat(heartbeat& writer, std::size_t count) {
  const auto begin = clock::now();
  for (std::size_t i = 0; i < count; ++i) {
    writer.beat();
    asm volatile("" ::: "memory"); // each of them happens
  }
  return ns_since(begin) / static_cast<double>(count);
}

struct board {
  board(std::size_t lives, bool busy) : scan{100ms, [this] { return now; }} {
    for (std::size_t i = 0; i < lives; ++i) {
      const auto slot = scan.acquire();
      scan.watch(slot, 1, {static_cast<std::uint32_t>(i), 1},
                 {.stall_timeout = 1h}, true, now);
      writers.push_back(scan.writer(slot));
      if (busy)
        writers.back().begin_work();
    }
  }

  double ms_per_scan() {
    now = scan.next_due();
    const auto begin = clock::now();
    scan.begin(now);
    while (scan.step()) {}
    scan.finish();
    return ns_since(begin) / 1e6;
  }

  policy::time_point now{};
  heartbeat_scan scan;
  std::vector<heartbeat> writers;
};

} // namespace

void heartbeat_figures(table& out, const settings& how) {
  constexpr std::size_t million = 1'000'000;
  board idle{how.of(million), false};
  board busy{how.of(million), true};
  figure beats{"a beat", "ns", {}, {}, 2.0};
  figure scan_idle{"a scan of 1,000,000 idle lives", "ms", {}, {}, 10.0};
  figure scan_busy{"a scan of 1,000,000 busy lives", "ms", {}, {}, 10.0};
  for (std::size_t i = 0; i < 3 * how.rounds; ++i) {
    beats.ours.push_back(ns_per_beat(busy.writers[i], how.of(10 * million)));
    scan_idle.ours.push_back(idle.ms_per_scan());
    scan_busy.ours.push_back(busy.ms_per_scan());
  }
  out.add(std::move(beats));
  out.add(std::move(scan_idle));
  out.add(std::move(scan_busy));
}

} // namespace figures
