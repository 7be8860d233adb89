// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Says which requests a queue admits, serves next, and turns away, and why.
///
/// Layer: policy. Pure: no clock, no CAF, no I/O.
/// Threads: not thread-safe; owned by one worker or one front of a pool.
/// Rules: docs/semantics.md, DEADLINE-2, DEADLINE-3, DEADLINE-4.

#include "coppice/policy/admission_spec.hpp"
#include "coppice/policy/admission_step.hpp"
#include "coppice/policy/random.hpp"
#include "coppice/policy/service_time.hpp"
#include "coppice/policy/ticket.hpp"
#include "coppice/policy/ticket_queue.hpp"
#include "coppice/policy/time.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace coppice::policy {

/// One queue in front of one or more equal servers.
///
/// After each fact, ask `next` until it says `rest`. More critical requests
/// are served first, within a class the oldest first; the newest first while
/// the queue, as that class sees it, is standing. What is turned away is
/// always returned, once.
///
/// Cost: each call O(log n) at worst, amortised O(1) for deadlines in order;
/// plus a histogram's turn four times per window. Memory: bounded by
/// `queue_depth_max` and the largest number of servers.
///
/// @pre Times never go back; if they do, the latest one so far is taken.
class admission_core {
public:
  /// @param spec  Sound by `validate`.
  /// @param servers  How many may be in service at a time; 0: none yet.
  /// @param seed  Of the jitter of retry hints.
  admission_core(const admission_spec& spec, std::size_t servers,
                 std::uint64_t seed);

  /// A request has come.
  /// @pre No ticket with this id waits or is in service.
  [[nodiscard]] arrival_decision on_arrival(time_point now, ticket who);

  /// What to do now. To be asked again until it says `rest`.
  [[nodiscard]] admission_step next(time_point now);

  /// A started request has ended after so long in service; also if it ended
  /// with an error, unless that came much quicker than an answer does.
  /// @returns false, and does nothing, for an id that is not in service.
  bool on_done(time_point now, std::uint64_t id, duration service);

  /// A started request has ended, but how long it took means nothing: its
  /// worker died, or it was cancelled.
  /// @returns false, and does nothing, for an id that is not in service.
  bool on_lost(time_point now, std::uint64_t id);

  /// Nobody wants it any more. DEADLINE-4.
  [[nodiscard]] cancel_outcome on_cancelled(time_point now, std::uint64_t id);

  /// The number of servers is another. With fewer than are busy, nothing is
  /// started until enough of them are done. With none, the queue keeps what
  /// it has up to the deadlines: an outage is not a standing queue.
  void resize(time_point now, std::size_t servers);

  /// Takes nothing new from now on; serves what it has.
  void drain() noexcept { counts_.draining = true; }

  /// Takes and starts nothing from now on; `next` returns what waits.
  void stop() noexcept { counts_.stopped = true; }

  /// Has all that was admitted ended, and will nothing be admitted?
  [[nodiscard]] bool is_finished() const noexcept;

  /// When `next` will have something to shed if nothing happens before: for a
  /// timer, which is needed where `servers` can be 0 or services take long.
  [[nodiscard]] std::optional<time_point> next_due() const;

  [[nodiscard]] admission_snapshot snapshot(time_point now) const;

private:
  using slot = ticket_queue::slot;

  // -- keeping up --
  void advance(time_point& now);
  void follow_occupancy(time_point now);
  void follow_service_times();
  void relearn_if_starved(time_point now);
  void note_starvation(shed_reason why);

  // -- judgements --
  [[nodiscard]] std::optional<shed_reason> refusal(time_point now,
                                                   const ticket& who) const;
  [[nodiscard]] std::optional<shed_reason>
  hopeless(time_point now, const std::optional<time_point>& deadline) const;
  [[nodiscard]] std::optional<duration> needed_time() const;
  [[nodiscard]] bool would_wait_too_long(time_point now,
                                         const ticket& who) const;
  [[nodiscard]] bool is_standing(time_point now, criticality level) const;
  [[nodiscard]] time_point standing_from(criticality level) const;
  [[nodiscard]] bool has_outstayed(time_point now, slot x) const;
  [[nodiscard]] std::size_t share_of(criticality level) const noexcept;
  [[nodiscard]] std::size_t depth_down_to(criticality level) const noexcept;
  [[nodiscard]] bool has_room_for(criticality level) const noexcept;

  // -- choices: the slot, or nil --
  struct victim {
    slot which;
    shed_reason why;
  };
  [[nodiscard]] std::optional<victim> superfluous(time_point now) const;
  [[nodiscard]] std::optional<victim> hopeless_one(time_point now) const;
  [[nodiscard]] std::optional<victim> outstayed_one(time_point now,
                                                    criticality most) const;
  [[nodiscard]] std::optional<victim> displaceable(time_point now,
                                                   criticality level) const;
  [[nodiscard]] std::optional<victim>
  displaceable_of_class(time_point now, criticality level) const;
  [[nodiscard]] slot favourite(time_point now) const;

  // -- deeds --
  arrival_decision admit(time_point now, const ticket& who);
  shed_ticket drop(const victim& whom);
  shed_ticket refuse(const ticket& who, shed_reason why);
  serve_ticket serve(time_point now, slot x);
  bool end_service(std::uint64_t id);
  [[nodiscard]] std::optional<duration> retry_hint(shed_reason why);

  admission_spec spec_;
  random_source random_;
  ticket_queue queue_;
  service_time_estimator service_;
  /// The size, and all that is only counted.
  admission_snapshot counts_;
  time_point now_ = time_point::min();
  /// Since when there has been somebody of each class or above. The clock of
  /// the standing queue, one per class: a flood of sheddable requests does
  /// not make a critical one that passes it by look late.
  std::array<std::optional<time_point>, criticality_count> occupied_since_;
  /// Since when the estimate has let nothing start.
  std::optional<time_point> starved_since_;
  /// Of the standing queue; longer than the spec's where services are.
  duration target_;
  duration interval_;
};

} // namespace coppice::policy
