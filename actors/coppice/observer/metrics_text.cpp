// This file is part of coppice. License: see LICENSE in the source root.

// The one source file that knows prometheus-cpp.

#include "coppice/observer/metrics_text.hpp"

#include "coppice/text_escape.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <sstream>

namespace coppice {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using labels = std::vector<ClientMetric::Label>;

double seconds(duration span) {
  return std::chrono::duration<double>{span}.count();
}

/// The format is UTF-8; ids need not be.
std::string clean(const std::string& text) {
  std::string res;
  for (std::string_view rest = text; !rest.empty();) {
    const auto size = detail::utf8_size(rest);
    res += size == 0 ? std::string_view{"\xef\xbf\xbd"} : rest.substr(0, size);
    rest.remove_prefix(std::max(size, std::size_t{1}));
  }
  return res;
}

class family {
public:
  family(std::vector<MetricFamily>& out, MetricType type, std::string name,
         std::string help)
    : out_(out) {
    family_.name = std::move(name);
    family_.help = std::move(help);
    family_.type = type;
  }
  family(const family&) = delete;
  family& operator=(const family&) = delete;
  ~family() { out_.push_back(std::move(family_)); }

  template <class T>
  family& add(T number, labels of = {}) {
    const auto value = static_cast<double>(number);
    ClientMetric metric;
    metric.label = std::move(of);
    for (auto& label : metric.label)
      label.value = clean(label.value);
    (family_.type == MetricType::Counter ? metric.counter.value
                                         : metric.gauge.value)
      = value;
    family_.metric.push_back(std::move(metric));
    return *this;
  }

private:
  std::vector<MetricFamily>& out_;
  MetricFamily family_;
};

// -- the tree ----------------------------------------------------------------

struct tree_totals {
  std::map<std::pair<std::string, std::string>, std::uint64_t> by_state;
  duration oldest_beat{0};
  double suspicion = 0;
  std::uint64_t parked = 0;
  std::uint64_t held = 0;
};

void add_up(tree_totals& to, const tree_node& x) {
  ++to.by_state[{policy::to_string(x.kind), to_string(x.state)}];
  to.parked += x.parked ? 1u : 0u;
  to.held += x.hold_reason.empty() ? 0u : 1u;
  if (x.heartbeat) {
    if (x.heartbeat->busy)
      to.oldest_beat = std::max(to.oldest_beat, x.heartbeat->age);
    to.suspicion = std::max(to.suspicion, x.heartbeat->suspicion);
  }
  for (const auto& child : x.children)
    add_up(to, child);
}

void add_tree(std::vector<MetricFamily>& out, const tree_snapshot& x) {
  tree_totals totals;
  add_up(totals, x.root);
  {
    family children{out, MetricType::Gauge, "coppice_children",
                    "Workers and supervisors by state, the root included."};
    for (const auto& [key, count] : totals.by_state)
      children.add(count, {{"kind", key.first}, {"state", key.second}});
  }
  family{out, MetricType::Gauge, "coppice_tree_state",
         "The state of the tree that is the case has 1."}
    .add(1, {{"state", to_string(x.state)}});
  family{out, MetricType::Gauge, "coppice_spec_version",
         "1, and one more with each reload."}
    .add(x.version);
  family{out, MetricType::Gauge, "coppice_abandoned_lives",
         "Lives that would not end, and hold a thread."}
    .add(x.abandoned.size());
  family{out, MetricType::Gauge, "coppice_parked_children",
         "Children whose budget is spent, tried at the longest delay."}
    .add(totals.parked);
  family{out, MetricType::Gauge, "coppice_held_children",
         "Children that an operator holds with a reason."}
    .add(totals.held);
  family{out, MetricType::Gauge, "coppice_heartbeat_age_seconds_max",
         "Longest silence of a worker with work in hand."}
    .add(seconds(totals.oldest_beat));
  family{out, MetricType::Gauge, "coppice_heartbeat_suspicion_max",
         "Suspicion of the worst child; 1 is the verdict."}
    .add(totals.suspicion);
}

// -- events ------------------------------------------------------------------

void add_events(std::vector<MetricFamily>& out, const tree_snapshot& tree,
                const event_counts& x) {
  {
    family events{out, MetricType::Counter, "coppice_events_total",
                  "Events by kind, those dropped left out."};
    for (auto i = std::size_t{1};
         i <= static_cast<std::size_t>(policy::last_event_kind); ++i)
      events.add(x.by_kind[i],
                 {{"kind", policy::to_string(static_cast<event_kind>(i))}});
  }
  {
    family restarts{out, MetricType::Counter, "coppice_restarts_total",
                    "Restarts by supervisor and cause."};
    for (const auto& [key, count] : x.restarts)
      restarts.add(count, {{"supervisor", key.first},
                           {"cause", policy::to_string(key.second)}});
  }
  family{out, MetricType::Counter, "coppice_events_dropped_total",
         "Events that nobody saw, as the observer was too slow."}
    .add(tree.events_dropped, {{"by", "tree"}})
    .add(x.dropped, {{"by", "subscriber"}});
  family{out, MetricType::Counter, "coppice_event_listener_failures_total",
         "Exceptions of listeners."}
    .add(x.listener_failures);
}

// -- figures -----------------------------------------------------------------

template <class Things, class Get>
void add_each(std::vector<MetricFamily>& out, MetricType type, const char* name,
              const char* help, const char* label, const Things& things,
              Get get) {
  if (things.empty())
    return;
  family all{out, type, name, help};
  for (const auto& [id, thing] : things)
    all.add(get(thing), {{label, id}});
}

void add_pools(std::vector<MetricFamily>& out,
               const std::map<std::string, pool_statistics>& pools) {
  constexpr auto gauge = MetricType::Gauge;
  constexpr auto counter = MetricType::Counter;
  const auto add = [&](MetricType type, const char* name, const char* help,
                       auto get) {
    add_each(out, type, name, help, "pool", pools, get);
  };
  using pool = pool_statistics;
  add(gauge, "coppice_pool_waiting", "Requests that wait.",
      [](const pool& x) { return x.admission.depth; });
  add(gauge, "coppice_pool_in_service", "Requests that workers have.",
      [](const pool& x) { return x.admission.in_service; });
  add(gauge, "coppice_pool_servers", "How many may be in service.",
      [](const pool& x) { return x.admission.servers; });
  add(counter, "coppice_pool_arrived_total", "Requests that came.",
      [](const pool& x) { return x.admission.arrived; });
  add(counter, "coppice_pool_served_total", "Requests that were answered.",
      [](const pool& x) { return x.admission.served; });
  add(counter, "coppice_pool_lost_total", "Requests whose worker ended.",
      [](const pool& x) { return x.admission.lost; });
  if (pools.empty())
    return;
  family shed{out, counter, "coppice_pool_shed_total",
              "Requests turned away, at arrival or after."};
  for (const auto& [id, x] : pools)
    for (std::size_t i = 0; i < policy::shed_reason_count; ++i) {
      const std::string why{
        policy::to_string(static_cast<policy::shed_reason>(i))};
      shed.add(x.admission.refused[i],
               {{"pool", id}, {"reason", why}, {"when", "arrival"}});
      shed.add(x.admission.dropped[i],
               {{"pool", id}, {"reason", why}, {"when", "waiting"}});
    }
}

void add_replicators(std::vector<MetricFamily>& out,
                     const std::map<std::string, replicator_statistics>& all) {
  const auto add = [&](MetricType type, const char* name, const char* help,
                       auto get) {
    add_each(out, type, name, help, "replicator", all, get);
  };
  constexpr auto counter = MetricType::Counter;
  using one = replicator_statistics;
  add(counter, "coppice_replicator_requests_total", "Requests.",
      [](const one& x) { return x.core.requests; });
  add(counter, "coppice_replicator_answered_total", "Requests answered.",
      [](const one& x) { return x.core.answered; });
  add(counter, "coppice_replicator_failed_total", "Requests that failed.",
      [](const one& x) { return x.core.failed; });
  add(counter, "coppice_replicator_copies_total", "Copies, originals too.",
      [](const one& x) { return x.core.copies_sent; });
  add(counter, "coppice_replicator_extra_copies_total",
      "Copies beyond what the mode needs.",
      [](const one& x) { return x.core.extra_sent; });
  add(counter, "coppice_replicator_extra_won_total",
      "Extra copies whose answer was the one.",
      [](const one& x) { return x.core.extra_won; });
  add(counter, "coppice_replicator_wasted_seconds_total",
      "Time spent on copies that were not needed.",
      [](const one& x) { return seconds(x.core.wasted_time); });
  add(counter, "coppice_replicator_budget_refused_total",
      "Extra copies that the budget refused.",
      [](const one& x) { return x.core.refused.budget; });
  add(MetricType::Gauge, "coppice_replicator_in_flight", "Requests under way.",
      [](const one& x) { return x.core.in_flight; });
}

} // namespace

std::string metrics_text(const tree_snapshot& tree, const event_counts& events,
                         const figures_board::figures& figures,
                         const observer_counts& own) {
  std::vector<MetricFamily> all;
  add_tree(all, tree);
  add_events(all, tree, events);
  add_pools(all, figures.pools);
  add_replicators(all, figures.replicators);
  family{all, MetricType::Gauge, "coppice_observer_viewers",
         "Streams of events that are open."}
    .add(own.viewers);
  family{all, MetricType::Counter, "coppice_observer_refused_total",
         "Requests that the observer refused, and viewers it dropped."}
    .add(own.requests_refused, {{"what", "request"}})
    .add(own.viewers_refused, {{"what", "viewer"}})
    .add(own.viewers_dropped, {{"what", "slow_viewer"}});
  std::ostringstream out;
  prometheus::TextSerializer{}.Serialize(out, all);
  return out.str();
}

} // namespace coppice
