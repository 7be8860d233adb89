// This file is part of coppice. License: see LICENSE in the source root.

// A pool on the real scheduler, whose workers crash and are killed at random:
// each request has exactly one answer.

#include "coppice/actors/pool.hpp"
#include "coppice/actors/worker.hpp"
#include "coppice/supervise.hpp"
#include "coppice/system_config.hpp"

#include "support/event_log.hpp"
#include "support/seed.hpp"

#include <caf/actor_registry.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <memory>
#include <numeric>
#include <semaphore>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

using namespace std::literals;

namespace coppice::test {

namespace {

constexpr std::size_t requests = 100'000;
constexpr std::ptrdiff_t at_a_time = 200;

/// Asks without CAF's requests, which would hide a second answer.
class asker : public compat::redirecting_actor {
public:
  explicit asker(caf::actor_config& cfg)
    : compat::redirecting_actor(cfg), answers_(requests) {}

  /// Waits for room. False: no answers came for long.
  template <class... Ts>
  bool ask(const caf::actor& to, std::size_t number, Ts... xs) {
    if (!room_.try_acquire_for(patience))
      return false;
    send(to,
         caf::message_id{caf::message_id::default_async_value | (number + 1)},
         caf::make_message(std::move(xs)...));
    return true;
  }

  bool wait_for_all() {
    for (std::ptrdiff_t i = 0; i < at_a_time; ++i)
      if (!room_.try_acquire_for(patience))
        return false;
    return true;
  }

  [[nodiscard]] std::size_t answered(int times) const {
    std::size_t result = 0;
    for (const auto& x : answers_)
      result += x.load() == times ? 1 : 0;
    return result;
  }
  [[nodiscard]] std::size_t values() const { return values_; }
  [[nodiscard]] std::size_t failures() const { return failures_; }

protected:
  void redirect(caf::mailbox_element_ptr x, compat::host_type*) override {
    if (!x->mid.is_response())
      return;
    ++(compat::holds<int>(*x) ? values_ : failures_);
    const auto number = x->mid.request_id().integer_value() - 1;
    if (answers_.at(number).fetch_add(1) == 0)
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

  std::vector<std::atomic<int>> answers_;
  std::atomic<std::size_t> values_{0};
  std::atomic<std::size_t> failures_{0};
  std::counting_semaphore<at_a_time> room_{at_a_time};
};

/// Answers at once, or later, or throws, as the number says.
caf::behavior fickle(worker* self) {
  auto owed
    = std::make_shared<std::deque<std::pair<caf::response_promise, int>>>();
  return {handles(self,
                  [=](const context&, int n) -> caf::result<int> {
                    if (n % 500 == 0)
                      throw std::runtime_error{"scripted"};
                    if (n % 700 == 0)
                      self->quit(); // with the answer
                    if (n % 3 != 0)
                      return n;
                    owed->emplace_back(self->make_response_promise(), n);
                    compat::tell(self, self, caf::tick_atom_v);
                    return caf::delegated<int>{};
                  }),
          [=](caf::tick_atom) {
            owed->front().first.deliver(owed->front().second);
            owed->pop_front();
          }};
}

void expect_balance(const policy::admission_snapshot& x) {
  const auto sum = [](const auto& all) {
    return std::accumulate(all.begin(), all.end(), std::uint64_t{0});
  };
  EXPECT_EQ(x.depth, 0u);
  EXPECT_EQ(x.in_service, 0u);
  EXPECT_EQ(x.arrived, x.admitted + sum(x.refused));
  EXPECT_EQ(x.admitted, x.served + x.lost + sum(x.dropped));
}

struct load {
  worker_pool* pool;
  asker* from;
  std::uint64_t seed;
};

/// Half of the requests; kills a worker now and then.
void ask_half(const load& what, std::size_t first,
              const supervisor_ref& workers) {
  policy::random_source random{what.seed + first};
  std::vector<context> recent(16);
  for (auto i = first; i < requests; i += 2) {
    auto ctx = random.next() % 4 == 0 ? context::lasting(
                 std::chrono::microseconds{random.up_to(2'000)})
                                      : context::without_deadline();
    recent[i / 2 % recent.size()] = ctx;
    const auto n = static_cast<int>(random.up_to(1'000'000));
    if (!what.from->ask(what.pool->handle(), i, ctx, n)) {
      ADD_FAILURE() << "no answers at request " << i;
      return;
    }
    if (random.next() % 16 == 0)
      recent[random.up_to(recent.size() - 1)].cancel();
    if (random.next() % 1'000 != 0)
      continue;
    const auto id = "worker-" + std::to_string(1 + random.up_to(3));
    const auto line = workers.get_child(id, patience);
    if (line && line->actor)
      caf::anon_send_exit(line->actor, caf::exit_reason::kill);
  }
}

} // namespace

// FAILURE-6, DEADLINE-3, DEADLINE-4: under crashes, kills, cancellations and
// deadlines, each of 100,000 requests is answered exactly once.
TEST(PoolReal, AnswersEachRequestOnce) {
  const seeded seeded_test;
  system_config config{2};
  caf::actor_system system{config};
  const auto baseline = system.registry().running();
  const auto sink = compat::make_redirecting<asker>(system);
  auto& from = compat::object_of<asker>(sink);
  {
    worker_pool pool{system,
                     {.workers = 4,
                      .concurrency = 2,
                      .admission = {.queue_depth_max = 100},
                      .worker = {.start = spawns(fickle),
                                 .backoff = {.first = 0ms, .cap = 0ms}},
                      .limits = {.restarts_max = infinity},
                      .seed = seeded_test.seed}};
    auto tree = supervise(system,
                          {.name = "app", .children = {pool.child("pool")}});
    ASSERT_TRUE(tree) << describe(tree.error());
    const auto workers = tree->supervisor("/app/pool").value();
    const load what{&pool, &from, seeded_test.seed};
    std::thread other{[&] { ask_half(what, 1, workers); }};
    ask_half(what, 0, workers);
    other.join();
    EXPECT_TRUE(from.wait_for_all());
    EXPECT_EQ(from.answered(1), requests);
    EXPECT_GT(from.values(), requests / 10);
    EXPECT_GT(from.failures(), 0u);
    const auto report = tree->stop(patience);
    EXPECT_TRUE(report.complete);
    pool.stop();
    const auto seen = pool.statistics();
    EXPECT_EQ(seen.admission.arrived, requests);
    expect_balance(seen.admission);
    std::uint64_t lives = 0;
    for (const auto& x : seen.members)
      lives += x.lives;
    EXPECT_GT(lives, 20u);
  }
  EXPECT_EQ(from.answered(1), requests);
  // Who has answered may still be on its way out; who stays fails by time-out.
  system.registry().await_running_count_equal(baseline);
  compat::leave_thread();
}

// DEADLINE-3, FAILURE-6: the same while the pool grows and shrinks; in the end
// it drains.
TEST(PoolReal, AnswersEachRequestOnceWhileItIsResized) {
  const seeded seeded_test;
  system_config config{2};
  caf::actor_system system{config};
  const auto sink = compat::make_redirecting<asker>(system);
  auto& from = compat::object_of<asker>(sink);
  worker_pool pool{system,
                   {.workers = 4,
                    .admission = {.queue_depth_max = 100},
                    .worker = {.start = spawns(fickle),
                               .backoff = {.first = 0ms, .cap = 0ms}},
                    .limits = {.restarts_max = infinity},
                    .seed = seeded_test.seed}};
  auto tree = supervise(system,
                        {.name = "app", .children = {pool.child("pool")}});
  ASSERT_TRUE(tree) << describe(tree.error());
  const auto workers = tree->supervisor("/app/pool").value();
  const load what{&pool, &from, seeded_test.seed};
  std::thread one{[&] { ask_half(what, 0, workers); }};
  std::thread other{[&] { ask_half(what, 1, workers); }};
  for (const auto size : {5u, 3u, 6u, 4u, 8u, 4u}) {
    auto done = pool.resize(workers, size, 100ms);
    ASSERT_EQ(done.wait_for(patience), std::future_status::ready);
    const auto result = done.get();
    EXPECT_TRUE(result) << describe(result.error());
  }
  one.join();
  other.join();
  auto drained = pool.drain();
  EXPECT_EQ(drained.wait_for(patience), std::future_status::ready);
  EXPECT_TRUE(from.wait_for_all());
  EXPECT_EQ(from.answered(1), requests);
  expect_balance(pool.statistics().admission);
  EXPECT_TRUE(tree->stop(patience).complete);
  compat::leave_thread();
}

} // namespace coppice::test
