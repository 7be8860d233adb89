// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// How many extra copies of requests may be sent: a share of the requests.
///
/// Layer: policy. Pure: no clock, no CAF, no I/O.
/// Threads: not thread-safe; owned by one replicator.
/// Rules: docs/semantics.md, REPLICATE-3.

#include "coppice/policy/slice_ring.hpp"
#include "coppice/policy/time.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace coppice::policy {

/// Asking and taking are one call, so that two takers cannot spend one copy.
///
/// The window is forgotten in tenths: it covers between nine tenths and the
/// whole of its length, requests and copies alike. Requests are forgotten
/// before the copies that they paid for, so none pays twice: over any stretch
/// of time there are at most `share` copies per request, of those in it and in
/// the window before, plus `reserve` per window that has begun in it.
///
/// Times never go back: an earlier one than at the last call is taken as equal
/// to it.
///
/// Cost: O(1) each, at most ten slices. Memory: 250 bytes. Source: the retry
/// budgets of Finagle; Dean and Barroso, "The Tail at Scale", for 5 %.
class copy_budget {
public:
  /// @param share  Extra copies per request, to the nearest billionth. Range: 0
  ///               to 63; clamped. NaN: 0.
  /// @param window  Requests older than this do not count. Range: 1 ms to 1 h;
  ///                clamped.
  /// @param reserve  Extra copies per window beyond the share, for those who
  ///                 ask seldom.
  copy_budget(double share, duration window, std::uint32_t reserve);

  /// A request was sent for the first time.
  void on_request(time_point now);

  /// Takes one if the copies taken within the window, this one included, stay
  /// within `share` of its requests plus `reserve`. Exact: a refusal means that
  /// one more would have exceeded it.
  [[nodiscard]] bool take(time_point now);

  /// One that was taken costs nothing after all.
  ///
  /// @param taken  When it was taken: the time that was given to `take`. If
  ///               that is older than the window, there is nothing to give.
  void give_back(time_point taken);

  /// Those that count now.
  [[nodiscard]] std::uint64_t requests(time_point now);
  [[nodiscard]] std::uint64_t taken(time_point now);

private:
  static constexpr std::size_t slices = 10;

  struct counts {
    std::uint64_t requests = 0;
    std::uint64_t taken = 0;
  };

  void advance(time_point now) noexcept;
  [[nodiscard]] std::uint64_t allowed() const noexcept;

  std::uint64_t share_; ///< Unit: billionths of a copy per request.
  std::uint64_t reserve_;
  slice_ring ring_;
  std::array<counts, slices> slices_{};
  counts total_;
};

} // namespace coppice::policy
