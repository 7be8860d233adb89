// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/heartbeat_scan.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <functional>
#include <utility>

namespace coppice {

namespace {

using bits = heartbeat_slot;
using entry = watch_entry;
using policy::saturating_add;

constexpr auto relaxed = std::memory_order_relaxed;
constexpr auto never = policy::time_point::max();

/// A scan reads the entries of idle lives only now and then.
constexpr std::size_t thorough_every = 16;

constexpr bool is_busy(std::uint64_t mark) noexcept {
  return (mark & bits::busy) != 0;
}

/// Has this mark ever been written?
constexpr bool is_first(std::uint64_t mark) noexcept {
  return mark < bits::one_beat;
}

} // namespace

heartbeat_scan::heartbeat_scan(duration interval,
                               std::function<time_point()> now)
  : clock_(interval, time_point{}), now_(std::move(now)) {
  clock_.plan(never);
}

// -- passes ------------------------------------------------------------------

heartbeat_scan::time_point heartbeat_scan::next_due() const noexcept {
  if (appointments_.empty())
    return next_scan_;
  return std::min(next_scan_, clock_.to_steady(appointments_.front().due));
}

policy::scan_clock::reading heartbeat_scan::begin(time_point now) {
  const auto result = clock_.begin_scan(now);
  stats_.longest_lag = std::max(stats_.longest_lag, result.lag);
  stats_.late_scans += result.was_late ? 1 : 0;
  is_late_ = result.was_late;
  begun_ = now;
  pass_ = clock_.to_watch(now);
  full_ = now >= next_scan_;
  next_chunk_ = 0;
  if (!full_) {
    keep_appointments();
    return result;
  }
  appointments_.clear();
  next_scan_ = saturating_add(now, clock_.interval());
  // Twice, as the end of a long scan puts off the next one.
  horizon_ = saturating_add(pass_, 2 * clock_.interval());
  return result;
}

bool heartbeat_scan::step() {
  if (!full_ || next_chunk_ >= board_.chunks())
    return false;
  scan_chunk(next_chunk_++);
  return next_chunk_ < board_.chunks();
}

void heartbeat_scan::finish() {
  const auto ended = now_();
  forget_released();
  if (full_) {
    std::ranges::make_heap(appointments_, std::greater{});
    ++stats_.scans;
    stats_.last_scan_duration = ended - begun_;
    // If scanning takes longer than the interval, leave time for others.
    next_scan_ = std::max(next_scan_, ended + clock_.interval() / 2);
    if (board_.lives() == 0)
      next_scan_ = never;
  }
  clock_.plan(std::max(next_due(), ended));
}

// Two rounds over some slots that fit into the first-level cache: marks first,
// then the clock, so that no beat is dated before it happened.
void heartbeat_scan::scan_chunk(std::size_t index) {
  constexpr slot_id batch = 64;
  const auto first = static_cast<slot_id>(index) * heartbeat_board::chunk_size;
  const auto is_thorough = (stats_.scans + index) % thorough_every == 0;
  const auto always = bits::idle_matters | bits::stale_use | bits::watcher_done
                      | (is_thorough ? bits::watched : 0);
  std::array<std::uint64_t, batch> marks;
  const auto end = first + board_.reach(index);
  for (auto base = first; base < end; base += batch) {
    const auto* slots = &board_.slot(base);
    std::uint64_t wanted = 0;
    for (slot_id i = 0; i < batch; ++i) {
      const auto mark = slots[i].mark.load(relaxed);
      const auto control = slots[i].control.load(relaxed);
      const auto if_busy
        = bits::watched & (0 - static_cast<std::uint32_t>(mark & bits::busy));
      const auto is_foreign = (mark & bits::tag_bits) != bits::tag_of(control);
      const auto is_wanted = (control & (always | if_busy)) != 0 || is_foreign;
      marks[i] = mark;
      wanted |= std::uint64_t{is_wanted} << i;
    }
    if (wanted == 0)
      continue;
    const auto read_by = clock_.to_watch(now_());
    for (; wanted != 0; wanted &= wanted - 1) {
      const auto i = static_cast<slot_id>(std::countr_zero(wanted));
      attend(base + i, marks[i], read_by);
    }
  }
}

// Looks that are wanted because of a beat that is found here can wait for the
// scan: it comes before the timeout plus one interval. So each life has a few
// of them per silence, and timeouts shorter than the interval do not make the
// watchdog spin.
void heartbeat_scan::keep_appointments() {
  while (!appointments_.empty() && appointments_.front().due <= pass_) {
    std::ranges::pop_heap(appointments_, std::greater{});
    const auto slot = appointments_.back().slot;
    appointments_.pop_back();
    const auto mark = board_.slot(slot).mark.load(relaxed);
    attend(slot, mark, clock_.to_watch(now_()));
  }
}

void heartbeat_scan::attend(slot_id id, std::uint64_t mark,
                            time_point read_by) {
  auto& slot = board_.slot(id);
  const auto control = slot.control.load(relaxed);
  if ((control & bits::stale_use) != 0)
    count_stale(slot);
  if ((mark & bits::tag_bits) != bits::tag_of(control)) {
    repair(id, mark, read_by);
    return;
  }
  if ((control & bits::watched) == 0) {
    board_.collect(id);
    return;
  }
  const auto& own = board_.entry(id);
  if (mark != own.last_mark)
    note_beat(id, mark, read_by);
  else if (pass_ >= own.due || (own.flags & entry::probing) != 0)
    examine(id);
  else
    appoint(id, own.due);
}

// Somebody was in the middle of a beat when his slot went to another life. The
// mark that he wrote over is put back as it was last seen; what the life did
// meanwhile nobody knows, so its silence begins anew.
void heartbeat_scan::repair(slot_id id, std::uint64_t mark,
                            time_point read_by) {
  auto& slot = board_.slot(id);
  auto& own = board_.entry(id);
  const auto control = slot.control.load(relaxed);
  ++stats_.stale_beats;
  if ((control & bits::watched) == 0) {
    slot.mark.compare_exchange_strong(mark, bits::tag_of(control), relaxed);
    return;
  }
  slot.mark.compare_exchange_strong(mark, own.last_mark, relaxed);
  own.changed_at = read_by;
  own.due = first_look(id, is_busy(own.last_mark), read_by);
  own.flags &= static_cast<std::uint8_t>(~(entry::warned | entry::probing));
  appoint(id, own.due);
}

void heartbeat_scan::note_beat(slot_id id, std::uint64_t mark,
                               time_point read_by) {
  auto& own = board_.entry(id);
  const auto& limits = limits_[own.limits];
  if (limits.uses_phi && !is_first(own.last_mark)
      && (own.flags & entry::dated_late) == 0
      && !clock_.was_away_since(own.changed_at)
      && (is_busy(own.last_mark) || limits.spec.idle_timeout.is_finite()))
    learn(id, read_by - own.changed_at);
  own.last_mark = mark;
  own.changed_at = read_by;
  own.due = first_look(id, is_busy(mark), read_by);
  own.flags &= static_cast<std::uint8_t>(
    ~(entry::warned | entry::probing | entry::dated_late));
  if (is_late_)
    own.flags |= entry::dated_late;
  if (full_)
    appoint(id, own.due);
}

void heartbeat_scan::learn(slot_id id, duration interval) {
  auto* rhythm = board_.rhythm(id);
  // One of suspicious length was an outage, or a pause that was asked for.
  if (rhythm != nullptr && !rhythm->suspects(interval - clock_.interval()))
    rhythm->learn(interval);
}

// The allowance is read before the mark is read again: a worker takes it back
// after the beat that ends it, so an allowance that is gone means a beat that
// is there.
void heartbeat_scan::examine(slot_id id) {
  auto& own = board_.entry(id);
  auto& slot = board_.slot(id);
  auto what = silence_of(id, own.last_mark, pass_);
  if (const auto mark = slot.mark.load(relaxed); mark != own.last_mark) {
    attend(id, mark, clock_.to_watch(now_()));
    return;
  }
  if (!clock_.may_judge(pass_)) {
    appoint(id, clock_.judge_from());
    return;
  }
  const auto& spec = limits_[own.limits].spec;
  auto result = policy::judge(spec, what);
  if (result.state == policy::liveness::stalled) {
    convict(id, result);
    return;
  }
  if (result.probe_due) {
    tell(heartbeat_finding::kind::probe_due, id, result);
    own.flags |= entry::probing;
    own.due = spec.stall_timeout.after(pass_);
    what.since_probe = duration::zero();
    result = policy::judge(spec, what);
  }
  if (result.state == policy::liveness::late
      && (own.flags & entry::warned) == 0) {
    tell(heartbeat_finding::kind::late, id, result);
    own.flags |= entry::warned;
  }
  const auto next = saturating_add(own.changed_at, result.look_again);
  if ((own.flags & entry::probing) == 0)
    own.due = next;
  appoint(id, next);
}

void heartbeat_scan::convict(slot_id id, const policy::judgement& verdict) {
  tell(heartbeat_finding::kind::stalled, id, verdict);
  ++stats_.verdicts;
  board_.entry(id).flags |= entry::convicted;
  board_.slot(id).control.fetch_and(~(bits::watched | bits::idle_matters),
                                    relaxed);
  mark_stuck(id);
}

void heartbeat_scan::count_stale(heartbeat_slot& slot) noexcept {
  slot.control.fetch_and(~bits::stale_use, relaxed);
  ++stats_.stale_beats;
}

// -- plumbing ----------------------------------------------------------------

policy::silence heartbeat_scan::silence_of(slot_id id, std::uint64_t mark,
                                           time_point now) const {
  const auto& own = board_.entry(id);
  const auto& limits = limits_[own.limits];
  policy::silence result;
  result.busy = is_busy(mark);
  result.age = std::max(now - own.changed_at, duration::zero());
  result.allowance = std::chrono::milliseconds{
    board_.slot(id).allowance.load(std::memory_order_acquire)};
  if ((own.flags & entry::probing) != 0)
    result.since_probe = limits.spec.stall_timeout.is_finite()
                           ? now - (own.due - limits.spec.stall_timeout.span())
                           : duration::zero();
  result.phi = board_.rhythm(id);
  result.resolution = clock_.interval();
  return result;
}

heartbeat_scan::time_point heartbeat_scan::first_look(slot_id id, bool busy,
                                                      time_point from) const {
  const auto& limits = limits_[board_.entry(id).limits];
  auto age = limits.first_look(busy);
  if (const auto* rhythm = limits.uses_phi ? board_.rhythm(id) : nullptr) {
    policy::silence fresh;
    fresh.busy = busy;
    fresh.phi = rhythm;
    fresh.resolution = clock_.interval();
    age = policy::judge(limits.spec, fresh).look_again;
  }
  return saturating_add(from, age);
}

void heartbeat_scan::appoint(slot_id id, time_point due) {
  const auto when = std::max(due, clock_.judge_from());
  if (when >= horizon_)
    return;
  appointments_.push_back({when, id});
  if (!full_)
    std::ranges::push_heap(appointments_, std::greater{});
}

void heartbeat_scan::tell(heartbeat_finding::kind what, slot_id id,
                          const policy::judgement& why) {
  const auto& own = board_.entry(id);
  const auto busy = is_busy(own.last_mark);
  findings_.push_back(
    {.what = what,
     .slot = id,
     .owner = own.owner,
     .life = own.life,
     .age = std::max(pass_ - own.changed_at, duration::zero()),
     .suspicion = why.suspicion,
     .note = board_.note(id),
     .was_busy = busy,
     .mark = own.last_mark,
     .thread = busy ? board_.thread(id) : 0});
}

} // namespace coppice
