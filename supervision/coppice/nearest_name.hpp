// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What somebody who wrote a wrong name probably meant.
///
/// Layer: L2.
/// Threads: pure functions.
/// Rules: docs/semantics.md, TOPOLOGY-1.

#include <string>
#include <string_view>
#include <vector>

namespace coppice {

/// The one of `names` that takes the fewest edits to get to from `found`:
/// characters inserted, left out, replaced, or swapped with the next. Case
/// counts for nothing, `-` and blanks are as good as `_`, and leaving out all
/// behind the first three or more is one edit. Empty if even that one takes
/// more than a third of its length.
///
/// Source: optimal string alignment distance.
/// Cost: O(length of found * length of all names); names of more than 64 bytes
/// are near to nothing.
[[nodiscard]] std::string nearest_name(std::string_view found,
                                       const std::vector<std::string>& names);

} // namespace coppice
