// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// How a pool of workers is set up: how many, what waits, who gets what.
///
/// Layer: L3.
/// Threads: values; `key_of` is called on the threads of senders, at the same
/// time.
/// Rules: docs/semantics.md, DEADLINE-2, DEADLINE-3, TOPOLOGY-1.

#include "coppice/caf_compat.hpp"
#include "coppice/deadline_clock.hpp"
#include "coppice/policy/admission_spec.hpp"
#include "coppice/policy/dispatch.hpp"
#include "coppice/policy/spec_defect.hpp"
#include "coppice/spec.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace coppice {

/// Everything about a pool.
///
///     worker_pool pool{system, {.workers = 8,
///                               .admission = {.queue_depth_max = 200},
///                               .worker = {.start = spawns(reader)}}};
struct pool_options {
  /// Range: 1 to 1'000. 250 bytes each, beside the workers themselves.
  std::size_t workers = 4;

  /// Requests that a worker has in hand at a time. Range: 1 to 10'000. Above 1
  /// for workers that answer later, with promises: for others, the second one
  /// only waits in the worker's mailbox, out of the queue's reach, and its
  /// service seems to take longer by that.
  std::size_t concurrency = 1;

  policy::dispatch_kind dispatch = policy::dispatch_kind::least_loaded;

  policy::admission_spec admission = {};

  /// Each of the workers: `start`, how it is restarted and watched. Its `id`
  /// is given by the pool.
  child_spec worker = {};

  /// Restarts of all workers together before their supervisor gives up.
  restart_limits limits = {};

  /// For `by_key`, and only there: what a request is about, e.g. by
  /// `policy::stable_hash`. Requests of one key go to the same worker as long
  /// as that is there; a key that is asked for too often fills the mailbox of
  /// its worker, with up to `workers * concurrency` requests.
  /// What it throws is the answer to the request.
  std::function<std::uint64_t(const caf::message&)> key_of = {};

  /// Names the pool in failures.
  std::string name = "pool";

  /// Time, for deadlines and services. Null: the current one.
  std::shared_ptr<deadline_clock> clock = nullptr;

  /// Of random choices, and of the jitter of hints. Nothing: a fresh one.
  std::optional<std::uint64_t> seed = {};
};

/// Every rule that `options` breaks; fields are named from `where`, e.g.
/// `readers.admission.standing.target`.
[[nodiscard]] policy::spec_defects validate(const pool_options& options,
                                            const std::string& where);

} // namespace coppice
