// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/restart_budget.hpp"

#include "coppice/policy/limits.hpp"

#include <algorithm>
#include <limits>

namespace coppice::policy {

restart_budget::restart_budget(const restart_limits& limits)
  : limits_(limits) {}

bool restart_budget::spend(time_point now, std::uint32_t weight) {
  latest_ = std::max(latest_, now);
  forget_expired();
  if (weight == 0)
    return true;
  add(weight);
  forget_redundant();
  return sum_ <= limits_.restarts_max.count();
}

std::uint64_t restart_budget::spent(time_point now) const {
  const auto when = std::max(latest_, now);
  auto sum = sum_;
  for (const auto& x : entries_) {
    if (counts(x, when))
      break;
    sum -= x.weight;
  }
  return sum;
}

void restart_budget::clear() noexcept {
  entries_.clear();
  sum_ = 0;
}

void restart_budget::change(const restart_limits& limits) {
  limits_ = limits;
}

// An entry exactly one window old still counts. The end of a huge window is
// the end of time, which nothing is later than.
bool restart_budget::counts(const entry& x, time_point now) const noexcept {
  return limits_.window.after(x.at) >= now;
}

// One nanosecond, that is exact, where a verdict depends on it, or may once
// the window has an end.
duration restart_budget::step() const noexcept {
  if (!limits_.restarts_max.is_infinite() || !limits_.window.is_finite())
    return duration{1};
  return std::max(duration{1},
                  limits_.window.span() / limits::unlimited_budget_steps);
}

void restart_budget::forget_expired() {
  while (!entries_.empty() && !counts(entries_.front(), latest_))
    forget_oldest();
}

// More entries than the limit are one too many whatever the oldest says, and
// stay so until one of the others expires. The oldest expires before them.
// Where none ever expires, it is kept together with the next one.
void restart_budget::forget_redundant() {
  constexpr std::uint64_t steps = limits::unlimited_budget_steps;
  const auto is_finite = limits_.window.is_finite();
  const auto most = limits_.restarts_max.count();
  while (entries_.size() - 1 > (is_finite ? most : std::min(most, steps)))
    if (is_finite)
      forget_oldest();
    else
      join_oldest();
}

void restart_budget::join_oldest() {
  const auto weight = entries_.front().weight;
  entries_.pop_front();
  entries_.front().weight += weight;
}

void restart_budget::forget_oldest() {
  sum_ -= entries_.front().weight;
  entries_.pop_front();
}

void restart_budget::add(std::uint64_t weight) {
  // Saturate, so that `sum_` stays the sum of the entries.
  weight = std::min(weight, std::numeric_limits<std::uint64_t>::max() - sum_);
  const auto number_of = [size = step().count()](time_point when) {
    return when.time_since_epoch().count() / size;
  };
  if (entries_.empty() || number_of(entries_.back().at) != number_of(latest_))
    entries_.push_back({latest_, weight});
  else
    entries_.back() = {latest_, entries_.back().weight + weight};
  sum_ += weight;
}

} // namespace coppice::policy
