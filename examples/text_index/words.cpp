// This file is part of coppice. License: see LICENSE in the source root.

#include "words.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <string_view>
#include <utility>
#include <vector>

namespace text_index {

namespace {

constexpr std::size_t block_size = 64 * 1024;
constexpr std::size_t head_size = 8 * 1024;

bool is_binary(std::string_view first_block) {
  return first_block.substr(0, head_size).find('\0') != std::string_view::npos;
}

/// Cuts text into words; a word may go on in the next block.
class word_cutter {
public:
  explicit word_cutter(file_scan& into) : into_(into) {}

  void take(std::string_view block) {
    for (const auto c : block) {
      const auto lower = static_cast<char>(c | 0x20);
      if (lower >= 'a' && lower <= 'z')
        word_ += lower;
      else
        end_word();
    }
  }

  void end_word() {
    if (word_.empty())
      return;
    ++into_.words[word_];
    ++into_.words_total;
    word_.clear();
  }

private:
  file_scan& into_;
  std::string word_;
};

} // namespace

std::optional<file_scan> scan_file(const std::string& path,
                                   const block_hook& before_block) {
  file_scan result;
  std::ifstream file{path, std::ios::binary};
  if (!file)
    return result;
  word_cutter cutter{result};
  auto block = std::vector<char>(block_size);
  for (auto is_first = true;; is_first = false) {
    if (!before_block())
      return std::nullopt;
    file.read(block.data(), static_cast<std::streamsize>(block.size()));
    if (file.bad())
      return file_scan{};
    const auto text = std::string_view{block.data(),
                                       static_cast<std::size_t>(file.gcount())};
    if (is_first && is_binary(text)) {
      result.kind = file_kind::binary;
      return result;
    }
    cutter.take(text);
    if (!file)
      break;
  }
  cutter.end_word();
  result.kind = file_kind::text;
  return result;
}

void word_index::add(const word_counts& words) {
  // First what can throw: an entry that counts nothing yet does no harm, and
  // is the one that the next attempt fills.
  std::vector<std::pair<word_entry*, std::uint64_t>> changes;
  changes.reserve(words.size());
  for (const auto& [word, occurrences] : words)
    changes.emplace_back(&entries_[word], occurrences);
  for (const auto& [entry, occurrences] : changes) {
    ++entry->files;
    entry->occurrences += occurrences;
  }
}

} // namespace text_index
