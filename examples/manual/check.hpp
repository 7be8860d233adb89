// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// For the programs that the manual quotes: says what is, and what should be.
///
/// Layer: L4.
/// Threads: one.
/// Rules: none.

#include "coppice/policy/time.hpp"

#include <concepts>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace manual {

using coppice::policy::duration;

inline std::string text(const std::string& x) {
  return x;
}
inline std::string text(bool x) {
  return x ? "yes" : "no";
}
inline std::string text(duration x) {
  return to_string(coppice::policy::time_limit{x});
}
inline std::string text(const std::optional<duration>& x) {
  return x ? text(*x) : "never";
}
inline std::string text(std::integral auto x) {
  return std::to_string(x);
}
inline std::string text(const std::vector<duration>& xs) {
  std::string result;
  for (const auto x : xs)
    result += (result.empty() ? "" : " ") + text(x);
  return result;
}

/// Prints what was found; remembers whether all was as expected.
class checker {
public:
  template <class T>
  void operator()(const char* what, const T& found,
                  const std::type_identity_t<T>& expected) {
    say(what, text(found), found == expected, text(expected));
  }

  void within(const char* what, std::pair<duration, duration> found,
              duration least, duration most) {
    say(what, text(found.first) + " to " + text(found.second),
        found.first >= least && found.second <= most,
        text(least) + " to " + text(most));
  }

  /// The status for `main`.
  [[nodiscard]] int result() const {
    std::puts(failed_ ? "not as the manual says" : "as the manual says");
    return failed_ ? 1 : 0;
  }

private:
  void say(const char* what, const std::string& found, bool is_right,
           const std::string& expected) {
    std::printf("%s: %s\n", what, found.c_str());
    if (is_right)
      return;
    std::printf("  WRONG, the manual says: %s\n", expected.c_str());
    failed_ = true;
  }

  bool failed_ = false;
};

inline checker check;

} // namespace manual
