// This file is part of coppice. License: see LICENSE in the source root.

// Measures coppice against the same by hand, and prints one table.
//
//     figures [--rounds N] [--quick] [NAME...]

#include "coppice/type_ids.hpp"

#include "figure.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace {

using measure = void (*)(figures::table&, const figures::settings&);

constexpr std::pair<std::string_view, measure> all[] = {
  {"start", figures::start_figures},
  {"restart", figures::restart_figures},
  {"memory", figures::memory_figures},
  {"heartbeat", figures::heartbeat_figures},
  {"group", figures::group_figures},
  {"budget", figures::budget_figures},
  {"stall", figures::stall_figures},
  {"message", figures::message_figures},
  {"pool", figures::pool_figures},
  {"reload", figures::reload_figures},
  {"replicator", figures::replicator_figures},
  {"check", figures::check_figures},
};

int usage() {
  std::fputs("usage: figures [--rounds N] [--quick] [NAME...]\nnames:", stderr);
  for (const auto& [name, run] : all)
    std::fprintf(stderr, " %s", name.data());
  std::fputc('\n', stderr);
  return 2;
}

} // namespace

int main(int argc, char** argv) {
  coppice::init_types();
  std::vector<std::string_view> names;
  figures::settings how;
  for (auto i = 1; i < argc; ++i) {
    const std::string_view arg{argv[i]};
    if (arg == "--memory-of" && i + 2 < argc)
      return figures::memory_process(argv[i + 1],
                                     std::strtoull(argv[i + 2], nullptr, 10));
    if (arg == "--rounds" && i + 1 < argc)
      how.rounds = std::strtoull(argv[++i], nullptr, 10);
    else if (arg == "--quick")
      how.divisor = 20;
    else if (std::ranges::any_of(all, [arg](const auto& x) {
               return x.first == arg;
             }))
      names.push_back(arg);
    else
      return usage();
  }
  if (how.rounds == 0)
    return usage();
  figures::table out;
  for (const auto& [name, run] : all)
    if (names.empty() || std::ranges::find(names, name) != names.end())
      run(out, how);
  return out.print() == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
