// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The pools and replicators whose figures an observer shows, by name.
///
/// Layer: L3.
/// Threads: thread-safe.
/// Rules: docs/semantics.md, REPLICATE-7, DEADLINE-3.

#include "coppice/actors/pool_statistics.hpp"
#include "coppice/actors/replicator_statistics.hpp"

#include <functional>
#include <map>
#include <mutex>
#include <string>

namespace coppice {

/// Where an observer gets figures from. A source that throws is left out.
class figures_board {
public:
  using pool_source = std::function<pool_statistics()>;
  using replicator_source = std::function<replicator_statistics()>;

  // Each replaces what had the name before; null takes it off. Sources are
  // called on threads of the observer; once `add_..` has returned, the one
  // before is not running any more.
  void add_pool(const std::string& name, pool_source source);
  void add_replicator(const std::string& name, replicator_source source);

  struct figures {
    std::map<std::string, pool_statistics> pools;
    std::map<std::string, replicator_statistics> replicators;
  };
  [[nodiscard]] figures look() const;

private:
  mutable std::mutex mutex_;
  std::map<std::string, pool_source> pools_;
  std::map<std::string, replicator_source> replicators_;
};

/// `{"pools":[{"name",..}],"replicators":[{"name",..}]}`, on one line; spans
/// in milliseconds, what is not known is null.
[[nodiscard]] std::string to_json(const figures_board::figures& x);

} // namespace coppice
