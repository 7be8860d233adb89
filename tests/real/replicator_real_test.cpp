// This file is part of coppice. License: see LICENSE in the source root.

// A replicator before three pools on the real scheduler, whose workers crash,
// and which are killed at random: each request has exactly one answer.

#include "coppice/actors/pool.hpp"
#include "coppice/actors/replicator.hpp"
#include "coppice/actors/worker.hpp"
#include "coppice/policy/replication_core.hpp"
#include "coppice/supervise.hpp"
#include "coppice/system_config.hpp"

#include "support/event_log.hpp"
#include "support/seed.hpp"

#include <caf/actor_registry.hpp>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <ostream>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace std::literals;

namespace coppice::test {

namespace {

constexpr std::ptrdiff_t at_a_time = 50;
constexpr std::array names{"a", "b", "c"};

/// Asks without CAF's requests, which would hide a second answer.
class crowd : public compat::redirecting_actor {
public:
  crowd(caf::actor_config& cfg, std::size_t requests)
    : compat::redirecting_actor(cfg), answers_(requests) {}

  /// Waits for room. False: no answers came for long.
  bool ask(const caf::actor& to, std::size_t number, const context& ctx) {
    if (!room_.try_acquire_for(patience))
      return false;
    const caf::message_id id{caf::message_id::default_async_value
                             | (number + 1)};
    compat::hand_over(
      caf::actor_cast<caf::strong_actor_ptr>(to),
      compat::make_element(caf::actor_cast<caf::strong_actor_ptr>(this), id,
                           caf::make_message(ctx, static_cast<int>(number))),
      nullptr);
    return true;
  }

  bool wait_for_all() {
    for (std::ptrdiff_t i = 0; i < at_a_time; ++i)
      if (!room_.try_acquire_for(patience))
        return false;
    return true;
  }

  [[nodiscard]] std::size_t answered_once() const {
    std::size_t result = 0;
    for (const auto& x : answers_)
      result += x.load() == 1 ? 1 : 0;
    return result;
  }
  [[nodiscard]] std::size_t values() const { return values_; }
  [[nodiscard]] std::size_t wrong() const { return wrong_; }
  [[nodiscard]] std::string latest_failure() const {
    const std::lock_guard guard{mutex_};
    return latest_failure_;
  }

protected:
  void redirect(caf::mailbox_element_ptr x, compat::host_type*) override {
    if (!x->mid.is_response())
      return;
    const auto number = x->mid.request_id().integer_value() - 1;
    const auto content = compat::take_content(*x);
    if (content.size() == 1 && content.match_element<int>(0)) {
      ++values_;
      wrong_ += content.get_as<int>(0) == static_cast<int>(number) ? 0 : 1;
    } else if (content.match_element<caf::error>(0)) {
      const std::lock_guard guard{mutex_};
      latest_failure_ = describe(from_error(content.get_as<caf::error>(0)));
    }
    if (answers_.at(number).fetch_add(1) == 0)
      room_.release();
  }

private:
  std::vector<std::atomic<int>> answers_;
  std::atomic<std::size_t> values_{0};
  std::atomic<std::size_t> wrong_{0};
  mutable std::mutex mutex_;
  std::string latest_failure_;
  std::counting_semaphore<at_a_time> room_{at_a_time};
};

/// What the workers of all pools share.
struct work_plan {
  explicit work_plan(std::size_t requests) : executed(requests) {}

  std::vector<std::atomic<int>> executed;
  std::atomic<bool> is_safe{true}; ///< Nobody crashes.
};
using shared_work_plan = std::shared_ptr<work_plan>;

/// Answers at once, after some work, or later; or crashes.
caf::behavior hand(worker* self, shared_work_plan plan) {
  auto owed
    = std::make_shared<std::deque<std::pair<caf::response_promise, int>>>();
  auto random = std::make_shared<policy::random_source>(self->id());
  return {handles(self,
                  [=](const context& ctx, int n) -> caf::result<int> {
                    ++plan->executed.at(static_cast<std::size_t>(n));
                    if (!plan->is_safe && random->up_to(100) == 0)
                      throw std::runtime_error{"scripted"};
                    if (!plan->is_safe && random->up_to(200) == 0)
                      self->quit(); // with the answer
                    for (auto i = random->up_to(2'000); i > 0; --i)
                      if (ctx.cancelled())
                        break;
                    if (random->up_to(2) != 0)
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

/// Three pools, the replicator before them, and who asks.
class service {
public:
  service(std::size_t requests, const replication_spec& policy,
          std::uint64_t seed,
          const policy::admission_spec& admission = {.queue_depth_max = 100})
    : requests_(requests), plan(std::make_shared<work_plan>(requests)) {
    supervisor_spec spec{.name = "app", .limits = {.restarts_max = infinity}};
    replicator_options options{.policy = policy, .seed = seed};
    for (const auto* name : names) {
      pools.emplace_back(
        system, pool_options{.workers = 2,
                             .admission = admission,
                             .worker = {.start = spawns(hand, plan),
                                        .backoff = {.first = 0ms, .cap = 0ms}},
                             .limits = {.restarts_max = infinity},
                             .name = name,
                             .seed = seed});
      spec.children.push_back(pools.back().child(name));
      spec.children.back().backoff = {.first = 0ms, .cap = 0ms};
      options.replicas.push_back(
        {.about = {.name = name}, .handle = pools.back().handle()});
    }
    auto started = supervise(system, std::move(spec));
    if (!started) {
      ADD_FAILURE() << describe(started.error());
      return;
    }
    tree.emplace(std::move(*started));
    front.emplace(system, std::move(options));
  }

  ~service() {
    front.reset();
    if (tree) {
      EXPECT_TRUE(tree->stop(patience).complete);
    }
    tree.reset();
    pools.clear();
    sink_ = nullptr;
  }

  [[nodiscard]] crowd& from() { return compat::object_of<crowd>(sink_); }

  /// Every `step`-th request from `first` on.
  void ask(std::size_t first, std::size_t step, std::uint64_t seed,
           const std::function<context(policy::random_source&)>& make) {
    policy::random_source random{seed + first};
    for (auto i = first; i < requests_; i += step) {
      if (!from().ask(front->handle(), i, make(random))) {
        ADD_FAILURE() << "no answers at request " << i;
        return;
      }
      if (!plan->is_safe)
        harm(random);
    }
  }

  /// Kills a worker now and then, or all of a pool.
  void harm(policy::random_source& random) {
    const auto what = random.up_to(400);
    if (what > 1)
      return;
    const std::string pool = names[random.up_to(2)];
    const auto owner = what == 0 ? tree->supervisor("/app")
                                 : tree->supervisor("/app/" + pool);
    if (!owner)
      return; // between two lives
    const auto id = what == 0 ? pool
                              : "worker-" + std::to_string(1 + random.up_to(1));
    const auto line = owner->get_child(id, patience);
    if (line && line->actor)
      caf::anon_send_exit(line->actor, caf::exit_reason::kill);
    kills += line && line->actor ? 1 : 0;
  }

  void expect_balance() {
    EXPECT_TRUE(from().wait_for_all());
    EXPECT_EQ(from().answered_once(), requests_);
    EXPECT_EQ(from().wrong(), 0u);
    const auto x = front->statistics().core;
    EXPECT_EQ(x.in_flight, 0u);
    EXPECT_EQ(x.requests, x.answered + x.failed);
    EXPECT_EQ(x.answered, from().values());
    for (const auto& y : pools)
      y.stop(); // what losers still owe
    EXPECT_EQ(wait_for_losers(), 0u);
  }

  /// Copies that nobody answers. Somebody may be about to pass an answer on;
  /// what is lost is forgotten after `silence_max`, and not waited for so long.
  std::size_t wait_for_losers() {
    const auto end = std::chrono::steady_clock::now()
                     + policy::replication_core::silence_max / 3;
    for (;;) {
      std::size_t result = 0;
      for (const auto& x : front->statistics().core.replicas)
        result += x.outstanding;
      if (result == 0 || std::chrono::steady_clock::now() > end)
        return result;
      std::this_thread::yield();
    }
  }

private:
  std::size_t requests_;
  system_config config_{2};

public:
  caf::actor_system system{config_};
  const shared_work_plan plan;
  std::vector<worker_pool> pools;
  std::optional<supervision_tree> tree;
  std::optional<replicator> front;
  std::atomic<int> kills{0};

private:
  caf::actor sink_ = compat::make_redirecting<crowd>(system, requests_);
};

/// Sheds nothing that has come in: for tests in which nothing may fail.
const policy::admission_spec patient_queue{.queue_depth_max = 1'000,
                                           .stale
                                           = policy::stale_check::expired,
                                           .standing = {.interval = infinity}};

struct named_policy {
  const char* name;
  replication_spec policy;
};

void PrintTo(const named_policy& x, std::ostream* out) {
  *out << x.name;
}

hedge_spec after_start(policy::duration delay) {
  return {.trigger = policy::hedge_trigger::after_start,
          .quantile = std::nullopt,
          .delay = delay};
}

replication_spec with_share(replication_spec x, double share) {
  x.budget.share = share;
  return x;
}

class ReplicatorReal : public testing::TestWithParam<named_policy> {};

INSTANTIATE_TEST_SUITE_P(
  Modes, ReplicatorReal,
  testing::Values(
    named_policy{"race", replication_spec::race(2)},
    named_policy{"hedge", with_share(replication_spec::hedged(
                                       {.quantile = 0.9, .samples_min = 20}),
                                     0.3)},
    named_policy{"tied", replication_spec::tied()},
    named_policy{
      "tied_and_hedged",
      with_share(replication_spec::tied_and_hedged(after_start(200us)), 0.3)},
    named_policy{"first", replication_spec::first_of(2, 3)},
    named_policy{"majority", replication_spec::majority_of(3)}),
  [](const auto& x) { return std::string{x.param.name}; });

} // namespace

// REPLICATE-1, FAILURE-6: under crashes, kills of workers and whole pools,
// cancellations and deadlines, each request is answered exactly once.
TEST_P(ReplicatorReal, AnswersEachRequestOnce) {
  constexpr std::size_t requests = 6'000;
  const seeded seeded_test;
  const auto seed = seeded_test.seed;
  {
    service all{requests, GetParam().policy, seed};
    ASSERT_TRUE(all.front);
    all.plan->is_safe = false;
    std::vector<std::thread> askers;
    for (std::size_t first = 0; first < 3; ++first)
      askers.emplace_back([&all, first, seed] {
        std::vector<context> recent(16);
        all.ask(first, 3, seed, [&](policy::random_source& random) {
          if (random.up_to(15) == 0)
            recent[random.up_to(15)].cancel();
          const auto ctx = random.up_to(3) == 0 ? context::lasting(
                             std::chrono::microseconds{random.up_to(4'000)})
                                                : context::without_deadline();
          recent[random.up_to(15)] = ctx;
          return ctx.idempotent();
        });
      });
    for (auto& x : askers)
      x.join();
    all.expect_balance();
    EXPECT_GT(all.from().values(), requests / 4);
    EXPECT_GT(all.kills, 0);
  }
  compat::leave_thread();
}

// REPLICATE-2: without failures, the handler of a tied request runs once.
TEST(ReplicatorRealTie, ExecutesEachRequestOnce) {
  constexpr std::size_t requests = 10'000;
  const seeded seeded_test;
  {
    service all{requests, replication_spec::tied(3), seeded_test.seed,
                patient_queue};
    ASSERT_TRUE(all.front);
    std::vector<std::thread> askers;
    for (std::size_t first = 0; first < 2; ++first)
      askers.emplace_back([&all, first] {
        all.ask(first, 2, 1, [](policy::random_source&) {
          return context::without_deadline().idempotent();
        });
      });
    for (auto& x : askers)
      x.join();
    all.expect_balance();
    EXPECT_EQ(all.from().values(), requests) << all.from().latest_failure();
    std::size_t once = 0;
    for (const auto& x : all.plan->executed)
      once += x == 1 ? 1 : 0;
    EXPECT_EQ(once, requests);
    EXPECT_EQ(all.front->statistics().core.double_starts, 0u);
  }
  compat::leave_thread();
}

// REPLICATE-4: nothing is kept of what is over: no request, no context, no
// actor.
TEST(ReplicatorRealLeak, KeepsNothing) {
  constexpr std::size_t requests = 20'000;
  const auto clock = std::make_shared<deadline_clock>();
  {
    service all{requests, replication_spec::race(2), 7, patient_queue};
    ASSERT_TRUE(all.front);
    all.ask(0, 1, 1, [&](policy::random_source&) {
      // Each context keeps its clock.
      return context::lasting(1min, {.clock = clock}).idempotent();
    });
    all.expect_balance();
    EXPECT_EQ(all.from().values(), requests) << all.from().latest_failure();
    EXPECT_GT(all.front->statistics().core.extra_sent, requests / 2);
  }
  EXPECT_EQ(clock.use_count(), 1);
  EXPECT_EQ(clock->statistics().armed, 0u);
  compat::leave_thread();
}

} // namespace coppice::test
