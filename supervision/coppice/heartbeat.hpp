// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The worker's end of a heartbeat: one store into the life's own slot.
///
/// Layer: L1. No CAF, no clock, no allocation, no lock.
/// Threads: a handle and its copies belong to one thread at a time.
/// Rules: docs/semantics.md, HEARTBEAT-1 to HEARTBEAT-3, STOP-2.

#include "coppice/heartbeat_slot.hpp"
#include "coppice/kernel_thread.hpp"
#include "coppice/policy/time.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <utility>

namespace coppice {

/// Says "still here" to whoever watches this life.
///
/// A small value. Default-constructed, or released, it is connected to nothing
/// and every call is a no-op. All state is in the slot, so copies agree; but
/// only one thread at a time may use any of them, for a beat is a load and a
/// store, not a read-modify-write.
///
/// A handle that is used after its life is gone and its slot has another life
/// does nothing; the watchdog counts it. Nor does one, or a copy, that is used
/// when its tree is gone: the memory stays.
class heartbeat {
public:
  constexpr heartbeat() noexcept = default;

  /// Is there a slot behind it?
  [[nodiscard]] explicit operator bool() const noexcept {
    return slot_ != nullptr;
  }

  /// There is work in hand from now on: silence counts. Not nested: the first
  /// `end_work` ends it. Cost of this and the next three: O(1), about 1 ns.
  /// Leaves word of the thread, whose stack a verdict may want.
  void begin_work() noexcept {
    if (is_current())
      trace_->thread.store(this_kernel_thread(), std::memory_order_relaxed);
    advance([](std::uint64_t mark) { return mark | heartbeat_slot::busy; });
  }

  /// No more work in hand: silence is fine (unless `idle_timeout` is finite).
  void end_work() noexcept {
    advance([](std::uint64_t mark) { return mark & ~heartbeat_slot::busy; });
  }

  /// The mark as it stands; for `end_work_if_still`.
  [[nodiscard]] std::uint64_t mark() const noexcept {
    return slot_ != nullptr ? slot_->mark.load(std::memory_order_acquire) : 0;
  }

  /// `end_work`, unless anything was marked since `mark` was read: safe even if
  /// another thread may have begun to use this life in the meantime.
  /// Cost: one compare-and-swap, about 5 ns.
  void end_work_if_still(std::uint64_t mark) noexcept {
    if (slot_ == nullptr || (mark & heartbeat_slot::tag_bits) != tag_)
      return;
    const auto idle = (mark & ~heartbeat_slot::busy) + heartbeat_slot::one_beat;
    slot_->mark.compare_exchange_strong(mark, idle, std::memory_order_relaxed);
  }

  /// Progress.
  void beat() noexcept {
    advance([](std::uint64_t mark) { return mark; });
  }

  /// Progress, and where: the verdict and the snapshot show the last note.
  /// @param note  A string literal, or what lives as long as the process.
  void beat(const char* note) noexcept {
    if (is_current())
      trace_->note.store(note, std::memory_order_relaxed);
    beat();
  }

  /// Asks for more time until the next beat. Adds up; what counts in the end
  /// is bounded by `heartbeat_spec::extension_max`. Is not progress itself.
  /// @param span  Rounded up to milliseconds; zero or less does nothing.
  void extend(policy::duration span) noexcept {
    if (span <= policy::duration::zero() || !is_current())
      return;
    constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();
    const auto more = static_cast<std::uint64_t>(
      std::chrono::ceil<std::chrono::milliseconds>(span).count());
    const auto sum = slot_->allowance.load(std::memory_order_relaxed)
                     + std::min(more, most);
    slot_->allowance.store(static_cast<std::uint32_t>(std::min(sum, most)),
                           std::memory_order_relaxed);
  }

  /// Has the supervisor asked this life to end? Long work looks now and then.
  /// Also true of a life that is history.
  [[nodiscard]] bool stop_requested() const noexcept {
    return has(heartbeat_slot::stop_requested | heartbeat_slot::fenced);
  }

  /// Has the supervisor given this life up (STOP-2)? What it still does is
  /// refused. Also true of a life that is history.
  [[nodiscard]] bool fenced() const noexcept {
    return has(heartbeat_slot::fenced);
  }

  /// This life has ended, or goes on without beating. The handle is
  /// disconnected; the slot is used again once the supervisor has released it
  /// as well. Once per life; again, or by a copy, does no harm.
  void release() noexcept {
    if (auto* slot = std::exchange(slot_, nullptr))
      finish(*slot, tag_);
    trace_ = nullptr;
  }

private:
  friend class heartbeat_board;

  heartbeat(heartbeat_slot* slot, heartbeat_trace* trace,
            std::uint64_t tag) noexcept
    : slot_(slot), trace_(trace), tag_(tag) {}

  static void finish(heartbeat_slot& slot, std::uint64_t tag) noexcept {
    auto control = slot.control.load(std::memory_order_relaxed);
    do {
      if (heartbeat_slot::tag_of(control) != tag)
        return;
    } while (!slot.control.compare_exchange_weak(
      control, control | heartbeat_slot::writer_done, std::memory_order_release,
      std::memory_order_relaxed));
  }

  [[nodiscard]] bool is_current() const noexcept {
    return slot_ != nullptr
           && (slot_->mark.load(std::memory_order_relaxed)
               & heartbeat_slot::tag_bits)
                == tag_;
  }

  [[nodiscard]] bool has(std::uint32_t flags) const noexcept {
    if (slot_ == nullptr)
      return false;
    const auto control = slot_->control.load(std::memory_order_relaxed);
    return heartbeat_slot::tag_of(control) != tag_ || (control & flags) != 0;
  }

  template <class Change>
  void advance(Change change) noexcept {
    if (slot_ == nullptr)
      return;
    const auto mark = slot_->mark.load(std::memory_order_relaxed);
    if ((mark & heartbeat_slot::tag_bits) != tag_) [[unlikely]] {
      slot_->control.fetch_or(heartbeat_slot::stale_use,
                              std::memory_order_relaxed);
      return;
    }
    slot_->mark.store(change(mark) + heartbeat_slot::one_beat,
                      std::memory_order_relaxed);
    // After the mark: whoever sees the allowance gone sees the beat as well.
    if (slot_->allowance.load(std::memory_order_relaxed) != 0) [[unlikely]]
      slot_->allowance.store(0, std::memory_order_release);
  }

  heartbeat_slot* slot_ = nullptr;
  heartbeat_trace* trace_ = nullptr;
  /// As in `mark`.
  std::uint64_t tag_ = 0;
};

} // namespace coppice
