// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Pools in virtual time, with workers that answer when they are told to.
///
/// Layer: tests.
/// Threads: one.
/// Rules: none.

#include "coppice/actors/pool.hpp"
#include "coppice/actors/worker.hpp"

#include "support/request_test.hpp"

#include <map>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace coppice::test {

/// What the workers of a pool have seen.
struct pool_ledger {
  /// What they began, by whom: `/app/pool/worker-1`.
  std::vector<std::pair<std::string, int>> started;
  std::vector<caf::actor_addr> lives;

  [[nodiscard]] std::vector<int> numbers() const {
    std::vector<int> result;
    for (const auto& x : started)
      result.push_back(x.second);
    return result;
  }
};
using shared_pool_ledger = std::shared_ptr<pool_ledger>;

/// Doubles what is even, throws at 13, fails at 15, and owes all other answers
/// until it is paid.
inline caf::behavior debtor(worker* self, shared_pool_ledger seen) {
  using promises = std::multimap<int, caf::response_promise>;
  auto owed = std::make_shared<promises>();
  seen->lives.push_back(self->address());
  const auto work = [=](int n) -> caf::result<int> {
    seen->started.emplace_back(self->path(), n);
    if (n == 13)
      throw std::runtime_error{"unlucky"};
    if (n == 15)
      return to_error(failure{.failure_class = "odd", .message = "15 is odd"});
    if (n % 2 == 0)
      return 2 * n;
    owed->emplace(n, self->make_response_promise());
    return caf::delegated<int>{};
  };
  return {handles(self, [=](const context&, int n) { return work(n); }), work,
          [=](caf::put_atom, int n) {
            const auto [first, last] = owed->equal_range(n);
            for (auto i = first; i != last; ++i)
              i->second.deliver(2 * n);
            owed->erase(first, last);
          },
          [=](const std::string&) { self->quit(); }};
}

class pool_test : public request_test {
public:
  /// A tree `/app` with the pool at `/app/pool`, ready.
  void start(pool_options options) {
    if (!options.worker.start)
      options.worker.start = spawns(debtor, seen);
    options.clock = clock;
    options.seed = 7;
    options.worker.backoff = at_once;
    concurrency = options.concurrency;
    fills_mailboxes = options.key_of != nullptr;
    pool.emplace(system(), std::move(options));
    supervise({.name = "app", .children = {pool->child("pool")}});
    ASSERT_TRUE(is_ready());
  }

  void TearDown() override {
    if (pool)
      pool->stop();
    request_test::TearDown();
    pool.reset();
  }

  /// With a context of its own; the same, for some time only.
  pending<int> ask_pool(int n) {
    return ask_for(context::without_deadline(entry()), pool->handle(), n);
  }
  pending<int> ask_pool(int n, policy::duration span) {
    return ask_for(context::lasting(span, entry()), pool->handle(), n);
  }
  pending<int> ask_pool(int n, policy::criticality level) {
    return ask_for(context::without_deadline({.criticality = level}),
                   pool->handle(), n);
  }

  /// Whoever owes the answer to `n` gives it.
  void pay(int n) {
    for (const auto& x : seen->lives)
      if (const auto life = caf::actor_cast<caf::actor>(x))
        compat::post(life, caf::put_atom_v, n);
    settle();
  }

  supervisor_ref workers() { return supervisor("/app/pool"); }
  [[nodiscard]] pool_statistics statistics() const {
    return pool->statistics();
  }
  [[nodiscard]] std::uint64_t refused(policy::shed_reason x) const {
    return statistics().admission.refused[static_cast<std::size_t>(x)];
  }
  [[nodiscard]] std::uint64_t dropped(policy::shed_reason x) const {
    return statistics().admission.dropped[static_cast<std::size_t>(x)];
  }
  [[nodiscard]] std::size_t available() const {
    std::size_t result = 0;
    for (const auto& x : statistics().members)
      result += x.available ? 1 : 0;
    return result;
  }

  /// Every request that came has ended, and exactly once.
  void expect_balance() const {
    const auto x = statistics().admission;
    const auto sum = [](const auto& all) {
      return std::accumulate(all.begin(), all.end(), std::uint64_t{0});
    };
    EXPECT_EQ(x.arrived, x.admitted + sum(x.refused));
    EXPECT_EQ(x.admitted,
              x.served + x.lost + sum(x.dropped) + x.depth + x.in_service);
    expect_servers();
  }

  /// What those that get nothing new have in hand is beside what the others
  /// can do, and nobody has too much.
  void expect_servers() const {
    const auto x = statistics();
    std::size_t servers = 0;
    for (const auto& member : x.members) {
      EXPECT_TRUE(fills_mailboxes || member.outstanding <= concurrency)
        << member.number << " has " << member.outstanding;
      servers += member.available ? concurrency : member.outstanding;
    }
    EXPECT_EQ(x.admission.servers, servers);
  }

  const shared_pool_ledger seen = std::make_shared<pool_ledger>();
  std::optional<worker_pool> pool;
  std::size_t concurrency = 1;
  bool fills_mailboxes = false; ///< By key.
};

/// A queue that neither stands nor estimates: only its bound and the deadlines.
inline policy::admission_spec plain_queue(std::uint32_t depth) {
  return {.queue_depth_max = depth,
          .stale = policy::stale_check::expired,
          .standing = {.interval = infinity}};
}

} // namespace coppice::test
