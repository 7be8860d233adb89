// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Supervision trees from files: the same specs as in code.
///
/// Layer: L2.
/// Threads: pure functions; `load_topology` reads a file.
/// Rules: docs/semantics.md, TOPOLOGY-1.
///
/// The syntax is that of CAF's configuration files, read by CAF's parser; what
/// the fields are called and may say is in docs/topology_reference.md.

#include "coppice/supervise.hpp"
#include "coppice/topology_defect.hpp"
#include "coppice/topology_limits.hpp"
#include "coppice/worker_kind.hpp"

#include <cassert>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace coppice {

/// What a file says.
struct topology {
  supervisor_spec root;
  supervise_options options;
  /// By the path that the child will have, such as "/app/feed": its kind with
  /// all arguments, defaults included, as `beater(every = 100ms)`. Equal texts
  /// mean equal workers. For children that have a kind.
  std::map<std::string, std::string> descriptions;
};

/// A topology, or else all that is wrong with the file: at least one defect.
class [[nodiscard]] topology_result {
public:
  topology_result(topology x) : content_(std::move(x)) {}
  /// @pre `x` is not empty.
  topology_result(topology_defects x) : content_(std::move(x)) {
    assert(!std::get<topology_defects>(content_).empty());
  }

  [[nodiscard]] bool has_value() const noexcept {
    return content_.index() == 0;
  }
  [[nodiscard]] explicit operator bool() const noexcept { return has_value(); }

  /// @pre `has_value()`; else std::bad_variant_access.
  [[nodiscard]] const topology& value() const& {
    return std::get<topology>(content_);
  }
  [[nodiscard]] topology& value() & { return std::get<topology>(content_); }
  [[nodiscard]] topology&& value() && {
    return std::get<topology>(std::move(content_));
  }
  [[nodiscard]] const topology& operator*() const { return value(); }
  [[nodiscard]] topology& operator*() { return value(); }
  [[nodiscard]] const topology* operator->() const { return &value(); }
  [[nodiscard]] topology* operator->() { return &value(); }

  /// @pre `!has_value()`; else std::bad_variant_access.
  [[nodiscard]] const topology_defects& defects() const {
    return std::get<topology_defects>(content_);
  }

private:
  std::variant<topology, topology_defects> content_;
};

/// Reads a topology. What it returns is sound: `supervise` will not refuse it.
///
/// All that is wrong is found in one go, up to
/// `topology_limits::defects_max`; but where the
/// syntax is broken, only what breaks it.
/// @param file_name  For defects; nothing is opened.
/// @param kinds  Each kind that is used is called once per child, on this
///               thread.
/// Cost: O(text), some microseconds per child.
topology_result parse_topology(std::string_view text,
                               std::string_view file_name,
                               const worker_kinds& kinds);

/// The same from a file. One that cannot be read, or is too large, is a defect.
topology_result load_topology(const std::string& file,
                              const worker_kinds& kinds);

/// The reference page of the files, in Markdown: all sections and fields, from
/// the tables that reading them uses, and all of `kinds` with their arguments.
[[nodiscard]] std::string topology_reference(const worker_kinds& kinds);

} // namespace coppice
