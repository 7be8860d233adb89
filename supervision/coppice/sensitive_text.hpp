// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// A text that must not leave the process: a name, a token, a card number.
///
/// Layer: L1.
/// Threads: values.
/// Rules: docs/semantics.md, FAILURE-5.

#include <ostream>
#include <string>
#include <string_view>
#include <utility>

namespace coppice {

/// Redaction by type: there is no conversion back to a string, everything that
/// prints one prints `mark`, and the codec of failures writes none. Only code
/// of the same process that asks for it by name sees the text, a handler that
/// wants to know which customer it was, say.
class sensitive_text {
public:
  /// Withheld: what arrives from another process.
  sensitive_text() noexcept = default;
  sensitive_text(std::string text)
    : text_(std::move(text)), is_withheld_(false) {}
  sensitive_text(const char* text) : sensitive_text(std::string{text}) {}

  /// The text itself; empty if it was withheld.
  [[nodiscard]] const std::string& reveal() const noexcept { return text_; }
  [[nodiscard]] bool is_withheld() const noexcept { return is_withheld_; }

  /// Says nothing about the text, not even its length.
  static constexpr std::string_view mark = "[sensitive]";

  friend bool operator==(const sensitive_text&, const sensitive_text&)
    = default;

private:
  std::string text_;
  bool is_withheld_ = true;
};

[[nodiscard]] inline std::string to_string(const sensitive_text&) {
  return std::string{sensitive_text::mark};
}

inline std::ostream& operator<<(std::ostream& out, const sensitive_text&) {
  return out << sensitive_text::mark;
}

} // namespace coppice
