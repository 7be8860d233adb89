// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/heartbeat_limits.hpp"

#include "coppice/policy/heartbeat_judge.hpp"

#include <functional>

namespace coppice {

namespace {

heartbeat_limits make_limits(const policy::heartbeat_spec& spec) {
  heartbeat_limits result;
  result.spec = spec;
  result.idle_matters = policy::idle_matters(spec);
  result.uses_phi = spec.detector == policy::detector_kind::phi_accrual;
  result.first_look_busy = policy::judge(spec, {.busy = true}).look_again;
  result.first_look_idle = policy::judge(spec, {.busy = false}).look_again;
  return result;
}

} // namespace

std::size_t heartbeat_limits_table::hash::operator()(
  const policy::heartbeat_spec& x) const noexcept {
  auto result = std::size_t{0};
  const auto mix = [&result](auto value) {
    result = result * 0x9e3779b97f4a7c15u + std::hash<decltype(value)>{}(value);
  };
  // An infinite limit and a huge one may collide; they are not equal.
  const auto mix_time = [&mix](const policy::time_limit& limit) {
    mix(limit.span().count());
  };
  mix_time(x.stall_timeout);
  mix_time(x.idle_timeout);
  mix_time(x.extension_max);
  mix_time(x.probe_every);
  mix(static_cast<int>(x.detector));
  mix(x.phi.threshold);
  mix(x.phi.samples_max);
  mix_time(x.phi.deviation_min);
  mix_time(x.phi.acceptable_pause);
  mix_time(x.phi.first_estimate);
  return result;
}

heartbeat_limits_table::index
heartbeat_limits_table::intern(const policy::heartbeat_spec& spec) {
  if (latest_ < rows_.size() && rows_[latest_].uses > 0
      && rows_[latest_].limits.spec == spec) {
    ++rows_[latest_].uses;
    return latest_;
  }
  if (const auto found = known_.find(spec); found != known_.end()) {
    latest_ = found->second;
    ++rows_[latest_].uses;
    return latest_;
  }
  if (free_.empty()) {
    rows_.emplace_back();
    free_.reserve(rows_.size());
    free_.push_back(static_cast<index>(rows_.size() - 1));
  }
  const auto result = free_.back();
  known_.emplace(spec, result);
  free_.pop_back();
  rows_[result] = {make_limits(spec), 1};
  latest_ = result;
  return result;
}

void heartbeat_limits_table::release(index x) noexcept {
  if (--rows_[x].uses > 0)
    return;
  known_.erase(rows_[x].limits.spec);
  free_.push_back(x); // has room: reserved when the row was made
}

} // namespace coppice
