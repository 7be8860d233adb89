// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The one encoder of events: JSON, one line each.
///
/// Layer: L1.
/// Threads: pure functions.
/// Rules: docs/semantics.md, OBSERVE-1.

#include "coppice/supervision_event.hpp"

#include <string>

namespace coppice {

/// One line without its line break. Always there are `number`, `version`,
/// `kind`, `when`, `path` and `incarnation`; the others where they apply:
/// `cause` to what follows from an end, `why` to what stopped, `span_ms`,
/// `attempts` and `suspicion` where they are above zero, and `failure` with
/// its one line, class and reference. Text that is no UTF-8 is replaced.
[[nodiscard]] std::string to_json(const supervision_event& x);

/// "2024-05-01T12:00:00.123Z".
[[nodiscard]] std::string utc_text_ms(wall_time when);

/// For programs: the name of the enumerator; empty for `none`.
[[nodiscard]] const char* field_text(policy::stopped_why x) noexcept;

} // namespace coppice
