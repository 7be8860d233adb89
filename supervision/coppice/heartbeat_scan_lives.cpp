// This file is part of coppice. License: see LICENSE in the source root.

// The part of `heartbeat_scan` that keeps the list of lives.

#include "coppice/heartbeat_scan.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace coppice {

namespace {

using bits = heartbeat_slot;
using entry = watch_entry;

constexpr auto relaxed = std::memory_order_relaxed;
constexpr auto never = policy::time_point::max();

constexpr std::uint32_t limits_max = (1 << 24) - 1;

} // namespace

slot_id heartbeat_scan::acquire() {
  const auto result = board_.acquire();
  if (next_scan_ == never) {
    next_scan_ = policy::saturating_add(now_(), clock_.interval());
    clock_.plan(next_due());
  }
  return result;
}

void heartbeat_scan::watch(slot_id id, std::uint32_t owner,
                           policy::life_id life,
                           const policy::heartbeat_spec& spec, bool on_pool,
                           time_point ready_at) {
  auto& own = board_.entry(id);
  auto& slot = board_.slot(id);
  if ((own.flags & entry::has_limits) == 0)
    // what was beaten so far counts, when the next scan sees it
    own.last_mark = bits::tag_of(slot.control.load(relaxed));
  set_limits(id, spec);
  const auto& limits = limits_[own.limits];
  own.owner = owner;
  own.life = life;
  own.changed_at = clock_.to_watch(ready_at);
  own.due = first_look(id, (own.last_mark & bits::busy) != 0, own.changed_at);
  auto flags
    = static_cast<std::uint32_t>(own.flags & (entry::convicted | entry::stuck));
  flags |= entry::listed | entry::has_limits;
  flags |= on_pool ? entry::on_pool : 0;
  own.flags = static_cast<std::uint8_t>(flags);
  if ((flags & entry::convicted) != 0)
    return;
  slot.control.fetch_and(~bits::idle_matters, relaxed);
  slot.control.fetch_or(
    bits::watched | (limits.idle_matters ? bits::idle_matters : 0), relaxed);
}

/// What was learnt of its rhythm stays, if it is still to be judged by that.
void heartbeat_scan::set_limits(slot_id id,
                                const policy::heartbeat_spec& spec) {
  auto& own = board_.entry(id);
  const auto index = limits_.intern(spec);
  assert(index <= limits_max);
  const auto& limits = limits_[index];
  const auto had_limits = (own.flags & entry::has_limits) != 0;
  const auto keeps_rhythm = had_limits && limits.uses_phi
                            && limits_[own.limits].uses_phi
                            && limits_[own.limits].spec.phi == spec.phi;
  if (limits.uses_phi && !keeps_rhythm)
    board_.learn_rhythm(id, spec.phi);
  else if (!limits.uses_phi)
    board_.forget_rhythm(id);
  if (had_limits)
    limits_.release(own.limits);
  own.limits = index & limits_max;
  own.flags |= entry::has_limits;
}

void heartbeat_scan::change_limits(slot_id id,
                                   const policy::heartbeat_spec& spec) {
  auto& own = board_.entry(id);
  auto& slot = board_.slot(id);
  if ((own.flags & entry::listed) == 0 || (own.flags & entry::convicted) != 0)
    return;
  const auto before = limits_[own.limits].spec.stall_timeout;
  set_limits(id, spec);
  const auto& limits = limits_[own.limits];
  if ((own.flags & entry::probing) == 0)
    own.due = first_look(id, (own.last_mark & bits::busy) != 0, own.changed_at);
  else if (before.is_finite()) // since the probe was sent
    own.due = spec.stall_timeout.after(own.due - before.span());
  else
    own.due = spec.stall_timeout.after(clock_.to_watch(now_()));
  own.flags &= static_cast<std::uint8_t>(~entry::warned);
  slot.control.fetch_and(~bits::idle_matters, relaxed);
  if (limits.idle_matters)
    slot.control.fetch_or(bits::idle_matters, relaxed);
}

void heartbeat_scan::request_stop(slot_id id) noexcept {
  board_.slot(id).control.fetch_or(bits::stop_requested, relaxed);
}

void heartbeat_scan::fence(slot_id id) {
  board_.slot(id).control.fetch_or(bits::stop_requested | bits::fenced,
                                   relaxed);
  mark_stuck(id);
  silence_life(id);
}

void heartbeat_scan::unwatch(slot_id id) {
  auto& own = board_.entry(id);
  silence_life(id);
  if ((own.flags & entry::has_limits) != 0)
    limits_.release(own.limits);
  own.flags = 0;
  board_.release_watcher(id);
}

vital_signs heartbeat_scan::look(slot_id id, time_point now) const {
  const auto& own = board_.entry(id);
  const auto& slot = board_.slot(id);
  vital_signs result;
  const auto control = slot.control.load(relaxed);
  result.watched = (control & bits::watched) != 0;
  const auto mark = slot.mark.load(relaxed);
  if ((mark & bits::tag_bits) != bits::tag_of(control))
    return result;
  result.busy = (mark & bits::busy) != 0;
  result.note = board_.note(id);
  result.beats = mark / bits::one_beat;
  if ((own.flags & entry::has_limits) == 0)
    return result;
  // A beat that no scan has seen yet is as good as one just now.
  auto what = silence_of(id, mark, clock_.to_watch(now));
  if (mark != own.last_mark) {
    what.age = duration::zero();
    what.since_probe.reset();
  }
  result.age = what.age;
  result.suspicion = policy::judge(limits_[own.limits].spec, what).suspicion;
  return result;
}

bool heartbeat_scan::concerns(const heartbeat_finding& x) const noexcept {
  const auto& own = board_.entry(x.slot);
  return (own.flags & entry::listed) != 0 && own.life == x.life
         && own.owner == x.owner;
}

void heartbeat_scan::silence_life(slot_id id) noexcept {
  board_.entry(id).flags &= static_cast<std::uint8_t>(~entry::listed);
  board_.slot(id).control.fetch_and(~(bits::watched | bits::idle_matters),
                                    relaxed);
}

void heartbeat_scan::mark_stuck(slot_id id) {
  auto& own = board_.entry(id);
  if ((own.flags & entry::on_pool) == 0 || (own.flags & entry::stuck) != 0)
    return;
  own.flags |= entry::stuck;
  stuck_.push_back({id, bits::tag_of(board_.slot(id).control.load(relaxed))});
}

void heartbeat_scan::forget_released() {
  std::erase_if(stuck_, [this](const stuck_life& x) {
    const auto control = board_.slot(x.slot).control.load(relaxed);
    return bits::tag_of(control) != x.tag || (control & bits::writer_done) != 0;
  });
}

} // namespace coppice
