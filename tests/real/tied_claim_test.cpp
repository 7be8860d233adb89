// This file is part of coppice. License: see LICENSE in the source root.

// Tied copies that start at the same instant on the real scheduler: one of each
// pair is executed, the other is answered, and none is lost.

#include "coppice/actors/worker.hpp"
#include "coppice/request_tie.hpp"
#include "coppice/system_config.hpp"

#include "support/event_log.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <barrier>
#include <cstdint>
#include <memory>
#include <semaphore>
#include <thread>
#include <vector>

namespace coppice::test {
namespace {

constexpr std::size_t pairs = 10'000;
constexpr std::ptrdiff_t pairs_at_a_time = 20;

// REPLICATE-2: one atomic, so there is no window in which two begin.
TEST(TiedClaim, IsTakenOnce) {
  constexpr std::uint32_t threads = 4;
  constexpr auto rounds = 5'000;
  auto tie = std::make_unique<request_tie>(threads);
  std::atomic<std::uint32_t> winners{0};
  std::barrier gate{threads};
  std::vector<std::thread> pool;
  for (std::uint32_t id = 0; id < threads; ++id)
    pool.emplace_back([&, id] {
      for (auto round = 0; round < rounds; ++round) {
        gate.arrive_and_wait();
        const auto mine = tie->begin(id);
        winners += mine ? 1 : 0;
        gate.arrive_and_wait();
        EXPECT_EQ(tie->holder() == id, mine);
        EXPECT_EQ(winners, 1u);
        gate.arrive_and_wait();
        if (mine) {
          winners = 0;
          EXPECT_TRUE(tie->release(id));
        }
      }
    });
  for (auto& x : pool)
    x.join();
}

/// Sends pairs of copies, and counts their answers without CAF's requests,
/// which would hide a second one.
class pair_asker : public compat::redirecting_actor {
public:
  explicit pair_asker(caf::actor_config& cfg)
    : compat::redirecting_actor(cfg), values_(pairs), failures_(pairs) {}

  /// False: no answers came for long.
  bool ask(const std::array<caf::actor, 2>& to, std::size_t pair) {
    if (!room_.try_acquire_for(patience))
      return false;
    const auto tie = std::make_shared<request_tie>(2);
    const auto request = context::without_deadline().idempotent();
    for (std::uint32_t number = 0; number < 2; ++number) {
      // Each is the first to be sent half of the time.
      const auto which = (number + pair) % 2;
      send(to[which],
           caf::message_id{caf::message_id::default_async_value
                           | (2 * pair + number + 1)},
           caf::make_message(request.with_copy({.number = number, .tie = tie}),
                             static_cast<int>(pair)));
    }
    return true;
  }

  bool wait_for_all() {
    for (std::ptrdiff_t i = 0; i < pairs_at_a_time; ++i)
      if (!room_.try_acquire_for(patience))
        return false;
    return true;
  }

  [[nodiscard]] int values(std::size_t pair) const { return values_[pair]; }
  [[nodiscard]] int failures(std::size_t pair) const { return failures_[pair]; }

protected:
  void redirect(caf::mailbox_element_ptr x, compat::host_type*) override {
    if (!x->mid.is_response())
      return;
    const auto pair = (x->mid.request_id().integer_value() - 1) / 2;
    ++(compat::holds<int>(*x) ? values_ : failures_).at(pair);
    if (values_[pair] + failures_[pair] == 2 && !done_[pair].exchange(true))
      room_.release();
  }

private:
  template <class Id, class Message>
  void send(const caf::actor& to, Id id, Message what) {
    auto self = caf::actor_cast<caf::strong_actor_ptr>(this);
    const auto mailbox = caf::actor_cast<caf::strong_actor_ptr>(to);
    if constexpr (requires { caf::make_mailbox_element(self, id, what); })
      compat::hand_over(mailbox, caf::make_mailbox_element(self, id, what),
                        nullptr);
    else
      compat::hand_over(mailbox, caf::make_mailbox_element(self, id, {}, what),
                        nullptr);
  }

  std::vector<std::atomic<int>> values_;
  std::vector<std::atomic<int>> failures_;
  std::vector<std::atomic<bool>> done_ = std::vector<std::atomic<bool>>(pairs);
  std::counting_semaphore<pairs_at_a_time> room_{pairs_at_a_time};
};

using execution_counts = std::shared_ptr<std::vector<std::atomic<int>>>;

caf::behavior counter(worker* self, execution_counts executed) {
  return {handles(self, [=](const context&, int pair) {
    ++executed->at(static_cast<std::size_t>(pair));
    return pair;
  })};
}

// REPLICATE-2: two workers, each on its own thread.
TEST(TiedClaim, ExecutesEachPairOnce) {
  const auto executed = std::make_shared<std::vector<std::atomic<int>>>(pairs);
  system_config config{2};
  caf::actor_system system{config};
  {
    const std::array workers{system.spawn<caf::detached>(counter, executed),
                             system.spawn<caf::detached>(counter, executed)};
    const auto handle = compat::make_redirecting<pair_asker>(system);
    auto& asker = compat::object_of<pair_asker>(handle);
    for (std::size_t pair = 0; pair < pairs; ++pair)
      ASSERT_TRUE(asker.ask(workers, pair)) << pair;
    ASSERT_TRUE(asker.wait_for_all());
    for (std::size_t pair = 0; pair < pairs; ++pair) {
      EXPECT_EQ((*executed)[pair], 1) << pair;
      EXPECT_EQ(asker.values(pair), 1) << pair;
      EXPECT_EQ(asker.failures(pair), 1) << pair;
    }
    for (const auto& x : workers)
      caf::anon_send_exit(x, caf::exit_reason::kill);
  }
  compat::leave_thread();
}

} // namespace
} // namespace coppice::test
