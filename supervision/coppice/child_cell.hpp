// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What is behind a child reference: always names the current life.
///
/// Layer: L2.
/// Threads: thread-safe.
/// Rules: docs/semantics.md, STOP-2, FAILURE-6; catalogue N.

#include "coppice/errc.hpp"
#include "coppice/policy/spec.hpp"

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>

namespace coppice {

/// What became of the messages that were sent through a child reference.
struct reference_statistics {
  std::uint64_t forwarded = 0; ///< To a life, parked ones included.
  std::uint64_t parked = 0;    ///< Ever.
  std::uint64_t waiting = 0;   ///< Parked now.
  std::uint64_t dropped = 0;   ///< For want of room, or of a next life.
  std::uint64_t refused = 0;   ///< Failed fast.
};

/// An actor without a mailbox: a message to it goes into the mailbox of the
/// current life at once, on the sender's thread, so there is no extra hop, and
/// its answer goes straight to whoever asked. Between two lives it is parked
/// or refused, as the child's spec says.
class child_cell : public compat::redirecting_actor {
public:
  child_cell(caf::actor_config& cfg, std::string path);

  /// From now on. Called by the supervisor that owns the child.
  void configure(const policy::parking_spec& parking);
  /// A life is ready: it gets what was parked, in order, before anything else.
  void attach(const caf::strong_actor_ptr& life);
  /// Between two lives; another is expected.
  void detach();
  /// The same, if `life` is the one that is attached.
  void detach(const caf::strong_actor_ptr& life);
  /// There will be none until somebody starts it: what is parked is answered.
  void close();

  [[nodiscard]] reference_statistics statistics() const;
  /// Null between lives.
  [[nodiscard]] caf::strong_actor_ptr current() const;
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

protected:
  void redirect(caf::mailbox_element_ptr x, compat::host_type* host) override;

private:
  enum class state : std::uint8_t { between, attached, closed };

  [[nodiscard]] caf::error why(errc code) const;
  [[nodiscard]] caf::mailbox_element_ptr park(caf::mailbox_element_ptr x);

  const std::string path_;
  mutable std::mutex mutex_;
  state state_ = state::between;
  caf::strong_actor_ptr life_;
  policy::parking_spec parking_;
  std::deque<caf::mailbox_element_ptr> parked_;
  reference_statistics statistics_;
};

} // namespace coppice
