// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Commands for one child of a tree, by its path.
///
/// Layer: L3. No actors.
/// Threads: thread-safe, from outside of the actor system: they wait.
/// Rules: docs/semantics.md, RESTART-4, BACKOFF-2.

#include "coppice/supervise.hpp"

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace coppice {

enum class tree_action : std::uint8_t { stop, start, restart, retry, hold };

/// Nothing, unless `text` names one.
[[nodiscard]] std::optional<tree_action>
to_tree_action(std::string_view text) noexcept;

struct tree_order {
  tree_action action = tree_action::stop;
  /// Of a child, "/app/db"; in a pool the last part is its number.
  std::string path = {};
  /// For `hold`.
  std::string reason = {};
};

/// Waits until it is through, `within` is over, or `stop` is requested.
[[nodiscard]] outcome_of_nothing
carry_out(const supervision_tree& tree, const tree_order& order,
          time_limit within, std::stop_token stop = {});

/// What the tree says of the child at `path`.
[[nodiscard]] outcome<child_line> look_up(const supervision_tree& tree,
                                          const std::string& path,
                                          time_limit within);

} // namespace coppice
