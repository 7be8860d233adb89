// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What workers of the shipped kinds share with the program around them: the
/// tree they are part of, each other's addresses, a place to print.
///
/// Layer: L4.
/// Threads: thread-safe.
/// Rules: none.

#include "coppice/actors/pool.hpp"
#include "coppice/actors/replicator.hpp"
#include "coppice/observer/figures_board.hpp"
#include "coppice/supervise.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace coppice::tool {

/// Outlives every worker: all hold a share.
class kind_environment : public std::enable_shared_from_this<kind_environment> {
public:
  /// A path, and a line about what is there.
  using speaker = std::function<void(const std::string&, const std::string&)>;
  using finder = std::function<void(caf::actor)>;

  /// Once the tree is launched; an empty reference once it is gone.
  void set_root(std::string path, supervisor_ref root);
  void set_speaker(speaker f);

  /// Prints, or does nothing where nobody listens.
  void say(const std::string& path, const std::string& line) const;

  /// Calls back once, on any thread, with what requests to the child at `path`
  /// go to, across its lives: a pool's front, or a reference. Null if there is
  /// no such child, yet.
  void find(const std::string& path, finder found) const;

  // -- what has figures ------------------------------------------------------

  void add(const std::string& path, const std::shared_ptr<replicator>& front);
  /// Starts worker `number`, from 1, of the pool at `path`, which is made when
  /// the first one starts, and anew when `what` changes.
  /// @param what  All of the arguments, as text.
  void start_member(start_context& context, const std::string& path,
                    const std::string& what, const pool_options& options,
                    std::size_t number);
  /// Where all of them are shown from now on, or null: nowhere. The board
  /// stays until it is called again.
  void show_figures_on(figures_board* board);

private:
  struct pool_entry {
    std::string what;
    std::shared_ptr<worker_pool> pool;
    /// As the pool itself would have it.
    child_spec spec;
  };

  mutable std::mutex mutex_;
  std::string root_path_;
  supervisor_ref root_;
  std::shared_ptr<const speaker> speaker_;
  std::map<std::string, pool_entry> pools_;
  figures_board* board_ = nullptr;
  std::map<std::string, figures_board::pool_source> pool_sources_;
  std::map<std::string, figures_board::replicator_source> replicator_sources_;
};

} // namespace coppice::tool
