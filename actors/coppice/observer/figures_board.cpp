// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/observer/figures_board.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <optional>

namespace coppice {

namespace {

using json = nlohmann::ordered_json;

double in_ms(policy::duration span) {
  return std::chrono::duration<double, std::milli>{span}.count();
}

json ms(policy::duration span) {
  return in_ms(span);
}

json ms(const std::optional<policy::duration>& span) {
  return span ? json(in_ms(*span)) : json();
}

/// Reasons that never came up are left out.
json counts_json(
  const std::array<std::uint64_t, policy::shed_reason_count>& x) {
  json res = json::object();
  for (std::size_t i = 0; i < x.size(); ++i)
    if (x[i] > 0)
      res[policy::to_string(static_cast<policy::shed_reason>(i))] = x[i];
  return res;
}

json members_json(const pool_statistics& x) {
  auto res = json::array();
  for (const auto& member : x.members)
    res.push_back({{"number", member.number},
                   {"available", member.available},
                   {"leaves", member.leaves},
                   {"outstanding", member.outstanding},
                   {"lives", member.lives},
                   {"dispatched", member.dispatched}});
  return res;
}

json pool_json(const std::string& name, const pool_statistics& x) {
  const auto& a = x.admission;
  return {{"name", name},
          {"waiting", a.depth},
          {"in_service", a.in_service},
          {"servers", a.servers},
          {"standing", a.standing},
          {"draining", a.draining},
          {"stopped", a.stopped},
          {"arrived", a.arrived},
          {"admitted", a.admitted},
          {"served", a.served},
          {"lost", a.lost},
          {"refused", counts_json(a.refused)},
          {"dropped", counts_json(a.dropped)},
          {"service_estimate_ms", ms(a.service_estimate)},
          {"service_mean_ms", ms(a.service_mean)},
          {"failed_with_worker", x.failed_with_worker},
          {"unwanted_answers", x.unwanted_answers},
          {"late_answers", x.late_answers},
          {"ignored", x.ignored},
          {"callback_failures", x.callback_failures},
          {"members", members_json(x)}};
}

json refusals_json(const policy::copy_refusals& x) {
  return {{"budget", x.budget},     {"domain", x.domain},
          {"pushback", x.pushback}, {"no_replica", x.no_replica},
          {"samples", x.samples},   {"switched_off", x.switched_off},
          {"load", x.load},         {"not_idempotent", x.not_idempotent}};
}

json replicator_json(const std::string& name, const replicator_statistics& x) {
  const auto& c = x.core;
  json res{{"name", name},
           {"requests", c.requests},
           {"answered", c.answered},
           {"failed", c.failed},
           {"over", c.over},
           {"in_flight", c.in_flight},
           {"copies_sent", c.copies_sent},
           {"extra_sent", c.extra_sent},
           {"late_sent", c.late_sent},
           {"failovers", c.failovers},
           {"extra_won", c.extra_won},
           {"shared_domain", c.shared_domain},
           {"withdrawn", c.withdrawn},
           {"wasted", c.wasted},
           {"wasted_time_ms", ms(c.wasted_time)},
           {"late_answers", c.late_answers},
           {"double_starts", c.double_starts},
           {"copies_refused", refusals_json(c.refused)},
           {"is_switched_off", c.is_switched_off},
           {"win_rate", c.win_rate}};
  res["p50_ms"] = ms(c.p50);
  res["p99_ms"] = ms(c.p99);
  res["p999_ms"] = ms(c.p999);
  res["hedge_delay_ms"] = ms(c.hedge_delay);
  res["not_idempotent"] = x.not_idempotent;
  res["refused_stopped"] = x.refused_stopped;
  res["stray_answers"] = x.stray_answers;
  res["one_way"] = x.one_way;
  res["callback_failures"] = x.callback_failures;
  return res;
}

template <class Sources, class Figures>
void ask(const Sources& sources, Figures& to) {
  for (const auto& [name, source] : sources)
    try {
      to[name] = source();
    } catch (...) { // as if it were not there
    }
}

template <class Sources, class Source>
void put(Sources& sources, const std::string& name, Source source) {
  if (source)
    sources[name] = std::move(source);
  else
    sources.erase(name);
}

} // namespace

void figures_board::add_pool(const std::string& name, pool_source source) {
  std::lock_guard guard{mutex_};
  put(pools_, name, std::move(source));
}

void figures_board::add_replicator(const std::string& name,
                                   replicator_source source) {
  std::lock_guard guard{mutex_};
  put(replicators_, name, std::move(source));
}

figures_board::figures figures_board::look() const {
  figures res;
  std::lock_guard guard{mutex_};
  ask(pools_, res.pools);
  ask(replicators_, res.replicators);
  return res;
}

std::string to_json(const figures_board::figures& x) {
  auto pools = json::array();
  for (const auto& [name, pool] : x.pools)
    pools.push_back(pool_json(name, pool));
  auto replicators = json::array();
  for (const auto& [name, replicator] : x.replicators)
    replicators.push_back(replicator_json(name, replicator));
  const json res{{"pools", std::move(pools)},
                 {"replicators", std::move(replicators)}};
  return res.dump(-1, ' ', false, json::error_handler_t::replace);
}

} // namespace coppice
