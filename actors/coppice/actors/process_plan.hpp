// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What a process is executed with, put together before the fork. Internal.
///
/// Layer: L3. No CAF.
/// Threads: values; reads the environment of this process.
/// Rules: none.

#include "coppice/actors/process_options.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace coppice {

/// Of the notification protocol: never inherited, given by us alone.
[[nodiscard]] bool is_reserved_variable(std::string_view name) noexcept;

/// Where a program may be, in order: `name` itself if it is a path, else in
/// the folders of the PATH that the process gets.
[[nodiscard]] std::vector<std::string>
places_of(const std::string& name, const process_options& options);

/// Texts that stay where they are: the child of a fork uses pointers to them.
struct process_plan {
  std::vector<std::string> places;
  std::vector<std::string> arguments;
  /// "NAME=value" each.
  std::vector<std::string> environment;
  /// One of `environment`, "WATCHDOG_PID=" and blanks, to be filled in by the
  /// child, who alone knows; or npos.
  std::size_t watchdog_pid = npos;
  std::string directory;
  int umask = -1;

  static constexpr std::size_t npos = static_cast<std::size_t>(-1);
};

/// @param notify_socket  As NOTIFY_SOCKET has it; empty: none.
[[nodiscard]] process_plan plan_for(const process_options& options,
                                    const std::string& notify_socket);

/// For the command of the health check.
[[nodiscard]] process_plan plan_for_check(const process_options& options);

} // namespace coppice
