// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Counts restarts once more, slowly and by the letter of the contract.
///
/// Layer: tests.
/// Threads: not thread-safe.
/// Rules: docs/semantics.md, BUDGET-1, BUDGET-3, BUDGET-4.

#include "coppice/policy/spec.hpp"

#include <cstdint>
#include <utility>
#include <vector>

namespace coppice::test {

/// All charges ever made, and no cleverness.
class budget_recount {
public:
  explicit budget_recount(const policy::restart_limits& limits)
    : limits_(limits) {}

  /// Was it affordable?
  bool charge(policy::time_point at, std::uint32_t weight) {
    charges_.emplace_back(at, weight);
    return weight == 0 || !exceeds(spent(at));
  }

  [[nodiscard]] std::uint64_t spent(policy::time_point at) const {
    std::uint64_t sum = 0;
    for (const auto& [when, weight] : charges_)
      if (limits_.window.after(when) >= at)
        sum += weight;
    return sum;
  }

  [[nodiscard]] bool exceeds(std::uint64_t sum) const noexcept {
    return sum > limits_.restarts_max.count();
  }

  void clear() { charges_.clear(); }

  void change(const policy::restart_limits& limits) { limits_ = limits; }

private:
  policy::restart_limits limits_;
  std::vector<std::pair<policy::time_point, std::uint32_t>> charges_;
};

/// Time without the time that a supervisor spends stopping children of its
/// own accord.
class budget_clock {
public:
  void freeze(policy::time_point now) {
    if (freezing_++ == 0)
      since_ = now;
  }

  void thaw(policy::time_point now) {
    if (--freezing_ == 0)
      frozen_ += now - since_;
  }

  [[nodiscard]] policy::time_point at(policy::time_point now) const {
    return (freezing_ > 0 ? since_ : now) - frozen_;
  }

private:
  int freezing_ = 0;
  policy::time_point since_{};
  policy::duration frozen_{0};
};

} // namespace coppice::test
