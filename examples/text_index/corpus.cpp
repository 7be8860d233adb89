// This file is part of coppice. License: see LICENSE in the source root.

#include "corpus.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <utility>

namespace text_index {

namespace {

namespace fs = std::filesystem;

using identity = std::pair<dev_t, ino_t>;

/// Of what is behind all links; nothing unless that is a regular file.
std::optional<identity> regular_file(const fs::path& path) {
  struct stat facts {};
  if (stat(path.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode))
    return std::nullopt;
  return identity{facts.st_dev, facts.st_ino};
}

void list_below(const fs::path& directory, corpus& into) {
  std::error_code error;
  auto entry = fs::directory_iterator{directory, error};
  for (; !error && entry != fs::directory_iterator{}; entry.increment(error)) {
    std::error_code of_entry;
    if (fs::is_directory(entry->symlink_status(of_entry)))
      list_below(entry->path(), into);
    else
      into.files.push_back(entry->path().string());
  }
  if (error)
    into.skipped.push_back(directory.string());
}

} // namespace

corpus list_files(const std::vector<std::string>& directories,
                  std::size_t files_max) {
  corpus found;
  for (const auto& directory : directories)
    list_below(directory, found);
  std::sort(found.files.begin(), found.files.end());
  corpus result{.files = {}, .skipped = std::move(found.skipped)};
  std::set<identity> seen;
  for (auto& path : found.files) {
    if (result.files.size() == files_max)
      break;
    if (const auto id = regular_file(path); id && seen.insert(*id).second)
      result.files.push_back(std::move(path));
  }
  return result;
}

} // namespace text_index
