// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Lets one of several copies of a request begin.
///
/// Layer: L1. No CAF.
/// Threads: thread-safe, without locks.
/// Rules: docs/semantics.md, REPLICATE-2.

#include <atomic>
#include <cstdint>

namespace coppice {

/// The claim that the tied copies of a request share: whichever a worker takes
/// out of its mailbox first has it, and the others are dropped unstarted. One
/// atomic instead of messages between servers, so there is no window in which
/// two of them begin.
///
/// Source: Dean and Barroso, "The Tail at Scale" (2013), tied requests.
class request_tie {
public:
  static constexpr std::uint32_t nobody = UINT32_MAX;

  /// @param tied  Copies with numbers below this share the claim; others, sent
  ///              because one is late, may always begin.
  explicit request_tie(std::uint32_t tied) noexcept : tied_(tied) {}
  virtual ~request_tie() = default;
  request_tie(const request_tie&) = delete;
  request_tie& operator=(const request_tie&) = delete;

  /// Says whether this copy is to be worked on, right before that. Again for a
  /// copy that may: yes, again.
  /// Cost: one load and one exchange, and what `on_begin` does.
  [[nodiscard]] bool begin(std::uint32_t number) noexcept;

  /// Gives the claim back: this copy has failed, and another may begin.
  /// @returns false, and does nothing, if the copy does not have it.
  bool release(std::uint32_t number) noexcept;

  /// The copy that has the claim, or `nobody`.
  [[nodiscard]] std::uint32_t holder() const noexcept {
    return holder_.load(std::memory_order_acquire);
  }
  [[nodiscard]] std::uint32_t tied() const noexcept { return tied_; }

  // Told, with no lock held; be quick.

  /// A copy is dropped unstarted. Called on the worker's thread.
  /// @param requester  The id of the actor that awaits the answer.
  /// @returns whether that is known now, so that no answer need be sent.
  virtual bool on_drop(std::uint32_t /*number*/,
                       std::uint64_t /*requester*/) noexcept {
    return false;
  }
  /// The context of a copy is over because one above it is. Called on the
  /// thread that ends that one; not for copies that are made too late.
  virtual void on_over(std::uint32_t /*number*/) noexcept {}

private:
  /// A copy begins. Called on the worker's thread, before its handler; again
  /// where whoever works on a copy passes its context on as it is.
  virtual void on_begin(std::uint32_t /*number*/) noexcept {}

  const std::uint32_t tied_;
  std::atomic<std::uint32_t> holder_{nobody};
};

} // namespace coppice
