// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/heartbeat_board.hpp"

#include <algorithm>
#include <cassert>
#include <mutex>
#include <utility>

namespace coppice {

namespace {

using bits = heartbeat_slot;

constexpr auto relaxed = std::memory_order_relaxed;

constexpr auto both_done = bits::writer_done | bits::watcher_done;

using beats_ptr = std::unique_ptr<heartbeat_board::beats>;

/// What boards left behind: with writers in it that outlive them, and without,
/// for other boards. It is never given back to the system, so that a copy of a
/// handle finds its tag gone, and not its memory.
struct attic {
  std::mutex mutex;
  std::vector<beats_ptr> kept;
  std::vector<beats_ptr> spare;

  [[nodiscard]] beats_ptr take_spare() {
    const std::lock_guard guard{mutex};
    if (spare.empty())
      return nullptr;
    auto res = std::move(spare.back());
    spare.pop_back();
    return res;
  }
};

// Never destroyed, either.
attic& the_attic() {
  static auto& result = *new attic;
  return result;
}

bool has_writer(const heartbeat_slot& slot) noexcept {
  const auto control = slot.control.load(std::memory_order_acquire);
  return (control & (bits::in_use | bits::writer_done)) == bits::in_use;
}

/// As new, but for the tag, if it had a life.
void clear(heartbeat_slot& slot, heartbeat_trace& trace) noexcept {
  const auto control = slot.control.load(relaxed);
  const auto step = (control & bits::in_use) != 0 ? 1u : 0u;
  const auto next = (((control >> 16) + step) & 0xffff) << 16;
  trace.note.store(nullptr, relaxed);
  trace.thread.store(0, relaxed);
  slot.allowance.store(0, relaxed);
  slot.mark.store(bits::tag_of(next), relaxed);
  slot.control.store(next, relaxed);
}

} // namespace

heartbeat_board::~heartbeat_board() {
  auto& left = the_attic();
  for (auto& x : chunks_) {
    auto is_needed = false;
    for (auto& slot : x.shared->slots) {
      if (!has_writer(slot))
        continue;
      slot.control.fetch_or(bits::stop_requested | bits::fenced, relaxed);
      is_needed = true;
    }
    for (slot_id i = 0; !is_needed && i < chunk_size; ++i)
      clear(x.shared->slots[i], x.shared->traces[i]);
    const std::lock_guard guard{left.mutex};
    (is_needed ? left.kept : left.spare).push_back(std::move(x.shared));
  }
}

slot_id heartbeat_board::acquire() {
  auto result = free_;
  if (result != none) {
    free_ = entry(result).owner;
  } else {
    if (fresh_ == 0)
      add_chunk();
    // Neighbours in time go to different cache lines.
    const auto n = chunk_size - fresh_--;
    result = static_cast<slot_id>(chunks_.size() - 1) * chunk_size
             + n % lines * per_line + n / lines;
  }
  entry(result) = {};
  slot(result).control.fetch_or(bits::in_use, relaxed);
  ++lives_;
  return result;
}

heartbeat heartbeat_board::writer(slot_id id) noexcept {
  auto& slot = this->slot(id);
  return {&slot, &trace(id), bits::tag_of(slot.control.load(relaxed))};
}

void heartbeat_board::release_writer(slot_id id) noexcept {
  finish(id, bits::writer_done, bits::watcher_done);
}

void heartbeat_board::release_watcher(slot_id id) noexcept {
  finish(id, bits::watcher_done, bits::writer_done);
}

void heartbeat_board::collect(slot_id id) noexcept {
  const auto control = slot(id).control.load(std::memory_order_acquire);
  if ((control & both_done) == both_done)
    free(id);
}

policy::phi_detector* heartbeat_board::rhythm(slot_id id) const noexcept {
  const auto& all = chunks_[id / chunk_size].rhythms;
  return all ? all[id % chunk_size].get() : nullptr;
}

void heartbeat_board::learn_rhythm(slot_id id, const policy::phi_spec& spec) {
  using detector_ptr = std::unique_ptr<policy::phi_detector>;
  auto& all = chunks_[id / chunk_size].rhythms;
  if (!all)
    all = std::make_unique<detector_ptr[]>(chunk_size);
  all[id % chunk_size] = std::make_unique<policy::phi_detector>(spec);
}

void heartbeat_board::forget_rhythm(slot_id id) noexcept {
  if (const auto& all = chunks_[id / chunk_size].rhythms)
    all[id % chunk_size].reset();
}

slot_id heartbeat_board::reach(std::size_t index) const noexcept {
  if (index + 1 < chunks_.size())
    return chunk_size;
  return std::min(chunk_size - fresh_, lines) * per_line;
}

std::size_t heartbeat_board::chunks_left_behind() {
  auto& left = the_attic();
  const std::lock_guard guard{left.mutex};
  return left.kept.size();
}

void heartbeat_board::add_chunk() {
  chunk added;
  added.shared = the_attic().take_spare();
  if (added.shared == nullptr)
    added.shared = std::make_unique<beats>();
  added.entries = std::make_unique<watch_entry[]>(chunk_size);
  chunks_.push_back(std::move(added));
  fresh_ = chunk_size;
}

void heartbeat_board::finish(slot_id id, std::uint32_t side,
                             std::uint32_t other) noexcept {
  auto& control = slot(id).control;
  assert((control.load(relaxed) & bits::in_use) != 0);
  const auto before = control.fetch_or(side, std::memory_order_acq_rel);
  if ((before & other) != 0)
    free(id);
}

// Whoever still holds a handle is stale from here on: the tag is another one.
void heartbeat_board::free(slot_id id) noexcept {
  auto& slot = this->slot(id);
  const auto control = slot.control.load(relaxed);
  const auto next = (((control >> 16) + 1) & 0xffff) << 16;
  trace(id).note.store(nullptr, relaxed);
  trace(id).thread.store(0, relaxed);
  slot.allowance.store(0, relaxed);
  slot.mark.store(bits::tag_of(next), relaxed);
  slot.control.store(next | (control & bits::stale_use), relaxed);
  forget_rhythm(id);
  entry(id) = {};
  entry(id).owner = std::exchange(free_, id);
  --lives_;
}

} // namespace coppice
