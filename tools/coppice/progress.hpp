// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What a running tree tells its terminal: lines for events, and a status.
///
/// Layer: L4.
/// Threads: thread-safe.
/// Rules: docs/semantics.md, OBSERVE-1; docs/command_line.md, "run".

#include "coppice/supervision_event.hpp"
#include "coppice/tree_snapshot.hpp"

#include "console.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

namespace coppice::tool {

/// In which part of its life the tree is; what is news depends on it.
enum class run_phase : std::uint8_t { starting, running, stopping };

class progress {
public:
  progress(console& out, bool verbose) : out_(out), verbose_(verbose) {}

  /// The observer of the tree.
  void on_event(const supervision_event& x);
  /// A worker says something of itself.
  void on_word(const std::string& path, const std::string& line);
  void set_phase(run_phase x) {
    since_ = wall_now();
    phase_ = x;
  }

  /// "3 failures, 1 stall, 4 restarts".
  [[nodiscard]] std::string summary() const;
  [[nodiscard]] std::uint64_t count(event_kind x) const;

private:
  [[nodiscard]] bool is_news(const supervision_event& x) const;

  console& out_;
  const bool verbose_;
  std::atomic<run_phase> phase_{run_phase::starting};
  /// When it began: events come late.
  std::atomic<wall_time> since_{wall_time{}};
  std::array<std::atomic<std::uint64_t>, 64> counts_{};
};

/// `[12:00:01.123] /app/feed#2 failed cause=crash: ...`
[[nodiscard]] std::string event_line(const supervision_event& x,
                                     bool has_colours);

/// The tree if it fits into that many lines; else its figures, and what is not
/// well.
[[nodiscard]] std::string status_text(const tree_snapshot& x,
                                      const std::string& headline,
                                      std::size_t rows, bool has_colours);

} // namespace coppice::tool
