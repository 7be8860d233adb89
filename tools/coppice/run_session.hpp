// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// One run of a topology, from its launch to its end.
///
/// Layer: L4.
/// Threads: the main thread; `reload` from any.
/// Rules: docs/semantics.md, STOP-3, BUDGET-7, TOPOLOGY-3.

#include "coppice/supervise.hpp"
#include "coppice/topology.hpp"

#include "command_line.hpp"
#include "console.hpp"
#include "kinds.hpp"
#include "progress.hpp"
#include "run_inbox.hpp"
#include "run_observer.hpp"
#include "run_reload.hpp"
#include "runtime_file.hpp"

#include <chrono>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace coppice::tool {

class run_session {
public:
  using clock = std::chrono::steady_clock;

  /// @param how  Outlives this, as do the others.
  run_session(const run_request& how, run_inbox& inbox,
              std::shared_ptr<kind_environment> world,
              const worker_kinds& kinds);
  ~run_session();
  run_session(const run_session&) = delete;
  run_session& operator=(const run_session&) = delete;

  /// Returns the status of the process.
  [[nodiscard]] int run(topology what, caf::actor_system& system);

  /// Reads the file again, and applies it or prints why not.
  [[nodiscard]] outcome<reload_report> reload();

  /// Is a life left that would keep the actor system from ending?
  [[nodiscard]] bool holds_threads() const;

  /// What the destructor does, but for the tree: for a process that ends
  /// without it.
  void leave();

private:
  using exit_status = std::optional<int>; ///< Of the process, if it is to end.

  [[nodiscard]] exit_status launch_tree(topology what,
                                        caf::actor_system& system);
  [[nodiscard]] exit_status start_observer();
  [[nodiscard]] exit_status wait_until_ready();
  [[nodiscard]] int wait_until_end();
  /// Obeys what is in the inbox; waits for it a little.
  [[nodiscard]] exit_status obey_orders();
  [[nodiscard]] int stop();
  [[nodiscard]] int report_stop(const stop_report& report);
  [[nodiscard]] int report_end();
  void show_status();
  [[nodiscard]] std::string elapsed() const;

  const run_request& how_;
  run_inbox& inbox_;
  const std::shared_ptr<kind_environment> world_;
  const worker_kinds& kinds_;
  console out_;
  progress progress_;
  supervise_options options_;
  std::string name_;
  event_hub hub_;
  std::optional<supervision_tree> tree_;
  std::optional<run_observer> observer_;
  runtime_file file_;
  clock::time_point start_ = clock::now();
  clock::time_point next_status_ = start_;
  bool was_kept_ = false; ///< The tree has ended, and the process goes on.
  std::future<stop_report> hastened_;
  std::mutex reload_mutex_;
  applied_file applied_; ///< Under the mutex.
};

} // namespace coppice::tool
