// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/request_tie.hpp"

namespace coppice {

bool request_tie::begin(std::uint32_t number) noexcept {
  if (number < tied_) {
    auto seen = nobody;
    if (!holder_.compare_exchange_strong(
          seen, number, std::memory_order_acq_rel, std::memory_order_acquire)
        && seen != number)
      return false;
  }
  on_begin(number);
  return true;
}

bool request_tie::release(std::uint32_t number) noexcept {
  return holder_.compare_exchange_strong(number, nobody,
                                         std::memory_order_acq_rel,
                                         std::memory_order_relaxed);
}

} // namespace coppice
