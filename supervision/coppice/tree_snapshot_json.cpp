// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/tree_snapshot_json.hpp"

#include "coppice/event_json.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>

namespace coppice {

namespace {

// Fields in the order in which they are written, for people.
using json = nlohmann::ordered_json;

/// Infinity is no JSON.
constexpr double suspicion_max = 1'000'000;

std::int64_t ms(duration span) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(span).count();
}

json ms_or_null(const time_limit& limit) {
  return limit.is_finite() ? json(ms(limit.span())) : json();
}

json count_or_null(const count_limit& limit) {
  return limit.is_infinite() ? json() : json(limit.count());
}

json heartbeat_json(const std::optional<node_heartbeat>& x) {
  if (!x)
    return {};
  return {{"phase", to_string(x->phase)},
          {"busy", x->busy},
          {"age_ms", ms(x->age)},
          {"limit_ms", ms_or_null(x->limit)},
          {"suspicion", std::min(x->suspicion, suspicion_max)}};
}

/// A tree of failures must stay small enough to be sent each second.
std::string short_line(const failure& x) {
  constexpr std::size_t bytes_max = 512;
  auto line = to_string(x);
  if (line.size() > bytes_max) {
    line.resize(bytes_max - 3);
    line += "...";
  }
  return line;
}

json failure_line_json(const std::shared_ptr<const failure>& x) {
  if (x == nullptr)
    return {};
  return {{"line", short_line(*x)},
          {"class", x->failure_class},
          {"id", x->reference},
          {"when", utc_text_ms(x->when)}};
}

json retry_json(const tree_node& x, time_point at) {
  if (!x.next_retry)
    return {};
  return ms(std::max(*x.next_retry - at, duration::zero()));
}

void add_supervisor(json& to, const tree_node& x) {
  to["strategy"] = x.strategy ? json(policy::to_string(*x.strategy)) : json();
  if (x.limits)
    to["limits"] = {{"restarts_max", count_or_null(x.limits->restarts_max)},
                    {"window_ms", ms_or_null(x.limits->window)}};
  else
    to["limits"] = nullptr;
}

json to_node(const tree_node& x, time_point at) {
  json res{{"path", x.path},
           {"id", x.id},
           {"kind", policy::to_string(x.kind)},
           {"state", to_string(x.state)},
           {"why", field_text(x.why)},
           {"hold_reason", x.hold_reason},
           {"incarnation", x.incarnation},
           {"restarts", x.restarts},
           {"restarts_in_window", x.restarts_in_window},
           {"restart", policy::to_string(x.restart)},
           {"next_retry_ms", retry_json(x, at)},
           {"parked", x.parked},
           {"abandoned", x.abandoned},
           {"heartbeat", heartbeat_json(x.heartbeat)},
           {"last_failure", failure_line_json(x.last_failure)}};
  if (x.kind == child_kind::supervisor)
    add_supervisor(res, x);
  return res;
}

json to_tree(const tree_node& x, time_point at) {
  auto res = to_node(x, at);
  if (x.kind != child_kind::supervisor)
    return res;
  auto children = json::array();
  for (const auto& child : x.children)
    children.push_back(to_tree(child, at));
  res["children"] = std::move(children);
  return res;
}

std::string dump(const json& x, int indent) {
  return x.dump(indent, ' ', false, json::error_handler_t::replace);
}

} // namespace

std::string to_json(const tree_snapshot& x, int indent) {
  auto abandoned = json::array();
  for (const auto& life : x.abandoned)
    abandoned.push_back(
      {{"path", life.path}, {"incarnation", life.incarnation}});
  const json res{{"format", 1},
                 {"when", utc_text_ms(x.when)},
                 {"version", x.version},
                 {"state", to_string(x.state)},
                 {"name", x.name},
                 {"root", to_tree(x.root, x.at)},
                 {"abandoned", std::move(abandoned)},
                 {"events",
                  {{"last", x.events_last}, {"dropped", x.events_dropped}}}};
  return dump(res, indent);
}

std::string node_json(const tree_node& x, time_point at) {
  return dump(to_node(x, at), -1);
}

} // namespace coppice
