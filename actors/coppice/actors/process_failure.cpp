// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/actors/process_failure.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <system_error>
#include <utility>

namespace coppice {

namespace {

std::string start_text(const spawn_error& why, const process_options& options) {
  const auto program = options.command.front().is_sensitive()
                         ? std::string{sensitive_text::mark}
                         : shown({options.command.front()});
  switch (why.at) {
    case spawn_error::step::directory:
      return "cannot enter the directory " + shown({options.directory});
    case spawn_error::step::execute:
      return "cannot execute " + program;
    case spawn_error::step::prepare:
      break;
  }
  return "cannot make a process for " + program;
}

failure start_failure(const spawn_error& why, const process_options& options) {
  const std::error_code code{why.code, std::system_category()};
  return {.failure_class = failure_classes::start_failure,
          .code = code,
          .message = start_text(why, options) + ": " + code.message()};
}

failure end_failure(const process_end& how) {
  switch (how.what) {
    case process_end::kind::exited:
      return {.failure_class = failure_classes::process_exit,
              .code = errc::crashed,
              .message = "exited with code " + std::to_string(how.code)
                         + (how.status.is_ready ? "" : ", before it was ready"),
              .misc = {{"exit_code", std::to_string(how.code)}}};
    case process_end::kind::signalled:
      return {.failure_class = failure_classes::process_signal,
              .code = errc::crashed,
              .message = "was ended by signal " + signal_text(how.code),
              .misc = {{"signal", std::to_string(how.code)},
                       {"core_dumped", how.core_dumped ? "yes" : "no"}}};
    default:
      return {.failure_class = failure_classes::process_exit,
              .code = errc::crashed,
              .message = "ended, nobody knows how: this program ignores "
                         "SIGCHLD, or waits for processes it did not start"};
  }
}

} // namespace

std::string signal_text(int number) {
  const auto* name = number > 0 ? ::sigabbrev_np(number) : nullptr;
  auto result = std::to_string(number);
  return name != nullptr ? result + " (SIG" + name + ')' : result;
}

bool is_clean(const process_end& how, const process_options& options) {
  if (how.said_stuck)
    return false;
  const auto& codes = options.success_exit_codes;
  const auto is_success = how.what == process_end::kind::exited
                          && std::ranges::find(codes, how.code) != codes.end();
  const auto by_signal = how.what == process_end::kind::signalled
                         && (how.code == options.stop_signal
                             || (how.code == SIGKILL && how.was_killed));
  const auto as_shells_say = how.what == process_end::kind::exited
                             && how.code == 128 + options.stop_signal;
  if (how.was_asked)
    return is_success || by_signal || as_shells_say
           || how.what == process_end::kind::never_begun;
  return is_success && how.status.is_ready;
}

failure failure_of(const process_end& how, const process_options& options,
                   failure_where where) {
  auto result = how.what == process_end::kind::not_started
                  ? start_failure(how.error, options)
                  : end_failure(how);
  if (how.said_stuck) {
    result.failure_class = failure_classes::stall;
    result.code = errc::stalled;
    result.message = "said that it is stuck (WATCHDOG=trigger)";
  }
  result.user_message = "A part of the service has failed and is being "
                        "restarted. Please try again in a moment.";
  result.where = std::move(where);
  add_evidence(result, how.status, options);
  return result;
}

void add_evidence(failure& to, const process_status& status,
                  const process_options& options) {
  auto& misc = to.misc;
  misc["command"] = shown(options.command);
  if (status.pid > 0) {
    misc["pid"] = std::to_string(status.pid);
    misc["uptime"] = policy::in_words(status.uptime);
  }
  if (!status.text.empty())
    misc["status"] = status.text;
  if (status.error_number)
    misc["errno"] = std::to_string(*status.error_number);
  if (!status.check_failure.empty())
    misc["check_failure"] = status.check_failure;
  if (status.notifications_refused > 0)
    misc["notifications_refused"]
      = std::to_string(status.notifications_refused);
  const auto left_out = status.output_lines - status.last_lines.size();
  if (left_out > 0)
    misc["output_left_out"] = std::to_string(left_out) + " lines";
  for (std::size_t i = 0; i < status.last_lines.size(); ++i) {
    const auto& line = status.last_lines[i];
    misc[(i < 9 ? "output_0" : "output_") + std::to_string(i + 1)]
      = (line.is_error ? "err: " : "out: ") + line.text;
  }
}

} // namespace coppice
