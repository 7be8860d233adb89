// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What the admission core decides, and what it can tell of itself.
///
/// Layer: policy. Pure: no clock, no CAF, no I/O.
/// Threads: values; as safe as an int.
/// Rules: docs/semantics.md, DEADLINE-2, DEADLINE-3, DEADLINE-4.

#include "coppice/policy/ticket.hpp"
#include "coppice/policy/time.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>

namespace coppice::policy {

/// What became of an arrival. The shell answers both tickets, if they are
/// there, with failures.
struct arrival_decision {
  /// The arrival itself, unless it was admitted.
  std::optional<shed_ticket> refused;
  /// One that waited and has made room for it.
  std::optional<shed_ticket> displaced;

  [[nodiscard]] bool admitted() const noexcept { return !refused; }
};

/// Start this one; it waited so long.
struct serve_ticket {
  ticket who;
  duration waited;
  friend bool operator==(const serve_ticket&, const serve_ticket&) = default;
};

/// Nothing to do until the next fact.
struct rest {
  friend bool operator==(rest, rest) = default;
};

/// What is to be done next: serve one, turn one away, or nothing.
using admission_step = std::variant<rest, serve_ticket, shed_ticket>;

enum class cancel_outcome : std::uint8_t {
  dropped,    ///< It waited, and is over.
  in_service, ///< It is being served; its end will be reported as usual.
  unknown,    ///< It is over already, or never was admitted.
};

/// Once admitted, a ticket ends exactly once: served, lost, or dropped. So
/// `arrived` = `admitted` + all of `refused`, and `admitted` = `served` +
/// `lost` + all of `dropped` + `depth` + `in_service`.
struct admission_snapshot {
  std::size_t depth = 0;      ///< How many wait.
  std::size_t in_service = 0; ///< How many have been started.
  std::size_t servers = 0;    ///< How many may be in service at a time.
  bool standing = false;      ///< Is the queue of all classes standing?
  bool draining = false;
  bool stopped = false;
  std::uint64_t arrived = 0;
  std::uint64_t admitted = 0;
  std::uint64_t served = 0; ///< Ended with a reported service time.
  std::uint64_t lost = 0;   ///< Ended in service without one.
  /// By `shed_reason`: at arrival, and after admission.
  std::array<std::uint64_t, shed_reason_count> refused{};
  std::array<std::uint64_t, shed_reason_count> dropped{};
  /// Nothing while too few services were measured.
  std::optional<duration> service_estimate;
  std::optional<duration> service_mean;
};

} // namespace coppice::policy
