// This file is part of coppice. License: see LICENSE in the source root.

#include "support/replication_harness.hpp"

#include <algorithm>
#include <utility>

namespace coppice::test {

using namespace policy;
using enum replication_fact::kind;

std::vector<replica_spec> replicas(std::size_t n) {
  std::vector<replica_spec> result;
  for (std::size_t i = 0; i < n; ++i)
    result.push_back({.name = "r" + std::to_string(i)});
  return result;
}

std::string in_short(const replication_step& x) {
  std::string result = to_string(x.kind);
  if (x.kind == step_kind::forget)
    return result;
  if (x.kind == step_kind::give_up)
    return result + " " + to_string(x.why_given_up);
  result += " " + std::to_string(x.copy.number);
  if (x.kind == step_kind::send)
    result += std::string{" "} + to_string(x.why_sent);
  return result;
}

// -- the world ---------------------------------------------------------------

namespace {

replication_spec changed(replication_spec spec,
                         const replication_sabotage& broken) {
  if (broken.spec)
    broken.spec(spec);
  return spec;
}

void tell_core(replication_core& core, const replication_fact& x,
               time_point now, replication_core::steps& out) {
  switch (x.what) {
    case request:
      return core.on_request(now, x.copy.request, x.is_idempotent, out);
    case started:
      return core.on_started(now, x.copy, out);
    case answered:
      return core.on_answered(now, x.copy, x.equal_to, out);
    case failed:
      return core.on_failed(now, x.copy, x.how, out);
    case over:
      return core.on_over(now, x.copy.request, out);
    case timer:
      return core.on_timer(now, out);
    case gone:
    case back:
      return core.set_present(x.replica, x.what == back);
  }
}

} // namespace

replication_world::replication_world(const replication_spec& spec,
                                     const std::vector<replica_spec>& replicas,
                                     std::uint64_t seed,
                                     replication_sabotage broken)
  : broken_(std::move(broken)),
    core_(changed(spec, broken_), replicas, seed),
    checker_(spec, replicas) {}

replication_world::steps replication_world::tell(const replication_fact& x) {
  return tell_at(now_, x);
}

replication_world::steps replication_world::tell_at(time_point when,
                                                    const replication_fact& x) {
  const auto is_fine = checker_.objection().empty();
  steps out;
  checker_.before(x, when);
  tell_core(core_, x, when, out);
  if (broken_.steps)
    broken_.steps(out);
  checker_.after(out, core_.size(), core_.next_due());
  if (is_fine) {
    history_.push_back(std::to_string((when - time_point{}).count() / 1'000'000)
                       + " ms " + to_string(x));
    for (const auto& y : out)
      history_.back() += "; " + to_string(y);
  }
  return out;
}

bool replication_world::fire() {
  const auto due = core_.next_due();
  if (!due)
    return false;
  now_ = std::max(now_, *due);
  tell({.what = timer});
  return true;
}

void replication_world::run_for(duration span) {
  const auto end = now_ + span;
  while (core_.next_due() && *core_.next_due() <= end
         && checker_.objection().empty())
    fire();
  now_ = end;
}

void replication_world::run_out() {
  for (int left = 10'000; fire(); --left)
    if (left == 0 || !checker_.objection().empty())
      return checker_.object("has timers for ever");
}

std::string replication_world::objection() const {
  auto text = checker_.objection();
  const auto shown = std::min<std::size_t>(history_.size(), 60);
  if (!text.empty())
    for (auto i = history_.size() - shown; i < history_.size(); ++i)
      text += "\n  " + history_[i];
  return text;
}

// -- to be read aloud --------------------------------------------------------

replication_harness::strings replication_harness::say(replication_fact x) {
  strings result;
  for (const auto& step : tell(x))
    result.push_back(in_short(step));
  return result;
}

replication_harness::strings replication_harness::request(bool is_idempotent) {
  latest_ = ++ids_;
  asked_at_ = now();
  return say({.what = replication_fact::kind::request,
              .copy = {latest_, 0},
              .is_idempotent = is_idempotent});
}

replication_harness::strings
replication_harness::started(std::uint32_t number) {
  return say(
    {.what = replication_fact::kind::started, .copy = {latest_, number}});
}

replication_harness::strings
replication_harness::answered(std::uint32_t number, std::uint32_t equal_to) {
  return say({.what = replication_fact::kind::answered,
              .copy = {latest_, number},
              .equal_to = equal_to});
}

replication_harness::strings replication_harness::failed(std::uint32_t number,
                                                         copy_failure how) {
  return say({.what = replication_fact::kind::failed,
              .copy = {latest_, number},
              .how = how});
}

replication_harness::strings replication_harness::over() {
  return say({.what = replication_fact::kind::over, .copy = {latest_, 0}});
}

replication_harness::strings replication_harness::after(duration span) {
  strings result;
  const auto end = now() + span;
  while (core().next_due() && *core().next_due() <= end
         && checker().objection().empty()) {
    pass(std::max(duration{0}, *core().next_due() - now()));
    for (const auto& step : tell({.what = timer}))
      result.push_back(in_short(step));
  }
  pass(end - now());
  return result;
}

void replication_harness::warm_up(std::size_t n, duration latency) {
  for (std::size_t i = 0; i < n; ++i) {
    request();
    run_for(latency);
    const auto sent
      = checker().requests().at(latest_).copies.size(); // they may be hedged
    answered(0);
    for (std::uint32_t copy = 1; copy < sent; ++copy)
      failed(copy);
  }
}

void replication_harness::set_present(replica_id who, bool is_present) {
  tell({.what = is_present ? back : gone, .replica = who});
}

replica_id replication_harness::place_of(std::uint32_t number) const {
  return checker().requests().at(latest_).copies.at(number).replica;
}

} // namespace coppice::test
