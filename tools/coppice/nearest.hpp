// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Which names were probably meant.
///
/// Layer: L4.
/// Threads: pure functions.
/// Rules: none.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace coppice::tool {

/// Insertions, deletions, changes and swaps of neighbours from one to the
/// other, in bytes. Cost: O(product of the lengths).
/// Source: optimal string alignment (Damerau 1964).
[[nodiscard]] std::size_t edit_distance(std::string_view x, std::string_view y);

/// Up to `max` of them, nearest first: those within a third of the length, and
/// those that end in what was said. May be empty.
[[nodiscard]] std::vector<std::string>
nearest(std::string_view said, const std::vector<std::string>& names,
        std::size_t max = 3);

/// "; did you mean 'a' or 'b'?"; empty if there is none.
[[nodiscard]] std::string did_you_mean(std::string_view said,
                                       const std::vector<std::string>& names);

} // namespace coppice::tool
