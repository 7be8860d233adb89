// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/admission_core.hpp"

#include "coppice/policy/admission_limits.hpp"

#include <algorithm>

namespace coppice::policy {

namespace {

__extension__ using wide = __int128;

/// `x * times / parts`, or as much as can be said.
duration scaled(duration x, std::int64_t times, std::int64_t parts) {
  const auto result = wide{x.count()} * times / parts;
  return result < duration::max().count()
           ? duration{static_cast<std::int64_t>(result)}
           : duration::max();
}

std::size_t index_of(shed_reason x) noexcept {
  return static_cast<std::size_t>(x);
}

} // namespace

admission_core::admission_core(const admission_spec& spec, std::size_t servers,
                               std::uint64_t seed)
  : spec_(spec),
    random_(seed),
    service_(spec.service),
    target_(spec.standing.target.span()),
    interval_(spec.standing.interval.span()) {
  counts_.servers = servers;
}

// -- facts -------------------------------------------------------------------

arrival_decision admission_core::on_arrival(time_point now, ticket who) {
  advance(now);
  // For integers that were cast: the least that can be said for them.
  who.level = std::min(who.level, criticality::sheddable);
  ++counts_.arrived;
  if (const auto why = refusal(now, who))
    return {refuse(who, *why), {}};
  return admit(now, who);
}

bool admission_core::on_done(time_point now, std::uint64_t id,
                             duration service) {
  advance(now);
  if (!end_service(id))
    return false;
  ++counts_.served;
  service_.learn(now, service);
  follow_service_times();
  return true;
}

bool admission_core::on_lost(time_point now, std::uint64_t id) {
  advance(now);
  if (!end_service(id))
    return false;
  ++counts_.lost;
  return true;
}

cancel_outcome admission_core::on_cancelled(time_point now, std::uint64_t id) {
  advance(now);
  const auto x = queue_.find(id);
  if (x == ticket_queue::nil)
    return cancel_outcome::unknown;
  if (queue_[x].in_service)
    return cancel_outcome::in_service;
  drop({x, shed_reason::cancelled});
  follow_occupancy(now);
  return cancel_outcome::dropped;
}

void admission_core::resize(time_point now, std::size_t servers) {
  counts_.servers = servers;
  advance(now);
  follow_occupancy(now);
}

bool admission_core::is_finished() const noexcept {
  return (counts_.draining || counts_.stopped) && queue_.depth() == 0
         && queue_.in_service() == 0;
}

// -- what to do next ---------------------------------------------------------

admission_step admission_core::next(time_point now) {
  advance(now);
  if (const auto whom = superfluous(now)) {
    const auto dropped = drop(*whom);
    follow_occupancy(now);
    return dropped;
  }
  if (queue_.depth() == 0 || queue_.in_service() >= counts_.servers)
    return rest{};
  const auto step = serve(now, favourite(now));
  follow_occupancy(now);
  return step;
}

std::optional<time_point> admission_core::next_due() const {
  auto due = time_point::max();
  if (const auto x = queue_.most_urgent();
      x != ticket_queue::nil && spec_.stale != stale_check::none) {
    // In time is who starts no later than an estimate before the deadline.
    const auto estimate = needed_time().value_or(duration{1});
    due = saturating_add(*queue_[x].who.deadline, duration{1} - estimate);
  }
  for (const auto level : criticalities) {
    const auto x = queue_.oldest(level);
    if (x == ticket_queue::nil || depth_down_to(level) < 2)
      continue;
    const auto outstayed = saturating_add(queue_[x].arrived,
                                          target_ + duration{1});
    due = std::min(due, std::max(outstayed, standing_from(level)));
  }
  if (due == time_point::max())
    return std::nullopt;
  return std::max(due, now_);
}

admission_snapshot admission_core::snapshot(time_point now) const {
  auto result = counts_;
  result.depth = queue_.depth();
  result.in_service = queue_.in_service();
  result.standing = is_standing(std::max(now, now_), criticality::sheddable);
  result.service_estimate = service_.estimate();
  result.service_mean = service_.mean();
  return result;
}

// -- keeping up --------------------------------------------------------------

void admission_core::advance(time_point& now) {
  now_ = now = std::max(now, now_);
  service_.advance(now);
  relearn_if_starved(now);
  follow_service_times();
}

void admission_core::follow_occupancy(time_point now) {
  std::size_t depth = 0;
  for (const auto level : criticalities) {
    depth += queue_.depth(level);
    auto& since = occupied_since_[static_cast<std::size_t>(level)];
    if (depth == 0 || counts_.servers == 0)
      since.reset();
    else if (!since)
      since = now;
  }
}

// A wait of one service time over the number of servers is no sign of a crowd:
// it takes as long until any server is free.
void admission_core::follow_service_times() {
  target_ = spec_.standing.target.span();
  interval_ = spec_.standing.interval.span();
  const auto estimate = service_.estimate();
  if (!estimate || counts_.servers == 0 || target_ <= duration::zero()
      || *estimate / target_ < static_cast<std::int64_t>(counts_.servers))
    return;
  const auto usual = target_;
  target_ = std::max(usual,
                     *estimate / static_cast<std::int64_t>(counts_.servers));
  interval_ = scaled(interval_, target_.count(), usual.count());
}

void admission_core::relearn_if_starved(time_point now) {
  if (!starved_since_
      || now - *starved_since_ < spec_.service.relearn_after.span())
    return;
  service_.clear();
  starved_since_.reset();
}

void admission_core::note_starvation(shed_reason why) {
  if (why == shed_reason::cannot_finish && queue_.in_service() == 0
      && !starved_since_)
    starved_since_ = now_;
}

// -- deeds -------------------------------------------------------------------

arrival_decision admission_core::admit(time_point now, const ticket& who) {
  arrival_decision result;
  if (!has_room_for(who.level)) {
    const auto whom = displaceable(now, who.level);
    if (!whom)
      return {refuse(who, shed_reason::queue_full), {}};
    result.displaced = drop(*whom);
  }
  ++counts_.admitted;
  queue_.push(who, now);
  // Only now: who gave its place did not leave the queue empty.
  follow_occupancy(now);
  return result;
}

shed_ticket admission_core::drop(const victim& whom) {
  ++counts_.dropped[index_of(whom.why)];
  note_starvation(whom.why);
  const auto hint = retry_hint(whom.why);
  return {queue_.erase(whom.which), whom.why, hint};
}

shed_ticket admission_core::refuse(const ticket& who, shed_reason why) {
  ++counts_.refused[index_of(why)];
  note_starvation(why);
  return {who, why, retry_hint(why)};
}

serve_ticket admission_core::serve(time_point now, slot x) {
  starved_since_.reset();
  const auto& entry = queue_[x];
  const serve_ticket result{entry.who, now - entry.arrived};
  queue_.start(x);
  return result;
}

bool admission_core::end_service(std::uint64_t id) {
  const auto x = queue_.find(id);
  if (x == ticket_queue::nil || !queue_[x].in_service)
    return false;
  queue_.erase(x);
  return true;
}

// About as long as the queue takes to drain, and up to twice that: whoever is
// refused together must not come back together.
std::optional<duration> admission_core::retry_hint(shed_reason why) {
  const auto can_help = why == shed_reason::queue_full
                        || why == shed_reason::standing_queue
                        || why == shed_reason::evicted;
  if (!can_help)
    return std::nullopt;
  const auto servers = std::max<std::size_t>(counts_.servers, 1);
  const auto before
    = static_cast<std::int64_t>(queue_.depth() + queue_.in_service());
  const auto drain = scaled(service_.mean().value_or(duration::zero()), before,
                            static_cast<std::int64_t>(servers));
  const auto half = std::max({std::min(drain, spec_.retry_after.max.span() / 2),
                              spec_.retry_after.min.span(), duration::zero()});
  const auto more = random_.up_to(static_cast<std::uint64_t>(half.count()));
  return half + duration{static_cast<std::int64_t>(more)};
}

} // namespace coppice::policy
