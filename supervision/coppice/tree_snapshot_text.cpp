// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/tree_snapshot_text.hpp"

#include "coppice/text_escape.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace coppice {

namespace {

std::string counted(std::uint64_t count, const char* noun) {
  return std::to_string(count) + ' ' + noun + (count == 1 ? "" : "s");
}

/// "operator", with the reason if one was given.
std::string why_text(const tree_node& x) {
  if (!x.hold_reason.empty())
    return " (held: " + escaped(x.hold_reason) + ')';
  if (x.why == policy::stopped_why::none)
    return {};
  return std::string{" ("} + policy::to_string(x.why) + ')';
}

std::string limits_text(const tree_node& x) {
  std::string res;
  if (x.strategy)
    res += std::string{"  "} + policy::to_string(*x.strategy);
  if (x.limits && !x.limits->restarts_max.is_infinite())
    res += "  " + std::to_string(x.restarts_in_window) + '/'
           + policy::to_string(x.limits->restarts_max) + " in "
           + policy::to_string(x.limits->window);
  return res;
}

std::string beat_text(const node_heartbeat& x) {
  auto res = "  " + std::string{to_string(x.phase)} + ", beat "
             + policy::in_words(x.age) + " ago";
  if (x.limit.is_finite())
    res += " of " + policy::to_string(x.limit);
  return res;
}

/// What comes after the id and the state.
std::string details(const tree_node& x, time_point at) {
  auto res = why_text(x) + limits_text(x);
  if (x.restarts > 0)
    res += "  " + counted(x.restarts, "restart");
  if (x.next_retry)
    res += "  next try in "
           + policy::in_words(std::max(*x.next_retry - at, duration::zero()));
  if (x.parked)
    res += "  parked";
  if (x.abandoned > 0)
    res += "  " + std::to_string(x.abandoned) + " abandoned";
  if (x.heartbeat)
    res += beat_text(*x.heartbeat);
  if (x.last_failure != nullptr)
    res += "  last failure: " + to_string(*x.last_failure);
  return res;
}

// -- terminals ---------------------------------------------------------------

std::string_view colour_of(const tree_node& x) {
  switch (x.state) {
    case node_state::running:
      return x.heartbeat && x.heartbeat->suspicion >= 2.0 / 3 ? "\x1b[33m"
                                                              : "\x1b[32m";
    case node_state::starting:
    case node_state::stopping:
      return "\x1b[36m";
    case node_state::backoff:
      return "\x1b[33m";
    case node_state::stopped:
      return x.why == policy::stopped_why::failed
                 || x.why == policy::stopped_why::exhausted
               ? "\x1b[31m"
               : "\x1b[2m";
    case node_state::unknown:
      break;
  }
  return "\x1b[35m";
}

struct branch_art {
  std::string_view inner, last, below_inner, below_last;
};
constexpr branch_art boxes{"├─ ", "└─ ", "│  ", "   "};
constexpr branch_art plain{"|- ", "`- ", "|  ", "   "};

class text_writer {
public:
  text_writer(const snapshot_text_options& options, time_point at)
    : options_(options), art_(options.ascii ? plain : boxes), at_(at) {}

  void write(const tree_node& x) {
    out_ += escaped(x.id);
    if (x.incarnation > 1)
      out_ += '#' + std::to_string(x.incarnation);
    out_ += "  ";
    if (options_.colours)
      out_ += colour_of(x);
    out_ += to_string(x.state);
    if (options_.colours)
      out_ += "\x1b[0m";
    out_ += details(x, at_) + '\n';
    for (const auto& child : x.children)
      write_below(child, &child == &x.children.back());
  }

  std::string take() { return std::move(out_); }

private:
  void write_below(const tree_node& x, bool is_last) {
    out_ += indent_;
    out_ += is_last ? art_.last : art_.inner;
    const auto before = indent_.size();
    indent_ += is_last ? art_.below_last : art_.below_inner;
    write(x);
    indent_.resize(before);
  }

  const snapshot_text_options& options_;
  const branch_art& art_;
  const time_point at_;
  std::string indent_;
  std::string out_;
};

// -- Graphviz ----------------------------------------------------------------

const char* fill_of(const tree_node& x) {
  switch (x.state) {
    case node_state::running:
      return "#b7e1c0";
    case node_state::starting:
    case node_state::stopping:
      return "#b8dcf0";
    case node_state::backoff:
      return "#f6dfa0";
    case node_state::stopped:
      return x.why == policy::stopped_why::failed
                 || x.why == policy::stopped_why::exhausted
               ? "#f0b0a8"
               : "#dddddd";
    case node_state::unknown:
      break;
  }
  return "#e0c8ec";
}

/// As a quoted string of DOT, in which a backslash begins an escape.
std::string dot_string(std::string_view text) {
  std::string res = "\"";
  while (!text.empty()) {
    const auto size = detail::utf8_size(text);
    if (size == 0) { // DOT files are UTF-8
      res += "\xef\xbf\xbd";
      text.remove_prefix(1);
    } else if (text[0] == '"' || text[0] == '\\') {
      res += '\\';
      res += text[0];
      text.remove_prefix(1);
    } else {
      res += text.substr(0, size);
      text.remove_prefix(size);
    }
  }
  return res + '"';
}

std::string label_of(const tree_node& x) {
  auto label = escaped(x.id);
  if (x.incarnation > 1)
    label += '#' + std::to_string(x.incarnation);
  label += std::string{" "} + to_string(x.state) + why_text(x);
  if (x.restarts > 0)
    label += ", " + counted(x.restarts, "restart");
  return label;
}

void write_dot(std::string& out, const tree_node& x) {
  const auto name = dot_string(escaped(x.path));
  out += "  " + name + " [label=" + dot_string(label_of(x)) + ", fillcolor=\""
         + fill_of(x) + '"';
  if (x.kind == child_kind::supervisor)
    out += ", shape=box";
  out += "];\n";
  for (const auto& child : x.children) {
    out += "  " + name + " -> " + dot_string(escaped(child.path)) + ";\n";
    write_dot(out, child);
  }
}

} // namespace

std::string to_text(const tree_snapshot& x,
                    const snapshot_text_options& options) {
  text_writer writer{options, x.at};
  writer.write(x.root);
  auto res = writer.take();
  for (const auto& life : x.abandoned)
    res += "abandoned: " + escaped(life.path) + '#'
           + std::to_string(life.incarnation) + '\n';
  if (x.events_dropped > 0)
    res += counted(x.events_dropped, "event") + " dropped\n";
  return res;
}

std::string to_dot(const tree_snapshot& x) {
  std::string res = "digraph " + dot_string(escaped(x.name))
                    + " {\n"
                      "  rankdir=LR;\n"
                      "  node [shape=ellipse, style=filled];\n";
  write_dot(res, x.root);
  return res + "}\n";
}

} // namespace coppice
