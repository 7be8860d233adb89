// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Failures of processes: how they ended, and what they wrote last.
///
/// Layer: L3.
/// Threads: pure functions.
/// Rules: docs/semantics.md, FAILURE-1, FAILURE-5.

#include "coppice/actors/process_report.hpp"
#include "coppice/failure.hpp"

#include <string>

namespace coppice {

/// Classes that are new here; `start_failure` and `stall` are used as well.
namespace failure_classes {
inline constexpr const char* process_exit = "process_exit";
inline constexpr const char* process_signal = "process_signal";
} // namespace failure_classes

/// "9 (SIGKILL)"; "35" where there is no name.
[[nodiscard]] std::string signal_text(int number);

/// Did it end well: by an exit code that is a success, once it was ready; or,
/// having been asked, by the signal that asked it, or as shells report that?
[[nodiscard]] bool is_clean(const process_end& how,
                            const process_options& options);

/// @pre Not `is_clean`.
[[nodiscard]] failure failure_of(const process_end& how,
                                 const process_options& options,
                                 failure_where where);

/// Command, process number, status and last lines.
void add_evidence(failure& to, const process_status& status,
                  const process_options& options);

} // namespace coppice
