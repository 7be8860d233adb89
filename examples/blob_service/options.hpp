// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The command line.
///
/// Layer: L4, an example.
/// Threads: values; as safe as an int.
/// Rules: none.

#include "coppice/policy/time.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace blob_service {

/// How requests are replicated.
enum class serving_mode : std::uint8_t {
  off, ///< Each is sent to one replica, at random, and to no other.
  race,
  hedge,
  tied, ///< With another copy for reads that take long.
};

inline constexpr std::array all_modes{serving_mode::off, serving_mode::race,
                                      serving_mode::hedge, serving_mode::tied};

[[nodiscard]] const char* to_string(serving_mode x) noexcept;
[[nodiscard]] std::optional<serving_mode> mode_from(std::string_view name);

/// What befalls the reads of one replica.
struct trouble {
  coppice::policy::duration delay{0};
  double slow_share = 0; ///< Of reads, that take `delay` longer.
  double fail_share = 0; ///< Of reads, that fail.
};

struct options {
  /// Files to serve; empty: generated ones, as many and as large as this.
  std::string data = {};
  std::uint32_t blobs = 64;
  std::uint32_t blob_bytes = 16'384;
  /// Where the copies are made; empty: a temporary directory, removed at end.
  std::string under = {};

  std::uint32_t replicas = 3;
  std::uint32_t workers = 4; ///< Per replica.
  std::uint32_t queue = 256; ///< Per replica.
  /// By name: "a", "b", ...
  std::map<std::string, trouble> troubles = {};

  serving_mode mode = serving_mode::hedge;
  double budget = 0.05;
  std::uint32_t reserve = 10;
  bool sets_aside = true;
  std::uint64_t seed = 1;

  std::string address = "127.0.0.1";
  int port = 8080;
  std::uint32_t connections = 64;
  std::chrono::milliseconds deadline{1'000};
  bool self_test = false;
};

[[nodiscard]] std::string replica_name(std::uint32_t number);

/// Statuses of the process.
inline constexpr int all_is_well = 0;
inline constexpr int failed = 1;
inline constexpr int bad_usage = 2;

/// The options, or the status to exit with: after `--help`, or after an error,
/// which has been written to standard error by then.
[[nodiscard]] std::variant<options, int> parse_options(int argc, char** argv);

} // namespace blob_service
