// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What differs between two specs of a tree, field by field, as text.
///
/// Layer: policy. Pure: no clock, no CAF, no I/O.
/// Threads: values.
/// Rules: docs/semantics.md, TOPOLOGY-3.

#include "coppice/policy/spec.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace coppice::policy {

enum class spec_change_kind : std::uint8_t {
  added,   ///< A child, with all that is below it.
  removed, ///< The same.
  changed, ///< A field.
};

/// One difference.
struct spec_change {
  spec_change_kind kind = spec_change_kind::changed;
  /// Of the child or supervisor: `/app/db`.
  std::string path;
  /// `backoff.first`; of a supervisor also `children`, if those that stay come
  /// in another order. Empty if a whole child is added or removed.
  std::string field;
  /// As text: `100ms`. Of a whole child its kind, `worker` or `supervisor`;
  /// empty on the side where there is none.
  std::string before;
  std::string after;

  friend bool operator==(const spec_change&, const spec_change&) = default;
};

/// In the order of the new spec; what is removed comes last, level by level.
using spec_changes = std::vector<spec_change>;

/// What a reload of `after` changes in a tree that was given `before`.
///
/// Start functions cannot be compared and are never mentioned. An inner
/// supervisor's `name` is not looked at, and children are told apart by id.
/// Cost: O(children of both); texts are made for what differs alone.
/// @param path  Of the supervisor; default: `/` and its name.
[[nodiscard]] spec_changes diff(const supervisor_spec& before,
                                const supervisor_spec& after,
                                std::string path = {});

/// The same where the children of `before` are kept elsewhere, as they are in
/// a supervisor that runs.
[[nodiscard]] spec_changes diff(const supervisor_spec& before,
                                const std::vector<const child_spec*>& children,
                                const supervisor_spec& after,
                                const std::string& path);

/// Why a tree of `before`, with these `children`, cannot go over to `after`
/// while it runs: another name of the root; a pool in place of no pool, or a
/// worker of a supervisor, or the reverse.
[[nodiscard]] spec_defects
reload_defects(const supervisor_spec& before,
               const std::vector<const child_spec*>& children,
               const supervisor_spec& after);

/// Could a running child of `before` go over to `after`?
[[nodiscard]] bool can_become(const child_spec& before,
                              const child_spec& after);

/// Fields in which the two differ, start function and id left out; what is
/// nested in them counts only if one has a supervisor where the other has none.
[[nodiscard]] std::size_t count_changes(const child_spec& before,
                                        const child_spec& after) noexcept;
/// The same; children left out.
[[nodiscard]] std::size_t count_changes(const supervisor_spec& before,
                                        const supervisor_spec& after) noexcept;

/// Takes down what differs in the fields of one child or supervisor, as
/// `count_changes` counts it.
void append_changes(spec_changes& out, const std::string& path,
                    const child_spec& before, const child_spec& after);
void append_changes(spec_changes& out, const std::string& path,
                    const supervisor_spec& before,
                    const supervisor_spec& after);

[[nodiscard]] const char* to_string(spec_change_kind x) noexcept;
/// `/app/db: backoff.first: 100ms -> 200ms`, or `/app/db: added, a worker`.
[[nodiscard]] std::string to_string(const spec_change& x);
/// One line each.
[[nodiscard]] std::string to_string(const spec_changes& x);

} // namespace coppice::policy
