// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Makes text of strangers safe to print. Internal.
///
/// Layer: L1.
/// Threads: pure functions.
/// Rules: docs/semantics.md, FAILURE-5.

#include <cstddef>
#include <string>
#include <string_view>

namespace coppice {

namespace detail {

/// Bytes of the character that begins `text`; 0 if it is none, in UTF-8.
[[nodiscard]] inline std::size_t utf8_size(std::string_view text) noexcept {
  const auto at = [text](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const auto follows = [&at](std::size_t i) { return (at(i) & 0xc0) == 0x80; };
  const auto x = at(0);
  if (x < 0x80)
    return text.empty() ? 0 : 1;
  if (x >= 0xc2 && x <= 0xdf)
    return follows(1) ? 2 : 0;
  // Neither longer than need be, nor halves of a pair, nor beyond the end.
  if (x >= 0xe0 && x <= 0xef)
    return follows(1) && follows(2) && (x != 0xe0 || at(1) >= 0xa0)
               && (x != 0xed || at(1) < 0xa0)
             ? 3
             : 0;
  return x >= 0xf0 && x <= 0xf4 && follows(1) && follows(2) && follows(3)
             && (x != 0xf0 || at(1) >= 0x90) && (x != 0xf4 || at(1) < 0x90)
           ? 4
           : 0;
}

/// Does this character steer instead of being shown? Controls, of terminals
/// (C0, DEL, C1), of lines (U+2028, U+2029), and of the direction of writing
/// (U+202A to U+202E, U+2066 to U+2069), which show one text as another.
[[nodiscard]] inline bool is_control(std::string_view c) noexcept {
  const auto at = [c](std::size_t i) {
    return static_cast<unsigned char>(c[i]);
  };
  if (c.size() == 1)
    return at(0) < 0x20 || (at(0) >= 0x7f && at(0) < 0xa0);
  if (c.size() == 2)
    return at(0) == 0xc2 && at(1) < 0xa0;
  if (c.size() != 3 || at(0) != 0xe2)
    return false;
  return (at(1) == 0x80 && at(2) >= 0xa8 && at(2) <= 0xae)
         || (at(1) == 0x81 && at(2) >= 0xa6 && at(2) <= 0xa9);
}

} // namespace detail

/// Takes the first character off `text`, and appends it, harmless.
///
/// A failure may hold what a stranger sent; it must not steer a terminal or
/// fake a line of a log. What is no UTF-8 passes, but for bytes that are
/// controls by themselves.
/// @pre `text` is not empty.
inline void append_escaped(std::string& out, std::string_view& text) {
  constexpr auto hex = "0123456789abcdef";
  const auto size = detail::utf8_size(text);
  const auto c = text.substr(0, size == 0 ? 1 : size);
  text.remove_prefix(c.size());
  if (c == "\n") {
    out += "\\n";
  } else if (c == "\t") {
    out += "\\t";
  } else if (!detail::is_control(c)) {
    out += c;
  } else {
    for (const auto byte : c) {
      const auto x = static_cast<unsigned char>(byte);
      out += {'\\', 'x', hex[x >> 4], hex[x & 15]};
    }
  }
}

/// `text` as one line.
[[nodiscard]] inline std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty())
    append_escaped(out, text);
  return out;
}

/// "0x00000000004005d0".
[[nodiscard]] inline std::string address_text(unsigned long long x) {
  std::string res = "0x";
  for (int shift = 60; shift >= 0; shift -= 4)
    res += "0123456789abcdef"[(x >> shift) & 15];
  return res;
}

} // namespace coppice
