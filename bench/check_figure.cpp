// This file is part of coppice. License: see LICENSE in the source root.

// A tree of 10,000 workers that is checked without running it.

#include "coppice/policy/spec_check.hpp"

#include "figure.hpp"

#include <cstdlib>

namespace figures {

namespace {

using namespace std::literals;
using namespace coppice;

policy::supervisor_spec tree_of(std::size_t groups, std::size_t workers) {
  policy::supervisor_spec root;
  for (std::size_t i = 0; i < groups; ++i) {
    policy::supervisor_spec group;
    for (std::size_t k = 0; k < workers; ++k)
      group.children.push_back(
        {.id = "w" + std::to_string(k), .start = [](start_context&) {}});
    root.children.push_back({.id = std::to_string(i), .supervisor = group});
  }
  return root;
}

double ms_of_check(const policy::supervisor_spec& spec) {
  const auto begin = clock::now();
  const auto found = policy::check(spec, 100ms, 10s);
  const std::chrono::duration<double, std::milli> span = clock::now() - begin;
  if (found.worst.empty())
    std::abort();
  return span.count();
}

} // namespace

void check_figures(table& out, const settings& how) {
  const auto large = tree_of(100, how.of(100));
  samples times;
  for (std::size_t i = 0; i < how.rounds; ++i)
    times.push_back(ms_of_check(large));
  out.add({"to check a tree of 10,000 workers without running it",
           "ms",
           times,
           {},
           1'000.0});
}

} // namespace figures
