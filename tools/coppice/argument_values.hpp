// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Values of the command line's options, from text.
///
/// Layer: L4.
/// Threads: pure functions.
/// Rules: docs/command_line.md.

#include "command_line.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace coppice::tool {

/// "50ms", "1.5s", "2min", "1h": above zero, at most a year.
[[nodiscard]] std::optional<policy::duration>
duration_from(std::string_view text);

/// "127.0.0.1:8080", "[::1]:0".
[[nodiscard]] std::optional<listen_address>
address_from(const std::string& text);

/// The first line of a file.
/// @throws std::runtime_error  If there is none.
[[nodiscard]] std::string token_from(const std::string& file);

} // namespace coppice::tool
