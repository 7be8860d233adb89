// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/nearest_name.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>

namespace coppice {

namespace {

constexpr std::size_t size_max = 64;

char plain(char c) noexcept {
  if (c >= 'A' && c <= 'Z')
    return static_cast<char>(c - 'A' + 'a');
  return c == '-' || c == ' ' ? '_' : c;
}

/// @pre Both have at most `size_max` bytes.
std::size_t distance(std::string_view a, std::string_view b) {
  std::array<std::array<std::size_t, size_max + 1>, 3> rows;
  const auto row = [&rows](std::size_t i) -> auto& {
    return rows[i % 3];
  };
  for (std::size_t j = 0; j <= b.size(); ++j)
    row(0)[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto& now = row(i);
    const auto& last = row(i - 1);
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto x = plain(a[i - 1]);
      const auto y = plain(b[j - 1]);
      now[j] = std::min(
        {last[j] + 1, now[j - 1] + 1, last[j - 1] + (x == y ? 0u : 1u)});
      if (i > 1 && j > 1 && x == plain(b[j - 2]) && plain(a[i - 2]) == y)
        now[j] = std::min(now[j], row(i - 2)[j - 2] + 1);
    }
  }
  return row(a.size())[b.size()];
}

/// Beyond what counts as near there is no need to know.
std::size_t edits_to(std::string_view name, std::string_view found) {
  if (found.size() >= 3 && name.starts_with(found))
    return 1;
  const auto longer = std::max(name.size(), found.size());
  const auto shorter = std::min(name.size(), found.size());
  const auto least = longer - shorter;
  return 3 * least > name.size() + 1 ? least : distance(found, name);
}

} // namespace

std::string nearest_name(std::string_view found,
                         const std::vector<std::string>& names) {
  if (found.size() > size_max)
    return {};
  const std::string* best = nullptr;
  auto least = std::numeric_limits<std::size_t>::max();
  for (const auto& name : names) {
    if (name.size() > size_max)
      continue;
    const auto edits = edits_to(name, found);
    if (edits < least && 3 * edits <= name.size() + 1) {
      least = edits;
      best = &name;
    }
  }
  return best == nullptr ? std::string{} : *best;
}

} // namespace coppice
