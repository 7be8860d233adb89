// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/replica_set.hpp"
#include "coppice/policy/replication_limits.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace coppice::policy {

namespace {

constexpr auto no_limit = std::numeric_limits<double>::infinity();

double nanoseconds(duration x) noexcept {
  return static_cast<double>(x.count());
}

/// @pre Not empty.
double median(std::vector<double>& values) {
  const auto middle = values.begin()
                      + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1)
    return *middle;
  return (*std::max_element(values.begin(), middle) + *middle) / 2;
}

/// Doubled so many times, but no longer than `cap`.
duration doubled(duration first, duration cap, std::uint32_t times) noexcept {
  auto length = first;
  for (; times > 0 && length < cap; --times)
    length = length > cap / 2 ? cap : length * 2;
  return std::min(length, cap);
}

} // namespace

void replica_set::on_resolved(time_point now, replica_id who, copy_outcome how,
                              duration latency) {
  assert(who < all_.size());
  auto& x = all_[who];
  if (x.outstanding == 0)
    return;
  --x.outstanding;
  x.answered += how == copy_outcome::answered ? 1 : 0;
  x.failed += how == copy_outcome::failed ? 1 : 0;
  latency = std::max(latency, duration::zero());
  const auto sent = saturating_add(now, -latency);
  if (!x.is_set_aside && sent >= x.back_since)
    judge(now, x, how, latency);
  else if (x.is_set_aside && x.probe_sent && sent >= *x.probe_sent)
    judge_probe(now, x, how, latency);
}

void replica_set::judge(time_point now, record& x, copy_outcome how,
                        duration latency) {
  if (how != copy_outcome::failed) {
    if (how == copy_outcome::answered)
      x.failures_in_a_row = 0;
    learn(now, x, how, latency);
  } else if (++x.failures_in_a_row >= ejection_.failures_max) {
    set_aside(now, x);
  }
}

void replica_set::judge_probe(time_point now, record& x, copy_outcome how,
                              duration latency) {
  x.probe_sent.reset();
  if (how == copy_outcome::failed || nanoseconds(latency) > slow_limit(x))
    set_aside(now, x);
  else if (how == copy_outcome::answered)
    bring_back(now, x);
}

// -- slow ones ---------------------------------------------------------------

// What is learnt of a cancelled copy is no more than the truth, and what is
// left out would have been above the mean: so the mean is not too high.
//
// One very slow answer is no slow replica. So none counts for more than a few
// times the limit, and the mean never stays above it.
void replica_set::learn(time_point now, record& x, copy_outcome how,
                        duration latency) {
  compare(x);
  const auto sample = nanoseconds(latency);
  const auto old_mean = std::min(x.mean_ns, x.slow_ns);
  if (how == copy_outcome::cancelled && sample <= old_mean)
    return;
  ++x.samples;
  const auto memory = std::uint64_t{ejection_.samples_min}
                      * limits::ejection_memory;
  const auto weight = 1.0 / static_cast<double>(std::min(x.samples, memory));
  const auto new_one = std::min(sample,
                                limits::ejection_outlier_max * x.slow_ns);
  x.mean_ns = old_mean + (new_one - old_mean) * weight;
  if (x.samples >= ejection_.samples_min && x.mean_ns > x.slow_ns)
    set_aside(now, x);
}

// Not each time where there are many to compare with.
void replica_set::compare(record& x) {
  if (x.compare_in > 0) {
    --x.compare_in;
    return;
  }
  x.slow_ns = slow_limit(x);
  x.compare_in = all_.size() / limits::ejection_steps_max;
}

// Against the others only: of two, each would else be half of the median.
double replica_set::slow_limit(const record& x) {
  if (!std::isfinite(ejection_.slow_factor))
    return no_limit;
  means_.clear();
  for (const auto& other : all_)
    if (&other != &x && !other.is_set_aside
        && other.samples >= ejection_.samples_min)
      means_.push_back(other.mean_ns);
  if (means_.empty())
    return no_limit;
  return ejection_.slow_factor
         * std::max(median(means_), nanoseconds(limits::ejection_mean_min));
}

// -- out, and back in --------------------------------------------------------

void replica_set::set_aside(time_point now, record& x) {
  if (!x.is_set_aside) {
    if (set_aside_ >= set_aside_max_)
      return;
    ++set_aside_;
    x.is_set_aside = true;
    if (now >= ejection_.cap.after(x.back_since))
      x.times_in_succession = 0;
  }
  const auto length = doubled(ejection_.first.span(), ejection_.cap.span(),
                              x.times_in_succession);
  x.probe_due = saturating_add(now, length);
  ++x.times_in_succession;
  ++x.times_set_aside;
}

void replica_set::bring_back(time_point now, record& x) {
  assert(set_aside_ > 0);
  --set_aside_;
  x.is_set_aside = false;
  x.back_since = now;
  x.failures_in_a_row = 0;
  x.samples = 0;
  x.compare_in = 0;
  x.mean_ns = 0.0;
}

} // namespace coppice::policy
