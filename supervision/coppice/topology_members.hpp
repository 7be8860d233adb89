// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What the tables of topology files are written with: fields that are members
/// of a spec, under the same name, with their type, default and way in.
///
/// Layer: L2.
/// Threads: pure functions.
/// Rules: docs/semantics.md, TOPOLOGY-1.

#include "coppice/topology_fields.hpp"

#include <optional>
#include <type_traits>

namespace coppice {

// -- enumerations: their names come from `to_string` -------------------------

template <class Enum>
inline constexpr Enum last_of{};
template <>
inline constexpr auto last_of<policy::restart_type> = policy::temporary;
template <>
inline constexpr auto
  last_of<policy::restart_strategy> = policy::simple_one_for_one;
template <>
inline constexpr auto
  last_of<auto_shutdown_mode> = auto_shutdown_mode::all_significant;
template <>
inline constexpr auto last_of<exhaustion_action> = exhaustion_action::pause;
template <>
inline constexpr auto last_of<failure_action> = failure_action::escalate;
template <>
inline constexpr auto last_of<policy::revive_mode> = policy::revive_mode::all;
template <>
inline constexpr auto last_of<jitter_kind> = jitter_kind::proportional;
template <>
inline constexpr auto last_of<isolation_kind> = isolation_kind::thread;
template <>
inline constexpr auto last_of<detector_kind> = detector_kind::phi_accrual;
template <>
inline constexpr auto last_of<parking_overflow> = parking_overflow::drop_oldest;

template <class Enum>
const std::vector<std::string>& names_of() {
  static const auto names = [] {
    std::vector<std::string> all;
    for (auto i = 0; i <= static_cast<int>(last_of<Enum>); ++i)
      all.emplace_back(to_string(static_cast<Enum>(i)));
    return all;
  }();
  return names;
}

template <>
inline const std::vector<std::string>& names_of<root_end_action>() {
  static const std::vector<std::string> names{"return_failure", "exit_process",
                                              "abort_process", "keep"};
  return names;
}

// -- values that are more than a word ----------------------------------------

template <class T>
concept inner_section = std::is_same_v<T, restart_limits> || std::is_same_v<
  T, cause_weights> || std::is_same_v<T, backoff_spec> || std::
  is_same_v<T, heartbeat_spec> || std::is_same_v<
    T, policy::phi_spec> || std::is_same_v<T, parking_spec>;

template <class Enum>
  requires std::is_enum_v<Enum>
void assign(const field_value& x, Enum& out) {
  if (const auto i = assign_name(x, names_of<Enum>()))
    out = static_cast<Enum>(*i);
}

template <inner_section Section>
void assign(const field_value& x, Section& out) {
  if (x.node.kind == syntax_kind::map)
    read_section(x.node, x.path, out, x.reading);
  else
    x.refuse();
}

void assign(const field_value& x, nested_supervisor& out);
void assign(const field_value& x, std::vector<failure_rule>& out);
void assign(const field_value& x, std::vector<child_spec>& out);

// -- how types and values look -----------------------------------------------

template <class T>
std::string type_text() {
  if constexpr (std::is_enum_v<T>)
    return any_of(names_of<T>());
  else if constexpr (std::is_same_v<T, std::string>)
    return type_names::text;
  else if constexpr (std::is_same_v<T, bool>)
    return type_names::flag;
  else if constexpr (std::is_same_v<T, double>)
    return type_names::number;
  else if constexpr (std::is_integral_v<T> || std::is_same_v<T, count_limit>)
    return type_names::count;
  else if constexpr (
    std::is_same_v<
      T,
      duration> || std::is_same_v<T, time_limit> || std::is_same_v<T, std::optional<time_limit>> || std::is_same_v<T, std::optional<stop_grace>>)
    return type_names::time;
  else if constexpr (inner_section<T> || std::is_same_v<T, nested_supervisor>)
    return type_names::section;
  else
    return type_names::list;
}

/// As a file would say it; empty for what takes more than a word.
template <class T>
std::string value_text(const T& x) {
  if constexpr (std::is_enum_v<T>)
    return policy::quoted(names_of<T>()[static_cast<std::size_t>(x)]);
  else if constexpr (std::is_same_v<T, bool>)
    return x ? "true" : "false";
  else if constexpr (std::is_same_v<T, double>)
    return policy::text(x);
  else if constexpr (std::is_integral_v<T>)
    return std::to_string(x);
  else if constexpr (std::is_same_v<T, duration>)
    return policy::to_string(x);
  else if constexpr (std::is_same_v<
                       T, time_limit> || std::is_same_v<T, count_limit>)
    return x.is_infinite() ? policy::quoted("infinity") : policy::to_string(x);
  else
    return {};
}

// -- fields ------------------------------------------------------------------

/// @param fallback  Where the default of the member does not say it.
template <class Section, auto Member>
field<Section> member(const char* name, const char* range, const char* meaning,
                      const char* fallback = nullptr) {
  using value = std::remove_cvref_t<decltype(Section{}.*Member)>;
  return {{.name = name,
           .type = type_text<value>(),
           .range = range,
           .fallback = fallback ? fallback : value_text(Section{}.*Member),
           .meaning = meaning},
          [](const field_value& x, Section& out) { assign(x, out.*Member); }};
}

namespace ranges {

inline constexpr auto any = "";
inline constexpr auto positive = "above 0s";
inline constexpr auto positive_or_infinite = "above 0s, or \"infinity\"";
inline constexpr auto not_negative = "0s or more";
inline constexpr auto not_negative_or_infinite = "0s or more, or \"infinity\"";

} // namespace ranges

} // namespace coppice
