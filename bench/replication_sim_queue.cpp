// This file is part of coppice. License: see LICENSE in the source root.

#include "replication_sim_queue.hpp"

#include "replication_sim.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace replication_sim {

namespace {

using policy::copy_reason;
using policy::step_kind;

double in_services(policy::duration x) {
  return static_cast<double>(x.count())
         / static_cast<double>(service_mean.count());
}

policy::replication_spec prepared(policy::replication_spec spec) {
  prepare(spec, queue_servers);
  return spec;
}

} // namespace

policy::duration services(double count) {
  return std::chrono::round<policy::duration>(count * service_mean);
}

policy::replication_spec hedged_after_send() {
  return policy::replication_spec::hedged(
    fixed(services(4.3), policy::hedge_trigger::after_send));
}

policy::replication_spec uniform(policy::replication_spec spec) {
  spec.choice = policy::replica_choice::uniform;
  return spec;
}

policy::replication_spec tied_and_hedged_after_start() {
  return uniform(policy::replication_spec::tied_and_hedged(
    fixed(services(3.0), policy::hedge_trigger::after_start)));
}

queue_run::queue_run(const queue_settings& how, std::uint64_t seed)
  : how_(how),
    seed_(seed),
    gaps_(seed),
    core_(prepared(how.spec), replicas(queue_servers), seed) {
  latencies_.resize(how.requests);
}

queue_result queue_run::run() {
  while (measured_ < how_.requests)
    step();
  return result();
}

// What ends now makes room for what begins now.
void queue_run::step() {
  const auto due = core_.next_due().value_or(time_point::max());
  const auto end = ends_.empty() ? time_point::max() : ends_.top().when;
  now_ = std::min({end, due, next_arrival_});
  if (now_ == end)
    finish();
  else if (now_ == due)
    core_.on_timer(now_, todo_);
  else
    arrive();
  obey();
}

void queue_run::arrive() {
  const auto id = requests_.size();
  if (id == how_.warm_up)
    begin_measuring();
  requests_.push_back({.arrived = now_});
  core_.on_request(now_, id, true, todo_);
  const auto gap = -std::log(uniform(gaps_))
                   / (how_.load * static_cast<double>(queue_servers));
  next_arrival_ = now_ + services(gap);
}

void queue_run::finish() {
  const auto which = ends_.top();
  ends_.pop();
  auto& where = servers_[which.where];
  if (!where.running || where.turn != which.turn)
    return;
  const auto copy = where.running->copy;
  stop(which.where);
  core_.on_answered(now_, copy, todo_);
  start_next(which.where);
}

// Obeying brings new facts, and those bring more to obey.
void queue_run::obey() {
  for (std::size_t i = 0; i < todo_.size(); ++i) {
    const auto x = todo_[i];
    switch (x.kind) {
      case step_kind::send:
        place(x);
        break;
      case step_kind::cancel:
        withdraw(x);
        break;
      case step_kind::answer:
        record(x);
        break;
      case step_kind::forget:
        break;
      default:
        throw std::logic_error("nothing fails here: " + policy::to_string(x));
    }
  }
  todo_.clear();
}

void queue_run::place(const policy::replication_step& x) {
  const auto is_late = x.why_sent == copy_reason::late;
  const auto is_tied = how_.spec.mode == policy::replication_mode::tied
                       && !is_late;
  auto& where = servers_[x.replica];
  where.waiting.push_back({x.copy, is_tied, is_late});
  if (!where.running)
    start_next(x.replica);
}

void queue_run::start_next(std::uint32_t where) {
  auto& waiting = servers_[where].waiting;
  while (!waiting.empty() && !servers_[where].running) {
    const auto what = waiting.front();
    waiting.pop_front();
    auto& claim = requests_[what.copy.request].claimed_by;
    if (what.is_tied && claim != nobody) {
      core_.on_failed(now_, what.copy, {.is_unstarted = true}, todo_);
      continue;
    }
    if (what.is_tied)
      claim = what.copy.number;
    start(where, what);
  }
}

void queue_run::start(std::uint32_t where, const work& what) {
  auto& x = servers_[where];
  x.running = what;
  x.since = now_;
  const auto span = how_.work.draw(seed_, what.copy.request, what.copy.number);
  ends_.push({now_ + services(span), where, ++x.turn});
  late_started_ += what.is_late ? 1 : 0;
  auto& was_started = requests_[what.copy.request].was_started;
  extra_started_ += was_started ? 1 : 0;
  was_started = true;
  core_.on_started(now_, what.copy, todo_);
}

void queue_run::stop(std::uint32_t where) {
  auto& x = servers_[where];
  busy_ += now_ - std::max(x.since, measured_since_);
  x.running.reset();
}

void queue_run::withdraw(const policy::replication_step& x) {
  if (how_.losers == loser_fate::never_cancelled)
    return;
  auto& where = servers_[x.replica];
  const auto found
    = std::find_if(where.waiting.begin(), where.waiting.end(),
                   [&](const work& w) { return w.copy == x.copy; });
  if (found != where.waiting.end()) {
    where.waiting.erase(found);
    core_.on_failed(now_, x.copy, {.is_unstarted = true}, todo_);
  } else if (how_.losers == loser_fate::stopped && where.running
             && where.running->copy == x.copy) {
    stop(x.replica);
    core_.on_failed(now_, x.copy, {}, todo_);
    start_next(x.replica);
  }
}

void queue_run::record(const policy::replication_step& x) {
  auto& which = requests_[x.copy.request];
  if (which.is_answered)
    throw std::logic_error("answered twice: " + policy::to_string(x));
  which.is_answered = true;
  const auto position = x.copy.request - how_.warm_up;
  if (x.copy.request < how_.warm_up || position >= how_.requests)
    return;
  latencies_[position] = static_cast<float>(in_services(now_ - which.arrived));
  ++measured_;
}

void queue_run::begin_measuring() {
  before_ = core_.snapshot(now_);
  measured_since_ = now_;
  busy_ = {};
  late_started_ = extra_started_ = 0;
}

queue_result queue_run::result() {
  queue_result out;
  for (std::uint32_t i = 0; i < servers_.size(); ++i)
    if (servers_[i].running)
      stop(i);
  out.utilisation = in_services(busy_) / in_services(now_ - measured_since_)
                    / static_cast<double>(queue_servers);
  count_copies(out);
  const auto quarter = static_cast<std::ptrdiff_t>(latencies_.size() / 4);
  out.drift
    = replication_sim::mean({latencies_.end() - quarter, latencies_.end()})
      / replication_sim::mean(
        {latencies_.begin(), latencies_.begin() + quarter});
  out.mean = replication_sim::mean(latencies_);
  out.p99 = quantile(latencies_, 0.99);
  out.p999 = quantile(latencies_, 0.999);
  return out;
}

void queue_run::count_copies(queue_result& out) {
  out.end = core_.snapshot(now_);
  const auto requests
    = static_cast<double>(out.end.requests - before_.requests);
  const auto per_request = [&](std::uint64_t count) {
    return static_cast<double>(count) / requests;
  };
  const auto kept_back = [](const policy::replication_snapshot& x) {
    return x.refused.load + x.refused.switched_off;
  };
  out.late = per_request(out.end.late_sent - before_.late_sent);
  out.late_started = per_request(late_started_);
  out.extra_started = per_request(extra_started_);
  out.kept_back = per_request(kept_back(out.end) - kept_back(before_));
}

namespace {

queue_result median_of(const std::vector<queue_result>& runs) {
  constexpr double queue_result::*fields[]
    = {&queue_result::mean,         &queue_result::p99,
       &queue_result::p999,         &queue_result::drift,
       &queue_result::utilisation,  &queue_result::late,
       &queue_result::late_started, &queue_result::extra_started,
       &queue_result::kept_back};
  auto out = runs.back();
  for (const auto field : fields) {
    samples all;
    for (const auto& run : runs)
      all.push_back(run.*field);
    out.*field = median(all);
  }
  return out;
}

} // namespace

std::vector<queue_result> median_runs(const std::vector<queue_settings>& all,
                                      std::uint64_t seeds) {
  std::vector<std::vector<queue_result>> runs(all.size(),
                                              std::vector<queue_result>(seeds));
  in_parallel(all.size() * seeds, [&](std::size_t i) {
    const auto seed = i % seeds;
    runs[i / seeds][seed] = queue_run{all[i / seeds], seed + 1}.run();
  });
  std::vector<queue_result> out;
  for (const auto& x : runs)
    out.push_back(median_of(x));
  return out;
}

} // namespace replication_sim
