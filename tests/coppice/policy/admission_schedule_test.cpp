// This file is part of coppice. License: see LICENSE in the source root.

// All short schedules and many long ones, through a checker that follows each
// ticket; and broken cores, to which the checker has to object.

#include "support/admission_checker.hpp"
#include "support/random_choice.hpp"
#include "support/seed.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>

namespace coppice {
namespace {

using namespace std::literals;
using namespace policy;
using test::admission_checker;

constexpr admission_spec small{.queue_depth_max = 2,
                               .service = {.samples_min = 2,
                                           .relearn_after = 200ms}};

/// Facts by number, so that schedules can be enumerated.
template <class Core>
class schedule {
public:
  static constexpr unsigned letters = 9;

  explicit schedule(const admission_spec& spec) : checker_(spec, 1) {}

  void play(unsigned letter) {
    switch (letter) {
      case 0:
        return arrive({.id = ids_, .level = criticality::sheddable});
      case 1:
        return arrive({.id = ids_, .deadline = now_ + 50ms});
      case 2:
        return arrive({.id = ids_,
                       .deadline = now_ + 20ms,
                       .level = criticality::critical_plus});
      case 3:
        return checker_.settle(now_);
      case 4:
        return checker_.done(now_, 30ms);
      case 5:
        now_ += 30ms;
        return;
      case 6:
        return checker_.cancel(now_, ids_ / 2);
      case 7:
        return checker_.resize(now_, (ids_ + 1) % 3);
      default:
        return rare();
    }
  }

  const std::string& finish() {
    checker_.finish(now_);
    return checker_.objection();
  }

  const std::string& objection() const { return checker_.objection(); }

private:
  void arrive(const ticket& who) {
    ++ids_;
    checker_.arrive(now_, who);
  }

  void rare() {
    checker_.lose(now_);
    now_ += 110ms;
    if (ids_ % 5 == 4)
      checker_.drain();
    if (ids_ % 7 == 6)
      checker_.stop();
  }

  admission_checker<Core> checker_;
  time_point now_{};
  std::uint64_t ids_ = 0;
};

/// The first objection in any schedule of so many facts.
template <class Core>
std::string try_all(unsigned length) {
  std::uint64_t count = 1;
  for (unsigned i = 0; i < length; ++i)
    count *= schedule<Core>::letters;
  for (std::uint64_t number = 0; number < count; ++number) {
    schedule<Core> one{small};
    auto rest_of_it = number;
    std::string played;
    for (unsigned i = 0; i < length; ++i) {
      const auto letter
        = static_cast<unsigned>(rest_of_it % schedule<Core>::letters);
      rest_of_it /= schedule<Core>::letters;
      played += static_cast<char>('0' + letter);
      one.play(letter);
    }
    if (const auto& objection = one.finish(); !objection.empty())
      return played + ": " + objection;
  }
  return {};
}

template <class Core>
std::string try_some(random_source& random, int schedules) {
  for (int round = 0; round < schedules; ++round) {
    auto spec = small;
    spec.queue_depth_max = static_cast<std::uint32_t>(1 + random.up_to(30));
    spec.stale = test::one_of(random, {stale_check::none, stale_check::expired,
                                       stale_check::cannot_finish});
    spec.standing.adaptive_lifo = test::one_in(random, 2);
    if (test::one_in(random, 4))
      spec.standing.interval = infinity;
    schedule<Core> one{spec};
    // Some are all rush, some mostly waiting.
    const auto letters = 3 + random.up_to(schedule<Core>::letters - 4);
    for (int step = 0; step < 150 && one.objection().empty(); ++step)
      one.play(static_cast<unsigned>(test::one_in(random, 40)
                                       ? schedule<Core>::letters - 1
                                       : random.up_to(letters)));
    if (const auto& objection = one.finish(); !objection.empty())
      return "schedule " + std::to_string(round) + ": " + objection;
  }
  return {};
}

// DEADLINE-2, DEADLINE-3: every ticket ends exactly once, the bound holds, the
// counters add up, nothing starts in vain.
TEST(AdmissionSchedules, HoldForAllShortOnes) {
  EXPECT_EQ(try_all<admission_core>(5), "");
}

// DEADLINE-2, DEADLINE-3: the same for long ones and other specs.
TEST(AdmissionSchedules, HoldForRandomOnes) {
  test::seeded seeded;
  EXPECT_EQ(try_some<admission_core>(seeded.random, 1'500), "");
}

// -- canaries ----------------------------------------------------------------

struct forgets_to_return : admission_core {
  using admission_core::admission_core;
  admission_step next(time_point now) {
    auto step = admission_core::next(now);
    return std::holds_alternative<shed_ticket>(step) ? admission_core::next(now)
                                                     : step;
  }
};

struct forgets_the_displaced : admission_core {
  using admission_core::admission_core;
  arrival_decision on_arrival(time_point now, const ticket& who) {
    auto decision = admission_core::on_arrival(now, who);
    decision.displaced.reset();
    return decision;
  }
};

struct overfills : admission_core {
  overfills(admission_spec spec, std::size_t servers, std::uint64_t seed)
    : admission_core(wider(spec), servers, seed) {}
  static admission_spec wider(admission_spec spec) {
    ++spec.queue_depth_max;
    return spec;
  }
};

struct ignores_deadlines : admission_core {
  ignores_deadlines(admission_spec spec, std::size_t servers,
                    std::uint64_t seed)
    : admission_core(blind(spec), servers, seed) {}
  static admission_spec blind(admission_spec spec) {
    spec.stale = stale_check::none;
    return spec;
  }
};

struct looks_at_zero : admission_core {
  looks_at_zero(admission_spec spec, std::size_t servers, std::uint64_t seed)
    : admission_core(short_sighted(spec), servers, seed) {}
  static admission_spec short_sighted(admission_spec spec) {
    spec.stale = std::min(spec.stale, stale_check::expired);
    return spec;
  }
};

struct serves_twice : admission_core {
  using admission_core::admission_core;
  admission_step next(time_point now) {
    const auto step = admission_core::next(now);
    if (std::holds_alternative<serve_ticket>(step))
      last = step;
    else if (std::holds_alternative<rest>(step))
      return std::exchange(last, rest{});
    return step;
  }
  admission_step last = rest{};
};

struct is_lazy : admission_core {
  using admission_core::admission_core;
  admission_step next(time_point now) {
    return snapshot(now).in_service > 0 || ++calls % 2 == 0
             ? admission_core::next(now)
             : rest{};
  }
  int calls = 0;
};

struct hints_zero : admission_core {
  using admission_core::admission_core;
  arrival_decision on_arrival(time_point now, const ticket& who) {
    auto decision = admission_core::on_arrival(now, who);
    if (decision.refused && decision.refused->retry_after)
      decision.refused->retry_after = duration{0};
    return decision;
  }
};

struct ignores_criticality : admission_core {
  using admission_core::admission_core;
  arrival_decision on_arrival(time_point now, ticket who) {
    const auto level = std::exchange(who.level, criticality::critical);
    auto decision = admission_core::on_arrival(now, who);
    levels[who.id] = level;
    for (auto* x : {&decision.refused, &decision.displaced})
      if (*x)
        (*x)->who.level = levels[(*x)->who.id];
    return decision;
  }
  admission_step next(time_point now) {
    auto step = admission_core::next(now);
    if (auto* go = std::get_if<serve_ticket>(&step))
      go->who.level = levels[go->who.id];
    if (auto* shed = std::get_if<shed_ticket>(&step))
      shed->who.level = levels[shed->who.id];
    return step;
  }
  std::map<std::uint64_t, criticality> levels;
};

template <class Core>
class AdmissionCanary : public testing::Test {};

using canaries
  = testing::Types<forgets_to_return, forgets_the_displaced, overfills,
                   ignores_deadlines, looks_at_zero, serves_twice, is_lazy,
                   hints_zero, ignores_criticality>;
TYPED_TEST_SUITE(AdmissionCanary, canaries);

// DEADLINE-2, DEADLINE-3: a checker that finds nothing proves nothing.
TYPED_TEST(AdmissionCanary, IsCaught) {
  test::seeded seeded;
  EXPECT_NE(try_some<TypeParam>(seeded.random, 1'500), "");
}

} // namespace
} // namespace coppice
