// This file is part of coppice. License: see LICENSE in the source root.

#include "figures.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>

namespace blob_service {

namespace {

using coppice::policy::duration;
using json = nlohmann::ordered_json;

double in_ms(duration x) {
  return std::chrono::duration<double, std::milli>{x}.count();
}

json ms_or_null(const std::optional<duration>& x) {
  return x ? json(in_ms(*x)) : json(nullptr);
}

double percent_beyond(std::uint64_t all, std::uint64_t needed) {
  if (needed == 0)
    return 0;
  return 100.0 * (static_cast<double>(all) / static_cast<double>(needed) - 1);
}

std::uint64_t sum_of(const coppice::policy::copy_refusals& x) {
  return x.budget + x.domain + x.pushback + x.no_replica + x.samples
         + x.switched_off + x.load + x.not_idempotent;
}

json refusals_of(const coppice::policy::copy_refusals& x) {
  return {{"budget", x.budget},     {"domain", x.domain},
          {"pushback", x.pushback}, {"no_replica", x.no_replica},
          {"samples", x.samples},   {"switched_off", x.switched_off},
          {"load", x.load},         {"not_idempotent", x.not_idempotent}};
}

json replica_of(const coppice::policy::replica_snapshot& x) {
  return {{"name", x.name},
          {"sent", x.sent},
          {"answered", x.answered},
          {"failed", x.failed},
          {"outstanding", x.outstanding},
          {"available", x.is_available},
          {"set_aside", x.is_set_aside},
          {"times_set_aside", x.times_set_aside}};
}

json mode_of(const coppice::replicator_statistics& all) {
  const auto& x = all.core;
  json result{{"requests", x.requests},
              {"answered", x.answered},
              {"failed", x.failed},
              {"over", x.over},
              {"in_flight", x.in_flight},
              {"copies_sent", x.copies_sent},
              {"extra_sent", x.extra_sent},
              {"extra_won", x.extra_won},
              {"late_sent", x.late_sent},
              {"failovers", x.failovers},
              {"withdrawn", x.withdrawn},
              {"wasted", x.wasted},
              {"wasted_ms", in_ms(x.wasted_time)},
              {"late_answers", x.late_answers},
              {"double_starts", x.double_starts},
              {"refused", refusals_of(x.refused)},
              {"switched_off", x.is_switched_off},
              {"win_rate", x.win_rate},
              {"p50_ms", ms_or_null(x.p50)},
              {"p99_ms", ms_or_null(x.p99)},
              {"p999_ms", ms_or_null(x.p999)},
              {"hedge_delay_ms", ms_or_null(x.hedge_delay)},
              {"replicas", json::array()}};
  for (const auto& replica : x.replicas)
    result["replicas"].push_back(replica_of(replica));
  return result;
}

json site_of(const service& of, std::size_t number) {
  const auto& site = *of.sites().at(number);
  const auto pool = of.pool_of(number);
  return {{"name", site.name},
          {"reads", site.begun.load()},
          {"slowed", site.slowed.load()},
          {"broken", site.broken.load()},
          {"called_off", site.called_off.load()},
          {"waiting", pool.admission.depth},
          {"failed_with_worker", pool.failed_with_worker}};
}

json window_of(const traffic::snapshot& x) {
  return {{"seconds", traffic::window.count()},
          {"p50_ms", ms_or_null(x.p50)},
          {"p99_ms", ms_or_null(x.p99)},
          {"p999_ms", ms_or_null(x.p999)}};
}

std::string ms_text(const std::optional<duration>& x) {
  char result[32] = "-";
  if (x)
    std::snprintf(result, sizeof result, "%.1f", in_ms(*x));
  return result;
}

} // namespace

void traffic::add(clock::time_point begin, int status) {
  const auto now = clock::now();
  const std::lock_guard lock{guard_};
  ++requests_;
  ++by_status_[status];
  digest_.learn(now, now - begin);
}

traffic::snapshot traffic::look() {
  const auto now = clock::now();
  const std::lock_guard lock{guard_};
  digest_.advance(now);
  return {.requests = requests_,
          .by_status = by_status_,
          .p50 = digest_.quantile(0.5),
          .p99 = digest_.quantile(0.99),
          .p999 = digest_.quantile(0.999)};
}

void traffic::begin_window() {
  const std::lock_guard lock{guard_};
  digest_ = coppice::policy::latency_digest{window};
}

replication_sums sums_of(const service& x) {
  replication_sums result;
  for (const auto mode : all_modes) {
    const auto core = x.statistics(mode).core;
    result.requests += core.requests;
    result.won += core.extra_won;
    result.wasted += core.wasted;
    if (mode != serving_mode::off) // there, all are refused, and that is meant
      result.refused += sum_of(core.refused);
  }
  for (const auto& site : x.sites())
    result.reads += site->begun;
  return result;
}

std::string live_line::next(const service& of, traffic& seen) {
  const auto window = seen.look();
  const auto now = sums_of(of);
  const auto at = traffic::clock::now();
  const std::chrono::duration<double> span = at - at_;
  const auto rate = static_cast<double>(window.requests - requests_before_)
                    / std::max(span.count(), 1e-3);
  char text[200];
  std::snprintf(text, sizeof text,
                "%-5s %7.0f/s | ms p50 %s p99 %s p99.9 %s | extra %.1f %%,"
                " won %llu, refused %llu, wasted %llu",
                to_string(of.mode()), rate, ms_text(window.p50).c_str(),
                ms_text(window.p99).c_str(), ms_text(window.p999).c_str(),
                percent_beyond(now.reads - before_.reads,
                               now.requests - before_.requests),
                static_cast<unsigned long long>(now.won - before_.won),
                static_cast<unsigned long long>(now.refused - before_.refused),
                static_cast<unsigned long long>(now.wasted - before_.wasted));
  before_ = now;
  requests_before_ = window.requests;
  at_ = at;
  return text;
}

std::string to_json(const service& of, traffic& seen) {
  const auto traffic_now = seen.look();
  const auto sums = sums_of(of);
  json result{{"mode", to_string(of.mode())},
              {"requests", traffic_now.requests},
              {"by_status", json::object()},
              {"window", window_of(traffic_now)},
              {"reads", sums.reads},
              {"extra_reads_percent",
               percent_beyond(sums.reads, sums.requests)},
              {"modes", json::object()},
              {"replicas", json::array()}};
  for (const auto& [status, count] : traffic_now.by_status)
    result["by_status"][std::to_string(status)] = count;
  for (const auto mode : all_modes)
    result["modes"][to_string(mode)] = mode_of(of.statistics(mode));
  for (std::size_t i = 0; i < of.sites().size(); ++i)
    result["replicas"].push_back(site_of(of, i));
  return result.dump(2) + '\n';
}

} // namespace blob_service
