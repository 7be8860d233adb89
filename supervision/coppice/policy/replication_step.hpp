// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What goes into a replication core and what comes out of it.
///
/// Layer: policy. Pure: no clock, no CAF, no I/O.
/// Threads: values; as safe as an int.
/// Rules: docs/semantics.md, REPLICATE-1 to REPLICATE-7.

#include "coppice/policy/replica_set.hpp"
#include "coppice/policy/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace coppice::policy {

/// The shell's own number, e.g. a counter.
using request_id = std::uint64_t;

/// One copy of a request, from 0: the original.
struct copy_name {
  request_id request;
  std::uint32_t number;

  friend bool operator==(const copy_name&, const copy_name&) = default;
};

/// What a failed copy says about others.
struct copy_failure {
  /// It would fail anywhere: the request is wrong, or over. Ends the race.
  bool is_fatal = false;
  /// The replica took it back before anything was done, e.g. for lack of room.
  bool is_unstarted = false;
  /// The replica wants nothing for so long. Longer than the request lives: no
  /// further copies of this one at all.
  std::optional<duration> pushback = {};
};

/// Why a copy is sent.
enum class copy_reason : std::uint8_t {
  original, ///< The first, or one of those that the mode needs.
  at_once,  ///< Others that the mode sends with it.
  late,     ///< A copy is late.
  failover, ///< A copy failed.
};

enum class give_up_reason : std::uint8_t {
  all_failed,   ///< No copy is left; the failures of all of them say why.
  fatal,        ///< The last failure says why.
  over,         ///< Nobody waits any more.
  no_agreement, ///< Too few answers are equal.
  no_replica,   ///< There is none to send it to.
};

enum class step_kind : std::uint8_t {
  send,    ///< Send copy `number` to `replica`.
  cancel,  ///< Tell `replica` that copy `number` is not needed.
  release, ///< Copy `number` has the claim and failed: others may claim again.
  answer,  ///< Answer with what copy `number` said.
  give_up, ///< Answer with a failure.
  forget,  ///< Nothing more is to come of this request.
};

/// What the shell has to do.
struct replication_step {
  step_kind kind;
  copy_name copy;
  replica_id replica = 0;
  copy_reason why_sent = copy_reason::original;
  bool shares_domain = false;
  give_up_reason why_given_up = give_up_reason::all_failed;

  friend bool operator==(const replication_step&, const replication_step&)
    = default;
};

/// Why a copy that would have been sent was not.
struct copy_refusals {
  std::uint64_t budget = 0;       ///< Spent.
  std::uint64_t domain = 0;       ///< All that are left share a domain.
  std::uint64_t pushback = 0;     ///< The servers want no more.
  std::uint64_t no_replica = 0;   ///< None is left.
  std::uint64_t samples = 0;      ///< Too few to know what is late.
  std::uint64_t switched_off = 0; ///< They do not help.
  std::uint64_t load = 0;         ///< Too much load for them.
  std::uint64_t not_idempotent = 0;
};

/// What it costs, and what it wins (REPLICATE-7). Counts since the beginning,
/// unless it says something else.
struct replication_snapshot {
  std::uint64_t requests = 0;
  std::uint64_t answered = 0;
  std::uint64_t failed = 0;
  std::uint64_t over = 0;      ///< Of those given up.
  std::uint64_t in_flight = 0; ///< Now: neither answered nor given up.

  std::uint64_t copies_sent = 0; ///< Originals included.
  std::uint64_t extra_sent = 0;  ///< Of those, beyond what the mode needs.
  std::uint64_t late_sent = 0;   ///< Of those, because one was late.
  std::uint64_t failovers = 0;   ///< Of those, because one failed.
  std::uint64_t extra_won = 0;   ///< Their answer was the one.
  std::uint64_t shared_domain = 0;
  std::uint64_t withdrawn = 0;     ///< Cancelled before they were started.
  std::uint64_t wasted = 0;        ///< Cancelled, or answered, after the start.
  std::uint64_t late_answers = 0;  ///< Came after their request had ended.
  std::uint64_t double_starts = 0; ///< Tied copies that started all the same.
  duration wasted_time{0};         ///< Of copies after their start, in sum.
  copy_refusals refused = {};

  bool is_switched_off = false; ///< Now.
  double win_rate = 0.0;        ///< Of the latest extra copies.
  /// Of requests that were answered, in the recent past.
  std::optional<duration> p50 = {};
  std::optional<duration> p99 = {};
  std::optional<duration> p999 = {};
  /// What a copy waits for its hedge now.
  std::optional<duration> hedge_delay = {};
  std::vector<replica_snapshot> replicas = {};
};

[[nodiscard]] const char* to_string(step_kind x) noexcept;
[[nodiscard]] const char* to_string(copy_reason x) noexcept;
[[nodiscard]] const char* to_string(give_up_reason x) noexcept;
/// `send #7.1 to 2, late`.
[[nodiscard]] std::string to_string(const replication_step& x);

} // namespace coppice::policy
