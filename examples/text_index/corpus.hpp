// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Which files are to be indexed.
///
/// Layer: L4, an example.
/// Threads: see the functions; values are as safe as an int.
/// Rules: none.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace text_index {

/// The number of a file: its place in `corpus::files`.
using file_number = std::uint32_t;

struct corpus {
  /// In the order of their paths.
  std::vector<std::string> files;
  /// Directories that could not be read.
  std::vector<std::string> skipped;
};

/// All regular files below `directories`, at most `files_max`.
///
/// Symbolic links to files are followed, those to directories are not; each
/// real file (device and inode) is listed once, whatever its names.
[[nodiscard]] corpus list_files(const std::vector<std::string>& directories,
                                std::size_t files_max);

} // namespace text_index
