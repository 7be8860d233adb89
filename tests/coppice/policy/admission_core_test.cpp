// This file is part of coppice. License: see LICENSE in the source root.

// Who is refused, who gives way, and what they are told. The standing queue
// has a file of its own.

#include "coppice/policy/admission_core.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <variant>
#include <vector>

namespace coppice::policy {
namespace {

using namespace std::literals;
using enum criticality;
using enum shed_reason;

constexpr time_point at(duration t) {
  return time_point{} + t;
}

/// A core that has learned, before time 0, that services take 10 ms.
/// An estimate of the histogram is at most an eighth above that.
class AdmissionCore : public testing::Test {
protected:
  static constexpr admission_spec spec{.queue_depth_max = 4,
                                       .standing = {.interval = infinity},
                                       .service = {.samples_min = 1,
                                                   .window = 1h}};

  struct experienced_core : admission_core {
    explicit experienced_core(const admission_spec& with = spec)
      : admission_core(with, 1, 1) {
      (void) on_arrival(at(-1s), {.id = 1'000});
      (void) next(at(-1s));
      on_done(at(-1s), 1'000, 10ms);
    }
  };

  static std::optional<shed_reason> arrive(admission_core& core, ticket who,
                                           duration when = 0s) {
    const auto decision = core.on_arrival(at(when), who);
    return decision.admitted() ? std::nullopt
                               : std::optional{decision.refused.value().why};
  }

  static std::optional<std::uint64_t> served(admission_core& core,
                                             duration when = 0s) {
    const auto step = core.next(at(when));
    const auto* go = std::get_if<serve_ticket>(&step);
    return go != nullptr ? std::optional{go->who.id} : std::nullopt;
  }

  static std::optional<shed_reason> shed(admission_core& core, duration when) {
    const auto step = core.next(at(when));
    const auto* out = std::get_if<shed_ticket>(&step);
    return out != nullptr ? std::optional{out->why} : std::nullopt;
  }
};

// -- in time or not ----------------------------------------------------------

// DEADLINE-2: a deadline in the past, or just now, is refused at once.
TEST_F(AdmissionCore, RefusesTheExpired) {
  admission_core core{spec, 1, 1};
  EXPECT_EQ(arrive(core, {.id = 1, .deadline = at(5s)}, 5s), expired);
  EXPECT_EQ(arrive(core, {.id = 2, .deadline = time_point::min()}), expired);
  EXPECT_EQ(arrive(core, {.id = 3, .deadline = at(5s + 1ns)}, 5s),
            std::nullopt);
  EXPECT_EQ(arrive(core, {.id = 4, .deadline = time_point::max()}, 5s),
            std::nullopt);
}

// DEADLINE-2: compared with the measured service time, not with zero.
TEST_F(AdmissionCore, RefusesWhatCannotFinish) {
  experienced_core core;
  const auto estimate = core.snapshot(at(0s)).service_estimate.value();
  EXPECT_GE(estimate, 10ms);
  EXPECT_LT(estimate, 11250us);
  EXPECT_EQ(arrive(core, {.id = 1, .deadline = at(estimate - 1ns)}),
            cannot_finish);
  EXPECT_EQ(arrive(core, {.id = 2, .deadline = at(estimate)}), std::nullopt);
}

// DEADLINE-2: what could have been finished at arrival, but no more, is not
// started; and it is told as soon as that is so, not when its turn comes.
TEST_F(AdmissionCore, DropsWhatCannotFinishAnyMore) {
  experienced_core core;
  EXPECT_EQ(arrive(core, {.id = 1}), std::nullopt);
  EXPECT_EQ(arrive(core, {.id = 2, .deadline = at(40ms)}), std::nullopt);
  EXPECT_EQ(served(core), 1u);
  const auto due = core.next_due().value();
  EXPECT_GT(due, at(28ms));
  EXPECT_LE(due, at(30ms + 1ns));
  EXPECT_EQ(core.next(due - 1ns), admission_step{rest{}});
  EXPECT_EQ(shed(core, due - time_point{}), cannot_finish);
  EXPECT_EQ(core.next_due(), std::nullopt);
}

// DEADLINE-2: who would reach its turn too late is told so at once.
TEST_F(AdmissionCore, RefusesWhoWouldWaitTooLong) {
  experienced_core core;
  for (std::uint64_t id = 0; id < 3; ++id)
    EXPECT_EQ(arrive(core, {.id = id}), std::nullopt);
  EXPECT_EQ(served(core), 0u); // two wait: 20 ms, then a service
  EXPECT_EQ(arrive(core, {.id = 5, .deadline = at(29ms)}), cannot_finish);
  EXPECT_EQ(arrive(core,
                   {.id = 6, .deadline = at(29ms), .level = critical_plus}),
            std::nullopt)
    << "it would be served first";
  EXPECT_EQ(arrive(core, {.id = 7, .deadline = at(45ms)}), std::nullopt);
}

// DEADLINE-2, DEADLINE-3: but not where the order turns before: the newest is
// served next from 30 ms on.
TEST_F(AdmissionCore, AdmitsWhomTheTurnedOrderServesInTime) {
  auto with = spec;
  with.queue_depth_max = 100;
  with.standing = {.target = 12ms, .interval = 30ms};
  experienced_core core{with};
  for (std::uint64_t id = 0; id < 50; ++id)
    EXPECT_EQ(arrive(core, {.id = id}), std::nullopt);
  EXPECT_EQ(arrive(core, {.id = 60, .deadline = at(40ms)}), cannot_finish);
  EXPECT_EQ(arrive(core, {.id = 61, .deadline = at(42ms)}), std::nullopt);
}

// DEADLINE-2: no estimate, no guess.
TEST_F(AdmissionCore, GuessesNothingBeforeItHasMeasured) {
  admission_core core{spec, 1, 1};
  EXPECT_EQ(arrive(core, {.id = 1, .deadline = at(1ns)}), std::nullopt);
  EXPECT_EQ(served(core), 1u);
  EXPECT_EQ(core.snapshot(at(0s)).service_estimate, std::nullopt);
}

// DEADLINE-2: an estimate that lets nothing start is never corrected by what
// is measured; so it is given up after a second.
TEST_F(AdmissionCore, ForgetsAnEstimateThatStarvesIt) {
  experienced_core core;
  const auto arrive_at = [&](std::uint64_t id, duration when) {
    return arrive(core, {.id = id, .deadline = at(when + 5ms)}, when);
  };
  EXPECT_EQ(arrive_at(1, 0s), cannot_finish);
  EXPECT_EQ(arrive_at(2, 1s - 1ns), cannot_finish);
  EXPECT_EQ(arrive_at(3, 1s), std::nullopt);
  EXPECT_EQ(served(core, 1s), 3u);
  core.on_done(at(1s), 3, 2ms);
  EXPECT_EQ(arrive_at(4, 1s), std::nullopt);
}

// -- full --------------------------------------------------------------------

// DEADLINE-3: what cannot be stored is refused at once, with a hint.
TEST_F(AdmissionCore, RefusesWhatItCannotStore) {
  admission_core core{spec, 1, 1};
  for (std::uint64_t id = 0; id < 4; ++id)
    EXPECT_EQ(arrive(core, {.id = id}), std::nullopt);
  const auto decision = core.on_arrival(at(0s), {.id = 9});
  ASSERT_FALSE(decision.admitted());
  EXPECT_EQ(decision.refused->why, queue_full);
  EXPECT_TRUE(decision.refused->retry_after);
  EXPECT_EQ(core.snapshot(at(0s)).depth, 4u);
}

// DEADLINE-3: the more critical takes the place of the least critical, and
// among those of the oldest; and it is served first.
TEST_F(AdmissionCore, EvictsTheOldestOfTheLeastCritical) {
  admission_core core{spec, 1, 1};
  const criticality levels[] = {sheddable_plus, sheddable, sheddable, critical};
  for (std::uint64_t id = 0; id < 4; ++id)
    (void) core.on_arrival(at(0s), {.id = id, .level = levels[id]});
  const auto arrive_critical = [&](std::uint64_t id) {
    return core.on_arrival(at(0s), {.id = id, .level = critical});
  };
  for (const std::uint64_t victim : {1, 2, 0}) {
    const auto decision = arrive_critical(victim + 10);
    EXPECT_TRUE(decision.admitted());
    ASSERT_TRUE(decision.displaced);
    EXPECT_EQ(decision.displaced->who.id, victim);
    EXPECT_EQ(decision.displaced->why, evicted);
    EXPECT_TRUE(decision.displaced->retry_after);
  }
  EXPECT_EQ(arrive_critical(20).refused.value().why, queue_full)
    << "equals do not evict each other";
  EXPECT_EQ(served(core), 3u);
}

// DEADLINE-3: before anybody gives way, those go that are lost anyway.
TEST_F(AdmissionCore, PrefersToDropWhatIsLostAnyway) {
  admission_core core{spec, 1, 1};
  for (std::uint64_t id = 0; id < 3; ++id)
    EXPECT_EQ(arrive(core, {.id = id, .level = sheddable}), std::nullopt);
  EXPECT_EQ(arrive(core, {.id = 3, .deadline = at(1s)}), std::nullopt);
  const auto decision = core.on_arrival(at(1s), {.id = 4, .level = sheddable});
  EXPECT_TRUE(decision.admitted());
  EXPECT_EQ(decision.displaced.value().why, expired);
  EXPECT_EQ(decision.displaced->who.id, 3u);
}

// DEADLINE-3: a class may fill its share and no more; 0 keeps it out.
TEST_F(AdmissionCore, KeepsAClassToItsShare) {
  auto with = spec;
  with.shares = {.sheddable_plus = 0.3, .sheddable = 0.0};
  admission_core core{with, 1, 1};
  EXPECT_EQ(arrive(core, {.id = 1, .level = sheddable}), queue_full);
  EXPECT_EQ(arrive(core, {.id = 2, .level = sheddable_plus}), std::nullopt);
  EXPECT_EQ(arrive(core, {.id = 3, .level = sheddable_plus}), std::nullopt);
  EXPECT_EQ(arrive(core, {.id = 4, .level = sheddable_plus}), queue_full);
  EXPECT_EQ(arrive(core, {.id = 5, .level = critical}), std::nullopt);
}

// DEADLINE-3: the hint follows the rate at which the queue drains; within its
// bounds, spread over a factor of two, and the same for the same seed.
TEST_F(AdmissionCore, HintsWhenToComeBack) {
  auto with = spec;
  with.queue_depth_max = 100;
  with.retry_after = {.min = 10ms, .max = 1500ms};
  const auto hints = [&](std::uint64_t seed, duration service) {
    admission_core core{with, 1, seed};
    (void) core.on_arrival(at(0s), {.id = 1'000});
    (void) core.next(at(0s));
    core.on_done(at(0s), 1'000, service);
    std::vector<duration> result;
    for (std::uint64_t id = 0; id < 200; ++id)
      if (const auto x = core.on_arrival(at(0s), {.id = id}); x.refused)
        result.push_back(x.refused->retry_after.value());
    return result;
  };
  const auto some = hints(1, 1ms);
  EXPECT_THAT(some,
              testing::Each(testing::AllOf(testing::Ge(duration{100ms}),
                                           testing::Le(duration{200ms}))));
  const auto [least, most] = std::minmax_element(some.begin(), some.end());
  EXPECT_GT(*most - *least, 80ms) << "they would all come back together";
  EXPECT_EQ(hints(1, 1ms), some);
  EXPECT_NE(hints(2, 1ms), some);
  EXPECT_THAT(hints(1, 1h),
              testing::Each(testing::AllOf(testing::Ge(duration{750ms}),
                                           testing::Le(duration{1500ms}))));
  EXPECT_THAT(hints(1, 0s),
              testing::Each(testing::AllOf(testing::Ge(duration{10ms}),
                                           testing::Le(duration{20ms}))));
}

// -- ends --------------------------------------------------------------------

// DEADLINE-4: queued work that is cancelled is dropped unstarted.
TEST_F(AdmissionCore, DropsTheCancelledUnstarted) {
  admission_core core{spec, 1, 1};
  EXPECT_EQ(arrive(core, {.id = 1}), std::nullopt);
  EXPECT_EQ(arrive(core, {.id = 2}), std::nullopt);
  EXPECT_EQ(served(core), 1u);
  EXPECT_EQ(core.on_cancelled(at(0s), 2), cancel_outcome::dropped);
  EXPECT_EQ(core.on_cancelled(at(0s), 2), cancel_outcome::unknown) << "twice";
  EXPECT_EQ(core.on_cancelled(at(0s), 1), cancel_outcome::in_service);
  EXPECT_TRUE(core.on_lost(at(0s), 1));
  EXPECT_EQ(core.snapshot(at(0s)).service_estimate, std::nullopt)
    << "what was cut short teaches nothing";
  EXPECT_EQ(served(core), std::nullopt);
}

// DEADLINE-3: a draining queue serves what it has and takes nothing new.
TEST_F(AdmissionCore, DrainsToTheEnd) {
  admission_core core{spec, 1, 1};
  EXPECT_EQ(arrive(core, {.id = 1}), std::nullopt);
  core.drain();
  EXPECT_EQ(arrive(core, {.id = 2}), draining);
  EXPECT_FALSE(core.is_finished());
  EXPECT_EQ(served(core), 1u);
  EXPECT_FALSE(core.is_finished());
  EXPECT_TRUE(core.on_done(at(1s), 1, 1s));
  EXPECT_FALSE(core.on_done(at(1s), 1, 1s)) << "twice";
  EXPECT_TRUE(core.is_finished());
}

// DEADLINE-3: a stopped one starts nothing, and returns what waits.
TEST_F(AdmissionCore, ReturnsWhatWaitsWhenItStops) {
  admission_core core{spec, 1, 1};
  EXPECT_EQ(arrive(core, {.id = 1}), std::nullopt);
  EXPECT_EQ(arrive(core, {.id = 2}), std::nullopt);
  core.stop();
  EXPECT_EQ(arrive(core, {.id = 3}), stopped);
  EXPECT_EQ(shed(core, 0s), stopped);
  EXPECT_EQ(shed(core, 0s), stopped);
  EXPECT_EQ(core.next(at(0s)), admission_step{rest{}});
  EXPECT_TRUE(core.is_finished());
}

// DEADLINE-3: as many in service as there are servers, also after a resize.
TEST_F(AdmissionCore, FollowsTheNumberOfServers) {
  admission_core core{spec, 0, 1};
  for (std::uint64_t id = 1; id <= 4; ++id)
    EXPECT_EQ(arrive(core, {.id = id}), std::nullopt);
  EXPECT_EQ(served(core), std::nullopt);
  core.resize(at(0s), 2);
  EXPECT_EQ(served(core), 1u);
  EXPECT_EQ(served(core), 2u);
  EXPECT_EQ(served(core), std::nullopt);
  core.resize(at(0s), 1);
  core.on_done(at(0s), 1, 1ms);
  EXPECT_EQ(served(core), std::nullopt) << "one is one too many already";
  core.on_done(at(0s), 2, 1ms);
  EXPECT_EQ(served(core), 3u);
}

// DEADLINE-3: a clock that goes back does no harm.
TEST_F(AdmissionCore, TakesTheLatestTimeSoFar) {
  admission_core core{spec, 1, 1};
  EXPECT_EQ(arrive(core, {.id = 1, .deadline = at(5s)}, 1s), std::nullopt);
  EXPECT_EQ(arrive(core, {.id = 2, .deadline = at(1s)}, 0s), expired);
  const auto step = core.next(at(0s));
  EXPECT_EQ(std::get<serve_ticket>(step).waited, duration{0});
}

} // namespace
} // namespace coppice::policy
