// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// A service under load in virtual time, with an admission core in front.
///
/// Poisson arrivals, exponential service times, clients that give up at their
/// deadline. Good is what ends before it.
///
/// Layer: tests.
/// Threads: use from one thread.
/// Rules: none.

#include "coppice/policy/admission_core.hpp"
#include "coppice/policy/random.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <optional>
#include <queue>
#include <variant>
#include <vector>

namespace coppice::test {

struct load_settings {
  /// Arrivals over capacity.
  double load = 1.0;
  std::size_t servers = 1;
  policy::duration service_mean = std::chrono::milliseconds{1};
  policy::duration patience = std::chrono::milliseconds{100};
  policy::duration length = std::chrono::seconds{60};
};

struct load_result {
  /// Answers in time. Unit: % of what the servers could do.
  double goodput = 0.0;
  /// Median response time of those. Unit: ms.
  double p50_ms = 0.0;
  std::uint64_t facts = 0;
  policy::admission_snapshot end;
};

/// One run. The same seed gives the same run.
class admission_load {
public:
  admission_load(const policy::admission_spec& spec, const load_settings& how,
                 std::uint64_t seed)
    : how_(how), random_(seed), core_(spec, how.servers, seed) {}

  load_result run() {
    const auto gap = policy::duration{static_cast<std::int64_t>(
      static_cast<double>(how_.service_mean.count())
      / (how_.load * static_cast<double>(how_.servers)))};
    const auto end = policy::time_point{} + how_.length;
    for (auto arrival = now_ + exponential(gap); arrival < end;
         arrival += exponential(gap)) {
      finish_until(arrival);
      now_ = arrival;
      arrive();
    }
    finish_until(end);
    return result(end);
  }

private:
  struct job {
    policy::time_point arrived;
    policy::time_point deadline;
  };

  struct busy_server {
    policy::time_point until;
    std::uint64_t id;
    policy::duration service;
    bool operator<(const busy_server& x) const { return until > x.until; }
  };

  policy::duration exponential(policy::duration mean) {
    const auto u = std::ldexp(static_cast<double>((random_.next() >> 11) + 1),
                              -53);
    return policy::duration{static_cast<std::int64_t>(
      -std::log(u) * static_cast<double>(mean.count()))};
  }

  void arrive() {
    const auto id = jobs_.size();
    jobs_.push_back({now_, now_ + how_.patience});
    ++facts_;
    (void) core_.on_arrival(now_, {.id = id, .deadline = jobs_[id].deadline});
    work();
  }

  void finish_until(policy::time_point end) {
    while (!busy_.empty() && busy_.top().until <= end) {
      const auto server = busy_.top();
      busy_.pop();
      now_ = server.until;
      ++facts_;
      core_.on_done(now_, server.id, server.service);
      const auto& who = jobs_[server.id];
      if (now_ <= who.deadline)
        waits_.push_back(now_ - who.arrived);
      work();
    }
  }

  void work() {
    for (;;) {
      ++facts_;
      const auto step = core_.next(now_);
      if (std::holds_alternative<policy::rest>(step))
        return;
      if (const auto* go = std::get_if<policy::serve_ticket>(&step)) {
        const auto service = exponential(how_.service_mean);
        busy_.push({now_ + service, go->who.id, service});
      }
    }
  }

  load_result result(policy::time_point end) {
    const auto capacity = static_cast<double>(how_.length.count())
                          / static_cast<double>(how_.service_mean.count())
                          * static_cast<double>(how_.servers);
    load_result out{.goodput = 100.0 * static_cast<double>(waits_.size())
                               / capacity,
                    .facts = facts_,
                    .end = core_.snapshot(end)};
    if (waits_.empty())
      return out;
    const auto middle = waits_.begin()
                        + static_cast<std::ptrdiff_t>(waits_.size() / 2);
    std::nth_element(waits_.begin(), middle, waits_.end());
    out.p50_ms = static_cast<double>(middle->count()) / 1e6;
    return out;
  }

  load_settings how_;
  policy::random_source random_;
  policy::admission_core core_;
  policy::time_point now_{};
  std::vector<job> jobs_;
  std::vector<policy::duration> waits_;
  std::priority_queue<busy_server> busy_;
  std::uint64_t facts_ = 0;
};

} // namespace coppice::test
