// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/actors/process_kind.hpp"

#include "coppice/actors/process.hpp"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

namespace coppice {

namespace {

using texts = std::vector<std::string>;

/// "SIGTERM", "TERM" or "15"; nothing if it is none.
std::optional<int> signal_of(std::string_view text) {
  int number = 0;
  const auto* end = text.data() + text.size();
  if (const auto parsed = std::from_chars(text.data(), end, number);
      parsed.ec == std::errc{} && parsed.ptr == end)
    return number;
  if (text.starts_with("SIG"))
    text.remove_prefix(3);
  for (int i = 1; i < 32; ++i)
    if (const auto* name = ::sigabbrev_np(i); name != nullptr && text == name)
      return i;
  return {};
}

std::vector<process_argument> arguments_of(const texts& from) {
  return {from.begin(), from.end()};
}

void read_process(argument_reader& given, process_options& to) {
  to.command = arguments_of(
    given.texts("command", {.meaning = "The program and its arguments.",
                            .expected = "an absolute path, or a name to look "
                                        "up in PATH, and arguments"}));
  for (auto& x : given.texts("secret_arguments",
                             {.meaning = "More arguments, which are not shown.",
                             .sensitive = true},
                             texts{}))
    to.command.emplace_back(sensitive_text{std::move(x)});
  to.environment = given.table(
    "environment",
    {.meaning = "Variables, added to the inherited ones.", .sensitive = true},
    std::map<std::string, std::string>{});
  to.clean_environment = given.flag(
    "clean_environment", {.meaning = "Do not inherit the environment."}, false);
  to.directory
    = given.text("directory",
                 {.meaning = "Where it runs; empty: where this program does.",
                  .expected = "an absolute path"},
                 "");
}

void read_health(argument_reader& given, process_options& to) {
  to.notify = given.flag("notify",
                         {.meaning = "Ready when it says READY=1 (sd_notify)."},
                         false);
  const auto access = given.choice("notify_access",
                                   {.meaning = "Whose notifications count."},
                                   {"main", "all"}, "main");
  to.notify_access = access == "all" ? notify_access_kind::all
                                     : notify_access_kind::main;
  to.watchdog = given.time("watchdog",
                           {.meaning = "Longest time between two WATCHDOG=1."},
                           infinity, policy::positive_or_infinite);
  auto& check = to.check;
  check.command = arguments_of(
    given.texts("check_command",
                {.meaning = "Exit code 0 says that it is healthy."}, texts{}));
  check.tcp = given.text("check_tcp",
                         {.meaning = "Healthy if it answers a connection.",
                          .expected = "such as 127.0.0.1:6379"},
                         "");
  check.send = given.text("check_send", {.meaning = "What to say there."}, "");
  check.expect = given.text("check_expect",
                            {.meaning = "What the answer begins with."}, "");
  check.every = given.time("check_every", {.meaning = "From one to the next."},
                           check.every, policy::positive);
  check.timeout = given.time("check_timeout",
                             {.meaning = "Longest wait for an answer."},
                             check.timeout, policy::positive);
  check.before_ready
    = given.flag("check_before_ready",
                 {.meaning = "Ready when the first check succeeds."}, false);
}

void read_ends(argument_reader& given, process_options& to) {
  const auto signal = given.text("stop_signal",
                                 {.meaning = "Asks the process group to end.",
                                  .expected = "the name or number of a signal"},
                                 "SIGTERM");
  if (const auto number = signal_of(signal))
    to.stop_signal = *number;
  else
    given.refuse("stop_signal", policy::quoted(signal),
                 "the name or number of a signal, such as SIGINT");
  to.success_exit_codes.clear();
  for (const auto& x :
       given.texts("success_exit_codes",
                   {.meaning = "Exit codes that are a clean end."},
                   texts{"0"})) {
    int code = -1;
    const auto* end = x.data() + x.size();
    if (std::from_chars(x.data(), end, code).ptr != end)
      code = -1;
    to.success_exit_codes.push_back(code);
  }
  to.output_lines_max = given.count(
    "output_lines_max",
    {.meaning = "Last lines of output that are kept for its failure."}, 20,
    {0, 20});
}

/// ".check.tcp" is the argument `check_tcp`, ".command[0]" is `command`.
std::string argument_of(std::string field) {
  field.erase(0, 1);
  if (field.starts_with("check."))
    field[5] = '_';
  field.resize(std::min(field.find_first_of(".["), field.size()));
  return field;
}

void read_command(argument_reader& given, child_spec& child) {
  process_options options;
  read_process(given, options);
  read_health(given, options);
  read_ends(given, options);
  if (options.command.empty()) // nothing was given: said already
    return;
  for (auto& x : validate(options, ""))
    given.refuse(argument_of(std::move(x.field)), std::move(x.value),
                 std::move(x.expected));
  child = process(std::move(options), std::move(child));
}

} // namespace

void register_command_kind(worker_kinds& kinds) {
  kinds.register_worker(
    "command",
    "An operating-system process, in a process group of its own. Any program "
    "that speaks systemd's sd_notify tells when it is ready and that it is "
    "alive; others can be asked, by a command or a connection. What hangs is "
    "killed, with all that it has started.",
    read_command);
}

} // namespace coppice
