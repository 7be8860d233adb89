// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What actors without a mailbox, that pass requests on, look at.
///
/// Layer: L3.
/// Threads: thread-safe; nothing but functions of their arguments.
/// Rules: none.

#include "coppice/caf_compat.hpp"

#include <cstdint>
#include <random>

namespace coppice {

/// Exit and down messages, and streams, are for actors with a life.
[[nodiscard]] inline bool is_work(caf::mailbox_element& x) {
  if (x.mid.category() > caf::message_id::normal_message_category)
    return false;
  return x.mid.is_request()
         || (!compat::holds<caf::exit_msg>(x)
             && !compat::holds<caf::down_msg>(x));
}

/// For those who do not care which one.
[[nodiscard]] inline std::uint64_t fresh_seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

} // namespace coppice
