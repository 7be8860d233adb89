// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/actors/process_options.hpp"

#include "coppice/actors/process_address.hpp"
#include "coppice/actors/process_plan.hpp"
#include "coppice/policy/spec_section.hpp"
#include "coppice/text_escape.hpp"

#include <unistd.h>

#include <algorithm>
#include <string_view>

namespace coppice {

namespace {

constexpr policy::time_range a_millisecond{std::chrono::milliseconds{1}, false,
                                           "a finite length of 1ms or more"};
constexpr policy::time_range a_millisecond_or_infinite{
  std::chrono::milliseconds{1}, true, "a length of 1ms or more, or infinity"};

bool has_nul(std::string_view x) noexcept {
  return x.find('\0') != std::string_view::npos;
}

void check_range(const policy::spec_section& at, const std::string& field,
                 long x, long min, long max) {
  if (x < min || x > max)
    at.defect(field, std::to_string(x),
              "a number from " + std::to_string(min) + " to "
                + std::to_string(max));
}

void check_program(const policy::spec_section& at, const std::string& field,
                   const process_options& options,
                   const process_argument& program) {
  const auto& name = program.reveal();
  const auto found = program.is_sensitive() ? std::string{sensitive_text::mark}
                                            : policy::quoted(name);
  if (name.empty()) {
    at.defect(field, "nothing", "the path or the name of a program");
    return;
  }
  if (name.front() == '/' || has_nul(name))
    return;
  if (name.find('/') != std::string::npos) {
    at.defect(field, found,
              "an absolute path, or a name without '/' to look up in PATH");
    return;
  }
  const auto places = places_of(name, options);
  if (std::ranges::none_of(places, [](const std::string& x) {
        return ::access(x.c_str(), X_OK) == 0;
      }))
    at.defect(field, found, "a program that the PATH of its environment has");
}

void check_command(const policy::spec_section& at, const std::string& field,
                   const process_options& options,
                   const std::vector<process_argument>& command) {
  check_program(at, field + "[0]", options, command.front());
  for (std::size_t i = 0; i < command.size(); ++i)
    if (has_nul(command[i].reveal()))
      at.defect(field + '[' + std::to_string(i) + ']',
                command[i].is_sensitive() ? std::string{sensitive_text::mark}
                                          : policy::quoted(command[i].reveal()),
                "a text without NUL bytes");
}

void check_environment(const policy::spec_section& at,
                       const process_options& options) {
  for (const auto& [name, value] : options.environment) {
    const auto field = ".environment." + policy::printable(name);
    if (name.empty() || has_nul(name) || name.find('=') != std::string::npos)
      at.defect(field, policy::quoted(name),
                "a name that is not empty, without '=' and NUL bytes");
    else if (is_reserved_variable(name))
      at.defect(field, policy::quoted(name),
                "a name that is not of the notification protocol, which "
                "`notify` and `watchdog` switch on");
    if (has_nul(value))
      at.defect(field, std::string{sensitive_text::mark},
                "a text without NUL bytes");
  }
}

void check_health_check(const policy::spec_section& at,
                        const process_options& options) {
  const auto& check = options.check;
  if (!check.command.empty() && !check.tcp.empty())
    at.defect(".tcp", policy::quoted(check.tcp),
              "nothing, because `command` is given: one kind of check");
  if (!check.command.empty())
    check_command(at, ".command", options, check.command);
  if (!check.tcp.empty() && !parse_address(check.tcp))
    at.defect(".tcp", policy::quoted(check.tcp),
              "an address in numbers and a port, such as 127.0.0.1:6379 or "
              "[::1]:6379");
  if (check.tcp.empty() && (!check.send.empty() || !check.expect.empty()))
    at.defect(check.send.empty() ? ".expect" : ".send",
              policy::quoted(check.send.empty() ? check.expect : check.send),
              "nothing, unless `tcp` says where");
  if (check.expect.size() > 1'000)
    at.defect(".expect", std::to_string(check.expect.size()) + " bytes",
              "at most 1000 bytes");
  at.time(".every", check.every, a_millisecond);
  at.time(".timeout", check.timeout, a_millisecond);
  if (check.before_ready && options.notify)
    at.defect(".before_ready", "true",
              "false, because `notify` says who is ready");
  if (check.before_ready && !check.is_on())
    at.defect(".before_ready", "true", "false, unless there is a check");
}

void check_ends(const policy::spec_section& at,
                const process_options& options) {
  check_range(at, ".stop_signal", options.stop_signal, 1, 64);
  if (options.stop_signal == SIGKILL || options.stop_signal == SIGSTOP)
    at.defect(".stop_signal", std::to_string(options.stop_signal),
              "a signal that a process can handle; to kill at once, set the "
              "child's `shutdown` to brutal_kill");
  for (std::size_t i = 0; i < options.success_exit_codes.size(); ++i)
    check_range(at, ".success_exit_codes[" + std::to_string(i) + ']',
                options.success_exit_codes[i], 0, 255);
}

} // namespace

std::string shown(const std::vector<process_argument>& command) {
  std::string result;
  for (const auto& x : command) {
    if (!result.empty())
      result += ' ';
    const auto& text = x.reveal();
    if (x.is_sensitive())
      result += sensitive_text::mark;
    else if (text.empty() || text.find_first_of(" \t\n\"'\\") != text.npos)
      result += '\'' + escaped(text) + '\'';
    else
      result += escaped(text);
  }
  return result;
}

const char* to_string(notify_access_kind x) noexcept {
  switch (x) {
    case notify_access_kind::main:
      return "main";
    case notify_access_kind::all:
      return "all";
  }
  return "unknown";
}

policy::spec_defects validate(const process_options& options,
                              const std::string& where) {
  policy::spec_defects found;
  const policy::spec_section at{found, where};
  if (options.command.empty())
    at.defect(".command", "nothing", "a program and its arguments");
  else
    check_command(at, ".command", options, options.command);
  check_environment(at, options);
  if (!options.directory.empty()
      && (options.directory.front() != '/' || has_nul(options.directory)))
    at.defect(".directory", policy::quoted(options.directory),
              "an absolute path without NUL bytes");
  check_range(at, ".umask", options.umask, -1, 0777);
  at.name(".notify_access", options.notify_access, notify_access_kind::all);
  at.time(".watchdog", options.watchdog, a_millisecond_or_infinite);
  check_health_check(at.part(".check"), options);
  check_ends(at, options);
  check_range(at, ".output_lines_max",
              static_cast<long>(
                std::min<std::size_t>(options.output_lines_max, 1'000'000)),
              0, 20);
  return found;
}

} // namespace coppice
