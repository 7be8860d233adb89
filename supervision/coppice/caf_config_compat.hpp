// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The part of the adapter to CAF that parses configuration: one syntax for
/// 0.17.6 (its INI parser) and 1.x. Belongs to caf_compat.hpp; apart from it
/// because the parser is large, and one source file needs it.
///
/// Layer: L1. Includes CAF.
/// Threads: pure functions.
/// Rules: docs/semantics.md, TOPOLOGY-1.

#include "coppice/caf_compat.hpp"

#include <caf/parser_state.hpp>
#if COPPICE_CAF_LEGACY
#  include <caf/detail/parser/read_ini.hpp>
#else
#  include <caf/detail/parser/read_config.hpp>
#endif

#include <cctype>

namespace coppice::compat {

/// Where the parser is. Its lines and columns are not those of editors: in the
/// second line, columns begin at 2.
using config_state = caf::parser_state<const char*>;

/// What a comment begins with; up to the end of the line.
inline constexpr char config_comment = COPPICE_CAF_LEGACY ? ';' : '#';

/// Reads keys and values until the end of the text, and says whether all of it
/// could be read; if not, `at.i` is where it could not go on.
///
/// The two parsers agree on: ASCII outside of texts and comments, no carriage
/// returns, keys of letters, digits, `_` and `-`, texts in double quotes with
/// the escapes \n \r \t \\ \", no `[section]` at top level, and numbers and
/// lengths of time that fit in 64 bits. Has undefined behaviour otherwise, and
/// recurses with each bracket.
/// @param consumer  Told as CAF's own are: `key(std::string)`, `value(x)`,
///                  `begin_map()` and `begin_list()`, which return the consumer
///                  of what follows, `end_map()`, `end_list()`. The map of the
///                  whole file may end more than once, and does not begin.
template <class Consumer>
bool read_config(config_state& at, Consumer& consumer) {
#if COPPICE_CAF_LEGACY
  // What begins on the same line as something ended: 1.x goes on by itself.
  do {
    caf::detail::parser::read_ini_section(at, consumer);
  } while (at.code == caf::pec::trailing_character
           && std::isalnum(static_cast<unsigned char>(at.current())) != 0);
#else
  caf::detail::parser::read_config(at, consumer);
#endif
  return at.code == caf::pec::success;
}

} // namespace coppice::compat
