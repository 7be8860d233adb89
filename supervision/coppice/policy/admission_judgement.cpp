// This file is part of coppice. License: see LICENSE in the source root.

// The questions that `admission_core` asks itself. None changes anything.

#include "coppice/policy/admission_core.hpp"

#include <algorithm>
#include <cmath>
#include <ranges>

namespace coppice::policy {

namespace {

constexpr auto nil = ticket_queue::nil;

constexpr auto least_critical_first = criticalities | std::views::reverse;

std::size_t index_of(criticality x) noexcept {
  return static_cast<std::size_t>(x);
}

} // namespace

// -- is it worth starting? ---------------------------------------------------

std::optional<shed_reason> admission_core::refusal(time_point now,
                                                   const ticket& who) const {
  if (counts_.stopped)
    return shed_reason::stopped;
  if (counts_.draining)
    return shed_reason::draining;
  if (const auto why = hopeless(now, who.deadline))
    return why;
  if (would_wait_too_long(now, who))
    return shed_reason::cannot_finish;
  return std::nullopt;
}

std::optional<duration> admission_core::needed_time() const {
  return spec_.stale == stale_check::cannot_finish ? service_.estimate()
                                                   : std::nullopt;
}

std::optional<shed_reason>
admission_core::hopeless(time_point now,
                         const std::optional<time_point>& deadline) const {
  if (!deadline || spec_.stale == stale_check::none)
    return std::nullopt;
  if (*deadline <= now)
    return shed_reason::expired;
  const auto needed = needed_time();
  if (needed && saturating_add(now, *needed) > *deadline)
    return shed_reason::cannot_finish;
  return std::nullopt;
}

// Refuses at once who would only wait in vain, but never one that might be
// served: it takes the earlier of two starts, both of them guessed too early.
// One is the end of those before it. The other is when the queue, at the
// latest, counts as standing: from then on the old are shed and the newest,
// which this one may be, is served next. A guess from the depth alone would
// refuse everybody behind a burst whom the turned order serves in time.
bool admission_core::would_wait_too_long(time_point now,
                                         const ticket& who) const {
  const auto needed = needed_time();
  const auto mean = service_.mean();
  if (!who.deadline || !needed || !mean || counts_.servers == 0)
    return false;
  const auto free = counts_.servers
                    - std::min(queue_.in_service(), counts_.servers);
  const auto ahead = depth_down_to(who.level);
  const auto before = static_cast<std::int64_t>(ahead - std::min(ahead, free));
  const auto in_turn = saturating_add(
    now, *mean * before / static_cast<std::int64_t>(counts_.servers));
  const auto out_of_turn = occupied_since_[index_of(who.level)]
                             ? std::max(now, standing_from(who.level))
                             : saturating_add(now, interval_);
  const auto start = std::min(in_turn, out_of_turn);
  return saturating_add(start, *needed) > *who.deadline;
}

// -- the standing queue ------------------------------------------------------

time_point admission_core::standing_from(criticality level) const {
  const auto since = occupied_since_[index_of(level)];
  if (!since || spec_.standing.interval.is_infinite())
    return time_point::max();
  return saturating_add(*since, interval_);
}

bool admission_core::is_standing(time_point now, criticality level) const {
  return occupied_since_[index_of(level)]
         && !spec_.standing.interval.is_infinite()
         && now >= standing_from(level);
}

// The last one that a class sees is left alone, as in RFC 8289: to turn it
// away would only leave a server idle.
bool admission_core::has_outstayed(time_point now, slot x) const {
  const auto& entry = queue_[x];
  return now - entry.arrived > target_ && is_standing(now, entry.who.level)
         && depth_down_to(entry.who.level) > 1;
}

// -- room --------------------------------------------------------------------

std::size_t admission_core::depth_down_to(criticality level) const noexcept {
  std::size_t depth = 0;
  for (std::size_t i = 0; i <= index_of(level); ++i)
    depth += queue_.depth(criticalities[i]);
  return depth;
}

std::size_t admission_core::share_of(criticality level) const noexcept {
  const auto share = spec_.shares.of(level);
  if (share >= 1.0)
    return spec_.queue_depth_max;
  const auto depth = std::ceil(share * spec_.queue_depth_max);
  return depth > 0.0 ? static_cast<std::size_t>(depth) : 0; // also for NaN
}

bool admission_core::has_room_for(criticality level) const noexcept {
  return queue_.depth() < spec_.queue_depth_max
         && queue_.depth(level) < share_of(level);
}

// -- whom to turn away -------------------------------------------------------

// Called by `next`: nothing is dropped because of a depth.
std::optional<admission_core::victim>
admission_core::superfluous(time_point now) const {
  if (counts_.stopped) {
    for (const auto level : criticalities)
      if (const auto x = queue_.oldest(level); x != nil)
        return victim{x, shed_reason::stopped};
    return std::nullopt;
  }
  if (const auto whom = hopeless_one(now))
    return whom;
  return outstayed_one(now, criticality::critical_plus);
}

std::optional<admission_core::victim>
admission_core::hopeless_one(time_point now) const {
  const auto x = queue_.most_urgent();
  if (x == nil)
    return std::nullopt;
  if (const auto why = hopeless(now, queue_[x].who.deadline))
    return victim{x, *why};
  return std::nullopt;
}

/// Of `most` or less critical.
std::optional<admission_core::victim>
admission_core::outstayed_one(time_point now, criticality most) const {
  for (const auto level : least_critical_first) {
    if (level < most)
      break;
    const auto x = queue_.oldest(level);
    if (x != nil && has_outstayed(now, x))
      return victim{x, shed_reason::standing_queue};
  }
  return std::nullopt;
}

/// Whose place one of `level` may have: first those that are lost anyway.
std::optional<admission_core::victim>
admission_core::displaceable(time_point now, criticality level) const {
  if (queue_.depth(level) >= share_of(level))
    return displaceable_of_class(now, level);
  if (const auto whom = hopeless_one(now))
    return whom;
  if (const auto whom = outstayed_one(now, level))
    return whom;
  for (const auto other : least_critical_first) {
    if (other <= level)
      break;
    if (const auto x = queue_.oldest(other); x != nil)
      return victim{x, shed_reason::evicted};
  }
  return std::nullopt;
}

std::optional<admission_core::victim>
admission_core::displaceable_of_class(time_point now, criticality level) const {
  const auto x = queue_.oldest(level);
  if (x == nil)
    return std::nullopt;
  if (const auto why = hopeless(now, queue_[x].who.deadline))
    return victim{x, *why};
  if (has_outstayed(now, x))
    return victim{x, shed_reason::standing_queue};
  return std::nullopt;
}

// Only a class that sees a standing queue has its order turned.
ticket_queue::slot admission_core::favourite(time_point now) const {
  for (const auto level : criticalities) {
    const auto x = queue_.oldest(level);
    if (x == nil)
      continue;
    return spec_.standing.adaptive_lifo && is_standing(now, level)
             ? queue_.newest(level)
             : x;
  }
  return nil;
}

} // namespace coppice::policy
