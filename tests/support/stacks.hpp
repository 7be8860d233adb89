// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What tests of stacks have in common: frames, found and matched by name.
///
/// Layer: tests.
/// Threads: any.
/// Rules: docs/semantics.md, FAILURE-4, HEARTBEAT-6.

#include "coppice/symboliser.hpp"
#include "coppice/throw_stack.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <exception>
#include <string>
#include <vector>

namespace coppice::test {

using source_frames = std::vector<source_frame>;

/// Bounds a wait that ends well before, on a machine that is not stuck.
inline constexpr std::chrono::seconds long_enough{60};

inline source_frames explained(const raw_stack& stack) {
  return shared_symboliser().look_up(stack, long_enough);
}

inline source_frames explained(const std::exception_ptr& e) {
  const auto stack = stack_of_throw(e);
  return stack ? explained(*stack) : source_frames{};
}

/// What `act` throws; null if nothing.
template <class Act>
std::exception_ptr caught(Act act) {
  try {
    act();
  } catch (...) {
    return std::current_exception();
  }
  return nullptr;
}

/// A frame of a function with this in its name.
MATCHER_P(is_in, function, "is in " + std::string{function}) {
  *result_listener << to_string(arg);
  return arg.function.find(function) != std::string::npos;
}

} // namespace coppice::test
