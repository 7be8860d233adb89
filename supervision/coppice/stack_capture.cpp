// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/stack_capture.hpp"

#include "coppice/stack_back_end.hpp"
#include "coppice/stack_walk.hpp"

#include <algorithm>
#include <atomic>

namespace coppice {

namespace {

std::atomic<std::size_t> depth{default_stack_depth};

} // namespace

void set_stack_depth(std::size_t frames) noexcept {
  depth.store(std::min(frames, raw_stack::frames_max),
              std::memory_order_relaxed);
}

std::size_t stack_depth() noexcept {
  return depth.load(std::memory_order_relaxed);
}

void capture_from(const void* first, std::size_t own_frames_max,
                  raw_stack& result) noexcept {
  walk_stack(first, own_frames_max, stack_depth(), result);
}

[[gnu::noinline]] raw_stack capture_here(std::size_t skip) noexcept {
  raw_stack all;
  capture_from(__builtin_return_address(0), 3, all);
  if (skip == 0)
    return all;
  raw_stack result;
  for (auto i = skip; i < all.size(); ++i)
    result.push_back(all[i]);
  return result;
}

void warm_up_stack_capture() noexcept {
  raw_stack ignored;
  // Whatever the depth is: it may change.
  walk_stack(nullptr, 0, default_stack_depth, ignored);
}

const char* stack_back_end() noexcept {
  return stack_back_end_of_this_build::name;
}

} // namespace coppice
