// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/replication_core.hpp"

#include <algorithm>
#include <utility>

namespace coppice::policy {

namespace {

using state = race_copy::state;

/// Others, beyond what the mode sends at once.
constexpr double share_of_the_rest = 0.05;
/// Mitzenmacher's threshold for copies of everything is between 1/4 and 1/2;
/// for exponential services it is 1/3.
constexpr double race_load_max = 1.0 / 3.0;

double budget_share(const replication_spec& spec) {
  if (spec.budget.share)
    return *spec.budget.share;
  switch (spec.mode) {
    case replication_mode::race:
      return spec.copies - 1.0;
    case replication_mode::quorum:
      return static_cast<double>(spec.copies) - spec.quorum;
    default:
      return share_of_the_rest;
  }
}

std::optional<double> load_limit(const replication_spec& spec) {
  if (!spec.off_switch.load_max && spec.mode == replication_mode::race)
    return race_load_max;
  return spec.off_switch.load_max;
}

} // namespace

replication_core::replication_core(const replication_spec& spec,
                                   const std::vector<replica_spec>& replicas,
                                   std::uint64_t seed)
  : spec_(spec),
    needed_(spec.mode == replication_mode::quorum ? spec.quorum : 1),
    load_max_(load_limit(spec)),
    replicas_(replicas, spec.choice, spec.ejection, seed, spec.shared_domain),
    budget_(budget_share(spec), spec.budget.window.span(), spec.budget.reserve),
    switch_(spec.off_switch),
    copy_latency_(spec.latency_window.span()),
    request_latency_(spec.latency_window.span()) {}

void replication_core::advance(time_point& now) {
  now_ = now = std::max(now, now_);
}

// -- facts -------------------------------------------------------------------

void replication_core::on_request(time_point now, request_id id,
                                  bool is_idempotent, steps& out) {
  advance(now);
  auto& x = races_[begin(now, id, is_idempotent)];
  ++counts_.requests;
  ++counts_.in_flight;
  if (is_idempotent)
    budget_.on_request(now);
  else
    ++counts_.refused.not_idempotent;
  const auto at_once = is_idempotent ? spec_.copies : 1;
  for (std::uint32_t i = 0; i < at_once; ++i) {
    const auto is_needed = i < needed_;
    if (is_needed ? !send_original(now, x, out)
                  : !send_extra(now, x, copy_reason::at_once,
                                spec_.mode == replication_mode::tied, out))
      break;
  }
  if (x.copies.size() < (is_idempotent ? needed_ : 1))
    give_up(now, x, give_up_reason::no_replica, out);
  else
    set_timer(x);
}

void replication_core::on_started(time_point now, copy_name name, steps& out) {
  advance(now);
  auto* x = find(name.request);
  auto* copy = find(x, name.number);
  if (copy == nullptr || copy->is_resolved() || copy->started)
    return;
  copy->started = now;
  copy->was_withdrawn = false;
  if (x->has_ended)
    return;
  if (is_tied(*copy))
    claim(*x, name.number, out);
  if (hedges_after_start() && copy->is_hoped_for()) {
    x->late_since = start_of_latest(*x);
    set_timer(*x);
  }
}

void replication_core::on_answered(time_point now, copy_name name,
                                   std::uint32_t equal_to, steps& out) {
  advance(now);
  auto* x = find(name.request);
  auto* copy = find(x, name.number);
  if (copy == nullptr || copy->is_resolved()) {
    ++counts_.late_answers;
    return;
  }
  counts_.late_answers += x->has_ended ? 1 : 0;
  resolve(now, *x, *copy, state::answered);
  if (x->has_ended) {
    forget_if_over(*x, out);
    return;
  }
  copy->equal_to = equal_to < x->copies.size() ? equal_to : name.number;
  ++x->answers;
  if (const auto which = winner(*x, name.number))
    answer(now, *x, *which, out);
  else if (const auto why = why_hopeless(*x))
    give_up(now, *x, *why, out);
}

void replication_core::on_failed(time_point now, copy_name name,
                                 const copy_failure& how, steps& out) {
  advance(now);
  auto* x = find(name.request);
  auto* copy = find(x, name.number);
  if (copy == nullptr || copy->is_resolved())
    return;
  const auto was_hoped_for = copy->is_hoped_for();
  resolve(now, *x, *copy, state::failed, how);
  if (how.pushback) {
    replicas_.push_back(copy->replica, saturating_add(now, *how.pushback));
    x->is_pushed_back |= *how.pushback >= pushback_for_good;
  }
  if (x->has_ended) {
    forget_if_over(*x, out);
    return;
  }
  if (how.is_fatal && was_hoped_for) {
    give_up(now, *x, give_up_reason::fatal, out);
    return;
  }
  if (was_hoped_for)
    replace(now, *x, name.number, out);
  if (const auto why = why_hopeless(*x))
    give_up(now, *x, *why, out);
}

void replication_core::on_over(time_point now, request_id id, steps& out) {
  advance(now);
  if (auto* x = find(id); x != nullptr && !x->has_ended)
    give_up(now, *x, give_up_reason::over, out);
}

void replication_core::set_present(replica_id who, bool present) {
  replicas_.set_present(who, present);
}

void replication_core::on_timer(time_point now, steps& out) {
  advance(now);
  while (!timers_.empty() && timers_.next_due() <= now) {
    const auto which = timers_.next_key();
    timers_.cancel(which);
    auto& x = races_[which];
    if (x.has_ended) {
      forget(x, out);
      continue;
    }
    // Refused or not: once. A failure of a copy asks again.
    x.late_since.reset();
    if (x.added < spec_.hedge->extra_max)
      send_extra(now, x, copy_reason::late, false, out);
    set_timer(x);
  }
}

std::optional<time_point> replication_core::next_due() const {
  return timers_.empty() ? std::nullopt : std::optional{timers_.next_due()};
}

replication_snapshot replication_core::snapshot(time_point now) {
  advance(now);
  auto result = counts_;
  request_latency_.advance(now);
  copy_latency_.advance(now);
  result.p50 = request_latency_.quantile(0.5);
  result.p99 = request_latency_.quantile(0.99);
  result.p999 = request_latency_.quantile(0.999);
  result.is_switched_off = switch_.is_off();
  result.win_rate = switch_.win_rate();
  if (spec_.hedge)
    result.hedge_delay = hedge_delay();
  result.replicas.reserve(replicas_.size());
  for (replica_id i = 0; i < replicas_.size(); ++i)
    result.replicas.push_back(replicas_.snapshot(now, i));
  return result;
}

// -- requests ----------------------------------------------------------------

replication_core::slot replication_core::begin(time_point now, request_id id,
                                               bool is_idempotent) {
  slot which;
  if (free_.empty()) {
    which = static_cast<slot>(races_.size());
    races_.emplace_back();
  } else {
    which = free_.back();
    free_.pop_back();
  }
  if (spare_.empty()) {
    by_id_.emplace(id, which);
  } else {
    auto node = std::move(spare_.back());
    spare_.pop_back();
    node.key() = id;
    node.mapped() = which;
    by_id_.insert(std::move(node));
  }
  auto& x = races_[which];
  auto copies = std::move(x.copies);
  copies.clear();
  x = {};
  x.copies = std::move(copies);
  x.id = id;
  x.is_idempotent = is_idempotent;
  x.arrived = now;
  return which;
}

race* replication_core::find(request_id id) {
  const auto i = by_id_.find(id);
  return i == by_id_.end() ? nullptr : &races_[i->second];
}

race_copy* replication_core::find(race* x, std::uint32_t number) {
  return x != nullptr && number < x->copies.size() ? &x->copies[number]
                                                   : nullptr;
}

void replication_core::answer(time_point now, race& x, std::uint32_t number,
                              steps& out) {
  ++counts_.answered;
  request_latency_.learn(now, now - x.arrived);
  out.push_back({.kind = step_kind::answer,
                 .copy = {x.id, number},
                 .replica = x.copies[number].replica});
  end(now, x, number, out);
}

void replication_core::give_up(time_point now, race& x, give_up_reason why,
                               steps& out) {
  if (why == give_up_reason::over) {
    ++counts_.over;
    request_latency_.learn_censored(now, now - x.arrived);
  }
  ++counts_.failed;
  out.push_back(
    {.kind = step_kind::give_up, .copy = {x.id, 0}, .why_given_up = why});
  end(now, x, std::nullopt, out);
}

void replication_core::end(time_point now, race& x,
                           std::optional<std::uint32_t> winner, steps& out) {
  x.has_ended = true;
  --counts_.in_flight;
  learn_cut_short(now, x);
  for (std::uint32_t i = 0; i < x.copies.size(); ++i) {
    const auto& copy = x.copies[i];
    if (copy.is == state::out)
      cancel(x, i, out);
    counts_.extra_won += winner == i && is_extra(copy) ? 1 : 0;
    if (is_judged(copy))
      switch_.learn(winner == i);
  }
  timers_.cancel(static_cast<slot>(&x - races_.data()));
  forget_if_over(x, out);
  if (by_id_.contains(x.id))
    timers_.set(static_cast<slot>(&x - races_.data()),
                saturating_add(now, silence_max));
}

void replication_core::forget_if_over(race& x, steps& out) {
  if (std::all_of(x.copies.begin(), x.copies.end(),
                  [](const race_copy& copy) { return copy.is_resolved(); }))
    forget(x, out);
}

void replication_core::forget(race& x, steps& out) {
  for (auto& copy : x.copies)
    if (!copy.is_resolved())
      resolve(now_, x, copy, state::failed);
  const auto which = static_cast<slot>(&x - races_.data());
  timers_.cancel(which);
  out.push_back({.kind = step_kind::forget, .copy = {x.id, 0}});
  spare_.push_back(by_id_.extract(x.id));
  free_.push_back(which);
}

} // namespace coppice::policy
