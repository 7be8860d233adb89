// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// A reference to a child that survives its restarts.
///
/// Layer: L2.
/// Threads: thread-safe; copies are cheap and name the same child.
/// Rules: docs/semantics.md, FAILURE-6; catalogue N.

#include "coppice/child_cell.hpp"

#include <string>

namespace coppice {

/// Names a child by its path, across restarts of the child and of the
/// supervisors above it.
///
/// Use `handle()` wherever CAF takes an actor: send, request, delegate. Do not
/// monitor or link it: it does not end with a life. Order between two sends is
/// kept, across restarts as well. Cost: one uncontended lock per message.
class child_ref {
public:
  child_ref() = default;
  explicit child_ref(caf::actor cell) : cell_(std::move(cell)) {}

  [[nodiscard]] explicit operator bool() const noexcept {
    return static_cast<bool>(cell_);
  }

  /// @pre Not empty, as for all that follow.
  [[nodiscard]] const caf::actor& handle() const noexcept { return cell_; }
  [[nodiscard]] const std::string& path() const { return cell().path(); }
  /// The actor of the current life; null between lives. It dies with its life.
  [[nodiscard]] caf::actor current_life() const {
    return caf::actor_cast<caf::actor>(cell().current());
  }
  [[nodiscard]] reference_statistics statistics() const {
    return cell().statistics();
  }

private:
  [[nodiscard]] child_cell& cell() const {
    return compat::object_of<child_cell>(cell_);
  }

  caf::actor cell_;
};

} // namespace coppice
