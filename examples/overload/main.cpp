// This file is part of coppice. License: see LICENSE in the source root.

// Shows what admission is good for: one server is asked for less and for more
// than it can do, by users who wait 100 ms each.
//
// Topology:   app (one_for_one)
//             `-- disk (a pool)
//                 `-- worker-1  takes 2 ms a request, exponentially distributed
//
// Beside it the same server with nothing but its mailbox. You should see that
// without admission a little too much load is enough for nearly nobody to be
// answered in time, and that with it the server stays useful at three times
// its capacity. Writes a plot as well.

#include "coppice/system_config.hpp"

#include "load.hpp"
#include "plot.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <fstream>

namespace {

/// In % of the capacity.
struct point {
  double load;
  double without;
  double with;
};

void print_failures(const example::load_result& x) {
  for (const auto& [reason, count] : x.failures)
    std::printf("  %s %llu", reason.c_str(),
                static_cast<unsigned long long>(count));
  std::putchar('\n');
}

point measure(caf::actor_system& system, double load, double capacity,
              const example::load_options& how) {
  const auto rate = load * capacity;
  const auto bare = without_admission(system, rate, how);
  const auto pool = with_admission(system, rate, how);
  const auto percent = [&](const example::load_result& x) {
    return 100.0 * x.goodput(how) / capacity;
  };
  std::printf("%5.1fx  %7.0f/s | %11.1f %8.1f | %11.1f %8.1f |", load, rate,
              percent(bare), bare.median_latency(), percent(pool),
              pool.median_latency());
  print_failures(pool);
  std::fflush(stdout);
  return {load, percent(bare), percent(pool)};
}

bool write_plot(const std::string& path, const std::vector<point>& points) {
  example::plot_line without{"without admission", "#c0392b", {}};
  example::plot_line with{"with admission", "#2471a3", {}};
  for (const auto& x : points) {
    without.points.emplace_back(x.load, x.without);
    with.points.emplace_back(x.load, x.with);
  }
  std::ofstream out{path};
  out << example::svg_of("Answers in time under load",
                         {"load, times capacity", 3, 0.5},
                         {"answers in time, % of capacity", 120, 20},
                         {without, with});
  out.close();
  return !out.fail();
}

} // namespace

int main(int argc, char** argv) {
  example::load_options how;
  std::string plot = "overload.svg";
  double seconds = 5;
  CLI::App app{"A service at 0.8 to 3 times its capacity, with and without "
               "admission."};
  app.add_option("--seconds", seconds, "Length of each of the eight runs")
    ->check(CLI::Range(0.1, 600.0))
    ->capture_default_str();
  app.add_option("--seed", how.seed, "Of arrivals and service times")
    ->capture_default_str();
  app.add_option("--plot", plot, "SVG file to write")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  how.length = std::chrono::duration<double>{seconds};
  coppice::system_config config;
  caf::actor_system system{config};
  const auto capacity = capacity_of(system, how);
  std::printf("capacity: %.0f requests a second\n\n", capacity);
  std::printf("               |  without admission   |   with admission     |\n"
              "  load  offered | good, %%cap. p50, ms | good, %%cap. p50, ms | "
              "turned away, by reason\n");
  std::vector<point> points;
  for (const auto load : {0.8, 1.1, 1.5, 3.0})
    points.push_back(measure(system, load, capacity, how));
  if (!write_plot(plot, points)) {
    std::fprintf(stderr, "overload: cannot write %s\n", plot.c_str());
    return 1;
  }
  std::printf("\nplot: %s\n", plot.c_str());
}
