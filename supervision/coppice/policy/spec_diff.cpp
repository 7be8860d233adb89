// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/spec_diff.hpp"

#include "coppice/policy/spec_section.hpp"

#include <string_view>
#include <unordered_map>
#include <utility>

namespace coppice::policy {

namespace {

// -- how values are written --------------------------------------------------

std::string as_text(bool x) {
  return x ? "true" : "false";
}

std::string as_text(std::uint32_t x) {
  return std::to_string(x);
}

std::string as_text(double x) {
  return text(x);
}

template <class T>
  requires requires(const T& x) {
    to_string(x);
  }
std::string as_text(const T& x) {
  return to_string(x);
}

std::string as_text(const std::vector<failure_rule>& rules) {
  std::string list;
  for (const auto& rule : rules) {
    if (!list.empty())
      list += ", ";
    list += rule.failure_class + ": " + to_string(rule.action);
  }
  return '[' + list + ']';
}

// -- fields, each named once -------------------------------------------------

template <class Visitor>
void compare(const restart_limits& x, const restart_limits& y, Visitor& visit) {
  visit("limits.restarts_max", x.restarts_max, y.restarts_max);
  visit("limits.window", x.window, y.window);
}

template <class Visitor>
void compare(const backoff_spec& x, const backoff_spec& y, Visitor& visit) {
  visit("backoff.first", x.first, y.first);
  visit("backoff.cap", x.cap, y.cap);
  visit("backoff.factor", x.factor, y.factor);
  visit("backoff.jitter", x.jitter, y.jitter);
  visit("backoff.jitter_ratio", x.jitter_ratio, y.jitter_ratio);
  visit("backoff.reset_after", x.reset_after, y.reset_after);
}

template <class Visitor>
void compare(const heartbeat_spec& x, const heartbeat_spec& y, Visitor& visit) {
  visit("heartbeat.stall_timeout", x.stall_timeout, y.stall_timeout);
  visit("heartbeat.idle_timeout", x.idle_timeout, y.idle_timeout);
  visit("heartbeat.extension_max", x.extension_max, y.extension_max);
  visit("heartbeat.probe_every", x.probe_every, y.probe_every);
  visit("heartbeat.detector", x.detector, y.detector);
  visit("heartbeat.phi.threshold", x.phi.threshold, y.phi.threshold);
  visit("heartbeat.phi.samples_max", x.phi.samples_max, y.phi.samples_max);
  visit("heartbeat.phi.deviation_min", x.phi.deviation_min,
        y.phi.deviation_min);
  visit("heartbeat.phi.acceptable_pause", x.phi.acceptable_pause,
        y.phi.acceptable_pause);
  visit("heartbeat.phi.first_estimate", x.phi.first_estimate,
        y.phi.first_estimate);
}

// What is not said is compared by what it means.
template <class Visitor>
void compare(const child_spec& x, const child_spec& y, Visitor& visit) {
  visit("kind", x.kind(), y.kind());
  visit("restart", x.restart, y.restart);
  visit("shutdown", x.effective_shutdown(), y.effective_shutdown());
  visit("kill_grace", x.kill_grace, y.kill_grace);
  visit("start_deadline", x.effective_start_deadline(),
        y.effective_start_deadline());
  if (!(x.backoff == y.backoff))
    compare(x.backoff, y.backoff, visit);
  compare(x.limits, y.limits, visit);
  visit("on_exhausted", x.on_exhausted, y.on_exhausted);
  visit("on_failure", x.on_failure, y.on_failure);
  visit("significant", x.significant, y.significant);
  if (!(x.heartbeat == y.heartbeat))
    compare(x.heartbeat, y.heartbeat, visit);
  visit("isolation", x.isolation, y.isolation);
  visit("parking.messages_max", x.parking.messages_max, y.parking.messages_max);
  visit("parking.overflow", x.parking.overflow, y.parking.overflow);
}

template <class Visitor>
void compare(const supervisor_spec& x, const supervisor_spec& y,
             Visitor& visit) {
  visit("strategy", x.strategy, y.strategy);
  compare(x.limits, y.limits, visit);
  visit("weights.crash", x.weights.crash, y.weights.crash);
  visit("weights.stall", x.weights.stall, y.weights.stall);
  visit("weights.start_failure", x.weights.start_failure,
        y.weights.start_failure);
  visit("weights.node_loss", x.weights.node_loss, y.weights.node_loss);
  visit("weights.clean_end", x.weights.clean_end, y.weights.clean_end);
  visit("on_exhausted", x.on_exhausted, y.on_exhausted);
  visit("pause_length", x.pause_length, y.pause_length);
  visit("auto_shutdown", x.auto_shutdown, y.auto_shutdown);
  visit("revive", x.revive, y.revive);
  visit("children_max", x.children_max, y.children_max);
}

struct counter {
  std::size_t count = 0;

  template <class T>
  void operator()(const char*, const T& x, const T& y) noexcept {
    count += x == y ? 0u : 1u;
  }
};

struct scribe {
  spec_changes& out;
  const std::string& path;

  template <class T>
  void operator()(const char* field, const T& x, const T& y) {
    if (!(x == y))
      out.push_back({.path = path,
                     .field = field,
                     .before = as_text(x),
                     .after = as_text(y)});
  }
};

// -- children ----------------------------------------------------------------

using index = std::unordered_map<std::string_view, std::size_t>;

index index_of(const std::vector<child_spec>& children) {
  index result;
  result.reserve(children.size());
  for (std::size_t i = 0; i < children.size(); ++i)
    result.emplace(children[i].id, i);
  return result;
}

/// The ids of those that both have, in the order of `list`; not endless.
std::string order_of(const std::vector<child_spec>& list, const index& other) {
  constexpr std::size_t enough = 200;
  std::string ids;
  for (const auto& child : list) {
    if (!other.contains(child.id))
      continue;
    if (!ids.empty())
      ids += ", ";
    if (ids.size() > enough)
      return ids + "...";
    ids += child.id;
  }
  return ids;
}

void diff_into(spec_changes& out, const std::string& path,
               const supervisor_spec& before, const supervisor_spec& after);

void diff_child(spec_changes& out, const std::string& path,
                const child_spec& before, const child_spec& after) {
  append_changes(out, path, before, after);
  if (before.supervisor && after.supervisor
      && before.supervisor.shared() != after.supervisor.shared())
    diff_into(out, path, *before.supervisor, *after.supervisor);
}

void diff_into(spec_changes& out, const std::string& path,
               const supervisor_spec& before, const supervisor_spec& after) {
  append_changes(out, path, before, after);
  const auto old = index_of(before.children);
  auto is_in_order = true;
  std::size_t last = 0;
  std::size_t common = 0;
  for (const auto& child : after.children) {
    const auto here = path + '/' + child.id;
    const auto i = old.find(child.id);
    if (i == old.end()) {
      out.push_back(
        {spec_change_kind::added, here, {}, {}, to_string(child.kind())});
      continue;
    }
    is_in_order = is_in_order && i->second >= last;
    last = i->second;
    ++common;
    diff_child(out, here, before.children[i->second], child);
  }
  if (is_in_order && common == before.children.size())
    return;
  const auto now = index_of(after.children);
  if (!is_in_order)
    out.push_back({.path = path,
                   .field = "children",
                   .before = order_of(before.children, now),
                   .after = order_of(after.children, old)});
  for (const auto& child : before.children)
    if (!now.contains(child.id))
      out.push_back({spec_change_kind::removed,
                     path + '/' + child.id,
                     {},
                     to_string(child.kind()),
                     {}});
}

} // namespace

spec_changes diff(const supervisor_spec& before, const supervisor_spec& after,
                  std::string path) {
  if (path.empty())
    path = '/' + after.name;
  spec_changes result;
  diff_into(result, path, before, after);
  return result;
}

std::size_t count_changes(const child_spec& before,
                          const child_spec& after) noexcept {
  counter visit;
  compare(before, after, visit);
  return visit.count;
}

std::size_t count_changes(const supervisor_spec& before,
                          const supervisor_spec& after) noexcept {
  counter visit;
  compare(before, after, visit);
  return visit.count;
}

void append_changes(spec_changes& out, const std::string& path,
                    const child_spec& before, const child_spec& after) {
  scribe visit{out, path};
  compare(before, after, visit);
}

void append_changes(spec_changes& out, const std::string& path,
                    const supervisor_spec& before,
                    const supervisor_spec& after) {
  scribe visit{out, path};
  compare(before, after, visit);
}

const char* to_string(spec_change_kind x) noexcept {
  switch (x) {
    case spec_change_kind::added:
      return "added";
    case spec_change_kind::removed:
      return "removed";
    case spec_change_kind::changed:
      return "changed";
  }
  return "unknown";
}

std::string to_string(const spec_change& x) {
  switch (x.kind) {
    case spec_change_kind::added:
      return x.path + ": added, a " + x.after;
    case spec_change_kind::removed:
      return x.path + ": removed, a " + x.before;
    case spec_change_kind::changed:
      break;
  }
  return x.path + ": " + x.field + ": " + x.before + " -> " + x.after;
}

std::string to_string(const spec_changes& x) {
  std::string lines;
  for (const auto& change : x) {
    if (!lines.empty())
      lines += '\n';
    lines += to_string(change);
  }
  return lines;
}

} // namespace coppice::policy
