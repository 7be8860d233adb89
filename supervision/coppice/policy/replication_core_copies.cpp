// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/replication_core.hpp"

#include <algorithm>

namespace coppice::policy {

namespace {

using state = race_copy::state;

} // namespace

// -- sending -----------------------------------------------------------------

void replication_core::send(time_point now, race& x,
                            const replica_set::choice& to, copy_reason why,
                            bool is_charged, steps& out) {
  const auto number = static_cast<std::uint32_t>(x.copies.size());
  x.copies.push_back(
    {.replica = to.who, .why = why, .is_charged = is_charged, .sent = now});
  replicas_.on_sent(to.who);
  if (spec_.hedge && spec_.hedge->trigger == hedge_trigger::after_send)
    x.late_since = now;
  ++counts_.copies_sent;
  counts_.extra_sent += is_extra(x.copies.back()) ? 1 : 0;
  counts_.late_sent += why == copy_reason::late ? 1 : 0;
  counts_.failovers += why == copy_reason::failover ? 1 : 0;
  counts_.shared_domain += to.shares_domain ? 1 : 0;
  out.push_back({.kind = step_kind::send,
                 .copy = {x.id, number},
                 .replica = to.who,
                 .why_sent = why,
                 .shares_domain = to.shares_domain});
}

bool replication_core::send_original(time_point now, race& x, steps& out) {
  used_.clear();
  for (const auto& copy : x.copies)
    used_.push_back(copy.replica);
  const auto to = replicas_.choose(now, used_, false);
  if (!to) {
    ++counts_.refused.no_replica;
    return false;
  }
  send(now, x, *to, copy_reason::original, false, out);
  return true;
}

bool replication_core::may_add(race& x, copy_reason why) {
  auto& refused = counts_.refused;
  if (x.is_pushed_back) {
    ++refused.pushback;
    return false;
  }
  const auto is_tied_copy = spec_.mode == replication_mode::tied
                            && why == copy_reason::at_once;
  if (is_tied_copy || why == copy_reason::failover)
    return true;
  if (load_max_ && replicas_.servers() > 0
      && static_cast<double>(counts_.in_flight)
           > *load_max_ * replicas_.servers() * (1 + 1e-9)) {
    ++refused.load;
    return false;
  }
  if (!switch_.allows_another()) {
    ++refused.switched_off;
    return false;
  }
  return true;
}

bool replication_core::send_extra(time_point now, race& x, copy_reason why,
                                  bool is_free, steps& out) {
  auto& refused = counts_.refused;
  if (!may_add(x, why))
    return false;
  used_.clear();
  for (const auto& copy : x.copies)
    if (!copy.was_withdrawn)
      used_.push_back(copy.replica);
  const auto to = replicas_.choose(now, used_, true);
  if (!to) {
    ++refused.no_replica;
    return false;
  }
  if (to->shares_domain && spec_.shared_domain == shared_domain_rule::refuse) {
    ++refused.domain;
    return false;
  }
  if (!is_free && !budget_.take(now)) {
    ++refused.budget;
    return false;
  }
  x.added += why != copy_reason::at_once && !is_free ? 1 : 0;
  send(now, x, *to, why, !is_free, out);
  return true;
}

/// A copy has failed: if others can take its place, one does.
void replication_core::replace(time_point now, race& x, std::uint32_t number,
                               steps& out) {
  if (x.claimed_by == number) {
    x.claimed_by.reset();
    out.push_back({.kind = step_kind::release,
                   .copy = {x.id, number},
                   .replica = x.copies[number].replica});
  }
  if (!x.is_idempotent)
    return;
  if (hedges_after_start()) {
    x.late_since = start_of_latest(x);
    set_timer(x);
  }
  const auto some_left
    = std::any_of(x.copies.begin(), x.copies.end(),
                  [](const race_copy& y) { return y.is_hoped_for(); });
  // Two that wait for one claim need no third; it would not be tied to them.
  if (spec_.mode == replication_mode::tied && some_left && !x.claimed_by
      && is_tied(x.copies[number]))
    return;
  const auto is_free = x.replaceable > 0 && !some_left;
  if (!is_free && x.copies.size() >= copies_max())
    return;
  if (send_extra(now, x, copy_reason::failover, is_free, out)) {
    x.replaceable -= is_free ? 1 : 0;
    if (hedges_after_start())
      x.late_since.reset(); // until it starts
    set_timer(x);
  }
}

// -- the rest of a copy's life -----------------------------------------------

/// Copy `number` of a tied request was started.
void replication_core::claim(race& x, std::uint32_t number, steps& out) {
  if (x.claimed_by || !x.copies[number].is_hoped_for()) {
    ++counts_.double_starts;
    return;
  }
  x.claimed_by = number;
  for (std::uint32_t i = 0; i < x.copies.size(); ++i) {
    auto& other = x.copies[i];
    if (i == number || !is_tied(other) || other.is != state::out)
      continue;
    other.was_withdrawn = true;
    ++x.replaceable;
    cancel(x, i, out);
  }
}

void replication_core::cancel(race& x, std::uint32_t number, steps& out) {
  auto& copy = x.copies[number];
  copy.is = state::cancelled;
  out.push_back({.kind = step_kind::cancel,
                 .copy = {x.id, number},
                 .replica = copy.replica});
}

/// Nothing more is to come of a copy.
void replication_core::resolve(time_point now, race& x, race_copy& copy,
                               race_copy::state how, const copy_failure& why) {
  const auto was_cancelled = copy.is == state::cancelled;
  // Neither a full replica nor a wrong request speaks against the replica.
  const auto is_neutral = why.is_unstarted || why.pushback || why.is_fatal;
  const auto is_answer = how == state::answered;
  copy.is = how;
  replicas_.on_resolved(now, copy.replica,
                        is_answer                     ? copy_outcome::answered
                        : was_cancelled || is_neutral ? copy_outcome::cancelled
                                                      : copy_outcome::failed,
                        now - copy.sent);
  if (was_cancelled && !is_answer && !copy.started
      && (why.is_unstarted || copy.was_withdrawn)) {
    ++counts_.withdrawn;
    if (copy.is_charged)
      budget_.give_back(copy.sent);
  } else if (was_cancelled) {
    ++counts_.wasted;
    counts_.wasted_time += now - copy.started.value_or(copy.sent);
  }
  // Late answers were learnt as cut short ones when they were cancelled.
  const auto after_start = hedges_after_start();
  if (is_answer && !x.has_ended && (!after_start || copy.started))
    copy_latency_.learn(now, now - (after_start ? *copy.started : copy.sent));
}

/// The copies still out would have taken longer.
void replication_core::learn_cut_short(time_point now, const race& x) {
  if (!spec_.hedge)
    return;
  const auto after_start = hedges_after_start();
  for (const auto& copy : x.copies)
    if (copy.is == state::out && (!after_start || copy.started))
      copy_latency_.learn_censored(
        now, now - (after_start ? *copy.started : copy.sent));
}

// -- judgements --------------------------------------------------------------

std::optional<duration> replication_core::hedge_delay() const {
  const auto& how = *spec_.hedge;
  if (!how.quantile)
    return how.delay.span();
  if (copy_latency_.samples() < how.samples_min)
    return std::nullopt;
  const auto measured = copy_latency_.quantile(*how.quantile);
  if (!measured)
    return how.cap.is_finite() ? std::optional{how.cap.span()} : std::nullopt;
  return std::clamp(*measured, how.floor.span(), how.cap.span());
}

bool replication_core::hedges_after_start() const noexcept {
  return spec_.hedge && spec_.hedge->trigger == hedge_trigger::after_start;
}

/// Of the copy that was sent last, of those still hoped for: while that waits
/// in a queue, another one would not help either.
std::optional<time_point>
replication_core::start_of_latest(const race& x) noexcept {
  for (auto i = x.copies.rbegin(); i != x.copies.rend(); ++i)
    if (i->is_hoped_for())
      return i->started;
  return std::nullopt;
}

void replication_core::set_timer(race& x) {
  const auto which = static_cast<slot>(&x - races_.data());
  if (!spec_.hedge || !x.is_idempotent || !x.late_since
      || x.added >= spec_.hedge->extra_max) {
    timers_.cancel(which);
    return;
  }
  if (const auto delay = hedge_delay())
    timers_.set(which, saturating_add(*x.late_since, *delay));
  else
    ++counts_.refused.samples;
}

bool replication_core::is_extra(const race_copy& x) const noexcept {
  return x.why != copy_reason::original;
}

/// Failovers are needed, and tied copies are free: neither has to pay.
bool replication_core::is_judged(const race_copy& x) const noexcept {
  return x.why == copy_reason::late
         || (x.why == copy_reason::at_once
             && spec_.mode != replication_mode::tied);
}

bool replication_core::is_tied(const race_copy& x) const noexcept {
  return spec_.mode == replication_mode::tied
         && (x.why == copy_reason::original || x.why == copy_reason::at_once);
}

std::uint32_t replication_core::copies_max() const noexcept {
  return spec_.copies + (spec_.hedge ? spec_.hedge->extra_max : 0);
}

/// The copy whose answer is the request's, now that `latest` has answered.
std::optional<std::uint32_t>
replication_core::winner(const race& x, std::uint32_t latest) const {
  if (!spec_.quorum_agrees || !x.is_idempotent) {
    if (x.answers < (x.is_idempotent ? needed_ : 1))
      return std::nullopt;
    for (std::uint32_t i = 0; i < x.copies.size(); ++i)
      if (x.copies[i].is == state::answered)
        return i;
  }
  const auto first = x.copies[latest].equal_to;
  const auto votes
    = std::count_if(x.copies.begin(), x.copies.end(), [&](const auto& copy) {
        return copy.is == state::answered && copy.equal_to == first;
      });
  return static_cast<std::uint32_t>(votes) >= needed_ ? std::optional{first}
                                                      : std::nullopt;
}

/// Can the copies that are still out not give an answer any more?
std::optional<give_up_reason>
replication_core::why_hopeless(const race& x) const {
  std::uint32_t out = 0;
  std::uint32_t most_votes = 0;
  auto differ = false;
  for (const auto& copy : x.copies) {
    out += copy.is_hoped_for() ? 1 : 0;
    if (copy.is != state::answered)
      continue;
    std::uint32_t votes = 0;
    for (const auto& other : x.copies) {
      const auto is_answer = other.is == state::answered;
      const auto is_equal = other.equal_to == copy.equal_to;
      votes += is_answer && (is_equal || !spec_.quorum_agrees) ? 1 : 0;
      differ |= is_answer && !is_equal;
    }
    most_votes = std::max(most_votes, votes);
  }
  const auto needed = x.is_idempotent ? needed_ : 1;
  if (out + most_votes >= needed)
    return std::nullopt;
  return differ && spec_.quorum_agrees ? give_up_reason::no_agreement
                                       : give_up_reason::all_failed;
}

} // namespace coppice::policy
