// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Raw stacks: bounded lists of return addresses, taken now, understood later.
///
/// Layer: L1. No CAF.
/// Threads: functions from any thread; a `raw_stack` is a value.
/// Rules: docs/semantics.md, FAILURE-4.

#include <array>
#include <cstddef>
#include <cstdint>

namespace coppice {

/// Return addresses, innermost first. Each is one past the call that it stands
/// for, so whoever looks it up subtracts one: behind the call of a function
/// that never returns begins the next function.
class raw_stack {
public:
  /// More than this nobody reads, and deep recursion shows its pattern.
  static constexpr std::size_t frames_max = 128;

  constexpr raw_stack() noexcept = default;

  /// Does nothing if the stack is full.
  constexpr void push_back(std::uintptr_t address) noexcept {
    if (size_ < frames_max)
      addresses_[size_++] = address;
  }
  constexpr void clear() noexcept { size_ = 0; }

  [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
  [[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] constexpr std::uintptr_t operator[](std::size_t i) const {
    return addresses_[i];
  }
  [[nodiscard]] constexpr const std::uintptr_t* begin() const noexcept {
    return addresses_.data();
  }
  [[nodiscard]] constexpr const std::uintptr_t* end() const noexcept {
    return addresses_.data() + size_;
  }

private:
  std::array<std::uintptr_t, frames_max> addresses_{};
  std::size_t size_ = 0;
};

inline constexpr std::size_t default_stack_depth = 32;

/// How many frames a stack has at most, in this process, from now on.
/// Default: `default_stack_depth`. Range: 0 (no stacks) to
/// `raw_stack::frames_max`; above is taken for the latter. A frame costs some
/// 100 ns per capture.
void set_stack_depth(std::size_t frames) noexcept;
[[nodiscard]] std::size_t stack_depth() noexcept;

/// The stack of this thread, from the caller on.
/// @param skip  How many more to leave out, from the caller on.
/// Allocates nothing and takes no lock.
[[nodiscard]] raw_stack capture_here(std::size_t skip = 0) noexcept;

/// The stack of this thread from the frame that returns to `first`, or was
/// interrupted there; all of it if there is none such. Async-signal-safe after
/// `warm_up_stack_capture`, with glibc 2.35 and GCC 12 or later.
/// @param own_frames_max  Frames that may be there before that one.
void capture_from(const void* first, std::size_t own_frames_max,
                  raw_stack& result) noexcept;

/// Has the unwinder set up what it sets up at its first use.
void warm_up_stack_capture() noexcept;

/// What knows functions, files and lines in this build: "boost" or "none".
[[nodiscard]] const char* stack_back_end() noexcept;

} // namespace coppice
