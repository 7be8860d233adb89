// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Faults: which file meets which one, and what it does to the worker.
///
/// Layer: L4, an example.
/// Threads: see the functions; values are as safe as an int.
/// Rules: none.

#include "coppice/actors/worker.hpp"

#include "corpus.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace text_index {

enum class fault_kind : std::uint8_t {
  throwing, ///< The handler throws.
  kill,     ///< Somebody kills the worker.
  loop,     ///< The handler never returns, and listens to nobody.
  stall,    ///< The handler blocks for long, but sees when it is cancelled.
  mute,     ///< The handler works on for long without a heartbeat.
  poison,   ///< As `throwing`, but every life that has this file meets it.
};
inline constexpr std::size_t fault_kinds = 6;

/// What can be asked for by name; the name of a kind is at its place.
inline constexpr auto fault_names
  = std::array<std::string_view, 5>{"throw", "kill", "loop", "stall", "mute"};

[[nodiscard]] std::optional<fault_kind> fault_from_name(std::string_view name);

/// For "did you mean ...?"
[[nodiscard]] std::string_view nearest_fault_name(std::string_view name);

/// The actors that are not workers.
enum class service_part : std::uint8_t { coordinator, merger };

/// These throw, before or after they have changed the store.
enum class service_fault : std::uint8_t { none, before, after };

struct fault_settings {
  double rate = 0; ///< Per file and life. Range: 0 to 1.
  std::vector<fault_kind> kinds;
  std::uint32_t poison = 0; ///< Files. Range: 0 to as many as there are.
  /// Per request to an actor that is not a worker. Range: 0 to 0.5.
  double service_rate = 0;
  std::uint64_t seed = 1;
};

/// Where faults strike. The same seed gives the same faults, however the files
/// fall to the workers: each draw depends on its arguments alone.
class fault_plan {
public:
  /// @param lives_max  As for `index_store`.
  fault_plan(fault_settings settings, std::size_t files,
             std::uint32_t lives_max);

  /// The last life that a file has meets no fault by chance: only poison uses
  /// up all of them. Faults that nobody injects have no such mercy: they make
  /// the service set aside an innocent file with probability
  /// `rate` ^ `lives_max`.
  [[nodiscard]] std::optional<fault_kind> draw(file_number file,
                                               std::uint32_t strikes) const;

  /// For the coordinator and the merger: whether to fall over this lease.
  [[nodiscard]] service_fault draw(service_part who,
                                   std::uint64_t lease_number) const;

  [[nodiscard]] bool is_poison(file_number file) const;

private:
  fault_settings settings_;
  std::uint32_t lives_max_;
  std::vector<file_number> poison_; ///< Sorted.
};

/// Lets `fault` strike the handler that calls this.
///
/// @param self  Calls this from inside a handler.
/// @param stall_timeout  Of the worker; how long a fault lasts depends on it.
/// @returns Whether the handler can go on.
[[nodiscard]] bool suffer(fault_kind fault, coppice::worker& self,
                          std::chrono::nanoseconds stall_timeout);

} // namespace text_index
