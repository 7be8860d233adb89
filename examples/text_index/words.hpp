// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Words of one file, and the index of all files. Knows nothing of actors.
///
/// Layer: L4, an example.
/// Threads: see the functions; values are as safe as an int.
/// Rules: none.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>

namespace text_index {

/// How often each word occurs in one file. A word is a run of ASCII letters,
/// in lower case.
using word_counts = std::unordered_map<std::string, std::uint64_t>;

enum class file_kind : std::uint8_t {
  text,
  binary, ///< A null byte in its first 8 KiB.
  unreadable,
};

/// What became of reading one file.
struct file_scan {
  file_kind kind = file_kind::unreadable;
  word_counts words;
  std::uint64_t words_total = 0;
};

/// Called before each block of a file; says whether to go on.
using block_hook = std::function<bool()>;

/// Reads a file, block by block.
/// @returns Nothing if `before_block` has ended it.
[[nodiscard]] std::optional<file_scan>
scan_file(const std::string& path, const block_hook& before_block);

/// All that is known about one word.
struct word_entry {
  std::uint64_t files = 0;
  std::uint64_t occurrences = 0;
  friend bool operator==(const word_entry&, const word_entry&) = default;
};

class word_index {
public:
  /// Counts one file. All or nothing: if it throws, for want of memory, the
  /// index counts what it counted before.
  void add(const word_counts& words);

  [[nodiscard]] const auto& entries() const noexcept { return entries_; }

  friend bool operator==(const word_index&, const word_index&) = default;

private:
  std::unordered_map<std::string, word_entry> entries_;
};

} // namespace text_index
