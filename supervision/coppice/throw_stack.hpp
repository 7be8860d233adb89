// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The stack of the throw, for whoever has caught the exception.
///
/// Layer: L1. No CAF.
/// Threads: functions from any thread; guards belong to their thread. A stack
///          is found on the thread that threw.
/// Rules: docs/semantics.md, FAILURE-4.

#include "coppice/stack_capture.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>

namespace coppice {

/// Which throws have their stack taken, where the hook is linked. Others cost
/// what they cost without it, and a few nanoseconds.
enum class throw_capture : std::uint8_t {
  never,
  /// While a `throw_capture_scope` exists on the thread: inside handlers. The
  /// default, for a program may throw elsewhere as a matter of course.
  in_actors,
  always,
};

/// For the whole process, from now on.
void set_throw_capture(throw_capture x) noexcept;

namespace detail {

struct throw_flags {
  std::uint32_t scopes;
  std::uint32_t off;
};

// `constinit` here as well, so that access needs no call of an initialiser.
extern constinit thread_local throw_flags flags_of_this_thread;

/// What the hook asks, just before the exception takes off: where to put its
/// stack; null if it is not wanted.
[[nodiscard]] raw_stack* place_for_stack(void* object) noexcept;

void throw_hook_is_here() noexcept;

} // namespace detail

/// Around what an actor does. Nests. Cost: below 1 ns.
class throw_capture_scope {
public:
  throw_capture_scope() noexcept { ++detail::flags_of_this_thread.scopes; }
  ~throw_capture_scope() { --detail::flags_of_this_thread.scopes; }

  throw_capture_scope(const throw_capture_scope&) = delete;
  throw_capture_scope& operator=(const throw_capture_scope&) = delete;
};

/// Around code that throws often: none of it has its stack taken. Nests, and
/// wins over scopes on either side.
class stack_capture_off {
public:
  stack_capture_off() noexcept { ++detail::flags_of_this_thread.off; }
  ~stack_capture_off() { --detail::flags_of_this_thread.off; }

  stack_capture_off(const stack_capture_off&) = delete;
  stack_capture_off& operator=(const stack_capture_off&) = delete;
};

/// Exceptions of one thread whose stacks are kept. One more, and the oldest is
/// forgotten, but not the one that is being handled.
inline constexpr std::size_t throws_kept = 4;

/// Where `x` was thrown, innermost frame first, without frames of the hook.
///
/// Nothing if the hook is not linked, or capture was off; on another thread
/// than the one that threw; of exceptions that nobody threw
/// (`std::make_exception_ptr`). Thrown again (`throw;`,
/// `std::rethrow_exception`) an exception keeps the stack of its first throw.
/// Cost: O(`throws_kept`), and a copy of 1 KiB.
[[nodiscard]] std::optional<raw_stack>
stack_of_throw(const std::exception_ptr& x) noexcept;

/// Is `coppice::throw_hook`, or `..._wrap`, part of this program?
[[nodiscard]] bool has_throw_hook() noexcept;

} // namespace coppice
