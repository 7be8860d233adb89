// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What a queue knows of a request, and the ways in which it can turn it away.
///
/// Layer: policy. Pure: no clock, no CAF, no I/O.
/// Threads: values; as safe as an int.
/// Rules: docs/semantics.md, DEADLINE-2, DEADLINE-3, DEADLINE-4.

#include "coppice/policy/admission_spec.hpp"
#include "coppice/policy/time.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace coppice::policy {

/// A request, as far as its admission goes. The shell keeps the request
/// itself, under the same id.
struct ticket {
  /// The shell's own number, e.g. a counter. Unique among those not over.
  std::uint64_t id = 0;
  /// On the steady clock; nothing: the requester waits for ever.
  std::optional<time_point> deadline = {};
  criticality level = criticality::critical;

  friend bool operator==(const ticket&, const ticket&) = default;
};

/// Why a request is not served. The shell answers with the matching failure.
enum class shed_reason : std::uint8_t {
  /// The queue, or the class's share of it, is full. Come back later.
  queue_full,
  /// The deadline has passed. Nobody waits any more.
  expired,
  /// What remains until the deadline is less than a service takes, or less
  /// than the queue and a service take. Ask with a later deadline.
  cannot_finish,
  /// The queue has been standing, and this one in it for too long. Come back
  /// later.
  standing_queue,
  /// Gave its place in a full queue to a more critical one. Come back later.
  evicted,
  /// The requester does not want it any more.
  cancelled,
  /// The queue finishes what it has and takes nothing new. Ask elsewhere.
  draining,
  /// The queue has ended. Ask elsewhere.
  stopped,
};

inline constexpr std::size_t shed_reason_count = 8;

/// A request that is not served, with all that an answer to it needs.
struct shed_ticket {
  ticket who;
  shed_reason why;
  /// When to come back, from now. Only where coming back can help.
  std::optional<duration> retry_after = {};

  friend bool operator==(const shed_ticket&, const shed_ticket&) = default;
};

[[nodiscard]] const char* to_string(shed_reason x) noexcept;
/// `#7 critical: queue_full, retry after 50ms`.
[[nodiscard]] std::string to_string(const shed_ticket& x);

} // namespace coppice::policy
