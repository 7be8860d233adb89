// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// An address and a port, in numbers. Internal.
///
/// Layer: L3. No CAF.
/// Threads: values.
/// Rules: none.

#include <sys/socket.h>

#include <optional>
#include <string>

namespace coppice {

struct socket_address {
  sockaddr_storage storage = {};
  socklen_t size = 0;
};

/// "127.0.0.1:6379" or "[::1]:6379"; port 1 to 65535. Nothing else: to find a
/// name may take long, and `connect` must not wait.
[[nodiscard]] std::optional<socket_address>
parse_address(const std::string& text);

} // namespace coppice
