// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Makes text of strangers safe to print. Internal.
///
/// Layer: L1.
/// Threads: pure functions.
/// Rules: docs/semantics.md, FAILURE-5.

#include <string>
#include <string_view>

namespace coppice {

// A failure may hold what a stranger sent; it must not steer a terminal or
// fake a line of a log.
inline void append_escaped(std::string& out, char c) {
  constexpr auto hex = "0123456789abcdef";
  const auto x = static_cast<unsigned char>(c);
  if (c == '\n')
    out += "\\n";
  else if (c == '\t')
    out += "\\t";
  else if (x < 0x20 || x == 0x7f)
    out += std::string{"\\x"} + hex[x >> 4] + hex[x & 15];
  else
    out += c;
}

/// `text` as one line.
[[nodiscard]] inline std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const auto c : text)
    append_escaped(out, c);
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
