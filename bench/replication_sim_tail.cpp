// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/replication_core.hpp"

#include "replication_sim.hpp"
#include "replication_sim_laws.hpp"

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
/// Per seed. One in a thousand of these is six: a p99.9 to be seen, not judged.
constexpr std::size_t fan_outs = 6'000;
/// Of the modes that are judged.
constexpr std::size_t fan_outs_judged = 20'000;

struct tail_mode {
  const char* name;
  policy::replication_spec spec;
  std::size_t fan_outs_per_seed = fan_outs;
};

struct tail_result {
  /// Of fan-outs. Unit: ms.
  std::vector<float> times;
  std::uint64_t requests = 0;
  std::uint64_t extra = 0;

  [[nodiscard]] double extra_percent() const noexcept {
    return 100.0 * static_cast<double>(extra) / static_cast<double>(requests);
  }
};

/// Fan-outs one after the other. A copy takes as long as the law says, whatever
/// else its server does: replicas are independent, and nobody queues.
class tail_run {
public:
  tail_run(const policy::replication_spec& spec, std::uint64_t seed)
    : seed_(seed), core_(spec, replicas(servers), seed) {}

  tail_result run(std::size_t count) {
    tail_result out;
    for (std::size_t i = 0; i < count; ++i)
      out.times.push_back(static_cast<float>(
        std::chrono::duration<double, std::milli>(fan_out()).count()));
    const auto end = core_.snapshot(now_);
    out.requests = end.requests;
    out.extra = end.extra_sent;
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
  std::vector<tail_mode> out{
    {"none", single(), fan_outs_judged},
    {"hedge, 5 ms, budget 20 %", hedged_after(5ms, 0.2)},
    {"hedge, 10 ms", hedged_after(10ms, 0.05), fan_outs_judged},
    {"hedge, 20 ms", hedged_after(20ms, 0.05)},
    {"hedge, 50 ms", hedged_after(50ms, 0.05)},
    {"hedge, p98 as measured", hedged_at_p98()}};
  for (auto& x : out)
    prepare(x.spec, servers);
  return out;
}

/// Of each mode, all seeds in one: quantiles this high need all fan-outs there
/// are.
std::vector<tail_result> pooled(const std::vector<tail_mode>& all,
                                const settings& how) {
  std::vector<tail_result> runs(all.size() * how.seeds);
  in_parallel(runs.size(), [&](std::size_t i) {
    const auto& mode = all[i / how.seeds];
    runs[i] = tail_run{mode.spec, i % how.seeds + 1}.run(
      how.of(mode.fan_outs_per_seed));
  });
  std::vector<tail_result> out(all.size());
  for (std::size_t i = 0; i < runs.size(); ++i) {
    auto& into = out[i / how.seeds];
    into.times.insert(into.times.end(), runs[i].times.begin(),
                      runs[i].times.end());
    into.requests += runs[i].requests;
    into.extra += runs[i].extra;
  }
  return out;
}

} // namespace

void print_tail(const settings& how, targets& out) {
  std::printf("\n## The Tail at Scale\n\n%zu leaves in %zu servers, wait for "
              "all; ms; the fan-outs of all seeds together.\nReplicas are "
              "independent, by assumption: this checks the mechanism, and says "
              "nothing\nabout real servers.\n\n"
              "| mode | fan-outs | p50 | p95 | p99 | p99.9 | extra requests |\n"
              "|---|--:|--:|--:|--:|--:|--:|\n",
              leaves, servers);
  const auto all = modes();
  auto results = pooled(all, how);
  samples p999;
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto& times = results[i].times;
    p999.push_back(quantile(times, 0.999));
    std::printf("| %s | %zu | %.0f | %.0f | %.0f | %.0f | %.2f %% |\n",
                all[i].name, times.size(), quantile(times, 0.5),
                quantile(times, 0.95), quantile(times, 0.99), p999[i],
                results[i].extra_percent());
    if (i > 0 && all[i].fan_outs_per_seed == fan_outs_judged) {
      out.push_back(
        {"tail.hedge_10ms.p999_share_of_none", p999[i] / p999[0], 0.05});
      out.push_back(
        {"tail.hedge_10ms.extra_percent", results[i].extra_percent(), 2.5});
    }
  }
}

} // namespace replication_sim
