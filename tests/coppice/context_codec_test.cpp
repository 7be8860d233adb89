// This file is part of coppice. License: see LICENSE in the source root.

// Contexts on the wire: remaining time, and what became of them.

#include "coppice/context.hpp"
#include "coppice/copy_registry.hpp"
#include "coppice/request_tie.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

namespace coppice::test {
namespace {

using namespace std::literals;
using policy::criticality;
using policy::time_point;

class ContextCodec : public testing::Test {
protected:
  [[nodiscard]] request_entry entry() const {
    return {.reference = "r-1", .clock = clock};
  }

  time_point time{1h};
  std::shared_ptr<deadline_clock> clock = std::make_shared<deadline_clock>(
    deadline_clock::options{.manual = true, .now = [this] { return time; }});
};

failure no_disk() {
  return {.failure_class = "disk", .message = "no disk"};
}

// DEADLINE-1: as remaining time; criticality and reference come along.
TEST_F(ContextCodec, TravelsAsRemainingTime) {
  auto said = entry();
  said.criticality = criticality::sheddable_plus;
  const auto bytes = encode_context(context::lasting(10s, said));
  const deadline_clock::scope current{clock};
  time += 1h; // a machine whose clock shows something else
  context ctx;
  ASSERT_TRUE(decode_context(bytes, ctx));
  EXPECT_EQ(ctx.deadline(), time + 10s);
  EXPECT_EQ(ctx.criticality(), criticality::sheddable_plus);
  EXPECT_EQ(ctx.reference(), "r-1");
  EXPECT_FALSE(ctx.cancelled());
}

TEST_F(ContextCodec, TravelsWithoutADeadlineIfItHasNone) {
  const deadline_clock::scope current{clock};
  context ctx;
  ASSERT_TRUE(
    decode_context(encode_context(context::without_deadline(entry())), ctx));
  EXPECT_TRUE(ctx.remaining().is_infinite());
}

// DEADLINE-4: what is over arrives so, with its cause.
TEST_F(ContextCodec, TravelsWithItsCause) {
  const deadline_clock::scope current{clock};
  const auto sent = context::lasting(10s, entry());
  sent.cancel(no_disk());
  context ctx;
  ASSERT_TRUE(decode_context(encode_context(sent), ctx));
  EXPECT_TRUE(ctx.cancelled());
  EXPECT_EQ(ctx.cause(), sent.cause());
  ASSERT_TRUE(decode_context(encode_context(context{}), ctx));
  EXPECT_TRUE(ctx.cancelled());
  EXPECT_FALSE(ctx.empty());
}

// DEADLINE-1: what is cut short or spoiled is refused, and changes nothing.
TEST_F(ContextCodec, RefusesSpoiledBytes) {
  const deadline_clock::scope current{clock};
  const auto sent = context::lasting(10s, entry());
  const auto good = encode_context(sent);
  auto ctx = sent;
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(decode_context(good.substr(0, size), ctx)) << size;
  EXPECT_FALSE(decode_context(good + '\0', ctx));
  for (const std::size_t place : {0, 1, 2, 11}) {
    auto bad = good;
    bad[place] = '\xff';
    EXPECT_FALSE(decode_context(bad, ctx)) << place;
  }
  sent.cancel();
  const auto over = encode_context(sent);
  for (std::size_t size = 0; size < over.size(); ++size)
    EXPECT_FALSE(decode_context(over.substr(0, size), ctx)) << size;
  EXPECT_EQ(ctx, sent);
}

// DEADLINE-1: more time than there is.
TEST_F(ContextCodec, ClampsWhatArrivesFromAfar) {
  const deadline_clock::scope current{clock};
  auto bytes = encode_context(context::lasting(10s, entry()));
  bytes.replace(3, 8, 8, '\xff');
  context ctx;
  ASSERT_TRUE(decode_context(bytes, ctx));
  EXPECT_FALSE(ctx.cancelled());
  EXPECT_TRUE(ctx.deadline());
}

// DEADLINE-1: with CAF's serialisation around it.
TEST_F(ContextCodec, TravelsInMessages) {
  const deadline_clock::scope current{clock};
  caf::actor_system_config config;
  caf::actor_system system{config};
  compat::byte_buffer bytes;
  const auto sent = context::lasting(10s, entry());
  ASSERT_TRUE(compat::to_bytes(system, bytes, sent));
  context ctx;
  ASSERT_TRUE(compat::from_bytes(system, bytes, ctx));
  EXPECT_EQ(ctx.deadline(), sent.deadline());
}

// -- marks -------------------------------------------------------------------

// REPLICATE-6: the mark and its key cross nodes.
TEST_F(ContextCodec, TravelsWithItsMark) {
  const deadline_clock::scope current{clock};
  const auto sent = context::lasting(10s, entry()).idempotent("order 7");
  context ctx;
  ASSERT_TRUE(decode_context(encode_context(sent), ctx));
  EXPECT_TRUE(ctx.is_idempotent());
  EXPECT_EQ(ctx.dedup_key(), "order 7");
  EXPECT_EQ(ctx.copy(), nullptr);
  EXPECT_EQ(ctx.deadline(), time + 10s);
  EXPECT_EQ(ctx.reference(), "r-1");
}

// REPLICATE-2: a copy knows its number; the claim stays in its process.
TEST_F(ContextCodec, TravelsAsACopyThatIsTiedToNothing) {
  const deadline_clock::scope current{clock};
  const auto sent = context::lasting(10s, entry())
                      .with_copy({.dedup_key = "order 7",
                                  .number = 0x1'0000,
                                  .tie = std::make_shared<request_tie>(2)});
  context ctx;
  ASSERT_TRUE(decode_context(encode_context(sent), ctx));
  ASSERT_NE(ctx.copy(), nullptr);
  EXPECT_EQ(ctx.copy()->number, 0x1'0000u);
  EXPECT_EQ(ctx.copy()->serial, sent.copy()->serial);
  EXPECT_EQ(ctx.copy()->tie, nullptr);
  EXPECT_EQ(ctx.dedup_key(), "order 7");
  sent.cancel(no_disk());
  ASSERT_TRUE(decode_context(encode_context(sent), ctx));
  ASSERT_TRUE(ctx.cancelled());
  EXPECT_EQ(ctx.cause()->failure_class, "disk");
  EXPECT_EQ(ctx.dedup_key(), "order 7");
}

// DEADLINE-1: what has no mark is as it was before there were any, so that
// older nodes understand it, and what they send is understood.
TEST_F(ContextCodec, IsAsBeforeWithoutAMark) {
  const deadline_clock::scope current{clock};
  const auto bytes = encode_context(context::lasting(1ns, entry()));
  EXPECT_EQ(bytes, "\1\1\1\1\0\0\0\0\0\0\0\3r-1"s);
  context ctx;
  ASSERT_TRUE(decode_context(bytes, ctx));
  EXPECT_FALSE(ctx.is_idempotent());
}

// REPLICATE-6: spoiled marks are refused, and change nothing.
TEST_F(ContextCodec, RefusesSpoiledMarks) {
  const deadline_clock::scope current{clock};
  const auto root = context::lasting(10s, entry());
  auto ctx = root;
  const auto plain = encode_context(root);
  for (const auto& sent :
       {root.idempotent("k"), root.with_copy({.dedup_key = "k"})}) {
    const auto good = encode_context(sent);
    for (std::size_t size = 0; size < good.size(); ++size)
      EXPECT_FALSE(decode_context(good.substr(0, size), ctx)) << size;
    EXPECT_FALSE(decode_context(good + '\0', ctx));
    const auto place = plain.size(); // of the mark, and then of the key
    for (const auto value : {'\0', '\3', '\xff'}) {
      auto bad = good;
      bad[place] = value;
      EXPECT_FALSE(decode_context(bad, ctx)) << int{value};
    }
    for (const auto value : {'\0', '\x41', '\xff'}) {
      auto bad = good;
      bad[place + 1] = value;
      EXPECT_FALSE(decode_context(bad, ctx)) << int{value};
    }
  }
  auto no_serial = encode_context(root.with_copy({.dedup_key = "k"}));
  no_serial.replace(no_serial.size() - 8, 8, 8, '\0');
  EXPECT_FALSE(decode_context(no_serial, ctx));
  EXPECT_EQ(ctx, root);
}

// REPLICATE-4: a copy from elsewhere is recalled after it came, or before; one
// of this process is not, whatever its serial.
TEST_F(ContextCodec, IsRecalled) {
  const deadline_clock::scope current{clock};
  auto& known = copy_registry::of_process();
  const auto before = known.copies();
  const auto sent = context::lasting(10s, entry()).with_copy({.number = 1});
  context ctx;
  ASSERT_TRUE(decode_context(encode_context(sent), ctx));
  EXPECT_EQ(known.copies(), before + 1);
  EXPECT_TRUE(known.cancel({sent.copy()->serial}));
  EXPECT_TRUE(ctx.cancelled());
  EXPECT_FALSE(sent.cancelled());
  const auto late = context::lasting(10s, entry()).with_copy({.number = 2});
  EXPECT_FALSE(known.cancel({late.copy()->serial}));
  ASSERT_TRUE(decode_context(encode_context(late), ctx));
  EXPECT_TRUE(ctx.cancelled());
  EXPECT_FALSE(late.cancelled());
  EXPECT_EQ(known.copies(), before);
}

// REPLICATE-4: the recall itself crosses nodes.
TEST_F(ContextCodec, RecallsTravel) {
  caf::actor_system_config config;
  caf::actor_system system{config};
  compat::byte_buffer bytes;
  ASSERT_TRUE(compat::to_bytes(system, bytes, cancel_copy{0x123456789a}));
  cancel_copy arrived;
  ASSERT_TRUE(compat::from_bytes(system, bytes, arrived));
  EXPECT_EQ(arrived.serial, 0x123456789au);
}

} // namespace
} // namespace coppice::test
