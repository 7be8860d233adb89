// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/actors/process_plan.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>

namespace coppice {

namespace {

constexpr std::array<std::string_view, 3> reserved{"NOTIFY_SOCKET",
                                                   "WATCHDOG_PID",
                                                   "WATCHDOG_USEC"};

constexpr auto usual_path = "/usr/local/bin:/usr/bin:/bin";

std::string path_variable(const process_options& options) {
  if (const auto own = options.environment.find("PATH");
      own != options.environment.end())
    return own->second;
  const auto* inherited = options.clean_environment ? nullptr
                                                    : std::getenv("PATH");
  return inherited != nullptr ? inherited : usual_path;
}

std::vector<std::string> variables_of(const process_options& options) {
  std::vector<std::string> result;
  for (auto x = environ; !options.clean_environment && *x != nullptr; ++x) {
    const std::string_view entry{*x};
    const auto name = entry.substr(0, entry.find('='));
    if (!is_reserved_variable(name)
        && !options.environment.contains(std::string{name}))
      result.emplace_back(entry);
  }
  for (const auto& [name, value] : options.environment)
    result.push_back(name + '=' + value);
  return result;
}

process_plan plan_of(const std::vector<process_argument>& command,
                     const process_options& options) {
  process_plan result;
  result.places = places_of(command.front().reveal(), options);
  for (const auto& x : command)
    result.arguments.push_back(x.reveal());
  result.environment = variables_of(options);
  result.directory = options.directory;
  result.umask = options.umask;
  return result;
}

} // namespace

bool is_reserved_variable(std::string_view name) noexcept {
  return std::ranges::find(reserved, name) != reserved.end();
}

std::vector<std::string> places_of(const std::string& name,
                                   const process_options& options) {
  if (name.find('/') != std::string::npos)
    return {name};
  std::vector<std::string> result;
  const auto path = path_variable(options);
  for (std::size_t begin = 0; begin <= path.size();) {
    const auto end = std::min(path.find(':', begin), path.size());
    // A relative folder of PATH is one that somebody else may choose.
    if (begin < end && path[begin] == '/')
      result.push_back(path.substr(begin, end - begin) + '/' + name);
    begin = end + 1;
  }
  return result;
}

process_plan plan_for(const process_options& options,
                      const std::string& notify_socket) {
  auto result = plan_of(options.command, options);
  auto& variables = result.environment;
  if (!notify_socket.empty())
    variables.push_back("NOTIFY_SOCKET=" + notify_socket);
  if (options.watchdog.is_finite()) {
    const auto span = std::chrono::duration_cast<std::chrono::microseconds>(
      options.watchdog.span());
    variables.push_back("WATCHDOG_USEC=" + std::to_string(span.count()));
    result.watchdog_pid = variables.size();
    variables.push_back("WATCHDOG_PID=" + std::string(20, ' '));
  }
  return result;
}

process_plan plan_for_check(const process_options& options) {
  return plan_of(options.check.command, options);
}

} // namespace coppice
