// This file is part of coppice. License: see LICENSE in the source root.

#include "figure.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <thread>
#include <utility>

namespace figures {

namespace {

std::string number(double x) {
  char text[32];
  const auto size = std::abs(x);
  std::snprintf(text, sizeof text,
                size >= 1000 ? "%.0f"
                : size >= 10 ? "%.1f"
                             : "%.2f",
                x);
  return text;
}

double process_time() {
  timespec result;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &result);
  return static_cast<double>(result.tv_sec) * 1e9
         + static_cast<double>(result.tv_nsec);
}

bool is_met(const figure& x) {
  return !x.target || median(x.compared()) <= *x.target;
}

std::string line_of(const figure& x) {
  const auto compared = x.compared();
  const auto [least, most] = std::ranges::minmax(compared);
  auto line = "| " + x.what + " | " + number(median(x.ours)) + ' ' + x.unit;
  line += " | " + (x.base.empty() ? "" : number(median(x.base)));
  line += " | " + number(median(compared)) + " | " + number(least) + " | "
          + number(most);
  line += " | " + (x.target ? number(*x.target) : "");
  line += !x.target ? " | |" : is_met(x) ? " | met |" : " | **missed** |";
  return line;
}

} // namespace

double quantile(samples x, double share) {
  if (x.empty())
    return std::nan("");
  std::ranges::sort(x);
  const auto rank = std::ceil(share * static_cast<double>(x.size()));
  const auto index = static_cast<std::size_t>(std::max(rank, 1.0)) - 1;
  return x[std::min(index, x.size() - 1)];
}

double median(samples x) {
  return quantile(std::move(x), 0.5);
}

samples figure::compared() const {
  if (base.empty())
    return ours;
  samples result;
  for (std::size_t i = 0; i < std::min(ours.size(), base.size()); ++i)
    result.push_back(is_difference ? ours[i] - base[i] : ours[i] / base[i]);
  return result;
}

void table::add(figure x) {
  std::printf("%s\n", line_of(x).c_str());
  std::fflush(stdout);
  lines_.push_back(std::move(x));
}

std::size_t table::print() const {
  std::puts("\n| what | coppice | beside | compared: median | min | max | "
            "target | |\n|---|--:|--:|--:|--:|--:|--:|---|");
  std::size_t missed = 0;
  for (const auto& x : lines_) {
    std::puts(line_of(x).c_str());
    missed += is_met(x) ? 0 : 1;
  }
  std::fflush(stdout);
  return missed;
}

stopwatch::stopwatch() : wall_(clock::now()), cpu_(process_time()) {}

spent stopwatch::read() const {
  const std::chrono::duration<double, std::nano> wall = clock::now() - wall_;
  return {wall.count(), process_time() - cpu_};
}

void await_actors(caf::actor_system& system, std::size_t count) {
  while (system.registry().running() > count)
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
}

} // namespace figures
