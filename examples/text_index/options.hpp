// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The command line.
///
/// Layer: L4, an example.
/// Threads: see the functions; values are as safe as an int.
/// Rules: none.

#include "faults.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <variant>
#include <vector>

namespace text_index {

struct options {
  std::vector<std::string> directories{"/usr/share/common-licenses",
                                       "/usr/share/doc"};
  std::size_t files_max = std::numeric_limits<std::size_t>::max();
  std::uint32_t workers = 4;
  fault_settings faults{.rate = 0.01,
                        .kinds = {fault_kind::throwing, fault_kind::kill,
                                  fault_kind::loop, fault_kind::stall,
                                  fault_kind::mute}};
  /// Lives that fall over a file before it is set aside.
  std::uint32_t poison_after = 3;
  std::chrono::milliseconds stall_timeout{300};
  std::chrono::milliseconds stop_within{5'000};
  std::uint64_t abandoned_max = 1'000;
  bool check = true;
};

/// Statuses of the process.
inline constexpr int all_is_well = 0;
inline constexpr int index_differs = 1; ///< Or the tree gave up.
inline constexpr int bad_usage = 2;
inline constexpr int was_interrupted = 130;

/// The options, or the status to exit with: after `--help`, or after an error,
/// which has been written to standard error by then.
[[nodiscard]] std::variant<options, int> parse_options(int argc, char** argv);

} // namespace text_index
