// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Everything about a replicator that its user decides.
///
/// Layer: L3.
/// Threads: values; the functions are called on any thread, several at a time,
/// and must not use the replicator.
/// Rules: docs/semantics.md, REPLICATE-1, REPLICATE-5, REPLICATE-6.

#include "coppice/deadline_clock.hpp"
#include "coppice/failure.hpp"
#include "coppice/policy/replication_spec.hpp"

#include <caf/actor.hpp>
#include <caf/message.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace coppice {

using policy::failure_domain;
using policy::hedge_spec;
using policy::replica_spec;
using policy::replication_mode;
using policy::replication_spec;

/// One place to send copies to: a pool's handle, that of a child reference, or
/// of any actor.
struct replica {
  replica_spec about;
  caf::actor handle;
};

/// What becomes of requests that are not known to be idempotent.
enum class unmarked_requests : std::uint8_t {
  /// A failure of class "not_idempotent", which says what to do.
  refuse,
  /// One copy, and never another.
  send_once,
};

/// Everything about a replicator.
struct replicator_options {
  replication_spec policy = {};
  std::vector<replica> replicas = {};

  /// A request is idempotent if its context says so (`context::idempotent`),
  /// or this function does. A request without a context never counts as such:
  /// its copies could not be recalled.
  std::function<bool(const caf::message&)> is_idempotent = {};
  unmarked_requests unmarked = unmarked_requests::refuse;

  /// The longest deadline that requests come with, if that is known: delays of
  /// hedges have to be below it. Range: above 0, or infinity.
  policy::time_limit deadline = policy::infinity;

  /// Would the request fail like this anywhere? Null: `is_fatal_by_default`.
  std::function<bool(const failure&)> is_fatal = {};

  /// For a quorum that agrees: are these answers equal? Null: their bytes are.
  std::function<bool(const caf::message&, const caf::message&)> equal = {};

  /// Names the replicator in failures.
  std::string name = "replicator";

  /// Time, for deadlines and delays. Null: the current one.
  std::shared_ptr<deadline_clock> clock = nullptr;

  /// Of random choices. Nothing: a fresh one.
  std::optional<std::uint64_t> seed = {};
};

/// Those that say that the request itself is wrong: of class
/// "permanent_failure", or with `errc::permanent_failure` or `invalid_spec`.
/// Not that there is no time left: another replica may be quicker.
[[nodiscard]] bool is_fatal_by_default(const failure& x);

/// Every rule that `options` breaks; fields are named from `where`.
[[nodiscard]] policy::spec_defects validate(const replicator_options& options,
                                            const std::string& where);

namespace failure_classes {
inline constexpr const char* not_idempotent = "not_idempotent";
inline constexpr const char* all_replicas_failed = "all_replicas_failed";
inline constexpr const char* no_agreement = "no_agreement";
} // namespace failure_classes

} // namespace coppice
