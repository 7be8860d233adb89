// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The context of a request: its deadline, whether it is over, and why.
///
/// Layer: L1.
/// Threads: thread-safe; copies are cheap and name the same node of the tree.
/// Rules: docs/semantics.md, DEADLINE-1, DEADLINE-4, REPLICATE-6.

#include "coppice/cancel_registration.hpp"
#include "coppice/context_flag.hpp"
#include "coppice/context_limits.hpp"
#include "coppice/failure.hpp"
#include "coppice/policy/time.hpp"
#include "coppice/request_entry.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace coppice {

struct request_copy;

/// A node of a tree: what is over for a request is over for all that was asked
/// on its behalf, and no child has more time than its parent. It is passed on
/// explicitly, as the first argument of requests; see `ask`.
///
/// An empty context (default constructed, or moved from) counts as cancelled:
/// a request without a context is an error, which must not pass for one with
/// all the time in the world.
///
/// Source: Go's package `context`.
class context {
public:
  context() noexcept = default;

  // -- entries: roots of trees -----------------------------------------------

  /// `context_limits::default_deadline` from now.
  [[nodiscard]] static context with_default_deadline(request_entry entry = {});

  /// Never, unless cancelled. Spelled out, because it is seldom meant.
  [[nodiscard]] static context without_deadline(request_entry entry = {});

  /// @param when  In the past: born expired. `time_point::max()` is a deadline
  ///              like any other, 292 years away.
  [[nodiscard]] static context until(policy::time_point when,
                                     request_entry entry = {});

  /// @param span  As for `with_timeout`.
  template <class Rep, class Period>
  [[nodiscard]] static context
  lasting(std::chrono::duration<Rep, Period> span, request_entry entry = {}) {
    return lasting_for(clamped(span), std::move(entry));
  }

  // -- children --------------------------------------------------------------

  // A child ends with its parent, keeps it alive, and is forgotten by it when
  // the last copy is dropped. O(1), however many there are.

  [[nodiscard]] context with_cancel() const;
  /// @param when  The smaller deadline counts, this or the parent's.
  [[nodiscard]] context with_deadline(policy::time_point when) const;
  /// @param span  From now. Below 0, or not a number: born expired. More than
  ///              64 bits of nanoseconds hold: as long as they do, 292 years.
  template <class Rep, class Period>
  [[nodiscard]] context
  with_timeout(std::chrono::duration<Rep, Period> span) const {
    return with_timeout_of(clamped(span));
  }

  // -- marks -----------------------------------------------------------------

  // Of one node, not of its children, so mark last. What is asked on behalf of
  // an idempotent request need not be idempotent, and is another request: it
  // must not be found under the same key.

  /// May be executed more than once: only then a replicator sends copies.
  /// @param dedup_key  The same for each attempt at one thing, for handlers
  ///                   that remember. Empty: a fresh one. Above
  ///                   `dedup_key_bytes_max`: the end becomes a hash.
  [[nodiscard]] context idempotent(std::string dedup_key = {}) const;
  /// One of several copies of a request; idempotent.
  [[nodiscard]] context with_copy(request_copy what) const;

  [[nodiscard]] bool is_idempotent() const noexcept {
    return flag_ != nullptr && flag_->marked_as != context_flag::unmarked;
  }
  /// Empty unless idempotent. This, and `copy`: valid as long as the context.
  [[nodiscard]] std::string_view dedup_key() const noexcept;
  /// Null for others.
  [[nodiscard]] const request_copy* copy() const noexcept {
    return flag_ != nullptr && flag_->marked_as == context_flag::copy ? mark()
                                                                      : nullptr;
  }

  // -- the end ---------------------------------------------------------------

  /// Ends this context and its children. The first end wins, with its cause;
  /// all others do nothing and return `false`.
  bool cancel() const;
  bool cancel(failure cause) const;
  /// The same for a cause that is there already.
  bool cancel_for(const failure_cause& cause) const;

  /// Is it over? Sees a deadline some 0.1 ms late, because it does not read
  /// the clock. Cost: one load, below 2 ns; the first call of a context with a
  /// deadline arms it, which takes longer.
  [[nodiscard]] bool cancelled() const noexcept {
    if (flag_ == nullptr)
      return true;
    const auto state = flag_->state.load(std::memory_order_acquire);
    return state != context_flag::live && look();
  }

  /// The same, to the nanosecond: reads the clock, for some 30 ns.
  [[nodiscard]] bool is_over() const;

  /// What ended it, as it was given to `cancel`, to this context or to one
  /// above; of class "deadline_exceeded" if time did. Empty while it lives.
  [[nodiscard]] failure_cause cause() const;

  /// What to answer with: of class "deadline_exceeded", or "cancelled", with
  /// the cause, if that has another class, as its inner link. Well-formed, and
  /// with the reference of the request.
  /// @pre It is over.
  [[nodiscard]] failure why_over() const;

  /// Has `f` called once it is over, on the thread that ends it, with no lock
  /// held; at once, on this one, if it is. Not more than once. What it throws
  /// is swallowed, and counted. Keep the result: it takes `f` back when it
  /// goes.
  [[nodiscard]] cancel_registration on_cancel(std::function<void()> f) const;

  // -- what it says ----------------------------------------------------------

  /// Nothing: never. Of an empty context: the beginning of time.
  [[nodiscard]] std::optional<policy::time_point> deadline() const noexcept;
  /// 0 once it is over; infinite without a deadline.
  [[nodiscard]] policy::time_limit remaining() const;
  [[nodiscard]] policy::criticality criticality() const noexcept;
  [[nodiscard]] const std::string& reference() const noexcept;
  /// The statistics of all requests like this. Null for an empty context.
  [[nodiscard]] deadline_clock* clock() const noexcept;

  [[nodiscard]] bool empty() const noexcept { return flag_ == nullptr; }
  /// The same node?
  friend bool operator==(const context&, const context&) noexcept = default;

private:
  friend class context_node;
  explicit context(std::shared_ptr<context_node> node) noexcept;

  template <class Rep, class Period>
  static constexpr policy::duration
  clamped(std::chrono::duration<Rep, Period> span) noexcept {
    const policy::time_limit limit{span};
    if (!limit.has_overflowed())
      return limit.span();
    return span.count() > Rep{} ? policy::duration::max()
                                : policy::duration::min();
  }

  static context entered(policy::time_point deadline, request_entry entry);
  static context lasting_for(policy::duration span, request_entry entry);
  [[nodiscard]] context with_timeout_of(policy::duration span) const;
  [[nodiscard]] bool look() const noexcept;
  [[nodiscard]] context_node* node() const noexcept;
  [[nodiscard]] const request_copy* mark() const noexcept;

  std::shared_ptr<context_flag> flag_;
};

/// On the wire: the remaining time, never a point in time, because clocks
/// differ; criticality, reference, mark; the cause if it is over.
[[nodiscard]] std::string encode_context(const context& x);

/// What arrives is in another tree, on the current clock; a copy is tied to no
/// other, and can be recalled (`cancel_copy`). Returns `false` and leaves `x`
/// alone if `bytes` make no sense. In one process the handle is copied instead.
[[nodiscard]] bool decode_context(std::string_view bytes, context& x);

template <class Inspector>
compat::inspect_result<Inspector> inspect(Inspector& f, context& x) {
  return compat::as_bytes(f, x, "coppice::context", encode_context,
                          decode_context);
}

/// Classes of failures that end a request.
namespace failure_classes {
inline constexpr const char* cancelled = "cancelled";
inline constexpr const char* deadline_exceeded = "deadline_exceeded";
} // namespace failure_classes

} // namespace coppice
