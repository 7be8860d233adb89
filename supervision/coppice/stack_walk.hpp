// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// How a stack is taken. In a header, so that it adds no frame to be walked.
///
/// Layer: L1. No CAF.
/// Threads: any.
/// Rules: docs/semantics.md, FAILURE-4.

#include "coppice/stack_capture.hpp"

#include <unwind.h>

#include <cstddef>
#include <cstdint>

namespace coppice {

/// A walk from frame to frame, that stops as soon as it has enough.
///
/// By hand, and not by Boost's `safe_dump_to`: each frame walked costs some
/// 100 ns, and Boost walks over its own, has to be given room for ours as well,
/// and does not tell a frame that was interrupted from one that made a call.
struct stack_walk {
  const void* first;
  /// In how many more frames `first` may turn up.
  std::size_t own_left;
  std::size_t wanted;
  raw_stack& out;
  bool is_on;

  static _Unwind_Reason_Code visit(_Unwind_Context* context, void* arg) {
    auto& self = *static_cast<stack_walk*>(arg);
    auto is_interrupted = 0;
    const auto address = _Unwind_GetIPInfo(context, &is_interrupted);
    if (address == 0)
      return _URC_END_OF_STACK;
    if (!self.is_on)
      self.look_for_first(address);
    if (self.out.size() < self.wanted)
      // One past, as if it had made a call.
      self.out.push_back(address + (is_interrupted != 0 ? 1 : 0));
    return self.is_on && self.out.size() >= self.wanted ? _URC_END_OF_STACK
                                                        : _URC_NO_REASON;
  }

  // Found by its address and not by a count of frames: what is inlined, and
  // what a sanitizer puts in between, differs from build to build.
  void look_for_first(std::uintptr_t address) {
    const auto is_first = address == reinterpret_cast<std::uintptr_t>(first);
    if (is_first)
      out.clear();
    is_on = is_first || own_left == 0;
    if (own_left > 0)
      --own_left;
  }
};

/// As `capture_from`, into a function that takes stacks.
[[gnu::always_inline]] inline void
walk_stack(const void* first, std::size_t own_frames_max, std::size_t wanted,
           raw_stack& result) noexcept {
  result.clear();
  stack_walk todo{.first = first,
                  .own_left = own_frames_max,
                  .wanted = wanted,
                  .out = result,
                  .is_on = false};
  if (todo.wanted > 0)
    _Unwind_Backtrace(stack_walk::visit, &todo);
}

} // namespace coppice
