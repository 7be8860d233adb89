// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// How much a request matters when not all of them can be served.
///
/// Layer: policy. Pure: no clock, no CAF, no I/O.
/// Threads: values.
/// Rules: docs/semantics.md, DEADLINE-1, DEADLINE-3.

#include <cstdint>
#include <string_view>

namespace coppice::policy {

/// Set where a request enters, and copied to all that is asked on its behalf.
/// The numbers travel; a smaller one matters more.
///
/// Source: Google's four classes (Site Reliability Engineering, chapter 21).
enum class criticality : std::uint8_t {
  /// Serious, visible harm if refused. Capacity is kept for it.
  critical_plus = 0,
  /// Users wait for it: the default of what enters a service.
  critical = 1,
  /// Can be repeated minutes later: batch work.
  sheddable_plus = 2,
  /// May be refused often, and without harm.
  sheddable = 3,
};

inline constexpr std::uint8_t criticality_count = 4;

/// The name of the enumerator; "unknown" for any other number.
[[nodiscard]] constexpr std::string_view to_string(criticality x) noexcept {
  switch (x) {
    case criticality::critical_plus:
      return "critical_plus";
    case criticality::critical:
      return "critical";
    case criticality::sheddable_plus:
      return "sheddable_plus";
    case criticality::sheddable:
      return "sheddable";
  }
  return "unknown";
}

/// Leaves `x` alone, and returns `false`, unless `value` names an enumerator.
[[nodiscard]] constexpr bool from_integer(std::uint8_t value,
                                          criticality& x) noexcept {
  if (value >= criticality_count)
    return false;
  x = static_cast<criticality>(value);
  return true;
}

/// The inverse of `to_string`; leaves `x` alone when it returns `false`.
[[nodiscard]] constexpr bool from_string(std::string_view text,
                                         criticality& x) noexcept {
  for (std::uint8_t i = 0; i < criticality_count; ++i)
    if (text == to_string(static_cast<criticality>(i)))
      return from_integer(i, x);
  return false;
}

} // namespace coppice::policy
