// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// How `coppice` ends: the numbers are part of its interface.
///
/// Layer: L4.
/// Threads: constants.
/// Rules: docs/command_line.md, "Exit codes".

namespace coppice::tool {

namespace exit_codes {

inline constexpr int clean = 0;
/// `run`: lives were left behind. `check`: there are findings.
inline constexpr int left_behind = 1;
inline constexpr int findings = 1;
inline constexpr int usage = 2;
// As in sysexits.h:
inline constexpr int bad_file = 65;     ///< EX_DATAERR
inline constexpr int no_tree = 69;      ///< EX_UNAVAILABLE: none, or no answer
inline constexpr int gave_up = 70;      ///< EX_SOFTWARE, unless the file says
inline constexpr int cannot_write = 73; ///< EX_CANTCREAT: runtime file, port
inline constexpr int refused = 77;      ///< EX_NOPERM: the tree said no
inline constexpr int interrupted = 130; ///< By a third signal; as shells say

} // namespace exit_codes

} // namespace coppice::tool
