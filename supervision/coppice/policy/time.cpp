// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/time.hpp"

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace coppice::policy {

std::string to_string(duration span) {
  using unit = std::pair<std::int64_t, const char*>;
  constexpr std::array units{
    unit{3'600'000'000'000, "h"},
    unit{60'000'000'000, "min"},
    unit{1'000'000'000, "s"},
    unit{1'000'000, "ms"},
    unit{1'000, "us"},
  };
  const auto count = span.count();
  if (count == 0)
    return "0s";
  for (const auto& [size, name] : units)
    if (count % size == 0)
      return std::to_string(count / size) + name;
  return std::to_string(count) + "ns";
}

std::string to_string(const time_limit& limit) {
  if (limit.is_infinite())
    return "infinity";
  if (limit.has_overflowed())
    return "a duration beyond 292 years";
  return to_string(limit.span());
}

std::string to_string(const count_limit& limit) {
  if (limit.is_infinite())
    return "infinity";
  if (limit.is_negative())
    return "a negative number";
  return std::to_string(limit.count());
}

std::string in_words(duration span) {
  using unit = std::pair<double, const char*>;
  constexpr std::array units{unit{1e9, "s"}, unit{1e6, "ms"}, unit{1e3, "us"},
                             unit{1.0, "ns"}};
  const auto count = static_cast<double>(span.count());
  if (std::abs(count) >= 60e9) {
    const auto seconds = std::llround(count / 1e9);
    const auto rest = seconds % 60;
    return std::to_string(seconds / 60) + "min"
           + (rest != 0 ? ' ' + std::to_string(std::llabs(rest)) + 's'
                        : std::string{});
  }
  for (const auto& [size, name] : units) {
    if (std::abs(count) < size)
      continue;
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.3g", count / size);
    return std::string{text.data()} + name;
  }
  return "0s";
}

} // namespace coppice::policy
