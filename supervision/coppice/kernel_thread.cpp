// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/kernel_thread.hpp"

#if defined(__linux__)
#  include <unistd.h>
#endif

namespace coppice::detail {

constinit thread_local std::int32_t kernel_thread_cache = 0;

std::int32_t ask_for_kernel_thread() noexcept {
#if defined(__linux__)
  kernel_thread_cache = gettid();
#endif
  return kernel_thread_cache;
}

} // namespace coppice::detail
