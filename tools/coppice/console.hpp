// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Where a running tree is shown: lines, and on terminals a status below them
/// that is drawn again and again.
///
/// Layer: L4.
/// Threads: thread-safe.
/// Rules: docs/command_line.md, "run".

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>

namespace coppice::tool {

/// Writes to standard output.
class console {
public:
  /// @param plain  Never a status, even on a terminal.
  explicit console(bool plain);
  ~console();
  console(const console&) = delete;
  console& operator=(const console&) = delete;

  [[nodiscard]] bool is_live() const noexcept { return is_live_; }
  /// Does a person look at it?
  [[nodiscard]] bool is_terminal() const noexcept { return is_terminal_; }
  [[nodiscard]] bool has_colours() const noexcept { return has_colours_; }
  /// Of the terminal, now.
  [[nodiscard]] std::size_t rows() const;

  /// Stays; the status goes below. Each line gets its line break.
  void print(std::string_view line);
  /// Instead of the one before. Lines that are too long are cut at the edge.
  void show_status(std::string text);
  /// There will be no status any more.
  void end_status();

private:
  void erase();
  void draw();

  const bool is_terminal_;
  const bool is_live_;
  const bool has_colours_;
  std::mutex mutex_;
  std::string status_;
  std::size_t drawn_ = 0; ///< Lines of it that are on the screen.
};

/// Escape sequences around `text`, "1;31" being bold and red; or just `text`.
[[nodiscard]] std::string coloured(std::string_view text, const char* colour,
                                   bool has_colours);

} // namespace coppice::tool
