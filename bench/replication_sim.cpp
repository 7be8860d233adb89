// This file is part of coppice. License: see LICENSE in the source root.

// What replication wins and costs, in virtual time, through the real core: a
// large fan-out, queueing servers, the loads at which it hurts, and the switch
// that turns it off there.
//
// The tables are the same on any machine with the same mathematics library.
//
// Run:        ./replication_sim [--quick] [--seeds N] [--svg DIR] [table...]
// You should see every target met but that of uniform placement at load 0.95.

#include "replication_sim.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>
#include <functional>
#include <future>
#include <iterator>
#include <numeric>
#include <stdexcept>
#include <string_view>

namespace replication_sim {

double median(samples x) {
  std::sort(x.begin(), x.end());
  return x[x.size() / 2];
}

double mean(const std::vector<float>& x) {
  return std::accumulate(x.begin(), x.end(), 0.0)
         / static_cast<double>(x.size());
}

double quantile(std::vector<float>& x, double share) {
  const auto rank = std::ceil(share * static_cast<double>(x.size()));
  const auto where = x.begin() + static_cast<std::ptrdiff_t>(rank) - 1;
  std::nth_element(x.begin(), where, x.end());
  return static_cast<double>(*where);
}

void in_parallel(std::size_t count, const std::function<void(std::size_t)>& f) {
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (auto i = next++; i < count; i = next++)
      f(i);
  };
  auto other = std::async(std::launch::async, work);
  work();
  other.get();
}

std::vector<policy::replica_spec> replicas(std::size_t count) {
  std::vector<policy::replica_spec> out;
  for (std::size_t i = 0; i < count; ++i)
    out.push_back({.name = "server " + std::to_string(i), .servers = 1});
  return out;
}

policy::replication_spec single() {
  auto spec = policy::replication_spec::hedged(
    fixed(std::chrono::hours{1}, policy::hedge_trigger::after_send));
  spec.budget = {.share = 0.0, .reserve = 0};
  return spec;
}

policy::hedge_spec fixed(policy::duration delay,
                         policy::hedge_trigger trigger) {
  return {.trigger = trigger, .quantile = std::nullopt, .delay = delay};
}

policy::replication_spec never_off(policy::replication_spec spec) {
  spec.off_switch.wins_min = 0.0;
  spec.off_switch.load_max = 1e6;
  return spec;
}

void prepare(policy::replication_spec& spec, std::size_t replica_count) {
  spec.ejection.share_max = 0.0;
  const auto defects = validate(spec, replicas(replica_count), "spec");
  if (!defects.empty())
    throw std::invalid_argument("replication_sim: " + to_string(defects));
}

namespace {

struct table {
  std::string_view name;
  std::function<void()> print;
};

int usage() {
  std::fprintf(stderr, "usage: replication_sim [--quick] [--seeds N] "
                       "[--svg DIR] [tail | queues | boundary | switch]...\n");
  return 2;
}

/// @returns How many were missed.
std::size_t print(const targets& all, bool is_judged) {
  if (!all.empty())
    std::printf("\n## Targets\n\n");
  for (const auto& x : all)
    std::printf("target %s %.4g at_most %.4g %s\n", x.name.c_str(), x.value,
                x.bound,
                !is_judged   ? "not_judged"
                : x.is_met() ? "met"
                             : "missed");
  if (!is_judged)
    return 0;
  return static_cast<std::size_t>(std::count_if(
    all.begin(), all.end(), [](const target& x) { return !x.is_met(); }));
}

int run(const std::vector<std::string_view>& arguments) {
  settings how;
  std::vector<std::string_view> chosen;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto argument = arguments[i];
    if (argument == "--quick")
      how = {.seeds = 1, .divisor = 20, .svg_directory = how.svg_directory};
    else if (argument == "--seeds" && i + 1 < arguments.size())
      how.seeds = std::stoul(std::string{arguments[++i]});
    else if (argument == "--svg" && i + 1 < arguments.size())
      how.svg_directory = arguments[++i];
    else
      chosen.push_back(argument);
  }
  targets reached;
  const table all[] = {{"tail", [&] { print_tail(how, reached); }},
                       {"queues", [&] { print_queues(how, reached); }},
                       {"boundary", [&] { print_boundary(how); }},
                       {"switch", [&] { print_switch(how); }}};
  const auto is_known = [&](std::string_view name) {
    return std::any_of(std::begin(all), std::end(all),
                       [&](const table& x) { return x.name == name; });
  };
  if (how.seeds == 0 || !std::all_of(chosen.begin(), chosen.end(), is_known))
    return usage();
  std::printf("Medians of %llu seed%s, unless said otherwise.\n",
              static_cast<unsigned long long>(how.seeds),
              how.seeds == 1 ? "" : "s");
  for (const auto& x : all)
    if (chosen.empty()
        || std::find(chosen.begin(), chosen.end(), x.name) != chosen.end())
      x.print();
  return print(reached, how.divisor == 1) == 0 ? 0 : 1;
}

} // namespace

} // namespace replication_sim

int main(int argc, char** argv) try {
  return replication_sim::run({argv + 1, argv + argc});
} catch (const std::exception& what) {
  std::fprintf(stderr, "replication_sim: %s\n", what.what());
  return 1;
}
