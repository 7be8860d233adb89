// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Time as the policy layer sees it: always an argument, never read.
///
/// Layer: policy. Pure: no clock, no CAF, no I/O.
/// Threads: values; as safe as an int.
/// Rules: docs/semantics.md, BUDGET-1, STOP-1.

#include <chrono>
#include <compare>
#include <cstdint>
#include <limits>
#include <ratio>
#include <string>
#include <type_traits>

namespace coppice::policy {

/// A length of time. Unit: nanoseconds.
using duration = std::chrono::nanoseconds;

/// A point on the steady clock. The policy layer only compares and adds.
using time_point = std::chrono::time_point<std::chrono::steady_clock, duration>;

/// Spells out "no limit". OTP's word.
struct infinity_t {
  explicit constexpr infinity_t() = default;
  friend bool operator==(infinity_t, infinity_t) = default;
};
inline constexpr infinity_t infinity{};

/// `when + span`, or the last representable point if that overflows.
[[nodiscard]] constexpr time_point saturating_add(time_point when,
                                                  duration span) noexcept {
  if (span > duration::zero() && when > time_point::max() - span)
    return time_point::max();
  if (span < duration::zero() && when < time_point::min() - span)
    return time_point::min();
  return when + span;
}

/// A length of time that a user configures: finite, or `infinity` by name.
///
/// Built from any chrono duration. A duration that does not fit in 64 bits of
/// nanoseconds (some 292 years) is remembered as overflowed, so that
/// validation can say so; it never wraps around.
class time_limit {
public:
  constexpr time_limit() noexcept = default;

  constexpr time_limit(infinity_t) noexcept : kind_(kind::infinite) {}

  template <class Rep, class Period>
  constexpr time_limit(std::chrono::duration<Rep, Period> span) noexcept {
    using scale = std::ratio_divide<Period, std::nano>;
    if constexpr (std::is_integral_v<Rep> && sizeof(Rep) <= 8) {
      // 64 by 63 bits: exact, where `duration_cast` could wrap around.
      __extension__ using wide = __int128;
      set_if_it_fits(wide{span.count()} * scale::num / scale::den);
    } else {
      using wide = std::chrono::duration<long double, std::nano>;
      set_if_it_fits(wide{span}.count());
    }
  }

  [[nodiscard]] constexpr bool is_infinite() const noexcept {
    return kind_ == kind::infinite;
  }

  [[nodiscard]] constexpr bool has_overflowed() const noexcept {
    return kind_ == kind::overflowed;
  }

  [[nodiscard]] constexpr bool is_finite() const noexcept {
    return kind_ == kind::finite;
  }

  /// The length; the longest representable one unless finite.
  [[nodiscard]] constexpr duration span() const noexcept {
    return is_finite() ? span_ : duration::max();
  }

  /// When a limit that starts at `from` ends. Saturates.
  [[nodiscard]] constexpr time_point after(time_point from) const noexcept {
    return is_finite() ? saturating_add(from, span_) : time_point::max();
  }

  friend constexpr bool operator==(const time_limit&,
                                   const time_limit&) noexcept = default;

private:
  enum class kind : std::uint8_t { finite, infinite, overflowed };

  template <class Wide>
  constexpr void set_if_it_fits(Wide count) noexcept {
    constexpr auto edge = Wide{1u << 31} * Wide{1u << 31} * 2; // 2^63
    if (count >= -edge && count < edge)
      span_ = duration{static_cast<duration::rep>(count)};
    else
      kind_ = kind::overflowed; // NaN lands here as well
  }

  duration span_{0};
  kind kind_ = kind::finite;
};

/// A count that a user configures: finite, or `infinity` by name.
class count_limit {
public:
  constexpr count_limit() noexcept = default;

  constexpr count_limit(infinity_t) noexcept : infinite_(true) {}

  template <class T>
    requires std::is_integral_v<T>
  constexpr count_limit(T count) noexcept {
    if constexpr (std::is_signed_v<T>)
      negative_ = count < 0;
    using wide = std::make_unsigned_t<T>;
    count_ = negative_ ? std::uint64_t{0}
                       : static_cast<std::uint64_t>(static_cast<wide>(count));
  }

  [[nodiscard]] constexpr bool is_infinite() const noexcept {
    return infinite_;
  }

  /// Was it built from a negative number? Validation refuses it.
  [[nodiscard]] constexpr bool is_negative() const noexcept {
    return negative_;
  }

  /// The count; the largest representable one if infinite.
  [[nodiscard]] constexpr std::uint64_t count() const noexcept {
    return infinite_ ? std::numeric_limits<std::uint64_t>::max() : count_;
  }

  friend constexpr bool operator==(const count_limit&,
                                   const count_limit&) noexcept = default;

private:
  std::uint64_t count_ = 0;
  bool infinite_ = false;
  bool negative_ = false;
};

/// "250ms", "5s", "infinity": exact, in the largest unit that divides it.
[[nodiscard]] std::string to_string(duration span);
[[nodiscard]] std::string to_string(const time_limit& limit);
[[nodiscard]] std::string to_string(const count_limit& limit);

/// For people: "1.5s", "200ms", "3min 20s"; rounded to three digits or so.
[[nodiscard]] std::string in_words(duration span);

} // namespace coppice::policy
