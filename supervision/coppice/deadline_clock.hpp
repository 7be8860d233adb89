// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What ends contexts at their deadlines: a clock, a heap and one thread.
///
/// Layer: L1. No CAF: it must not run on threads that workers can block.
/// Threads: thread-safe, alarms included; `run` by one thread at a time.
/// Rules: docs/semantics.md, DEADLINE-1, DEADLINE-4.

#include "coppice/policy/time.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

namespace coppice {

/// What became of the requests whose contexts belong to one clock.
struct deadline_statistics {
  std::uint64_t expired = 0;             ///< Deadlines that passed.
  std::uint64_t refused_unsent = 0;      ///< Over before they were sent.
  std::uint64_t cancelled_unstarted = 0; ///< Dropped by a worker.
  std::uint64_t expired_unstarted = 0;   ///< The same, for their deadlines.
  /// Work that ended when its request was over already.
  std::uint64_t late_answers = 0;
  /// Callbacks of contexts that threw.
  std::uint64_t callback_failures = 0;
  std::uint64_t armed = 0; ///< Deadlines that are waited for now.
  /// Copies dropped unstarted, because another of the request had begun.
  std::uint64_t unclaimed = 0;
};

/// Tells contexts when their deadlines have come.
///
/// Its thread is started by the first alarm, so what is never looked at costs
/// nothing. All contexts of a process share one, unless an entry names
/// another.
class deadline_clock {
public:
  /// Something with a deadline. Owned by `std::shared_ptr`.
  class alarm : public std::enable_shared_from_this<alarm> {
  public:
    alarm() = default;
    virtual ~alarm() = default;
    alarm(const alarm&) = delete;
    alarm& operator=(const alarm&) = delete;

    /// Has it ever been armed? Never: there is nothing to disarm.
    [[nodiscard]] bool was_armed() const noexcept { return was_armed_; }

  private:
    friend class deadline_clock;
    /// Called with no lock held, at most once per `arm`.
    virtual void ring() noexcept = 0;

    std::atomic<bool> was_armed_{false};
    std::uint32_t position_ = UINT32_MAX;
  };

  struct options {
    /// No thread: somebody calls `run`, in virtual time.
    bool manual = false;
    /// Steady time; null: the steady clock.
    std::function<policy::time_point()> now = nullptr;
  };

  deadline_clock();
  explicit deadline_clock(options how);
  /// Joins the thread, unless this is it.
  ~deadline_clock();
  deadline_clock(const deadline_clock&) = delete;
  deadline_clock& operator=(const deadline_clock&) = delete;

  /// The clock of contexts that name none, and of those from the wire.
  [[nodiscard]] static std::shared_ptr<deadline_clock> current();

  /// While it exists, another clock is the current one. For tests.
  class scope {
  public:
    explicit scope(std::shared_ptr<deadline_clock> clock);
    ~scope();
    scope(const scope&) = delete;
    scope& operator=(const scope&) = delete;

  private:
    std::shared_ptr<deadline_clock> before_;
  };

  [[nodiscard]] policy::time_point now() const;

  /// Rings once, at `due`. Again before that: does nothing. O(log n).
  /// @throws std::system_error  If the thread cannot be started; not armed.
  void arm(alarm& x, policy::time_point due);
  /// On return it will not begin to ring any more. O(log n).
  /// To be called by the destructor of what is derived from `alarm`.
  void disarm(alarm& x);

  // -- manual mode -----------------------------------------------------------

  /// `time_point::max()` if there is nothing to wait for.
  [[nodiscard]] policy::time_point next_due() const;
  /// Rings what is due by then.
  void run(policy::time_point now);

  // -- counters --------------------------------------------------------------

  enum class tally : std::uint8_t {
    expired,
    refused_unsent,
    cancelled_unstarted,
    expired_unstarted,
    late_answer,
    callback_failure,
    unclaimed,
  };
  void count(tally what) noexcept;
  [[nodiscard]] deadline_statistics statistics() const;

private:
  class implementation;
  std::shared_ptr<implementation> impl_;
};

} // namespace coppice
