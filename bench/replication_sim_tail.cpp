// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/replication_core.hpp"

#include "replication_sim.hpp"
#include "replication_sim_laws.hpp"

#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <queue>
#include <stdexcept>

namespace replication_sim {

namespace {

using namespace std::literals;
using policy::step_kind;

constexpr std::size_t leaves = 1'000;
constexpr std::size_t servers = 100;
constexpr std::size_t fan_outs = 6'000;

struct tail_mode {
  const char* name;
  policy::replication_spec spec;
};

struct tail_result {
  /// p50, p95, p99 and p99.9 of fan-outs. Unit: ms.
  std::array<double, 4> quantiles;
  double extra_percent;
};

/// Fan-outs one after the other. A copy takes as long as the law says, whatever
/// else its server does: replicas are independent, and nobody queues.
class tail_run {
public:
  tail_run(const policy::replication_spec& spec, std::uint64_t seed)
    : seed_(seed), core_(spec, replicas(servers), seed) {}

  tail_result run(std::size_t count) {
    std::vector<float> times;
    for (std::size_t i = 0; i < count; ++i)
      times.push_back(static_cast<float>(
        std::chrono::duration<double, std::milli>(fan_out()).count()));
    tail_result out{};
    constexpr std::array shares{0.5, 0.95, 0.99, 0.999};
    for (std::size_t i = 0; i < shares.size(); ++i)
      out.quantiles[i] = quantile(times, shares[i]);
    const auto end = core_.snapshot(now_);
    out.extra_percent = 100.0 * static_cast<double>(end.extra_sent)
                        / static_cast<double>(end.requests);
    return out;
  }

private:
  struct end_of_copy {
    policy::time_point when;
    policy::copy_name copy;
    bool operator<(const end_of_copy& x) const { return when > x.when; }
  };

  policy::duration fan_out() {
    const auto begin = now_;
    waiting_for_ = leaves;
    is_answered_.assign(leaves, false);
    first_ += leaves;
    for (std::size_t i = 0; i < leaves; ++i) {
      core_.on_request(now_, first_ + i, true, todo_);
      obey();
    }
    while (waiting_for_ > 0)
      step();
    return now_ - begin;
  }

  void step() {
    const auto due = core_.next_due();
    if (due && (ends_.empty() || *due < ends_.top().when)) {
      now_ = *due;
      core_.on_timer(now_, todo_);
    } else {
      const auto x = ends_.top();
      ends_.pop();
      // The copy was cancelled, perhaps fan-outs ago.
      if (x.copy.request < first_ || is_answered_[x.copy.request - first_])
        return;
      now_ = x.when;
      core_.on_answered(now_, x.copy, todo_);
    }
    obey();
  }

  void obey() {
    for (std::size_t i = 0; i < todo_.size(); ++i) {
      const auto x = todo_[i];
      if (x.kind == step_kind::send)
        send(x.copy);
      else if (x.kind == step_kind::cancel)
        core_.on_failed(now_, x.copy, {}, todo_);
      else if (x.kind == step_kind::answer)
        answer(x.copy.request);
      else if (x.kind != step_kind::forget)
        throw std::logic_error("nothing fails here: " + policy::to_string(x));
    }
    todo_.clear();
  }

  void send(policy::copy_name copy) {
    auto from = source_of(seed_, copy.request, copy.number);
    const std::chrono::duration<double, std::milli> span{leaf_latency(from)};
    ends_.push({now_ + std::chrono::round<policy::duration>(span), copy});
  }

  void answer(policy::request_id id) {
    if (is_answered_[id - first_])
      throw std::logic_error("a leaf was answered twice");
    is_answered_[id - first_] = true;
    --waiting_for_;
  }

  std::uint64_t seed_;
  policy::replication_core core_;
  std::priority_queue<end_of_copy> ends_;
  policy::replication_core::steps todo_;
  std::vector<bool> is_answered_;
  policy::request_id first_ = 0;
  std::size_t waiting_for_ = 0;
  policy::time_point now_{};
};

policy::replication_spec hedged_after(policy::duration delay, double share) {
  auto spec = policy::replication_spec::hedged(
    fixed(delay, policy::hedge_trigger::after_send));
  spec.budget.share = share;
  return spec;
}

/// After what it has seen 98 % of the leaves take, i.e. some 10 ms.
policy::replication_spec hedged_at_p98() {
  return policy::replication_spec::hedged({.quantile = 0.98});
}

std::vector<tail_mode> modes() {
  std::vector<tail_mode> out{{"none", single()},
                             {"hedge, 5 ms, budget 20 %",
                              hedged_after(5ms, 0.2)},
                             {"hedge, 10 ms", hedged_after(10ms, 0.05)},
                             {"hedge, 20 ms", hedged_after(20ms, 0.05)},
                             {"hedge, 50 ms", hedged_after(50ms, 0.05)},
                             {"hedge, p98 as measured", hedged_at_p98()}};
  for (auto& x : out)
    prepare(x.spec, servers);
  return out;
}

tail_result median_of(const std::vector<tail_result>& runs) {
  const auto median_by = [&](auto value) {
    samples all;
    for (const auto& x : runs)
      all.push_back(value(x));
    return median(all);
  };
  tail_result out{};
  for (std::size_t i = 0; i < out.quantiles.size(); ++i)
    out.quantiles[i]
      = median_by([i](const tail_result& x) { return x.quantiles[i]; });
  out.extra_percent
    = median_by([](const tail_result& x) { return x.extra_percent; });
  return out;
}

std::vector<tail_result> median_tails(const std::vector<tail_mode>& all,
                                      const settings& how) {
  std::vector<std::vector<tail_result>> runs(
    all.size(), std::vector<tail_result>(how.seeds));
  in_parallel(all.size() * how.seeds, [&](std::size_t i) {
    const auto seed = i % how.seeds;
    const auto& mode = all[i / how.seeds];
    runs[i / how.seeds][seed]
      = tail_run{mode.spec, seed + 1}.run(how.of(fan_outs));
  });
  std::vector<tail_result> out;
  for (const auto& x : runs)
    out.push_back(median_of(x));
  return out;
}

} // namespace

void print_tail(const settings& how, targets& out) {
  std::printf("\n## The Tail at Scale\n\n%zu leaves in %zu servers, wait for "
              "all; %zu fan-outs, ms. Replicas are independent,\nby "
              "assumption: this checks the mechanism, and says nothing about "
              "real servers.\n\n"
              "| mode | p50 | p95 | p99 | p99.9 | extra requests |\n"
              "|---|--:|--:|--:|--:|--:|\n",
              leaves, servers, how.of(fan_outs));
  const auto all = modes();
  const auto results = median_tails(all, how);
  const auto none = results.front().quantiles.back();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& mode = all[i];
    const auto& x = results[i];
    const auto& q = x.quantiles;
    std::printf("| %s | %.0f | %.0f | %.0f | %.0f | %.2f %% |\n", mode.name,
                q[0], q[1], q[2], q[3], x.extra_percent);
    if (mode.spec.hedge->delay == policy::time_limit{10ms}
        && !mode.spec.hedge->quantile) {
      out.push_back({"tail.hedge_10ms.p999_share_of_none", q[3] / none, 0.05});
      out.push_back({"tail.hedge_10ms.extra_percent", x.extra_percent, 2.5});
    }
  }
}

} // namespace replication_sim
