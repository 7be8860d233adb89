// This file is part of coppice. License: see LICENSE in the source root.

#include "replication_sim.hpp"
#include "replication_sim_map.hpp"
#include "replication_sim_queue.hpp"

#include <array>
#include <cstdio>
#include <fstream>
#include <stdexcept>

namespace replication_sim {

namespace {

using policy::replica_choice;
using policy::replication_spec;

constexpr std::array loads{0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9};

struct named_law {
  const char* name;
  service_law work;
};

constexpr std::array<named_law, 6> laws{{{"0", {.correlation = 0.0}},
                                         {"0.25", {.correlation = 0.25}},
                                         {"0.5", {.correlation = 0.5}},
                                         {"0.75", {.correlation = 0.75}},
                                         {"1", {.correlation = 1.0}},
                                         {"S&X", {.is_slow_servers = true}}}};

/// Differences below this are noise, or not worth a line.
constexpr double margin = 0.03;

struct mode {
  const char* name;
  replication_spec spec;
  loser_fate losers = loser_fate::stopped;
};

struct base {
  const char* name;
  const char* file;
  replica_choice choice;
};

constexpr std::array<base, 2> bases{
  {{"single", "single", replica_choice::uniform},
   {"two choices", "two_choices", replica_choice::two_choices}}};

struct metric {
  const char* name;
  double queue_result::*value;
};

constexpr std::array<metric, 2> metrics{
  {{"p99", &queue_result::p99}, {"mean", &queue_result::mean}}};

std::vector<mode> modes() {
  const auto race = replication_spec::race(2);
  const auto hedge = hedged_after_send();
  const auto both = tied_and_hedged_after_start();
  return {{"race of 2", race},
          {"hedge 4.3", hedge},
          {"tied 2", uniform(replication_spec::tied())},
          {"tied 2 + hedge 3.0", both},
          {"race of 2, losers run on", race, loser_fate::runs_on},
          {"hedge 4.3, losers run on", hedge, loser_fate::runs_on},
          {"tied 2 + hedge 3.0, losers run on", both, loser_fate::runs_on},
          {"race of 2, never cancelled", race, loser_fate::never_cancelled}};
}

/// By law and load.
using grid = std::array<std::array<queue_result, loads.size()>, laws.size()>;

grid run(replication_spec spec, const base& against, loser_fate losers,
         const settings& how) {
  spec.choice = against.choice;
  std::vector<queue_settings> all;
  for (const auto& law : laws)
    for (const auto load : loads)
      all.push_back({.spec = spec,
                     .load = load,
                     .work = law.work,
                     .requests = how.of(60'000),
                     .warm_up = how.of(10'000),
                     .losers = losers});
  const auto results = median_runs(all, how.seeds);
  grid out;
  for (std::size_t i = 0; i < results.size(); ++i)
    out[i / loads.size()][i % loads.size()] = results[i];
  return out;
}

heat_map compare(const char* title, const grid& ours, const grid& base,
                 const metric& by) {
  heat_map out{.title = title, .ratios = {}};
  for (std::size_t r = 0; r < laws.size(); ++r) {
    auto& line = out.ratios.emplace_back();
    for (std::size_t c = 0; c < loads.size(); ++c)
      // Of what does not keep up, only the length of the run would be seen.
      line.push_back(ours[r][c].drift > 2.0
                       ? 99.0
                       : ours[r][c].*by.value / (base[r][c].*by.value));
  }
  return out;
}

char sign_of(double ratio) {
  return ratio < 1.0 - margin ? '+' : ratio > 1.0 + margin ? '-' : '=';
}

std::string cell_of(double ratio) {
  if (ratio >= 10.0)
    return "- >10";
  char out[16];
  std::snprintf(out, sizeof out, "%c %.2f", sign_of(ratio), ratio);
  return out;
}

void print(const heat_map& map) {
  std::printf("\n%s:\n\n| load |", map.title.c_str());
  for (const auto& law : laws)
    std::printf(" %s |", law.name);
  std::printf("\n|--:|--:|--:|--:|--:|--:|--:|\n");
  for (std::size_t c = 0; c < loads.size(); ++c) {
    std::printf("| %.1f |", loads[c]);
    for (std::size_t r = 0; r < laws.size(); ++r)
      std::printf(" %s |", cell_of(map.ratios[r][c]).c_str());
    std::printf("\n");
  }
  std::fflush(stdout);
}

/// All modes at a glance: one sign per load.
void print_signs(const metric& by, const base& against,
                 const std::vector<heat_map>& maps) {
  std::printf("\n%s against %s, one sign per load:\n\n| mode |", by.name,
              against.name);
  for (const auto& law : laws)
    std::printf(" %s |", law.name);
  std::printf("\n|---|---|---|---|---|---|---|\n");
  for (const auto& map : maps) {
    std::printf("| %s |", map.title.c_str());
    for (const auto& line : map.ratios) {
      std::string signs;
      for (const auto ratio : line)
        signs += sign_of(ratio);
      std::printf(" `%s` |", signs.c_str());
    }
    std::printf("\n");
  }
  std::fflush(stdout);
}

void write(const std::string& path, const std::string& title,
           const std::vector<heat_map>& maps) {
  std::vector<std::string> rows;
  for (const auto& law : laws)
    rows.emplace_back(law.name);
  std::vector<std::string> columns;
  for (const auto load : loads)
    columns.push_back(std::to_string(load).substr(0, 3));
  std::ofstream file{path};
  file << svg_of(title, rows, columns, maps);
  if (!file.flush())
    throw std::runtime_error("cannot write " + path);
}

void print_against(const base& against, const settings& how) {
  const auto alone = run(single(), against, loser_fate::stopped, how);
  std::array<std::vector<heat_map>, metrics.size()> maps;
  for (const auto& x : modes()) {
    const auto ours = run(never_off(x.spec), against, x.losers, how);
    for (std::size_t m = 0; m < metrics.size(); ++m) {
      maps[m].push_back(compare(x.name, ours, alone, metrics[m]));
      auto named = maps[m].back();
      named.title += std::string{", "} + metrics[m].name + " against "
                     + against.name;
      print(named);
    }
  }
  for (std::size_t m = 0; m < maps.size(); ++m)
    print_signs(metrics[m], against, maps[m]);
  for (std::size_t m = 0; !how.svg_directory.empty() && m < maps.size(); ++m)
    write(how.svg_directory + "/replication_" + metrics[m].name + "_against_"
            + against.file + ".svg",
          std::string{metrics[m].name} + " with the mode over "
            + metrics[m].name + " of " + against.name
            + ": by load, and by what a copy has in common with its original",
          maps[m]);
}

} // namespace

void print_boundary(const settings& how) {
  std::printf("\n## The boundary\n\nWhat the mode makes of p99 and mean, as a "
              "ratio: + it helps, - it hurts, = less than %.0f %%\neither way. "
              "Columns: the share of copies that take as long as the original "
              "because the\nrequest does; and servers that are slow by turns. "
              "Without the off switch. Both sides choose\nservers in the same "
              "way. %zu requests after %zu.\n",
              100.0 * margin, how.of(60'000), how.of(10'000));
  for (const auto& against : bases)
    print_against(against, how);
}

} // namespace replication_sim
