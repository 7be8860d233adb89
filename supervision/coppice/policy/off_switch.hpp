// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Switches extra copies off where they do not help, and on where they do.
///
/// Layer: policy. Pure: no clock, no CAF, no I/O.
/// Threads: not thread-safe; owned by one replicator.
/// Rules: docs/semantics.md, REPLICATE-7.

#include "coppice/policy/replication_spec.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace coppice::policy {

/// Judges by the latest extra copies whose requests have ended: how many of
/// them gave the answer. Once `judged_by` of them have won less often than
/// `wins_min`, only one of `probe_every` is let through; when a tenth of
/// `judged_by` in a row of those have won twice as often as `wins_min` it is
/// on again, and judged anew.
///
/// Cost: O(1) each; one bit per judged copy.
class off_switch {
public:
  explicit off_switch(const off_switch_spec& spec);

  /// May one more extra copy be sent? Counts the question while it is off.
  [[nodiscard]] bool allows_another();

  /// The request of an extra copy has ended.
  void learn(bool won);

  [[nodiscard]] bool is_off() const noexcept { return is_off_; }
  /// Of those remembered; 0 if there are none.
  [[nodiscard]] double win_rate() const noexcept;

private:
  void remember_at_most(std::size_t size);

  double wins_min_;
  std::size_t judged_by_;
  std::size_t judged_by_while_off_;
  std::uint32_t probe_every_;
  std::uint32_t asked_ = 0;
  bool is_off_ = false;
  /// A ring of the latest outcomes; its size is what it takes for a judgement.
  std::vector<bool> won_;
  std::size_t next_ = 0;
  std::size_t known_ = 0;
  std::size_t wins_ = 0;
};

} // namespace coppice::policy
