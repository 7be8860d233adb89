// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// A pool of equal workers behind one handle: admission, dispatch, restarts.
///
/// Layer: L3.
/// Threads: thread-safe, but for moves and the end of it.
/// Rules: docs/semantics.md, DEADLINE-2, DEADLINE-3, DEADLINE-4, FAILURE-6;
/// docs/pools.md.

#include "coppice/actors/pool_options.hpp"
#include "coppice/actors/pool_statistics.hpp"
#include "coppice/outcome.hpp"
#include "coppice/supervise.hpp"

#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <string>

namespace coppice {

/// n equal workers, of which each request gets one, or waits for one, or is
/// turned away with a typed failure.
///
/// Send and `ask` to `handle()` as to any actor. A request whose first element
/// is a `coppice::context` is served, dropped and preferred by what that says;
/// one without waits for ever, and counts as critical. Each request has
/// exactly one answer, whatever becomes of its worker. A worker sees the pool
/// as the sender of what it is asked, and answers as usual. Two requests may
/// overtake each other.
///
/// Cost: an uncontended lock, no message and no thread beyond those of asking
/// the worker directly.
class worker_pool {
public:
  /// Makes the front; the workers come with `child`.
  /// @throws failure_error  With `errc::invalid_spec` and all defects.
  worker_pool(caf::actor_system& system, pool_options options);
  worker_pool(worker_pool&&) noexcept = default;
  worker_pool& operator=(worker_pool&&) noexcept;
  /// Stops it.
  ~worker_pool();

  [[nodiscard]] const caf::actor& handle() const noexcept { return front_; }

  /// For the spec of the supervisor above: a supervisor of the workers, which
  /// are called `worker-1`, `worker-2`, ... For one tree at a time.
  [[nodiscard]] child_spec child(std::string id) const;

  using done_callback = std::function<void(outcome_of_nothing)>;

  /// Makes it `workers` of them. Those that go get nothing new, and end when
  /// they have answered what they have, or once `drain_within` is over; what
  /// they still have then is answered with a failure.
  ///
  /// One at a time: a second one is refused (`errc::unavailable`).
  /// A supervisor that is restarted begins with as many as its spec says; the
  /// next resize makes it `workers` from there. Stopped ones count.
  ///
  /// @param supervisor  The one made of `child`.
  /// @param when_done  Called once, on any thread, with the first failure. What
  ///                   it throws is swallowed, and counted.
  void resize(const supervisor_ref& supervisor, std::size_t workers,
              time_limit drain_within, done_callback when_done) const;
  /// The same; not for actors, which must not wait.
  [[nodiscard]] std::future<outcome_of_nothing>
  resize(const supervisor_ref& supervisor, std::size_t workers,
         time_limit drain_within = std::chrono::seconds{5}) const;

  /// Takes nothing new from now on, for ever, and answers what it has; then
  /// calls back, on any thread. The workers stay, with nothing to do.
  void drain(std::function<void()> when_done) const;
  [[nodiscard]] std::future<void> drain() const;

  /// Answers all it has, and whatever comes, with a failure, at once. What
  /// workers still say about it is dropped. Again: does nothing.
  void stop() const;

  [[nodiscard]] pool_statistics statistics() const;

private:
  struct plan;

  caf::actor front_;
  std::shared_ptr<plan> plan_;
};

} // namespace coppice
