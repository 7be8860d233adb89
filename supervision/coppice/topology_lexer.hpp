// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Looks at a topology file before CAF's parser does: what that would stumble
/// over is found here, and as many mistakes as possible are covered up for it.
///
/// Layer: L2.
/// Threads: pure functions.
/// Rules: docs/semantics.md, TOPOLOGY-1.

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace coppice {

/// What stands in front of a place, as far as syntax goes.
enum class syntax_token : unsigned char {
  nothing,
  open_map,
  open_list,
  close,
  comma,
  assign,
  key,
  value,
};

/// Something that is wrong with the bytes, rather than with what they say.
struct lexical_defect {
  std::size_t offset = 0;
  std::string value;
  std::string expected;
};

struct lexed_text {
  /// As long as the file. Words that the parser would not take have become
  /// zeros, or keys of x; comments are those of its version; carriage returns
  /// are blanks. What they were is read from the file itself.
  std::string covered;
  /// Where there are keys that are none.
  std::unordered_set<std::size_t> bad_keys;
  std::vector<lexical_defect> defects;
  /// Nothing sensible can be parsed.
  bool is_hopeless = false;
};

[[nodiscard]] lexed_text lex_topology(std::string_view text);

/// In front of `offset`: the last token, and all brackets that are open.
/// @pre `text` is not hopeless, up to `offset`.
struct syntax_position {
  syntax_token last = syntax_token::nothing;
  std::vector<std::size_t> open;
};
[[nodiscard]] syntax_position syntax_before(std::string_view text,
                                            std::size_t offset);

/// Where the next thing after `from` begins that is neither blank, nor comma,
/// nor `=`, nor in a comment.
[[nodiscard]] std::size_t next_thing(std::string_view text, std::size_t from);

/// The end of the UTF-8 sequence that begins at `from`; `from` if none does.
[[nodiscard]] std::size_t end_of_character(std::string_view text,
                                           std::size_t from);

} // namespace coppice
