// This file is part of coppice. License: see LICENSE in the source root.

// A service at 0.8 to 3 times its capacity, with each of the policies that an
// admission spec can express; and what a fact costs the admission core.
//
// Virtual time: the table is the same on any machine, the cost is not.
//
// Run:        ./admission_sim [seeds]
// You should see the first line collapse, and the last two not.

#include "coppice/policy/admission_core.hpp"

#include "support/admission_load.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

using namespace std::literals;
using namespace coppice;

constexpr std::array loads{0.8, 1.1, 1.5, 3.0};

struct candidate {
  const char* name;
  policy::admission_spec spec;
};

/// A queue that takes everything: at 3x for 60 s, 120'000 are left over.
policy::admission_spec unbounded(policy::stale_check stale) {
  return {.queue_depth_max = 1'000'000,
          .stale = stale,
          .standing = {.interval = policy::infinity}};
}

policy::admission_spec codel(policy::stale_check stale, bool lifo) {
  return {.queue_depth_max = 1'000'000,
          .stale = stale,
          .standing = {.adaptive_lifo = lifo}};
}

policy::admission_spec bounded(std::uint32_t depth) {
  auto spec = unbounded(policy::stale_check::none);
  spec.queue_depth_max = depth;
  return spec;
}

std::vector<candidate> candidates() {
  using enum policy::stale_check;
  return {{"FIFO, serve all", unbounded(none)},
          {"FIFO, drop if expired", unbounded(expired)},
          {"FIFO, drop if it cannot finish", unbounded(cannot_finish)},
          {"CoDel 5/100 ms, FIFO", codel(none, false)},
          {"CoDel 5/100 ms, adaptive LIFO", codel(none, true)},
          {"bounded queue of 20", bounded(20)},
          {"default", {}}};
}

double median(std::vector<double> x) {
  std::sort(x.begin(), x.end());
  return x[x.size() / 2];
}

void print_line(const candidate& x, std::uint64_t seeds) {
  std::printf("| %-30s |", x.name);
  for (const auto load : loads) {
    std::vector<double> goodputs;
    std::vector<double> waits;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
      const auto run = test::admission_load{x.spec, {.load = load}, seed}.run();
      goodputs.push_back(run.goodput);
      waits.push_back(run.p50_ms);
    }
    std::printf(" %5.1f (%5.1f) |", median(goodputs), median(waits));
    std::fflush(stdout);
  }
  std::printf("\n");
}

void print_table(std::uint64_t seeds) {
  std::printf("Goodput in %% of capacity (p50 in ms of the good ones): 1 "
              "server, exponential 1 ms,\nclients that wait 100 ms, 60 s; "
              "medians of %llu seeds.\n\n",
              static_cast<unsigned long long>(seeds));
  std::printf("| %-30s |", "policy");
  for (const auto load : loads)
    std::printf(" %11.1fx  |", load);
  std::printf("\n|%s|%s|%s|%s|%s|\n", "---", "--:", "--:", "--:", "--:");
  for (const auto& x : candidates())
    print_line(x, seeds);
}

/// One request of a service that keeps up: arrival, start, done, and the two
/// questions that are answered with `rest`.
double ns_per_request_without_load() {
  constexpr std::uint64_t requests = 1'000'000;
  policy::admission_core core{{}, 1, 1};
  policy::time_point now{};
  const auto begin = std::chrono::steady_clock::now();
  for (std::uint64_t id = 0; id < requests; ++id) {
    now += 2ms;
    (void) core.on_arrival(now, {.id = id, .deadline = now + 100ms});
    (void) core.next(now);
    (void) core.next(now);
    core.on_done(now += 1ms, id, 1ms);
    (void) core.next(now);
  }
  const std::chrono::duration<double, std::nano> span
    = std::chrono::steady_clock::now() - begin;
  return span.count() / requests;
}

/// Of a full queue of this depth: an arrival that takes the place of another.
double ns_per_eviction(std::uint32_t depth) {
  constexpr std::uint64_t arrivals = 300'000;
  policy::admission_core core{{.queue_depth_max = depth}, 1, 1};
  policy::time_point now{};
  policy::random_source random{1};
  std::uint64_t id = 0;
  using enum policy::criticality;
  const auto arrive = [&](policy::criticality level) {
    now += 1ns;
    const policy::ticket who{
      .id = id++,
      .deadline = now + 1s + policy::duration(random.up_to(1'000'000'000)),
      .level = level};
    return core.on_arrival(now, who).admitted();
  };
  for (std::uint32_t i = 0; i < depth; ++i)
    if (!arrive(sheddable))
      std::abort();
  const auto begin = std::chrono::steady_clock::now();
  const auto measured = std::min<std::uint64_t>(arrivals, depth);
  for (std::uint64_t i = 0; i < measured; ++i)
    if (!arrive(critical))
      std::abort();
  const std::chrono::duration<double, std::nano> span
    = std::chrono::steady_clock::now() - begin;
  return span.count() / static_cast<double>(measured);
}

template <class Measure>
double median_of(Measure measure) {
  std::vector<double> all;
  for (int round = 0; round < 7; ++round)
    all.push_back(measure());
  return median(all);
}

void print_costs() {
  std::printf("\nCost on this machine, medians of 7:\n");
  std::printf("- a request of a service that keeps up, five calls: %.0f ns\n",
              median_of(ns_per_request_without_load));
  for (const std::uint32_t depth : {1'000u, 10'000u, 100'000u, 1'000'000u})
    std::printf("- an arrival that evicts, queue of %u, deadlines at random: "
                "%.0f ns\n",
                depth, median_of([=] { return ns_per_eviction(depth); }));
}

} // namespace

int main(int argc, char** argv) {
  const auto seeds = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 7;
  if (seeds == 0) {
    std::fprintf(stderr, "usage: admission_sim [seeds, at least 1]\n");
    return 1;
  }
  print_table(seeds);
  print_costs();
}
