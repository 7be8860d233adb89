// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/topology_values.hpp"

#include "coppice/nearest_name.hpp"
#include "coppice/policy/spec_section.hpp"
#include "coppice/topology_literal.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <utility>

namespace coppice {

namespace {

bool is_text(const syntax_node& x, std::string_view text) {
  return x.kind == syntax_kind::text && x.text == text;
}

bool is_word(const syntax_node& x) {
  return x.kind == syntax_kind::word;
}

/// `words` are what a field understands between quotes.
void refuse_time(const field_value& x, const std::vector<std::string>& words) {
  auto nearest = nearest_duration(x.node.text);
  if (nearest.empty() && x.node.kind <= syntax_kind::word)
    if (const auto word = nearest_name(x.node.text, words); !word.empty())
      nearest = policy::quoted(word);
  x.refuse(std::move(nearest));
}

template <class T>
void assign_count(const field_value& x, T& out) {
  const auto read = is_word(x.node) ? read_count(x.node.text) : std::nullopt;
  if (!read || *read > std::uint64_t{std::numeric_limits<T>::max()})
    return x.refuse();
  out = static_cast<T>(*read);
}

} // namespace

void field_value::refuse(std::string nearest) const {
  auto expected = doc.type;
  if (!doc.range.empty())
    expected += "; " + doc.range;
  if (doc.sensitive)
    return reading.defects.add_unread(path, node.offset,
                                      "something that is secret",
                                      std::move(expected));
  reading.defects.add_unread(path, node.offset, in_file(node),
                             std::move(expected), std::move(nearest));
}

void assign(const field_value& x, std::string& out) {
  if (x.node.kind == syntax_kind::text)
    out = x.node.text;
  else
    x.refuse(is_word(x.node) ? policy::quoted(x.node.text) : "");
}

void assign(const field_value& x, bool& out) {
  if (is_word(x.node) && (x.node.text == "true" || x.node.text == "false")) {
    out = x.node.text == "true";
    return;
  }
  const auto near = nearest_name(x.node.text,
                                 {"true", "yes", "on", "false", "no", "off"});
  x.refuse(near.empty()                                      ? ""
           : near == "true" || near == "yes" || near == "on" ? "true"
                                                             : "false");
}

void assign(const field_value& x, double& out) {
  if (const auto read = is_word(x.node) ? read_number(x.node.text)
                                        : std::nullopt)
    out = *read;
  else
    x.refuse();
}

void assign(const field_value& x, int& out) {
  assign_count(x, out);
}

void assign(const field_value& x, std::uint32_t& out) {
  assign_count(x, out);
}

void assign(const field_value& x, std::uint64_t& out) {
  assign_count(x, out);
}

void assign(const field_value& x, count_limit& out) {
  if (is_text(x.node, "infinity"))
    out = infinity;
  else if (const auto read = is_word(x.node) ? read_count(x.node.text)
                                             : std::nullopt)
    out = *read;
  else
    x.refuse(nearest_name(x.node.text, {"infinity"}).empty()
               ? ""
               : policy::quoted("infinity"));
}

void assign(const field_value& x, duration& out) {
  if (const auto read = is_word(x.node) ? read_duration(x.node.text)
                                        : std::nullopt)
    out = *read;
  else
    refuse_time(x, {});
}

void assign(const field_value& x, time_limit& out) {
  if (is_text(x.node, "infinity"))
    out = infinity;
  else if (const auto read = is_word(x.node) ? read_duration(x.node.text)
                                             : std::nullopt)
    out = *read;
  else
    refuse_time(x, {"infinity"});
}

void assign(const field_value& x, std::optional<time_limit>& out) {
  time_limit read = infinity;
  const auto before = x.reading.defects.size();
  assign(x, read);
  if (x.reading.defects.size() == before)
    out = read;
}

void assign(const field_value& x, std::optional<stop_grace>& out) {
  if (is_text(x.node, "infinity"))
    out = stop_grace{infinity};
  else if (is_text(x.node, "brutal_kill"))
    out = stop_grace{policy::brutal_kill};
  else if (const auto read = is_word(x.node) ? read_duration(x.node.text)
                                             : std::nullopt)
    out = stop_grace{time_limit{*read}};
  else
    refuse_time(x, {"infinity", "brutal_kill"});
}

std::optional<std::size_t> assign_name(const field_value& x,
                                       const std::vector<std::string>& names) {
  const auto at = std::find(names.begin(), names.end(), x.node.text);
  if (x.node.kind == syntax_kind::text && at != names.end())
    return static_cast<std::size_t>(at - names.begin());
  std::string_view found = x.node.text;
  if (found.size() > 1 && found.starts_with('\'') && found.ends_with('\''))
    found = found.substr(1, found.size() - 2);
  const auto near = nearest_name(found, names);
  x.refuse(near.empty() ? "" : policy::quoted(near));
  return std::nullopt;
}

std::string nearest_duration(std::string_view found) {
  struct entry {
    std::string_view name;
    double length;
  };
  constexpr std::array units{
    entry{"ns", 1},        entry{"us", 1e3},       entry{"\xc2\xb5s", 1e3},
    entry{"usec", 1e3},    entry{"ms", 1e6},       entry{"msec", 1e6},
    entry{"millis", 1e6},  entry{"s", 1e9},        entry{"sec", 1e9},
    entry{"secs", 1e9},    entry{"second", 1e9},   entry{"seconds", 1e9},
    entry{"m", 60e9},      entry{"min", 60e9},     entry{"mins", 60e9},
    entry{"minute", 60e9}, entry{"minutes", 60e9}, entry{"h", 3600e9},
    entry{"hr", 3600e9},   entry{"hour", 3600e9},  entry{"hours", 3600e9},
    entry{"d", 86400e9},   entry{"day", 86400e9},  entry{"days", 86400e9},
  };
  const auto digits = found.find_first_not_of("0123456789.");
  if (digits == found.npos || digits == 0)
    return {};
  const auto number = read_number(found.substr(0, digits));
  auto name = found.substr(digits);
  while (name.starts_with(' '))
    name.remove_prefix(1);
  for (const auto& u : units)
    if (number && u.name == name) {
      const auto span = std::round(*number * u.length);
      return span < 9e18 ? policy::to_string(
               policy::duration{static_cast<std::int64_t>(span)})
                         : "";
    }
  return {};
}

std::string any_of(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0)
      text += i + 1 == names.size() ? " or " : ", ";
    text += policy::quoted(names[i]);
  }
  return text;
}

} // namespace coppice
