// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Fields of topology files: what each is called and may say, and how it gets
/// into a spec. The tables that reading, checking and the reference page use.
///
/// Layer: L2.
/// Threads: tables are constants; the rest belongs to one thread.
/// Rules: docs/semantics.md, TOPOLOGY-1.

#include "coppice/spec.hpp"
#include "coppice/topology_reading.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace coppice {

/// What people are told of a field.
struct field_doc {
  std::string name = {};
  /// "a duration with unit, such as 500ms".
  std::string type = {};
  /// Further to the type: "above 0". May be empty.
  std::string range = {};
  /// As it could be written; empty: nothing is said by saying nothing.
  std::string fallback = {};
  std::string meaning = {};
  /// What was found is not shown.
  bool sensitive = false;
};

/// What a file says for a field.
struct field_value {
  const syntax_node& node;
  const path_link& path;
  const field_doc& doc;
  topology_reading& reading;

  /// Takes down that it is not what it should be.
  void refuse(std::string nearest = {}) const;
};

// -- values ------------------------------------------------------------------

// Each leaves `out` alone, and takes down a defect, unless the value will do.
// Ranges are not looked at: `policy::validate` does that.
void assign(const field_value& x, std::string& out);
void assign(const field_value& x, bool& out);
void assign(const field_value& x, double& out);
void assign(const field_value& x, int& out);
void assign(const field_value& x, std::uint32_t& out);
void assign(const field_value& x, std::uint64_t& out);
void assign(const field_value& x, count_limit& out);
void assign(const field_value& x, duration& out);
void assign(const field_value& x, time_limit& out);
void assign(const field_value& x, std::optional<time_limit>& out);
void assign(const field_value& x, std::optional<stop_grace>& out);

/// Returns the index of what `x` says among `names`, or nothing.
std::optional<std::size_t> assign_name(const field_value& x,
                                       const std::vector<std::string>& names);

/// What a length of time that nobody can read was probably meant to be:
/// "5s" for "5sec", "1500ms" for "1.5s".
[[nodiscard]] std::string nearest_duration(std::string_view found);

// -- what types are called ---------------------------------------------------

namespace type_names {

inline constexpr auto text = "a text in double quotes";
inline constexpr auto flag = "true or false";
inline constexpr auto number = "a number";
inline constexpr auto count = "a whole number";
inline constexpr auto time = "a duration with unit, such as 500ms";
inline constexpr auto section = "a section in { }";
inline constexpr auto list = "a list in [ ]";

} // namespace type_names

/// `"a", "b" or "c"`.
[[nodiscard]] std::string any_of(const std::vector<std::string>& names);

} // namespace coppice
