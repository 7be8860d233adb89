// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Prints the events of a running tree, as they come over HTTP.
///
/// Layer: L4.
/// Threads: the one of the client.
/// Rules: docs/semantics.md, OBSERVE-1.

#include "command_line.hpp"
#include "tree_client.hpp"

#include <string>

namespace coppice::tool {

/// Until all that is known is printed; with `follow`, until the tree is gone.
/// @returns what went wrong, or a good answer.
[[nodiscard]] http_answer print_events(const tree_client& client,
                                       const events_request& x);

/// One line of text for an event in JSON. What is not one comes back as it is.
[[nodiscard]] std::string event_text(const std::string& json_text);

} // namespace coppice::tool
