// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What is wrong with a spec: which field, what was found, what is expected.
///
/// Layer: policy. Pure: no clock, no CAF, no I/O.
/// Threads: values; as safe as a string.
/// Rules: docs/semantics.md, TOPOLOGY-1.

#include <string>
#include <vector>

namespace coppice::policy {

/// One broken rule of one field.
struct spec_defect {
  /// Where, from the root: `app.children[2](feed).backoff.first`.
  std::string field;
  /// What was found there, as text.
  std::string value;
  /// What is expected instead, as a sentence without the full stop.
  std::string expected;

  friend bool operator==(const spec_defect&, const spec_defect&) = default;
};

/// All defects of a spec, in the order of its fields; empty if it is sound.
using spec_defects = std::vector<spec_defect>;

/// `app.pause_length: found 0s, expected a finite length above zero`.
[[nodiscard]] std::string to_string(const spec_defect& defect);

/// One line each.
[[nodiscard]] std::string to_string(const spec_defects& defects);

} // namespace coppice::policy
