// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// How an actor ended, told from its exit reason.
///
/// Layer: L1.
/// Threads: pure functions; none throws anything but `std::bad_alloc`.
/// Rules: docs/semantics.md, RESTART-1, BUDGET-4.

#include "coppice/errc.hpp"

#include <cstdint>
#include <string>

namespace coppice {

enum class end_class : std::uint8_t {
  normal,             ///< Its work is done. Clean.
  shutdown,           ///< It was asked to end. Clean.
  shutdown_with_note, ///< The same, and it says something. Clean.
  killed,             ///< Ended without being asked.
  node_lost,          ///< Its node cannot be reached.
  unreachable,        ///< CAF ended it because nobody knew it any more.
  failed,             ///< Everything else.
};

[[nodiscard]] const char* to_string(end_class x) noexcept;

/// Only CAF's own exit reasons tell killed, node_lost and unreachable. An actor
/// that dies of an *answer* `errc::node_lost`, as CAF's actors do by default,
/// has failed: its own node is well.
///
/// @param reason  As a down or exit message has it.
[[nodiscard]] end_class classify(const caf::error& reason);

/// Normal, shutdown, or shutdown with a note?
[[nodiscard]] bool is_clean(end_class x) noexcept;
[[nodiscard]] bool is_clean(const caf::error& reason);

/// A clean exit reason that carries a note. OTP's `{shutdown, Term}`.
[[nodiscard]] caf::error shutdown_note(std::string note);

/// The note, or an empty string.
[[nodiscard]] std::string note_of(const caf::error& reason);

} // namespace coppice
