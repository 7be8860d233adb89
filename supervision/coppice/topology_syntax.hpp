// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// A topology file as a tree of values, each with its place in the file.
///
/// Layer: L2.
/// Threads: values; pure functions.
/// Rules: docs/semantics.md, TOPOLOGY-1.

#include "coppice/topology_defect.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace coppice {

enum class syntax_kind : std::uint8_t {
  text, ///< Between quotes.
  word, ///< Anything else on its own: numbers, lengths of time, mistakes.
  list,
  map,
};

struct syntax_entry;

/// A value in a file.
struct syntax_node {
  syntax_kind kind = syntax_kind::map;
  /// Where it begins.
  std::size_t offset = 0;
  /// Of texts, what they say; of words, as they are written.
  std::string text;
  /// Of maps, in the order of the file, none twice; of lists, without keys.
  std::vector<syntax_entry> parts;

  /// Null if it has no such part.
  [[nodiscard]] const syntax_node* find(std::string_view key) const noexcept;
};

struct syntax_entry {
  std::string key;
  std::size_t key_offset = 0;
  syntax_node value;
};

/// As it stands in the file, on one line: for defects.
[[nodiscard]] std::string in_file(const syntax_node& x);

/// What a file holds.
struct syntax_tree {
  syntax_node root;
  /// With paths, but neither file nor line yet: `offset` of each is apart.
  topology_defects defects;
  std::vector<std::size_t> offsets;
  /// `root` is all there is. Otherwise it is worth nothing.
  bool is_complete = false;
};

[[nodiscard]] syntax_tree parse_syntax(std::string_view text);

/// From offsets to lines and columns.
class text_positions {
public:
  explicit text_positions(std::string_view text);
  void locate(topology_defect& x, std::size_t offset) const;
  [[nodiscard]] int line_of(std::size_t offset) const;

private:
  std::string_view text_;
  std::vector<std::size_t> lines_;
};

} // namespace coppice
