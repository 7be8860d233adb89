// This file is part of coppice. License: see LICENSE in the source root.

#include "nearest.hpp"

#include <algorithm>
#include <utility>

namespace coppice::tool {

std::size_t edit_distance(std::string_view x, std::string_view y) {
  std::vector<std::size_t> before(y.size() + 1);
  std::vector<std::size_t> last(y.size() + 1);
  std::vector<std::size_t> row(y.size() + 1);
  for (std::size_t j = 0; j <= y.size(); ++j)
    last[j] = j;
  for (std::size_t i = 1; i <= x.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= y.size(); ++j) {
      const std::size_t change = x[i - 1] == y[j - 1] ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + change});
      if (i > 1 && j > 1 && x[i - 1] == y[j - 2] && x[i - 2] == y[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[y.size()];
}

std::vector<std::string> nearest(std::string_view said,
                                 const std::vector<std::string>& names,
                                 std::size_t max) {
  constexpr std::size_t longest = 300; // ids and paths of trees; not novels
  if (said.size() > longest)
    return {};
  std::vector<std::pair<std::size_t, std::string>> found;
  for (const auto& name : names) {
    if (name.size() > longest)
      continue;
    const auto is_tail = said.size() > 2 && name.ends_with(said);
    const auto far = is_tail ? 1 : edit_distance(said, name);
    if (far <= std::max<std::size_t>(1, said.size() / 3))
      found.emplace_back(far, name);
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& x, const auto& y) {
                     return x.first < y.first;
                   });
  std::vector<std::string> result;
  for (std::size_t i = 0; i < std::min(max, found.size()); ++i)
    result.push_back(found[i].second);
  return result;
}

std::string did_you_mean(std::string_view said,
                         const std::vector<std::string>& names) {
  std::string result;
  for (const auto& name : nearest(said, names))
    result += (result.empty() ? "; did you mean '" : " or '") + name + '\'';
  return result.empty() ? result : result + '?';
}

} // namespace coppice::tool
