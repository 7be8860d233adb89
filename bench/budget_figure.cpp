// This file is part of coppice. License: see LICENSE in the source root.

// A budget that a million restarts are charged to, all within one window.

#include "coppice/policy/restart_budget.hpp"

#include "figure.hpp"

#include <cstdlib>

namespace figures {

namespace {

using namespace std::literals;
using namespace coppice;

/// Fills a budget to a million, and measures the last 1'000 of each size.
std::vector<double> ns_per_spend(const std::vector<std::size_t>& sizes) {
  policy::restart_budget budget{
    {.restarts_max = 1'000'000, .window = policy::time_limit{1h}}};
  policy::time_point now{};
  std::vector<double> result;
  std::size_t held = 0;
  const auto spend = [&](std::size_t until) {
    for (; held < until; ++held)
      if (!budget.spend(now += 1us))
        std::abort();
  };
  for (const auto size : sizes) {
    spend(size - 1'000);
    const auto begin = clock::now();
    spend(size);
    const std::chrono::duration<double, std::nano> span = clock::now() - begin;
    result.push_back(span.count() / 1'000);
  }
  if (budget.entries_held() != sizes.back())
    std::abort();
  return result;
}

} // namespace

void budget_figures(table& out, const settings& how) {
  const std::vector<std::size_t> sizes{1'000, 10'000, 100'000, 1'000'000};
  const char* names[] = {"1,000", "10,000", "100,000", "1,000,000"};
  std::vector<samples> all(sizes.size());
  for (std::size_t i = 0; i <= 3 * how.rounds; ++i) {
    const auto once = ns_per_spend(sizes);
    for (std::size_t k = 0; i > 0 && k < sizes.size(); ++k)
      all[k].push_back(once[k]);
  }
  for (std::size_t k = 1; k < sizes.size(); ++k)
    out.add({std::string{"a charge when the window holds "} + names[k]
               + ", beside 1,000",
             "ns", all[k], all[0], 2.0});
}

} // namespace figures
