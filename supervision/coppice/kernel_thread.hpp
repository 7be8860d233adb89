// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The number by which the kernel, and a directed signal, knows a thread.
///
/// Layer: L1. No CAF.
/// Threads: any.
/// Rules: docs/semantics.md, HEARTBEAT-6.

#include <cstdint>

namespace coppice {

namespace detail {
// `constinit` here as well, so that access needs no call of an initialiser.
extern constinit thread_local std::int32_t kernel_thread_cache;
std::int32_t ask_for_kernel_thread() noexcept;
} // namespace detail

/// Of this thread. Above 0; 0 where there is none. Right in the process that
/// asked first, not in one that was forked by this thread.
/// Cost: below 1 ns, but one system call at the first time on each thread.
[[nodiscard]] inline std::int32_t this_kernel_thread() noexcept {
  const auto known = detail::kernel_thread_cache;
  return known != 0 ? known : detail::ask_for_kernel_thread();
}

} // namespace coppice
