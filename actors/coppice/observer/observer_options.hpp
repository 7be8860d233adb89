// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Where an observer listens, and what it lets whom do.
///
/// Layer: L3.
/// Threads: values.
/// Rules: docs/semantics.md, OBSERVE-2.

#include "coppice/policy/spec_defect.hpp"
#include "coppice/supervise.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace coppice {

/// Settings of an `observer_server`.
struct observer_options {
  /// A numeric address, or "localhost". Beyond loopback a token is needed for
  /// looking as well; it travels in the clear, so put TLS in front.
  std::string address = "127.0.0.1";
  /// Range: 0 to 65'535. 0: any that is free.
  int port = 0;
  /// Needed for whatever changes the tree. Empty: nobody can change anything.
  /// Else 16 to 256 letters, digits, '-', '_', '.' or '~'. See `new_token`.
  std::string token = {};
  /// Names besides the address by which browsers may call this server; others
  /// are refused, as they may be a stranger's name for this address (DNS
  /// rebinding).
  std::vector<std::string> hosts = {};
  /// How often viewers hear what has changed. Range: 50 ms to 1 h.
  duration refresh = std::chrono::seconds{1};
  /// How long a supervisor may take to answer for a snapshot. Range: 1 ms to
  /// 1 min.
  duration snapshot_within = std::chrono::milliseconds{500};
  /// How long a command may take. Range: 1 ms to 10 min.
  duration command_within = std::chrono::seconds{30};
  /// Streams of events at a time; each holds a thread. Range: 0 to 1'000.
  std::size_t viewers_max = 32;
  /// A viewer who takes nothing for this long is dropped. Range: 10 ms to
  /// 10 min.
  duration viewer_patience = std::chrono::seconds{10};
  /// The page, at `/`. Without it there is the interface for programs alone.
  bool with_page = true;
  /// The file that the tree was read from, for people; empty: none.
  std::string topology_file = {};
  /// For `POST /api/reload`. Null: refused. Called on a thread of the server.
  std::function<outcome<reload_report>()> on_reload = {};
  /// For `POST /api/stop`. Null: refused. Should only pass the wish on, and
  /// must not destroy the server.
  std::function<void()> on_stop = {};
};

/// Every rule that `x` breaks, `where` in front of each field.
[[nodiscard]] policy::spec_defects
validate(const observer_options& x, const std::string& where = "observer");

/// Is this "localhost", or a numeric address of this machine alone?
[[nodiscard]] bool is_loopback(const std::string& address) noexcept;

/// 32 hexadecimal digits from the system's generator. Throws
/// `std::runtime_error` where there is none.
[[nodiscard]] std::string new_token();

} // namespace coppice
