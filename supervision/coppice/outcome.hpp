// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// A value, or the failure that stands in its place.
///
/// Layer: L1.
/// Threads: a value.
/// Rules: docs/semantics.md, FAILURE-1.

#include "coppice/failure.hpp"
#include "coppice/failure_convert.hpp"

#include <cassert>
#include <utility>
#include <variant>

namespace coppice {

/// What an operation that can fail returns.
template <class T>
class [[nodiscard]] outcome {
public:
  outcome(T value) : content_(std::move(value)) {}
  outcome(failure why) : content_(std::move(why)) {}

  [[nodiscard]] bool has_value() const noexcept {
    return content_.index() == 0;
  }
  [[nodiscard]] explicit operator bool() const noexcept { return has_value(); }

  /// Throws `failure_error` if there is none.
  [[nodiscard]] T& value() {
    throw_unless_ok();
    return std::get<0>(content_);
  }
  [[nodiscard]] const T& value() const {
    throw_unless_ok();
    return std::get<0>(content_);
  }

  /// @pre `has_value()`.
  [[nodiscard]] T& operator*() { return *std::get_if<0>(&content_); }
  [[nodiscard]] const T& operator*() const {
    return *std::get_if<0>(&content_);
  }
  [[nodiscard]] T* operator->() { return std::get_if<0>(&content_); }
  [[nodiscard]] const T* operator->() const {
    return std::get_if<0>(&content_);
  }

  /// @pre Not `has_value()`.
  [[nodiscard]] const failure& error() const {
    assert(!has_value());
    return *std::get_if<1>(&content_);
  }

private:
  void throw_unless_ok() const {
    if (!has_value())
      throw failure_error{error()};
  }

  std::variant<T, failure> content_;
};

/// For operations without a value: `done`, or a failure.
struct done_t {
  friend bool operator==(done_t, done_t) = default;
};
inline constexpr done_t done{};
using outcome_of_nothing = outcome<done_t>;

} // namespace coppice
