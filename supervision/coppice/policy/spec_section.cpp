// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/spec_section.hpp"

#include "coppice/policy/limits.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace coppice::policy {

std::string text(double x) {
  if (std::isnan(x))
    return "nan"; // whatever its sign
  const auto size = std::abs(x);
  const auto is_plain = x == 0.0 || (size >= 1e-6 && size < 1e15);
  const auto format = is_plain ? std::chars_format::fixed
                               : std::chars_format::general;
  std::array<char, 64> out; // at most 24 are needed
  const auto end
    = std::to_chars(out.data(), out.data() + out.size(), x, format).ptr;
  return {out.data(), end};
}

bool is_control(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

std::string printable(std::string_view x) {
  constexpr std::string_view digits = "0123456789abcdef";
  const auto is_cut = x.size() > limits::quoted_bytes_max;
  if (is_cut) {
    auto size = limits::quoted_bytes_max;
    while (size > 0 && (static_cast<unsigned char>(x[size]) & 0xc0) == 0x80)
      --size;
    x = x.substr(0, size);
  }
  std::string out;
  for (const auto c : x) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_control(c))
      out.append({'\\', 'x', digits[byte >> 4], digits[byte & 15]});
    else
      out += c;
  }
  return is_cut ? out + "..." : out;
}

std::string quoted(std::string_view x) {
  return '"' + printable(x) + '"';
}

spec_section::spec_section(spec_defects& found, std::string where)
  : found_(&found), where_(std::move(where)) {}

spec_section spec_section::part(const std::string& field) const {
  return {*found_, where_ + field};
}

void spec_section::defect(std::string_view field, std::string value,
                          std::string expected) const {
  found_->push_back(
    {where_ + std::string{field}, std::move(value), std::move(expected)});
}

void spec_section::time(std::string_view field, const time_limit& x,
                        const time_range& range) const {
  if (!range.contains(x))
    defect(field, to_string(x), range.expected);
}

void spec_section::number(std::string_view field, double x, double min,
                          double max) const {
  if (!(x >= min && x <= max))
    defect(field, text(x), "a number from " + text(min) + " to " + text(max));
}

} // namespace coppice::policy
