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

/// All charges that still can count, and no cleverness.
class budget_recount {
public:
  explicit budget_recount(const policy::restart_limits& limits)
    : limits_(limits) {}

  /// Was it affordable?
  bool charge(policy::time_point at, std::uint32_t weight) {
    std::erase_if(charges_, [&](const auto& x) {
      return limits_.window.after(x.first) < at;
    });
    if (weight == 0)
      return true;
    charges_.emplace_back(at, weight);
    forget_redundant();
    return !exceeds(spent(at));
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
  /// Of more times than it takes to say no, the oldest are gone, even if
  /// there are larger limits later; what never expires becomes younger.
  void forget_redundant() {
    std::uint64_t times = 0;
    auto last = policy::time_point::max();
    for (auto i = charges_.size(); i-- > 0;) {
      auto& [when, weight] = charges_[i];
      if (when != last && times > limits_.restarts_max.count()) {
        weight = limits_.window.is_finite() ? 0 : weight;
        when = last;
      }
      times += when != last ? 1u : 0u;
      last = when;
    }
  }

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
