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

using pointers = std::vector<const child_spec*>;

pointers pointers_to(const std::vector<child_spec>& children) {
  pointers result;
  result.reserve(children.size());
  for (const auto& child : children)
    result.push_back(&child);
  return result;
}

bool is_pool(const supervisor_spec& x) noexcept {
  return x.strategy == simple_one_for_one;
}

using index = std::unordered_map<std::string_view, std::size_t>;

index index_of(const pointers& children) {
  index result;
  result.reserve(children.size());
  for (std::size_t i = 0; i < children.size(); ++i)
    result.emplace(children[i]->id, i);
  return result;
}

/// The ids of those that both have, in the order of `list`; not endless.
std::string order_of(const pointers& list, const index& other) {
  constexpr std::size_t enough = 200;
  std::string ids;
  for (const auto* child : list) {
    if (!other.contains(child->id))
      continue;
    if (!ids.empty())
      ids += ", ";
    if (ids.size() > enough)
      return ids + "...";
    ids += child->id;
  }
  return ids;
}

void diff_into(spec_changes& out, const std::string& path,
               const supervisor_spec& before, const pointers& children,
               const supervisor_spec& after);

void diff_child(spec_changes& out, const std::string& path,
                const child_spec& before, const child_spec& after) {
  append_changes(out, path, before, after);
  const auto& x = before.supervisor;
  const auto& y = after.supervisor;
  if (x && y && x.shared() != y.shared())
    diff_into(out, path, *x, pointers_to(x->children), *y);
}

void diff_children(spec_changes& out, const std::string& path,
                   const pointers& before, const pointers& after) {
  const auto old = index_of(before);
  auto is_in_order = true;
  std::size_t last = 0;
  std::size_t common = 0;
  for (const auto* child : after) {
    const auto here = path + '/' + child->id;
    const auto i = old.find(child->id);
    if (i == old.end()) {
      out.push_back(
        {spec_change_kind::added, here, {}, {}, to_string(child->kind())});
      continue;
    }
    is_in_order = is_in_order && i->second >= last;
    last = i->second;
    ++common;
    diff_child(out, here, *before[i->second], *child);
  }
  if (is_in_order && common == before.size())
    return;
  const auto now = index_of(after);
  if (!is_in_order)
    out.push_back({.path = path,
                   .field = "children",
                   .before = order_of(before, now),
                   .after = order_of(after, old)});
  for (const auto* child : before)
    if (!now.contains(child->id))
      out.push_back({spec_change_kind::removed,
                     path + '/' + child->id,
                     {},
                     to_string(child->kind()),
                     {}});
}

/// The id of a pool's template is in no path: there is only one.
void diff_into(spec_changes& out, const std::string& path,
               const supervisor_spec& before, const pointers& children,
               const supervisor_spec& after) {
  append_changes(out, path, before, after);
  if (is_pool(before) && is_pool(after) && children.size() == 1
      && after.children.size() == 1)
    diff_child(out, path + '/' + after.children.front().id, *children.front(),
               after.children.front());
  else
    diff_children(out, path, children, pointers_to(after.children));
}

// -- what cannot change ------------------------------------------------------

void check_supervisor(const spec_section& at, const supervisor_spec& before,
                      const pointers& children, const supervisor_spec& after);

void check_child(const spec_section& at, const child_spec& before,
                 const child_spec& after) {
  const auto& x = before.supervisor;
  const auto& y = after.supervisor;
  if (before.kind() != after.kind())
    at.defect(y ? ".supervisor" : ".start",
              std::string{"a "} + to_string(after.kind()),
              std::string{"a "} + to_string(before.kind())
                + ", as the child that runs; or another id");
  else if (x && y && x.shared() != y.shared())
    check_supervisor(at.part(".supervisor"), *x, pointers_to(x->children), *y);
}

void check_supervisor(const spec_section& at, const supervisor_spec& before,
                      const pointers& children, const supervisor_spec& after) {
  if (is_pool(before) != is_pool(after)) {
    at.defect(".strategy", to_string(after.strategy),
              is_pool(before)
                ? "simple_one_for_one, as what runs is a pool"
                : "not simple_one_for_one, as what runs is no pool");
    return;
  }
  const auto old = index_of(children);
  for (std::size_t i = 0; i < after.children.size(); ++i) {
    const auto& child = after.children[i];
    const auto known = is_pool(after) ? old.begin() : old.find(child.id);
    if (known == old.end())
      continue;
    const auto& was = *children[known->second];
    if (was.kind() == child.kind() && !child.supervisor)
      continue; // the usual case, without a text
    check_child(at.part(".children[" + std::to_string(i) + "]("
                        + printable(child.id) + ')'),
                was, child);
  }
}

} // namespace

spec_defects reload_defects(const supervisor_spec& before,
                            const std::vector<const child_spec*>& children,
                            const supervisor_spec& after) {
  spec_defects found;
  const spec_section at{found, after.name};
  if (before.name != after.name)
    at.defect(".name", quoted(after.name),
              quoted(before.name) + ", the name of the tree that runs");
  check_supervisor(at, before, children, after);
  return found;
}

bool can_become(const child_spec& before, const child_spec& after) {
  spec_defects found;
  check_child(spec_section{found, after.id}, before, after);
  return found.empty();
}

spec_changes diff(const supervisor_spec& before, const supervisor_spec& after,
                  std::string path) {
  if (path.empty())
    path = '/' + after.name;
  return diff(before, pointers_to(before.children), after, path);
}

spec_changes diff(const supervisor_spec& before,
                  const std::vector<const child_spec*>& children,
                  const supervisor_spec& after, const std::string& path) {
  spec_changes result;
  diff_into(result, path, before, children, after);
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
