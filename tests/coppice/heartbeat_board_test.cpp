// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/heartbeat_board.hpp"

#include "coppice/heartbeat_limits.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <type_traits>
#include <vector>

namespace coppice {
namespace {

using namespace std::literals;

using bits = heartbeat_slot;

// HEARTBEAT-2: what a life costs, beside its chunk's few pointers.
static_assert(sizeof(heartbeat_slot) + sizeof(watch_entry)
                + sizeof(std::atomic<const char*>)
              <= 72);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
static_assert(std::is_trivially_copyable_v<heartbeat>);
static_assert(sizeof(heartbeat) <= 32);

struct HeartbeatBoard : testing::Test {
  std::uint64_t mark() const { return board.slot(slot).mark.load(); }
  std::uint64_t beats() const { return mark() / bits::one_beat; }
  bool is_busy() const { return (mark() & bits::busy) != 0; }
  std::uint32_t allowance() const { return board.slot(slot).allowance.load(); }
  std::uint32_t control() const { return board.slot(slot).control.load(); }

  void free_slot() {
    board.release_writer(slot);
    board.release_watcher(slot);
  }

  heartbeat_board board;
  slot_id slot = board.acquire();
  heartbeat writer = board.writer(slot);
};

TEST(Heartbeat, ConnectedToNothingDoesNothing) {
  heartbeat writer;
  EXPECT_FALSE(writer);
  writer.begin_work();
  writer.beat();
  writer.beat("phase 2");
  writer.extend(1s);
  writer.end_work();
  writer.release();
  EXPECT_FALSE(writer.stop_requested());
  EXPECT_FALSE(writer.fenced());
}

// HEARTBEAT-1
TEST_F(HeartbeatBoard, EachMarkIsANewOne) {
  std::set<std::uint64_t> seen{mark()};
  EXPECT_FALSE(is_busy());
  writer.begin_work();
  EXPECT_TRUE(is_busy());
  EXPECT_TRUE(seen.insert(mark()).second);
  writer.beat();
  EXPECT_TRUE(is_busy());
  EXPECT_TRUE(seen.insert(mark()).second);
  writer.end_work();
  EXPECT_FALSE(is_busy());
  EXPECT_TRUE(seen.insert(mark()).second);
  writer.beat("phase 2");
  EXPECT_FALSE(is_busy()) << "beats at intervals leave the phase alone";
  EXPECT_TRUE(seen.insert(mark()).second);
  EXPECT_EQ(beats(), 4u);
  EXPECT_STREQ(board.note(slot), "phase 2");
}

TEST_F(HeartbeatBoard, BeginningTwiceIsNotNested) {
  writer.begin_work();
  writer.begin_work();
  EXPECT_EQ(beats(), 2u);
  writer.end_work();
  EXPECT_FALSE(is_busy());
}

TEST_F(HeartbeatBoard, CopiesAgree) {
  auto copy = writer;
  writer.begin_work();
  copy.beat();
  writer.beat();
  EXPECT_EQ(beats(), 3u);
  copy.end_work();
  EXPECT_FALSE(is_busy());
}

// The counter wraps around without touching tag and phase.
TEST_F(HeartbeatBoard, TheCounterMayOverflow) {
  free_slot();
  slot = board.acquire();
  writer = board.writer(slot);
  const auto last = std::numeric_limits<std::uint64_t>::max()
                    - (bits::one_beat - 1);
  board.slot(slot).mark.fetch_or(last | bits::busy);
  ASSERT_EQ(beats(), (std::uint64_t{1} << 47) - 1);
  writer.beat();
  EXPECT_EQ(beats(), 0u);
  EXPECT_TRUE(is_busy());
  writer.beat();
  EXPECT_EQ(beats(), 1u);
}

// HEARTBEAT-4: more time until the next beat.
TEST_F(HeartbeatBoard, AnAllowanceLastsUntilTheNextBeat_P06) {
  const auto before = mark();
  writer.extend(1500us);
  EXPECT_EQ(allowance(), 2u);
  writer.extend(10s);
  EXPECT_EQ(allowance(), 10'002u);
  writer.extend(0s);
  writer.extend(-5s);
  EXPECT_EQ(allowance(), 10'002u);
  EXPECT_EQ(mark(), before) << "asking is not progress";
  writer.beat();
  EXPECT_EQ(allowance(), 0u);
}

TEST_F(HeartbeatBoard, AnAllowanceSaturates_P06) {
  writer.extend(policy::duration::max());
  EXPECT_EQ(allowance(), std::numeric_limits<std::uint32_t>::max());
  writer.extend(1s);
  EXPECT_EQ(allowance(), std::numeric_limits<std::uint32_t>::max());
}

TEST_F(HeartbeatBoard, TheWriterSeesRequests) {
  EXPECT_FALSE(writer.stop_requested());
  board.slot(slot).control.fetch_or(bits::stop_requested);
  EXPECT_TRUE(writer.stop_requested());
  EXPECT_FALSE(writer.fenced());
  board.slot(slot).control.fetch_or(bits::fenced);
  EXPECT_TRUE(writer.fenced());
}

// STOP-2: whoever releases second frees the slot.
TEST_F(HeartbeatBoard, IsFreeOnlyWhenBothSidesAreDone) {
  board.release_watcher(slot);
  EXPECT_EQ(board.lives(), 1u);
  EXPECT_NE(board.acquire(), slot);
  writer.beat();
  EXPECT_EQ(beats(), 1u) << "an abandoned life beats into its own slot";
  writer.release();
  EXPECT_FALSE(writer);
  EXPECT_EQ(board.lives(), 2u) << "a writer cannot free by itself";
  board.collect(slot);
  EXPECT_EQ(board.lives(), 1u);
  EXPECT_EQ(board.acquire(), slot);
}

TEST_F(HeartbeatBoard, TheUsualOrderFreesAtOnce) {
  writer.release();
  board.collect(slot);
  EXPECT_EQ(board.lives(), 1u);
  board.release_watcher(slot);
  EXPECT_EQ(board.lives(), 0u);
  EXPECT_EQ(board.acquire(), slot);
}

TEST_F(HeartbeatBoard, ReleasingTwiceDoesNoHarm) {
  auto copy = writer;
  writer.release();
  writer.release();
  copy.release();
  board.release_writer(slot);
  EXPECT_EQ(board.lives(), 1u);
  board.release_watcher(slot);
  EXPECT_EQ(board.lives(), 0u);
}

// STOP-2: a late beat of a dead life is nobody's.
TEST_F(HeartbeatBoard, AStaleHandleDoesNothing) {
  auto stale = writer;
  auto copy = stale;
  free_slot();
  const auto when_free = mark();
  stale.beat();
  EXPECT_EQ(mark(), when_free);
  ASSERT_EQ(board.acquire(), slot);
  auto next = board.writer(slot);
  next.begin_work();
  const auto good = mark();
  stale.beat();
  stale.end_work();
  stale.beat("nobody's");
  stale.extend(1h);
  EXPECT_EQ(mark(), good);
  EXPECT_EQ(board.note(slot), nullptr);
  EXPECT_EQ(allowance(), 0u);
  EXPECT_TRUE(stale.stop_requested());
  EXPECT_TRUE(stale.fenced());
  EXPECT_FALSE(next.fenced());
  EXPECT_NE(control() & bits::stale_use, 0u) << "for the scan to count";
  copy.release();
  board.release_watcher(slot);
  EXPECT_EQ(board.lives(), 1u) << "it released somebody else's life";
}

TEST_F(HeartbeatBoard, ANewLifeFindsACleanSlot) {
  writer.begin_work();
  writer.beat("phase 2");
  writer.extend(1s);
  board.slot(slot).control.fetch_or(bits::stop_requested | bits::fenced
                                    | bits::watched | bits::idle_matters);
  board.entry(slot).flags = 0xff;
  board.learn_rhythm(slot, {});
  free_slot();
  ASSERT_EQ(board.acquire(), slot);
  EXPECT_EQ(beats(), 0u);
  EXPECT_FALSE(is_busy());
  EXPECT_EQ(allowance(), 0u);
  EXPECT_EQ(board.note(slot), nullptr);
  EXPECT_EQ(control() & 0xffff, bits::in_use);
  EXPECT_EQ(board.entry(slot).flags, 0u);
  EXPECT_EQ(board.rhythm(slot), nullptr);
}

TEST_F(HeartbeatBoard, TagsComeRoundAgain) {
  const auto first = mark();
  for (auto i = 1; i < 0x10000; ++i) {
    free_slot();
    ASSERT_EQ(board.acquire(), slot);
    ASSERT_NE(mark(), first);
  }
  free_slot();
  EXPECT_EQ(mark(), first);
}

TEST_F(HeartbeatBoard, SlotsNeverMove) {
  const auto* before = &board.slot(slot);
  std::vector<slot_id> more;
  for (slot_id i = 0; i < 3 * heartbeat_board::chunk_size; ++i)
    more.push_back(board.acquire());
  EXPECT_EQ(&board.slot(slot), before);
  EXPECT_EQ(board.chunks(), 4u);
  more.push_back(slot);
  std::ranges::sort(more);
  EXPECT_EQ(std::ranges::adjacent_find(more), more.end());
  EXPECT_LT(more.back(), 4 * heartbeat_board::chunk_size);
}

// HEARTBEAT-2: neighbours in time do not slow each other down.
TEST_F(HeartbeatBoard, TheFirstThousandShareNoCacheLine) {
  std::set<std::uintptr_t> lines;
  const auto line_of = [this](slot_id id) {
    return reinterpret_cast<std::uintptr_t>(&board.slot(id)) / 64;
  };
  lines.insert(line_of(slot));
  for (auto i = 1; i < 1024; ++i)
    EXPECT_TRUE(lines.insert(line_of(board.acquire())).second);
}

// STOP-2: a life that outlives all may still beat.
TEST(HeartbeatBoardEnd, KeepsTheMemoryOfWritersThatAreLeft) {
  heartbeat left;
  const auto before = heartbeat_board::chunks_left_behind();
  {
    heartbeat_board board;
    const auto slot = board.acquire();
    left = board.writer(slot);
    board.release_watcher(slot);
    EXPECT_FALSE(left.stop_requested());
  }
  EXPECT_EQ(heartbeat_board::chunks_left_behind(), before + 1);
  left.begin_work();
  left.beat("still here");
  EXPECT_TRUE(left.stop_requested());
  EXPECT_TRUE(left.fenced());
  left.release();
}

TEST(HeartbeatBoardEnd, LeavesNothingWhenAllWritersAreGone) {
  const auto before = heartbeat_board::chunks_left_behind();
  {
    heartbeat_board board;
    board.writer(board.acquire()).release();
  }
  EXPECT_EQ(heartbeat_board::chunks_left_behind(), before);
}

// STOP-2: a copy that comes late finds its life gone, not its memory, whoever
// has that by then.
TEST(HeartbeatBoardEnd, TakesNothingFromCopiesThatComeLate) {
  heartbeat late;
  heartbeat unreleased;
  {
    heartbeat_board board;
    auto first = board.writer(board.acquire());
    late = first;
    first.release();
    const auto slot = board.acquire();
    unreleased = board.writer(slot);
    board.release_writer(slot);
  }
  heartbeat_board next;
  const auto slot = next.acquire();
  EXPECT_EQ(next.slot(slot).control.load() & 0xffffu, heartbeat_slot::in_use);
  for (auto* copy : {&late, &unreleased}) {
    EXPECT_TRUE(copy->fenced());
    const auto mark = copy->mark();
    copy->end_work_if_still(mark);
    EXPECT_EQ(copy->mark(), mark);
    copy->begin_work();
    EXPECT_EQ(copy->mark(), mark);
    copy->release();
  }
  EXPECT_EQ(next.slot(slot).control.load() & heartbeat_slot::writer_done, 0u);
  next.writer(slot).release();
  next.release_watcher(slot);
}

// -- limits ------------------------------------------------------------------

TEST(HeartbeatLimits, KeepsEachSpecOnce) {
  heartbeat_limits_table table;
  const policy::heartbeat_spec one{.stall_timeout = 1s};
  const policy::heartbeat_spec two{.stall_timeout = 2s, .idle_timeout = 9s};
  const auto a = table.intern(one);
  const auto b = table.intern(two);
  EXPECT_NE(a, b);
  EXPECT_EQ(table.intern(one), a);
  EXPECT_EQ(table.intern(two), b);
  EXPECT_EQ(table.size(), 2u);
  EXPECT_EQ(table[b].spec, two);
  EXPECT_TRUE(table[b].idle_matters);
  EXPECT_FALSE(table[a].idle_matters);
  EXPECT_EQ(table[b].first_look(false), 6s);
  EXPECT_EQ(table[a].first_look(false), policy::duration::max());
  table.release(a);
  EXPECT_EQ(table.size(), 2u);
  table.release(a);
  EXPECT_EQ(table.size(), 1u);
  EXPECT_EQ(table.intern({.stall_timeout = 3s}), a) << "its place is free";
  EXPECT_EQ(table[a].spec.stall_timeout, policy::time_limit{3s});
}

TEST(HeartbeatLimits, TellsInfiniteFromHuge) {
  heartbeat_limits_table table;
  const auto infinite = table.intern({.stall_timeout = policy::infinity});
  const auto huge = table.intern({.stall_timeout = policy::duration::max()});
  EXPECT_NE(infinite, huge);
}

} // namespace
} // namespace coppice
