// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The numbers that bound topology files, each with its reason.
///
/// Layer: L2.
/// Threads: constants.
/// Rules: docs/semantics.md, TOPOLOGY-1.

#include <cstddef>

namespace coppice::topology_limits {

/// Unit: bytes. A hundred thousand children of 160 bytes each. The worst that
/// fits, brackets and commas alone, takes half a gigabyte while it is read.
inline constexpr std::size_t file_bytes_max = 16 * 1024 * 1024;

/// Brackets inside one another: four for each of 64 supervisors, as many as
/// `policy::validate` takes. Parsing is recursive; 256 is far from the end of
/// a stack of 64 kB.
inline constexpr std::size_t bracket_depth_max = 256;

/// Of one file. Who has more is not helped by the rest, and a file of nothing
/// but mistakes must not take all memory.
inline constexpr std::size_t defects_max = 1'000;

} // namespace coppice::topology_limits
