// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// How an operating-system process is run, and how it says that it is well.
///
/// Layer: L3.
/// Threads: values; `on_line` is called on one thread of its own.
/// Rules: docs/semantics.md, HEARTBEAT-1, STOP-1, TOPOLOGY-1.

#include "coppice/sensitive_text.hpp"
#include "coppice/spec.hpp"

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace coppice {

/// One argument of a command line. A `sensitive_text` is handed to the process
/// and shown nowhere. The operating system shows arguments to everybody on the
/// machine; what must stay secret belongs into the environment.
class process_argument {
public:
  process_argument(std::string text) : text_(std::move(text)) {}
  process_argument(const char* text) : text_(text) {}
  process_argument(const sensitive_text& text)
    : text_(text.reveal()), is_sensitive_(true) {}

  /// For the process alone.
  [[nodiscard]] const std::string& reveal() const noexcept { return text_; }
  [[nodiscard]] bool is_sensitive() const noexcept { return is_sensitive_; }

  friend bool operator==(const process_argument&, const process_argument&)
    = default;

private:
  std::string text_;
  bool is_sensitive_ = false;
};

/// `redis-server --port 0 [sensitive]`: one line, quoted where need be.
[[nodiscard]] std::string shown(const std::vector<process_argument>& command);

/// A line that a process wrote.
struct process_line {
  bool is_error = false; ///< On standard error?
  /// At most 1'000 bytes; control characters escaped.
  std::string text;
};

/// Whose word counts on the notification socket. Source: systemd's
/// `NotifyAccess`.
enum class notify_access_kind : std::uint8_t {
  main, ///< The process that was started.
  all,  ///< All of its process group.
};

[[nodiscard]] const char* to_string(notify_access_kind x) noexcept;

/// Asks a process that does not beat by itself how it is, at intervals. Each
/// answer that is as expected is a heartbeat; each that is not, is silence.
/// Give either `command` or `tcp`.
struct health_check {
  /// Healthy is exit code 0. Runs with the environment, the directory and the
  /// rights of the process, in a process group of its own.
  std::vector<process_argument> command = {};
  /// "127.0.0.1:6379", "[::1]:6379": a connection can be made, and `send` is
  /// answered with something that begins with `expect`. Numbers only: finding
  /// names may take long.
  std::string tcp = {};
  /// For `tcp`. Empty: not sent.
  std::string send = {};
  /// For `tcp`. Empty: the connection is enough. At most 1'000 bytes.
  std::string expect = {};
  /// From one to the next. Range: 1 ms or more, finite.
  time_limit every = std::chrono::seconds{1};
  /// Then it is ended, and counts as silence. Range: 1 ms or more, finite.
  time_limit timeout = std::chrono::seconds{1};
  /// The process is ready when the first check succeeds. Not with `notify`.
  bool before_ready = false;

  [[nodiscard]] bool is_on() const noexcept {
    return !command.empty() || !tcp.empty();
  }
};

/// Everything about a process.
///
///     child_spec web = process({.command = {"/usr/sbin/httpd", "-F"},
///                               .notify = true, .watchdog = 10s},
///                              {.id = "web"});
struct process_options {
  /// The program and its arguments. The program is an absolute path, or a name
  /// that is looked up in the `PATH` of its environment.
  std::vector<process_argument> command = {};
  /// Added to the inherited environment, or all of it. Values are not shown.
  std::map<std::string, std::string> environment = {};
  /// Start from an empty environment instead of an inherited one?
  bool clean_environment = false;
  /// Absolute; empty: that of this process.
  std::string directory = {};
  /// Range: 0 to 0777, or -1: inherited.
  int umask = -1;

  /// The process is ready when it says `READY=1` (sd_notify); otherwise when
  /// it was executed.
  bool notify = false;
  notify_access_kind notify_access = notify_access_kind::main;
  /// Longest time between two `WATCHDOG=1` of the process, which finds it in
  /// `WATCHDOG_USEC`. Range: 1 ms or more, or infinity: none expected.
  /// `process` makes it the `idle_timeout` of the child.
  time_limit watchdog = infinity;
  health_check check = {};

  /// Asks the process group to end. Range: 1 to 64, but SIGKILL and SIGSTOP.
  int stop_signal = SIGTERM;
  /// Exit codes that are a clean end. Range, each: 0 to 255.
  std::vector<int> success_exit_codes = {0};
  /// Last lines of output to keep for its failure. Range: 0 to 20.
  std::size_t output_lines_max = 20;
  /// Called for each line, one after the other for all processes, on a thread
  /// that does nothing else. Slowness costs lines, and nothing else; what it
  /// throws is swallowed.
  std::function<void(const process_line&)> on_line = {};
};

/// Every rule that `options` breaks; fields are named from `where`. Looks the
/// program up in `PATH`, nothing else: what is missing or cannot be executed
/// is a failed start.
[[nodiscard]] policy::spec_defects validate(const process_options& options,
                                            const std::string& where);

} // namespace coppice
