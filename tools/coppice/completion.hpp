// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Shell completion, made from what the command line itself declares.
///
/// Layer: L4.
/// Threads: pure functions.
/// Rules: docs/command_line.md, "Completion".

#include <string>
#include <vector>

namespace coppice::tool {

/// What may follow an option, or stand in its place.
struct value_model {
  /// "FILE", "PATH" (of a child), "NAME" (of a tree), "KIND"; or the values
  /// themselves, "a|b|c"; anything else completes to nothing.
  std::string type;
};

struct option_model {
  std::vector<std::string> names; ///< With their dashes.
  std::string description;
  bool takes_value = false;
  value_model value;
};

struct command_model {
  std::string name;
  std::string description;
  std::vector<option_model> options;
  std::vector<value_model> positionals;
  std::vector<command_model> commands;
};

[[nodiscard]] std::string bash_completion(const command_model& root);
[[nodiscard]] std::string zsh_completion(const command_model& root);
[[nodiscard]] std::string fish_completion(const command_model& root);

} // namespace coppice::tool
