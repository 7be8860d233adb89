// Uses the policy layer alone, as a project without CAF would.

#include "coppice/policy/restart_budget.hpp"

#include <chrono>
#include <iostream>

using namespace std::literals;

int main() {
  coppice::policy::restart_budget budget{{.restarts_max = 1, .window = 5s}};
  const coppice::policy::time_point start{};
  const bool first = budget.spend(start);
  const bool second = budget.spend(start + 1s);
  std::cout << "first restart: " << first << ", second: " << second << '\n';
  return first && !second ? 0 : 1;
}
