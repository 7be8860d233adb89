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
  using row = std::array<std::size_t, size_max + 1>;
  row before_last{};
  row last{};
  row now{};
  for (std::size_t j = 0; j <= b.size(); ++j)
    last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto x = plain(a[i - 1]);
      const auto y = plain(b[j - 1]);
      now[j] = std::min(
        {last[j] + 1, now[j - 1] + 1, last[j - 1] + (x == y ? 0u : 1u)});
      if (i > 1 && j > 1 && x == plain(b[j - 2]) && plain(a[i - 2]) == y)
        now[j] = std::min(now[j], before_last[j - 2] + 1);
    }
    before_last = last;
    last = now;
  }
  return last[b.size()];
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
    const auto is_beginning = found.size() >= 3 && name.starts_with(found);
    const auto edits = is_beginning ? 1 : distance(found, name);
    if (edits < least && 3 * edits <= name.size() + 1) {
      least = edits;
      best = &name;
    }
  }
  return best == nullptr ? std::string{} : *best;
}

} // namespace coppice
