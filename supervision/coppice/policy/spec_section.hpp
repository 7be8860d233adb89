// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What the validation of specs is written with: one part of a spec, and how
/// to take down what is wrong with it.
///
/// Layer: policy. Pure: no clock, no CAF, no I/O.
/// Threads: values that refer to a list of one thread.
/// Rules: docs/semantics.md, TOPOLOGY-1.

#include "coppice/policy/spec_defect.hpp"
#include "coppice/policy/time.hpp"

#include <string>
#include <string_view>

namespace coppice::policy {

/// The number as people write it: "0.2", "1000", "1e+300", "nan".
[[nodiscard]] std::string text(double x);

/// Control characters cannot be part of ids, nor be shown.
[[nodiscard]] bool is_control(char c) noexcept;

/// What can be shown of `x` on a line: control characters as `\x07`, no more
/// than a line's worth, and no UTF-8 sequence cut in two.
[[nodiscard]] std::string printable(std::string_view x);

/// The same in quotes.
[[nodiscard]] std::string quoted(std::string_view x);

/// Which lengths of time a field may have, and how to say so.
struct time_range {
  duration min;
  /// May it be infinite as well? Overflowed it may never be.
  bool infinite;
  const char* expected;

  [[nodiscard]] bool contains(const time_limit& x) const noexcept {
    return x.is_finite() ? x.span() >= min : infinite && x.is_infinite();
  }
};

inline constexpr time_range positive{duration{1}, false,
                                     "a finite length above zero"};
inline constexpr time_range positive_or_infinite{
  duration{1}, true, "a length above zero, or infinity"};
inline constexpr time_range not_negative{duration{0}, false,
                                         "a finite length of zero or more"};
inline constexpr time_range not_negative_or_infinite{
  duration{0}, true, "a length of zero or more, or infinity"};

/// The part of a spec that is being looked at; takes down its defects. Texts
/// are put together only for defects: a sound spec of 100'000 children costs
/// little.
class spec_section {
public:
  /// @param found  Where defects go; must outlive the section.
  /// @param where  Name of the part, from the root.
  spec_section(spec_defects& found, std::string where);

  /// A part of this part. `field` begins with a dot.
  [[nodiscard]] spec_section part(const std::string& field) const;

  void defect(std::string_view field, std::string value,
              std::string expected) const;

  void time(std::string_view field, const time_limit& x,
            const time_range& range) const;

  /// NaN is in no range.
  void number(std::string_view field, double x, double min, double max) const;

  /// @pre The enumerators of `Enum` are 0 to `last`.
  template <class Enum>
  void name(std::string_view field, Enum x, Enum last) const {
    if (x > last)
      defect(field, std::to_string(static_cast<int>(x)), names_up_to(last));
  }

private:
  /// "a, b or c".
  template <class Enum>
  static std::string names_up_to(Enum last) {
    std::string names = to_string(Enum{});
    for (auto i = 1; i <= static_cast<int>(last); ++i) {
      names += i == static_cast<int>(last) ? " or " : ", ";
      names += to_string(static_cast<Enum>(i));
    }
    return names;
  }

  spec_defects* found_;
  std::string where_;
};

} // namespace coppice::policy
