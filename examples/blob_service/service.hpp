// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The service without its HTTP: replicas as pools, and replicators over them.
///
///     blobs (one_for_one)
///     |-- a              a pool of readers with a directory of its own
///     |   |-- worker-1   a thread each: reads block
///     |   `-- ...
///     |-- b
///     `-- ...
///
/// Layer: L4, an example.
/// Threads: thread-safe, but for the making and the end of it.
/// Rules: docs/semantics.md, REPLICATE-1 to REPLICATE-7.

#include "coppice/actors/pool.hpp"
#include "coppice/actors/replicator.hpp"
#include "coppice/outcome.hpp"

#include "blobs.hpp"
#include "data_set.hpp"
#include "options.hpp"
#include "reader.hpp"

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace blob_service {

class service {
public:
  /// @throws coppice::failure_error  If the tree does not come up.
  service(caf::actor_system& system, const options& how, const data_set& data);
  /// Stops it.
  ~service();
  service(const service&) = delete;
  service& operator=(const service&) = delete;

  /// Waits for a blob, up to the deadline of requests. Not for actors, which
  /// must not wait.
  /// @param name  `is_blob_name`.
  [[nodiscard]] coppice::outcome<blob> get(const std::string& name);

  [[nodiscard]] serving_mode mode() const noexcept { return mode_; }
  /// For all requests from now on.
  void set_mode(serving_mode x) noexcept { mode_ = x; }

  /// As an operator would: stops the child of the tree, or starts it again.
  coppice::outcome_of_nothing stop_replica(const std::string& name);
  coppice::outcome_of_nothing restart_replica(const std::string& name);

  [[nodiscard]] coppice::replicator_statistics statistics(serving_mode x) const;
  /// By number of the replica.
  [[nodiscard]] coppice::pool_statistics pool_of(std::size_t number) const;
  [[nodiscard]] const std::vector<std::shared_ptr<replica_site>>&
  sites() const noexcept {
    return sites_;
  }

  /// Answers what is asked with a failure, and ends the readers in order.
  coppice::stop_report stop(coppice::time_limit within);

private:
  void make_pools(const options& how, const data_set& data);
  void make_replicators(const options& how);
  void grow_tree();
  /// A replica without readers gets no copies.
  void on_event(const coppice::supervision_event& x);
  [[nodiscard]] const coppice::replicator& front(serving_mode x) const;

  caf::actor_system& system_;
  const std::chrono::milliseconds deadline_;
  std::atomic<serving_mode> mode_;
  std::vector<std::shared_ptr<replica_site>> sites_;
  std::vector<coppice::worker_pool> pools_;
  /// Over the same pools: policies do not change while they run.
  std::map<serving_mode, coppice::replicator> fronts_;
  std::optional<coppice::supervision_tree> tree_;
};

} // namespace blob_service
