// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Heartbeat specs, each kept once however many lives have it.
///
/// Layer: L1. No CAF.
/// Threads: not thread-safe; owned by the watchdog.
/// Rules: docs/semantics.md, HEARTBEAT-4.

#include "coppice/policy/spec.hpp"
#include "coppice/policy/time.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <unordered_map>
#include <vector>

namespace coppice {

/// A heartbeat spec and what follows from it.
struct heartbeat_limits {
  policy::heartbeat_spec spec;
  bool idle_matters = false;
  bool uses_phi = false;
  /// The ages at which a life that has just beaten is worth a look; what phi
  /// thinks is not in them.
  policy::duration first_look_busy{0};
  policy::duration first_look_idle{0};

  [[nodiscard]] policy::duration first_look(bool busy) const noexcept {
    return busy ? first_look_busy : first_look_idle;
  }
};

/// A counted set of specs.
class heartbeat_limits_table {
public:
  using index = std::uint32_t;

  /// O(1). @returns A reference that `release` gives back.
  [[nodiscard]] index intern(const policy::heartbeat_spec& spec);

  void release(index x) noexcept;

  [[nodiscard]] const heartbeat_limits& operator[](index x) const noexcept {
    return rows_[x].limits;
  }

  /// Specs that are in use.
  [[nodiscard]] std::size_t size() const noexcept { return known_.size(); }

private:
  struct row {
    heartbeat_limits limits;
    std::uint64_t uses = 0;
  };

  struct hash {
    std::size_t operator()(const policy::heartbeat_spec& x) const noexcept;
  };

  std::deque<row> rows_;
  std::vector<index> free_;
  std::unordered_map<policy::heartbeat_spec, index, hash> known_;
  /// Most lives have the same spec as the one before.
  index latest_ = 0;
};

} // namespace coppice
