// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What is said of a request where it enters.
///
/// Layer: L1.
/// Threads: values.
/// Rules: docs/semantics.md, DEADLINE-1, REPLICATE-6.

#include "coppice/deadline_clock.hpp"
#include "coppice/failure.hpp"
#include "coppice/policy/criticality.hpp"

#include <memory>
#include <optional>
#include <string>

namespace coppice {

/// What is said of a request where it enters.
struct request_entry {
  policy::criticality criticality = policy::criticality::critical;
  /// Names the request in logs. At most `reference_bytes_max` bytes are kept.
  std::string reference = failure::new_reference();
  /// Null: the current one.
  std::shared_ptr<deadline_clock> clock = nullptr;
  /// Given: it may be executed more than once, as `context::idempotent` of
  /// this key says. Nothing: nobody knows.
  std::optional<std::string> dedup_key = std::nullopt;
};

} // namespace coppice
