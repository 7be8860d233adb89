// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What the parts that read a topology file share: where in the tree they are,
/// and the list of what is wrong.
///
/// Layer: L2.
/// Threads: values of one thread.
/// Rules: docs/semantics.md, TOPOLOGY-1.

#include "coppice/topology_defect.hpp"
#include "coppice/topology_syntax.hpp"
#include "coppice/worker_kind.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace coppice {

/// A part of a path; on the stack of whoever reads it, and put into words only
/// for defects.
struct path_link {
  const path_link* up = nullptr;
  std::string_view name = {};
  /// In a list.
  std::ptrdiff_t index = -1;
  /// Of a child.
  std::string_view id = {};
};

/// `app.children[2](feed).restart`.
[[nodiscard]] std::string to_string(const path_link& x);

/// "/app/feed": all ids from the root.
[[nodiscard]] std::string tree_path(const path_link& x);

/// All that was found wrong so far.
class defect_list {
public:
  /// @param text  Has to outlive this.
  defect_list(std::string_view text, std::string file);

  /// @param offset  Where in the file. Beyond the limit of defects they are
  ///                only counted.
  void add(topology_defect x, std::size_t offset);
  void add(const path_link& path, std::size_t offset, std::string value,
           std::string expected, std::string nearest = {});

  [[nodiscard]] bool is_empty() const noexcept { return found_.empty(); }
  /// Were there too many to list? Then `explain` does not know of all.
  [[nodiscard]] bool is_full() const noexcept { return left_out_ > 0; }
  [[nodiscard]] std::size_t size() const noexcept {
    return found_.size() + left_out_;
  }
  /// The same for a value of which nothing could be read.
  void add_unread(const path_link& path, std::size_t offset, std::string value,
                  std::string expected, std::string nearest = {});

  /// Was something wrong with that very field, or could all around it not be
  /// read? Then what is wrong with its default is no news.
  [[nodiscard]] bool explain(const std::string& path) const;
  /// Was an unknown key found in that very section, which is near `name`? Then
  /// it is no news that `name` is missing, nor what is wrong with its default.
  [[nodiscard]] bool excuse(const path_link& section, std::string_view name);
  /// In the order of the file.
  [[nodiscard]] topology_defects take();

private:
  text_positions lines_;
  std::string file_;
  topology_defects found_;
  std::unordered_set<std::string> paths_;
  std::unordered_set<std::string> unread_;
  std::size_t left_out_ = 0;
};

/// One reading of a file.
struct topology_reading {
  const worker_kinds& kinds;
  defect_list& defects;
  std::map<std::string, std::string>& descriptions;
};

/// Where `path`, as `policy::validate` writes it, is in the file: as much of it
/// as there is.
[[nodiscard]] std::size_t offset_of(std::string_view path,
                                    const syntax_node& root);

} // namespace coppice
