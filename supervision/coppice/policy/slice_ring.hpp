// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Says which part of a sliding window is now, and which parts are over.
///
/// Layer: policy. Pure: no clock, no CAF, no I/O.
/// Threads: not thread-safe; owned by what it is a part of.
/// Rules: docs/semantics.md, DEADLINE-2, REPLICATE-3.

#include "coppice/policy/time.hpp"

#include <cstddef>
#include <optional>

namespace coppice::policy {

/// A window that is forgotten slice by slice. The slices themselves belong to
/// the caller, as an array; this keeps the times.
///
/// The first slice begins with the first call of `advance`, and anew with the
/// first one after a pause of a whole window. With n slices the window covers
/// between (n - 1)/n and the whole of its length.
class slice_ring {
public:
  /// @param window  Range: above 0; its nth part is a nanosecond at least.
  /// @param slices  Range: 1 or more.
  slice_ring(duration window, std::size_t slices) noexcept;

  /// Moves on to `now`, never back: an earlier time is in the current slice.
  /// @returns How many slices have begun since the last call; no more than
  ///          there are. The caller empties `slice(0)` and as many before it.
  /// Cost: O(1).
  [[nodiscard]] std::size_t advance(time_point now) noexcept;

  /// The position of the current slice, or of one that many before it.
  /// @param ago  Range: below the number of slices.
  [[nodiscard]] std::size_t slice(std::size_t ago = 0) const noexcept {
    return (current_ + slices_ - ago) % slices_;
  }

  /// The position of the slice that this time fell into. Nothing: it is older
  /// than the window, or yet to come.
  [[nodiscard]] std::optional<std::size_t>
  slice_at(time_point when) const noexcept;

private:
  duration length_; ///< Of a slice.
  std::size_t slices_;
  std::size_t current_ = 0;
  std::optional<time_point> end_; ///< Of the current slice.
};

} // namespace coppice::policy
