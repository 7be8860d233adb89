// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Makes lines of what a process writes, and keeps the last ones. Internal.
///
/// Layer: L3. No CAF.
/// Threads: not thread-safe.
/// Rules: docs/semantics.md, FAILURE-5.

#include "coppice/actors/process_options.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

namespace coppice {

/// `text` harmless, on one line, and at most `bytes_max` bytes; "..." at its
/// end says that it was cut.
[[nodiscard]] std::string harmless(std::string_view text, bool was_cut,
                                   std::size_t bytes_max);

/// At most 2 kB for a line that is not over, and `lines_max` lines.
class process_output {
public:
  /// Unit: bytes. A line of a log; what is longer is a document.
  static constexpr std::size_t line_max = 1'000;

  using line_sink = std::function<void(const process_line&)>;

  /// @param on_line  Null: nobody wants them all.
  process_output(std::size_t lines_max, line_sink on_line)
    : lines_max_(lines_max), on_line_(std::move(on_line)) {}

  void feed(bool is_error, std::string_view bytes);
  /// Lines that are not over are now.
  void finish();

  [[nodiscard]] const std::deque<process_line>& last() const noexcept {
    return last_;
  }
  /// Lines, and bytes, in all.
  [[nodiscard]] std::uint64_t lines() const noexcept { return lines_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

private:
  struct stream {
    std::string begun;
    bool was_cut = false;
  };

  void append(stream& to, std::string_view part);
  void end_line(bool is_error);

  std::size_t lines_max_;
  line_sink on_line_;
  std::array<stream, 2> streams_;
  std::deque<process_line> last_;
  std::uint64_t lines_ = 0;
  std::uint64_t bytes_ = 0;
};

} // namespace coppice
