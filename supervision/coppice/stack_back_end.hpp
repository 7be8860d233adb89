// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What looks addresses up: stack_capture_boost.cpp, or stack_capture_none.cpp
/// which cannot.
///
/// Layer: L1. No CAF.
/// Threads: any, but see below.
/// Rules: docs/semantics.md, FAILURE-4.

#include "coppice/source_frame.hpp"

#include <cstdint>

namespace coppice::stack_back_end_of_this_build {

extern const char* const name;

/// What is known of the code at `address`. Slow, with 25 MB and 100 ms at the
/// first call on each thread: to be called on one thread only.
[[nodiscard]] source_frame find_source(std::uintptr_t address);

} // namespace coppice::stack_back_end_of_this_build
