// This file is part of coppice. License: see LICENSE in the source root.

#include "support/replication_simulation.hpp"

#include "support/random_choice.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

namespace coppice::test {

using namespace policy;
using namespace std::chrono_literals;
using enum replication_fact::kind;

namespace {

/// Requests that are not forgotten, at a time.
constexpr std::size_t open_max = 12;

hedge_spec random_hedge(random_source& random, replication_mode mode) {
  hedge_spec result;
  if (mode == replication_mode::tied || one_in(random, 2))
    result.trigger = hedge_trigger::after_start;
  if (one_in(random, 3))
    result.samples_min = one_of(random, {1u, 5u});
  else
    result.quantile = std::nullopt;
  result.delay = one_of<duration>(random, {1ns, 1ms, 10ms, 100ms});
  result.floor = one_of<duration>(random, {0ms, 1ms, 10ms});
  if (one_in(random, 2))
    result.cap = result.floor.span() + 5ms;
  result.extra_max = one_of(random, {1u, 1u, 2u, 8u});
  return result;
}

copy_budget_spec random_budget(random_source& random) {
  copy_budget_spec result;
  if (!one_in(random, 3))
    result.share = one_of(random, {0.0, 0.05, 0.5, 1.0, 63.0});
  result.window = one_of<duration>(random, {1ms, 50ms, 10s});
  result.reserve = one_of(random, {0u, 1u, 3u, 1'000u});
  return result;
}

} // namespace

std::vector<replica_spec> random_replicas(random_source& random) {
  auto result = replicas(1 + random.up_to(7));
  const auto has_domains = one_in(random, 3);
  const auto servers = one_of(random, {0u, 0u, 1u, 3u});
  for (auto& x : result) {
    x.servers = servers;
    if (has_domains)
      x.domain.data_path = one_of(random, {"", "disk a", "disk b", "disk c"});
    if (has_domains && one_in(random, 2))
      x.domain.host = one_of(random, {"host a", "host b"});
  }
  return result;
}

replication_spec random_replication(random_source& random,
                                    const std::vector<replica_spec>& replicas) {
  const auto n = static_cast<std::uint32_t>(replicas.size());
  replication_spec result;
  for (;;) {
    using enum replication_mode;
    result = {.mode = one_of(random, {race, hedge, tied, tied, quorum})};
    result.copies = result.mode == hedge
                      ? 1
                      : static_cast<std::uint32_t>(2 + random.up_to(n));
    result.hedge = std::nullopt;
    if (result.mode == hedge || (result.mode == tied && one_in(random, 2)))
      result.hedge = random_hedge(random, result.mode);
    if (result.mode == quorum) {
      result.quorum
        = static_cast<std::uint32_t>(1 + random.up_to(result.copies - 1));
      result.quorum_agrees = one_in(random, 2);
    }
    result.budget = random_budget(random);
    result.off_switch.wins_min = one_of(random, {0.0, 0.02, 0.5});
    result.off_switch.judged_by = one_of(random, {10u, 200u});
    result.choice
      = one_of(random, {replica_choice::uniform, replica_choice::two_choices});
    result.shared_domain
      = one_of(random, {shared_domain_rule::refuse, shared_domain_rule::flag});
    result.ejection.failures_max = one_of(random, {1u, 5u});
    result.ejection.first = one_of<duration>(random, {1ms, 1s});
    result.ejection.share_max = one_of(random, {0.0, 0.5, 1.0});
    if (validate(result, replicas, "random").empty())
      return result;
  }
}

// -- one schedule ------------------------------------------------------------

replication_simulation::replication_simulation(std::uint64_t seed,
                                               replication_sabotage broken)
  : replication_simulation(
    random_source{seed ^ 0x5eed}, seed,
    [seed] {
      random_source random{seed};
      auto result = random_replicas(random);
      // One replica, or one domain, fits few policies.
      const auto fits = [&result] {
        return result.size() > 1
               && !share_domain(result.front().domain, result.back().domain);
      };
      while (!fits())
        result = random_replicas(random);
      return result;
    }(),
    std::move(broken)) {}

replication_simulation::replication_simulation(
  random_source random, std::uint64_t seed,
  const std::vector<replica_spec>& replicas, replication_sabotage broken)
  : random_(random),
    replicas_(replicas.size()),
    world_(random_replication(random_, replicas), replicas, seed,
           std::move(broken)) {}

std::string replication_simulation::run() {
  const auto steps = 10 + random_.up_to(90);
  for (std::uint64_t i = 0; i < steps && world_.objection().empty(); ++i)
    step();
  if (world_.objection().empty())
    end();
  return world_.objection();
}

void replication_simulation::step() {
  switch (random_.up_to(19)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return ask();
    case 4:
    case 5:
    case 6:
    case 7:
      return report(started);
    case 8:
    case 9:
    case 10:
      return report(answered);
    case 11:
    case 12:
      return report(failed);
    case 13:
      return report(over);
    case 14:
      return report_nonsense();
    case 15:
      return toggle_replica();
    default:
      return pass_time();
  }
}

void replication_simulation::tell(replication_fact x) {
  ++facts_;
  if (one_in(random_, 20))
    world_.tell_at(world_.now() - 5ms, x);
  else
    world_.tell(x);
}

void replication_simulation::ask() {
  if (world_.checker().requests().size() < open_max)
    tell({.what = request,
          .copy = {++ids_, 0},
          .is_idempotent = !one_in(random_, 10)});
}

replication_fact
replication_simulation::about_a_copy(replication_fact::kind what) {
  const auto& all = world_.checker().requests();
  const auto& [id, x] = *std::next(
    all.begin(), static_cast<std::ptrdiff_t>(random_.up_to(all.size() - 1)));
  const auto last = std::max<std::size_t>(1, x.copies.size()) - 1;
  const copy_name copy{id, static_cast<std::uint32_t>(random_.up_to(last))};
  replication_fact result{.what = what, .copy = copy};
  if (what == answered)
    result.equal_to = answer_of(copy);
  if (what == failed)
    result.how = random_failure();
  return result;
}

void replication_simulation::report(replication_fact::kind what) {
  if (!world_.checker().requests().empty())
    tell(about_a_copy(what));
}

void replication_simulation::report_nonsense() {
  const auto what = one_of(random_, {started, answered, failed, over, timer});
  const auto id = random_.up_to(ids_ + 2);
  const auto number = static_cast<std::uint32_t>(64 + random_.up_to(2));
  tell({.what = what, .copy = {id, number}, .equal_to = number});
}

void replication_simulation::pass_time() {
  if (one_in(random_, 2)) {
    ++facts_;
    world_.fire();
  } else {
    world_.pass(one_of<duration>(random_, {1ns, 1ms, 10ms, 1s, 29s}));
  }
}

void replication_simulation::toggle_replica() {
  tell({.what = one_in(random_, 4) ? gone : back,
        .replica = static_cast<replica_id>(random_.up_to(replicas_ - 1))});
}

copy_failure replication_simulation::random_failure() {
  copy_failure result{.is_fatal = one_in(random_, 8),
                      .is_unstarted = one_in(random_, 4)};
  if (one_in(random_, 8))
    result.pushback = one_of<duration>(random_,
                                       {0ms, 10ms, 2s, 2h, duration::max()});
  return result;
}

// There are two kinds of answers.
std::uint32_t replication_simulation::answer_of(copy_name copy) {
  const auto& copies = world_.checker().requests().at(copy.request).copies;
  const auto is_usual = !one_in(random_, 3);
  std::optional<std::uint32_t> usual, other;
  for (std::uint32_t i = 0; i < copies.size(); ++i)
    if (copies[i].has_answered && copies[i].equal_to == i)
      (usual ? other : usual) = i;
  return (is_usual ? usual : other).value_or(copy.number);
}

/// Those who are needed report; of the others, some never do.
void replication_simulation::end() {
  for (int left = 10'000; left > 0; --left) {
    std::vector<copy_name> out;
    for (const auto& [id, x] : world_.checker().requests())
      for (std::uint32_t i = 0; i < x.copies.size(); ++i)
        if (x.copies[i].is_out())
          out.push_back({id, i});
    if (out.empty() || !world_.objection().empty())
      break;
    const auto copy = one_from(random_, out);
    if (one_in(random_, 2))
      tell({.what = answered, .copy = copy, .equal_to = answer_of(copy)});
    else
      tell({.what = failed, .copy = copy, .how = random_failure()});
    for (int i = 0; i < 2; ++i)
      report(one_of(random_, {started, answered, failed}));
  }
  world_.run_out();
  world_.check_counts();
}

} // namespace coppice::test
