// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What a replicator answers where no replica has a good answer.
///
/// Layer: L3.
/// Threads: thread-safe; nothing but functions of their arguments.
/// Rules: docs/semantics.md, REPLICATE-1, REPLICATE-6, FAILURE-1.

#include "coppice/actors/replicator_options.hpp"
#include "coppice/context.hpp"
#include "coppice/failure.hpp"

#include <string>
#include <vector>

namespace coppice {

/// A copy that failed, and where.
struct failed_copy {
  std::string replica;
  failure why;
};

/// All copies have failed: names them all, each with its cause.
/// @pre At least one.
[[nodiscard]] failure all_failed(const std::vector<failed_copy>& copies,
                                 const context& ctx, const std::string& name);

/// Too few answers were equal.
/// @param answers  How many there were, to how many copies.
[[nodiscard]] failure no_agreement(const std::vector<failed_copy>& copies,
                                   std::size_t answers, const context& ctx,
                                   const std::string& name);

/// There is nobody to send it to.
[[nodiscard]] failure no_replica(const context& ctx, const std::string& name);

/// Four million requests wait already.
[[nodiscard]] failure too_many(const context& ctx, const std::string& name);

/// The replicator has ended.
[[nodiscard]] failure stopped(const context& ctx, const std::string& name);

/// The request may not be replicated, and nobody said that one copy will do.
[[nodiscard]] failure not_idempotent(const context& ctx,
                                     const std::string& name);

} // namespace coppice
