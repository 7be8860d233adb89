// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What a check without running found, as JSON.
///
/// Layer: L2.
/// Threads: pure functions.
/// Rules: docs/semantics.md, TOPOLOGY-2.

#include <string>

namespace coppice {

namespace policy {
struct spec_check;
}

/// One object: `format` (1), `errors`, `warnings`, `notes`, `scan_interval_ms`,
/// `stop_within_ms`, `worst` and `findings` with the names of the fields of
/// `worst_case` and `spec_finding`. Lengths of time in milliseconds, rounded
/// up, with `_ms` behind their names; null is unlimited, or never. Bytes that
/// are no UTF-8 are replaced.
///
/// @param indent  Spaces per level; negative: all on one line.
[[nodiscard]] std::string to_json(const policy::spec_check& x, int indent = -1);

} // namespace coppice
