// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Reads files of one replica: with blocking calls, and troubles on request.
///
/// Layer: L4, an example.
/// Threads: a reader has a thread of its own; a site is shared by all of them.
/// Rules: docs/semantics.md, DEADLINE-4, REPLICATE-4.

#include "coppice/actors/worker.hpp"

#include "blobs.hpp"
#include "options.hpp"

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace blob_service {

/// One replica, for all its readers; it outlives them.
struct replica_site {
  std::string name;
  std::filesystem::path directory;
  trouble what_befalls = {};
  std::uint64_t seed = 1;

  /// Lives of its readers.
  std::atomic<std::uint64_t> lives{0};
  /// Reads begun: what the replication costs, as the disk sees it.
  std::atomic<std::uint64_t> begun{0};
  std::atomic<std::uint64_t> slowed{0};
  std::atomic<std::uint64_t> broken{0};
  /// Called off in the middle.
  std::atomic<std::uint64_t> called_off{0};
};

/// (context, name of a blob) -> blob.
[[nodiscard]] caf::behavior reader(coppice::worker* self,
                                   std::shared_ptr<replica_site> site);

} // namespace blob_service
