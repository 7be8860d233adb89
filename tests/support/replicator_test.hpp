// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// A replicator in virtual time, before servers that answer when told to.
///
/// Layer: tests.
/// Threads: one.
/// Rules: none.

#include "coppice/actors/replicator.hpp"

#include "support/answer_sink.hpp"
#include "support/owing_server.hpp"
#include "support/pool_test.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace coppice::test {

/// Without the defaults that look at samples or load.
inline replication_spec hedged_after(policy::duration delay,
                                     std::uint32_t extra = 1) {
  auto result = replication_spec::hedged(
    {.quantile = std::nullopt, .delay = delay, .extra_max = extra});
  result.budget.share = 1.0;
  return result;
}

class replicator_test : public request_test {
public:
  enum class kind : std::uint8_t {
    child, ///< A worker of its own, by its reference.
    plain, ///< An actor that is nobody's child.
    pool,
  };

  /// To be called before `start`.
  void add(const std::string& name, kind how = kind::child,
           pool_options pool = {.workers = 1}) {
    replica x{.about = {.name = name}, .handle = nullptr};
    if (how == kind::pool) {
      pool.worker = {.start = spawns(server<worker>, name, seen),
                     .backoff = at_once};
      pool.limits.restarts_max = infinity;
      pool.name = name;
      pool.clock = clock;
      pool.seed = 7;
      pools.emplace(name, std::make_unique<worker_pool>(system(), pool));
      children_.push_back(pools.at(name)->child(name));
      x.handle = pools.at(name)->handle();
    } else if (how == kind::plain) {
      plain_[name] = system().spawn(server<caf::event_based_actor>, name, seen);
      x.handle = plain_[name];
    } else {
      children_.push_back({.id = name,
                           .start = spawns(server<worker>, name, seen),
                           .backoff = at_once});
    }
    replicas.push_back(std::move(x));
  }

  /// With servers "a", "b" and "c", unless others were added.
  void start(replication_spec policy, replicator_options rest = {}) {
    if (replicas.empty())
      for (const auto* name : {"a", "b", "c"})
        add(name);
    if (!children_.empty()) {
      supervise({.name = "app",
                 .limits = {.restarts_max = infinity},
                 .children = children_});
      ASSERT_TRUE(is_ready());
    }
    for (auto& x : replicas)
      if (!x.handle)
        x.handle = ref("/app/" + x.about.name).handle();
    rest.policy = std::move(policy);
    rest.replicas = replicas;
    rest.clock = clock;
    rest.seed = 7;
    all.emplace(system(), std::move(rest));
    front = all->handle();
  }

  void TearDown() override {
    if (all)
      all->stop();
    settle();
    for (std::size_t i = 0; i < sink().asked(); ++i)
      EXPECT_EQ(sink().answers(i).size(), 1u) << "request " << i;
    if (all)
      expect_balance(core());
    seen->begun.clear();
    for (const auto& x : pools)
      x.second->stop();
    for (const auto& x : plain_)
      kill(x.second);
    settle();
    plain_.clear();
    replicas.clear();
    front = nullptr;
    request_test::TearDown();
    all.reset();
    pools.clear();
  }

  [[nodiscard]] context patient() const {
    return context::without_deadline(entry()).idempotent();
  }

  /// Sends, settles, and returns the number of the request.
  template <class... Ts>
  std::size_t send(Ts... xs) {
    const auto result = sink().ask(front, std::move(xs)...);
    settle();
    return result;
  }
  std::size_t ask(int n) { return send(patient(), n); }

  [[nodiscard]] outcome<int> answer(std::size_t which) {
    return sink().outcome_of<int>(which);
  }

  // -- servers ---------------------------------------------------------------

  /// Who has begun with this request, in this order.
  [[nodiscard]] std::vector<std::string> who_began(int n) const {
    std::vector<std::string> result;
    for (const auto& x : seen->begun)
      if (x.n == n)
        result.push_back(x.server);
    return result;
  }

  /// The latest copy of this request that a server began.
  [[nodiscard]] const server_ledger::entry& copy(int n, std::size_t which = 0) {
    static const server_ledger::entry none{};
    for (const auto& x : seen->begun)
      if (x.n == n && which-- == 0)
        return x;
    ADD_FAILURE() << n << " has not been begun so often";
    return none;
  }

  /// The server answers request `n`, if it has it; with twice the number.
  void pay(const std::string& name, int n) { pay(name, n, 2 * n); }
  template <class T>
  void pay(const std::string& name, int n, T what) {
    tell(name, caf::put_atom_v, n, std::move(what));
  }
  void crash(const std::string& name, int n) {
    tell(name, caf::delete_atom_v, n);
  }

  template <class... Ts>
  void tell(const std::string& name, Ts... xs) {
    for (const auto& [who, address] : seen->lives)
      if (const auto life = caf::actor_cast<caf::actor>(address);
          who == name && life)
        compat::post(life, xs...);
    settle();
  }

  [[nodiscard]] replicator_statistics statistics() const {
    return all->statistics();
  }
  [[nodiscard]] policy::replication_snapshot core() const {
    return all->statistics().core;
  }

  [[nodiscard]] policy::replica_snapshot replica_of(const std::string& name) {
    for (const auto& x : core().replicas)
      if (x.name == name)
        return x;
    ADD_FAILURE() << "no replica " << name;
    return {};
  }

  const shared_server_ledger seen = std::make_shared<server_ledger>();
  std::vector<replica> replicas;
  std::map<std::string, std::unique_ptr<worker_pool>> pools;
  std::optional<replicator> all;
  caf::actor front;

private:
  answer_sink& sink() { return compat::object_of<answer_sink>(sink_); }

  std::vector<child_spec> children_;
  std::map<std::string, caf::actor> plain_;
  caf::actor sink_ = compat::make_redirecting<answer_sink>(system());
};

} // namespace coppice::test
