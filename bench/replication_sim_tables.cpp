// This file is part of coppice. License: see LICENSE in the source root.

#include "replication_sim.hpp"
#include "replication_sim_queue.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>

namespace replication_sim {

namespace {

using policy::hedge_trigger;
using policy::replica_choice;
using policy::replication_spec;

constexpr std::array queue_loads{0.3, 0.5, 0.7, 0.9, 0.95};

/// What is to be reached: p99.9 of tied requests with a hedge 3.0 after the
/// start, of an idealised simulation made before this library.
constexpr std::array reference_p999{5.4, 5.7, 6.4, 7.8, 8.7};
constexpr double tolerance = 1.05;

replication_spec by_two_choices(replication_spec spec) {
  spec.choice = replica_choice::two_choices;
  return spec;
}

struct queue_mode {
  const char* name;
  replication_spec spec;
  loser_fate losers = loser_fate::stopped;
  /// Names the targets that it is judged by.
  const char* target = nullptr;
};

std::vector<queue_mode> queue_modes() {
  return {
    {"single", single()},
    {"two choices", by_two_choices(single())},
    {"race of 2", never_off(replication_spec::race(2))},
    {"race of 2, losers run on", never_off(replication_spec::race(2)),
     loser_fate::runs_on},
    {"race of 2, never cancelled", never_off(replication_spec::race(2)),
     loser_fate::never_cancelled},
    {"hedge 4.3", never_off(hedged_after_send())},
    {"hedge 4.3, losers run on", never_off(hedged_after_send()),
     loser_fate::runs_on},
    {"tied 2", uniform(replication_spec::tied())},
    {"tied 2, two choices", by_two_choices(replication_spec::tied())},
    {"tied 2 + hedge 3.0, losers run on", tied_and_hedged_after_start(),
     loser_fate::runs_on},
    {"tied 2 + hedge 3.0", tied_and_hedged_after_start(), loser_fate::stopped,
     "uniform"},
    {"tied 2 + hedge 3.0, two choices",
     by_two_choices(tied_and_hedged_after_start()), loser_fate::stopped,
     "two_choices"},
  };
}

void print_head(const char* first) {
  std::printf("| %s |", first);
  for (const auto load : queue_loads)
    std::printf(" %.2f |", load);
  std::printf("\n|---|--:|--:|--:|--:|--:|\n");
}

/// By load.
using row = std::array<queue_result, queue_loads.size()>;

void judge(const char* placement, const row& x, targets& out) {
  for (std::size_t i = 0; i < queue_loads.size(); ++i) {
    char name[64];
    std::snprintf(name, sizeof name, "queues.%s.load_%.2f.", placement,
                  queue_loads[i]);
    const std::string prefix = name;
    out.push_back({prefix + "p999", x[i].p999, reference_p999[i] * tolerance});
    out.push_back(
      {prefix + "hedges_begun_percent", 100.0 * x[i].late_started, 5.0});
    out.push_back({prefix + "drift", x[i].drift, 1.25});
  }
}

row run(const queue_mode& mode, const settings& how) {
  std::vector<queue_settings> all;
  for (const auto load : queue_loads)
    all.push_back({.spec = mode.spec,
                   .load = load,
                   .requests = how.of(400'000),
                   .warm_up = how.of(40'000),
                   .losers = mode.losers});
  const auto results = median_runs(all, how.seeds);
  row out;
  std::copy(results.begin(), results.end(), out.begin());
  return out;
}

template <class Cell>
void print_row(const char* name, const row& x, Cell cell) {
  std::printf("| %s |", name);
  for (const auto& run : x)
    cell(run);
  std::printf("\n");
  std::fflush(stdout);
}

void print_latency(const queue_result& x) {
  // Twice as slow in the end as in the beginning, or worse: it has no quantile,
  // only a length of the run.
  if (x.drift > 2.0)
    std::printf(" unstable |");
  else
    std::printf(" %.1f (%.2f) |", x.p999, x.mean);
}

void print_costs(const std::vector<queue_mode>& modes,
                 const std::vector<row>& rows) {
  std::printf("\nHedges begun per 100 requests (sent, counting those that were "
              "withdrawn in time),\nand utilisation:\n\n");
  print_head("mode");
  for (std::size_t i = 0; i < modes.size(); ++i)
    print_row(modes[i].name, rows[i], [](const queue_result& x) {
      if (x.drift > 2.0)
        std::printf(" unstable |");
      else if (x.late == 0.0)
        std::printf(" - ; %.2f |", x.utilisation);
      else
        std::printf(" %.2f (%.2f); %.2f |", 100.0 * x.late_started,
                    100.0 * x.late, x.utilisation);
    });
}

/// One mode, without its switch and with it.
struct switch_case {
  const char* name;
  replication_spec spec;
  loser_fate losers;
  double correlation;
};

std::vector<switch_case> switch_cases() {
  const auto race = replication_spec::race(2);
  return {
    {"race of 2, never cancelled; off above 1/3 request per server", race,
     loser_fate::never_cancelled, 0.0},
    {"race of 2, losers run on; off above 1/3 request per server", race,
     loser_fate::runs_on, 0.0},
    {"hedge 3.0 after the start, losers run on; off below 2 % wins",
     replication_spec::hedged(fixed(services(3.0), hedge_trigger::after_start)),
     loser_fate::runs_on, 1.0},
    {"hedge 4.3 after sending, losers run on; off below 2 % wins",
     hedged_after_send(), loser_fate::runs_on, 1.0},
  };
}

constexpr std::array switch_loads{0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9};

std::string p99_and_extra(const queue_result& x) {
  if (x.drift > 2.0)
    return "unstable";
  char out[48];
  std::snprintf(out, sizeof out, "%.1f (%.1f)", x.p99, 100.0 * x.extra_started);
  return out;
}

double wins_percent(const queue_result& x) {
  return x.end.extra_sent == 0 ? 0.0
                               : 100.0 * static_cast<double>(x.end.extra_won)
                                   / static_cast<double>(x.end.extra_sent);
}

void print_case(const switch_case& x, const settings& how) {
  std::printf("\n%s; correlation %.0f:\n\n| load | single | without the "
              "switch | with it | wins without, %% | kept back |\n"
              "|--:|--:|--:|--:|--:|--:|\n",
              x.name, x.correlation);
  std::vector<queue_settings> all;
  for (const auto load : switch_loads)
    for (const auto& spec : {single(), never_off(x.spec), x.spec})
      all.push_back({.spec = spec,
                     .load = load,
                     .work = {.correlation = x.correlation},
                     .requests = how.of(200'000),
                     .warm_up = how.of(20'000),
                     .losers = x.losers});
  const auto results = median_runs(all, how.seeds);
  for (std::size_t i = 0; i < switch_loads.size(); ++i) {
    const auto* line = &results[3 * i];
    std::printf("| %.1f | %.1f | %s | %s | %.1f | %.1f |\n", switch_loads[i],
                line[0].p99, p99_and_extra(line[1]).c_str(),
                p99_and_extra(line[2]).c_str(), wins_percent(line[1]),
                100.0 * line[2].kept_back);
  }
  std::fflush(stdout);
}

} // namespace

void print_queues(const settings& how, targets& out) {
  std::printf("\n## Queueing servers\n\n%zu servers, Poisson arrivals, "
              "exponential service of mean 1, drawn anew for each\ncopy; no "
              "network, losers stopped in the instant unless said otherwise; "
              "%zu requests after\n%zu. Hedges have a budget of 5 %%. p99.9 "
              "(mean), by load:\n\n",
              queue_servers, how.of(400'000), how.of(40'000));
  print_head("mode");
  const auto modes = queue_modes();
  std::vector<row> rows;
  for (const auto& mode : modes) {
    rows.push_back(run(mode, how));
    print_row(mode.name, rows.back(), print_latency);
    if (mode.target != nullptr)
      judge(mode.target, rows.back(), out);
  }
  std::printf("| most that `tied 2 + hedge 3.0` may be |");
  for (const auto x : reference_p999)
    std::printf(" %.2f |", x * tolerance);
  std::printf("\n");
  print_costs(modes, rows);
}

void print_switch(const settings& how) {
  std::printf("\n## The off switch\n\nThe same servers. p99 (extra copies "
              "begun per 100 requests); kept back are copies per 100\n"
              "requests.\n");
  for (const auto& x : switch_cases())
    print_case(x, how);
}

} // namespace replication_sim
