// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What the user sees: one line while it runs, a table at the end.
///
/// Layer: L4, an example.
/// Threads: see the functions; values are as safe as an int.
/// Rules: none.

#include "coppice/supervise.hpp"

#include "service.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace text_index {

/// On a terminal, one line that is written over and over; else, a line now and
/// then.
class progress_line {
public:
  explicit progress_line(const service& of);

  /// Call it often.
  void show();
  /// Makes room for what comes after.
  void finish();

private:
  void print() const;

  const service& service_;
  bool on_terminal_;
  std::chrono::steady_clock::time_point next_;
};

/// What came of a run, apart from what `service` knows.
struct run_result {
  std::chrono::steady_clock::duration took{0};
  bool was_interrupted = false;
  coppice::stop_report stop;
  std::chrono::steady_clock::duration stop_took{0};
};

void print_table(const service& of, const run_result& run);

/// Compares with a plain single-threaded run over the same files, without
/// those that were set aside; prints the verdict.
[[nodiscard]] bool check_index(const service& of);

} // namespace text_index
