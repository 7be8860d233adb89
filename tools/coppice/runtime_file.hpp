// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// How the other subcommands find a running tree: a small file that only its
/// user can read.
///
/// Layer: L4.
/// Threads: `runtime_file` belongs to one thread; the functions are as safe as
/// the file system.
/// Rules: none.

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace coppice::tool {

/// Where a tree can be reached.
struct running_tree {
  std::string name;
  pid_t pid = 0;
  std::string url;
  std::string token;
};

/// A text about what went wrong, or nothing.
using complaint = std::optional<std::string>;

/// $XDG_RUNTIME_DIR/coppice, else /tmp/coppice-<uid>.
[[nodiscard]] std::filesystem::path runtime_directory();

/// While it exists, so does the file, locked: a lock ends with its process,
/// whatever ends that, and process ids are used again.
class runtime_file {
public:
  runtime_file() = default;
  ~runtime_file();
  runtime_file(const runtime_file&) = delete;
  runtime_file& operator=(const runtime_file&) = delete;

  /// Writes it. If a tree of this name runs, this one is called
  /// `<name>-<pid>`. Files of processes that are gone are replaced.
  /// @returns what went wrong; then there is none.
  [[nodiscard]] complaint create(running_tree what);

  /// Under which it can be found.
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  void remove();

private:
  std::string name_;
  std::filesystem::path path_;
  int descriptor_ = -1;
};

/// All trees of this user that run. Files of those that are gone are removed.
[[nodiscard]] std::vector<running_tree> running_trees();

} // namespace coppice::tool
