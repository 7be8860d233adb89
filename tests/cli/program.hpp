// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Runs the real program `coppice`, as a shell would, and reads what it says.
///
/// Layer: tests.
/// Threads: one thread per program.
/// Rules: none.

#include <sys/types.h>

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace cli_test {

/// Long enough for a machine that does much else; nothing waits for it to end.
inline constexpr std::chrono::seconds patience{60};

using environment = std::map<std::string, std::string>;

/// A process whose output is read by this one.
class program {
public:
  /// @param path  Of the program; looked up in PATH if it has no slash.
  program(const std::string& path, const std::vector<std::string>& arguments,
          const environment& added = {});
  /// Kills it, if it runs.
  ~program();
  program(const program&) = delete;
  program& operator=(const program&) = delete;

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  void signal(int number) const;

  /// Reads until standard output holds `text` after what an earlier call
  /// found. False: it ended, or `patience` was over before.
  bool wait_for(const std::string& text);
  /// Reads to the end. The exit status, 128 + the number of a signal, or -1 if
  /// it did not end in time.
  int wait_for_end();

  [[nodiscard]] const std::string& out() const noexcept { return out_; }
  [[nodiscard]] const std::string& err() const noexcept { return err_; }

private:
  /// False: both are at their end, or nothing came in time.
  bool read_some();

  pid_t pid_ = -1;
  int out_fd_ = -1;
  int err_fd_ = -1;
  std::string out_;
  std::string err_;
  std::size_t seen_ = 0;
  std::chrono::steady_clock::time_point until_;
};

/// What came of one that ran to its end.
struct result {
  int status = -1;
  std::string out;
  std::string err;
};

result run(const std::string& path, const std::vector<std::string>& arguments,
           const environment& added = {});

} // namespace cli_test
