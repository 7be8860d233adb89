// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/topology_literal.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <system_error>

namespace coppice {

namespace {

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

/// How many digits `x` begins with.
std::size_t digits(std::string_view x) noexcept {
  std::size_t n = 0;
  while (n < x.size() && is_digit(x[n]))
    ++n;
  return n;
}

bool has_leading_zero(std::string_view x, std::size_t size) noexcept {
  return size > 1 && x.front() == '0';
}

/// Nanoseconds; 0: no unit.
std::int64_t unit(std::string_view x) noexcept {
  struct entry {
    std::string_view name;
    std::int64_t length;
  };
  constexpr std::array units{
    entry{"ns", 1},
    entry{"us", 1'000},
    entry{"ms", 1'000'000},
    entry{"s", 1'000'000'000},
    entry{"min", 60'000'000'000},
    entry{"h", 3'600'000'000'000},
  };
  for (const auto& u : units)
    if (u.name == x)
      return u.length;
  return 0;
}

} // namespace

std::optional<std::uint64_t> read_count(std::string_view word) {
  if (word.empty() || digits(word) != word.size()
      || has_leading_zero(word, word.size()))
    return std::nullopt;
  std::uint64_t x = 0;
  const auto end = word.data() + word.size();
  if (std::from_chars(word.data(), end, x).ec != std::errc{})
    return std::nullopt;
  return x;
}

std::optional<double> read_number(std::string_view word) {
  auto rest = word;
  if (rest.starts_with('-'))
    rest.remove_prefix(1);
  const auto whole = digits(rest);
  if (whole == 0 || has_leading_zero(rest, whole))
    return std::nullopt; // "inf", "nan", ".5" and "010" as well
  if (rest.back() == '.' || rest.find(".e") != rest.npos
      || rest.find(".E") != rest.npos)
    return std::nullopt;
  double x = 0;
  const auto end = word.data() + word.size();
  const auto [read, ec] = std::from_chars(word.data(), end, x);
  if (ec != std::errc{} || read != end || !std::isfinite(x))
    return std::nullopt;
  return x;
}

std::optional<policy::duration> read_duration(std::string_view word) {
  const auto is_negative = word.starts_with('-');
  if (is_negative)
    word.remove_prefix(1);
  const auto size = digits(word);
  const auto count = read_count(word.substr(0, size));
  const auto length = unit(word.substr(size));
  constexpr auto max = std::numeric_limits<std::int64_t>::max();
  if (!count || length == 0
      || *count > static_cast<std::uint64_t>(max / length))
    return std::nullopt;
  const auto span = static_cast<std::int64_t>(*count) * length;
  return policy::duration{is_negative ? -span : span};
}

bool is_literal(std::string_view word) {
  if (word == "true" || word == "false" || read_duration(word))
    return true;
  if (const auto count = read_count(word))
    return *count <= std::uint64_t{std::numeric_limits<std::int64_t>::max()};
  // The parsers' ideas of exponents differ from ours; zeros will do.
  return word.find_first_of("eE") == word.npos && word.size() < 40
         && word.find('.') != word.npos && read_number(word).has_value();
}

} // namespace coppice
