// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What is known of one return address: function, file and line.
///
/// Layer: L1. No CAF.
/// Threads: values.
/// Rules: docs/semantics.md, FAILURE-4.

#include <cstdint>
#include <string>
#include <vector>

namespace coppice {

struct source_frame {
  /// The return address.
  std::uintptr_t address = 0;
  /// Demangled; empty if not known.
  std::string function = {};
  /// As the compiler was told; empty without debug information.
  std::string file = {};
  std::uint32_t line = 0;

  friend bool operator==(const source_frame&, const source_frame&) = default;
};

/// `parse_header at src/parser.cpp:42`; as much of it as is known.
[[nodiscard]] std::string to_string(const source_frame& x);

/// The innermost frame with a file that is neither of the standard library nor
/// of the system's headers; null if there is none.
[[nodiscard]] const source_frame*
innermost_of_user(const std::vector<source_frame>& stack) noexcept;

} // namespace coppice
