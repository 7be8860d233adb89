// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The page and the API of a tree that `coppice run` runs.
///
/// Layer: L4.
/// Threads: make and end it on one thread; the functions given are called on
/// threads of its own.
/// Rules: docs/semantics.md, OBSERVE-2.

#include "coppice/observer/event_hub.hpp"
#include "coppice/outcome.hpp"
#include "coppice/supervise.hpp"

#include "command_line.hpp"
#include "kind_environment.hpp"

#include <functional>
#include <memory>
#include <string>

namespace coppice::tool {

struct observer_settings {
  listen_address address;
  std::string token;
  /// Of the topology.
  std::string file;
  std::function<outcome<reload_report>()> reload;
  std::function<void()> stop;
};

/// Serves while it exists. The tree outlives it.
class run_observer {
public:
  run_observer(supervision_tree& tree, event_hub& hub,
               const observer_settings& settings,
               const std::shared_ptr<kind_environment>& world);
  ~run_observer();
  run_observer(const run_observer&) = delete;
  run_observer& operator=(const run_observer&) = delete;

  /// What went wrong at the start, as a sentence; empty: nothing did.
  [[nodiscard]] const std::string& trouble() const noexcept { return trouble_; }
  [[nodiscard]] std::string url() const;

private:
  struct server;

  std::string trouble_;
  std::unique_ptr<server> server_;
};

} // namespace coppice::tool
