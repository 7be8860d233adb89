// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// One of several copies of a request, and the word that it is not needed.
///
/// Layer: L1.
/// Threads: values.
/// Rules: docs/semantics.md, REPLICATE-2, REPLICATE-4, REPLICATE-6.

#include "coppice/type_ids.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace coppice {

class request_tie;

/// What a context says of the copy that it belongs to; see
/// `context::with_copy`.
struct request_copy {
  /// The same for all copies of a request. Empty: that of the context of which
  /// the copy is made.
  std::string dedup_key = {};
  /// From 0, the original.
  std::uint32_t number = 0;
  /// Who may begin. Null: everybody may, e.g. because the others are on other
  /// nodes. Stays in this process.
  std::shared_ptr<request_tie> tie = nullptr;
  /// Names this copy, and no other in the world, to nodes. 0: a fresh one. Key
  /// and number would not do: who tries again uses the same key, and must not
  /// have the new request recalled with the old.
  std::uint64_t serial = 0;
};

/// Recalls a copy that is on another node: sent to the handle to which the
/// copy was sent, urgently and without a sender (`compat::post_urgent`).
/// Workers, and pools for theirs, obey it; it reaches no handler, and may come
/// before its copy. In one process, cancel the context of the copy instead.
struct cancel_copy {
  std::uint64_t serial = 0; ///< Of `request_copy`.

  friend bool operator==(const cancel_copy&, const cancel_copy&) = default;
};

template <class Inspector>
compat::inspect_result<Inspector> inspect(Inspector& f, cancel_copy& x) {
  return compat::fields(f, x, "coppice::cancel_copy",
                        compat::field{"serial", x.serial});
}

} // namespace coppice
