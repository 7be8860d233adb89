// This file is part of coppice. License: see LICENSE in the source root.

// Contexts on the wire: remaining time, and what became of them.

#include "coppice/context.hpp"

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

} // namespace
} // namespace coppice::test
