// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What a user of the service is told about a failure, and nothing else.
///
/// Layer: L1.
/// Threads: pure functions.
/// Rules: docs/semantics.md, FAILURE-5.

#include <chrono>
#include <optional>
#include <string>

namespace coppice {

struct failure;

/// The texts for users, and what the edge of a service needs beside them.
struct user_report {
  /// Never empty; without a better one, `default_user_text`.
  std::string text;
  /// To be given to the support, who find it in the log.
  std::string reference;
  /// Empty for bugs.
  std::string help_link;
  std::optional<std::chrono::nanoseconds> retry_after;
  /// The class of the link that had the text; empty for bugs, and if nobody
  /// thought of a text.
  std::string failure_class;
  bool is_bug = false;

  friend bool operator==(const user_report&, const user_report&) = default;
};

/// Somebody has to say that it is not the user's fault, and what to do next.
inline constexpr const char* default_user_text
  = "Something went wrong on our side. Please try again later.";

/// The outermost link that has a `user_message` speaks; what is below a bug
/// does not, for it was written for another story.
[[nodiscard]] user_report for_user(const failure& x);

/// Two or three lines of text without control characters.
[[nodiscard]] std::string to_string(const user_report& x);

} // namespace coppice
