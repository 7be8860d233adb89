// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Takes a callback back that was registered with a context.
///
/// Layer: L1.
/// Threads: the callback may run on any; use the object from one at a time.
/// Rules: docs/semantics.md, DEADLINE-4.

#include <memory>

namespace coppice {

class context_node;

/// A callback that is registered with a context; see `context::on_cancel`.
class cancel_registration {
public:
  cancel_registration() noexcept = default;
  cancel_registration(cancel_registration&&) noexcept = default;
  cancel_registration& operator=(cancel_registration&& x) noexcept;
  ~cancel_registration() { reset(); }

  /// On return the callback is not running, unless this is a call from it, and
  /// will never be called again.
  void reset() noexcept;

private:
  friend class context_node;
  struct callback;
  cancel_registration(std::shared_ptr<context_node> node,
                      std::shared_ptr<callback> call) noexcept;

  std::shared_ptr<context_node> node_;
  std::shared_ptr<callback> call_;
};

} // namespace coppice
