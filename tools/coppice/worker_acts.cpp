// This file is part of coppice. License: see LICENSE in the source root.

#include "worker_acts.hpp"

#include "coppice/failure_convert.hpp"
#include "coppice/policy/stable_hash.hpp"

#include "kind_messages.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <utility>

namespace coppice::tool {

namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

template <class Self>
void tick_after(Self* self, duration span) {
  compat::tell_after(self, span, caf::actor_cast<caf::actor>(self), tick{});
}

/// One step of something that costs processor time, and cannot be left out.
std::uint64_t work_a_little(std::uint64_t x) {
  for (int i = 0; i < 2'000; ++i)
    x = policy::stable_hash(x + 1);
  return x;
}

/// `on_work` is called after each piece of work.
template <class F>
caf::behavior work_at_intervals(worker* self, routine work, F on_work) {
  tick_after(self, work.every);
  return {[=](tick) mutable {
    compute(self, work.busy);
    on_work();
    tick_after(self, work.every);
  }};
}

} // namespace

void compute(worker* self, duration span) {
  const auto end = steady_clock::now() + span;
  volatile std::uint64_t result = 1;
  while (steady_clock::now() < end && !self->cancelled()) {
    result = work_a_little(result);
    self->beat();
  }
}

// -- trigger -----------------------------------------------------------------

trigger::trigger(const trigger_options& how, const std::string& path,
                 std::uint64_t incarnation)
  : how_(how),
    is_armed_(incarnation <= how.lives.count()),
    random_(how.seed ^ policy::stable_hash(path)
            ^ policy::stable_hash(incarnation)) {}

bool trigger::is_due() {
  ++beats_;
  // Drawn in any case: the numbers of later pieces do not depend on it.
  const auto draw = static_cast<double>(random_.next() >> 11) * 0x1p-53;
  if (!is_armed_)
    return false;
  return beats_ >= how_.beats.count() || draw < how_.chance
         || (how_.after.is_finite()
             && steady_clock::now() - start_ >= how_.after.span());
}

// -- the workers -------------------------------------------------------------

caf::behavior beater(worker* self, routine work) {
  return work_at_intervals(self, work, [] {});
}

caf::behavior crasher(worker* self, routine work, crash_options how) {
  trigger when{how.when, self->path(), self->incarnation()};
  return work_at_intervals(self, work, [=]() mutable {
    if (!when.is_due())
      return;
    if (how.clean)
      self->quit();
    else if (how.failure_class)
      throw failure_error{
        {.failure_class = *how.failure_class, .message = how.message}};
    else
      throw std::runtime_error{how.message};
  });
}

namespace {

/// Without a beat, on purpose.
void hang(worker* self, const hang_options& how) {
  const auto end = how.lasts.after(policy::time_point{steady_clock::now()});
  volatile std::uint64_t result = 1;
  std::mutex never_signalled;
  std::condition_variable never;
  std::unique_lock lock{never_signalled};
  while (steady_clock::now() < end && !(how.polite && self->cancelled()))
    if (how.how == hang_kind::computing)
      result = work_a_little(result);
    else
      never.wait_for(lock, 10ms);
}

} // namespace

caf::behavior hanger(worker* self, routine work, hang_options how) {
  trigger when{how.when, self->path(), self->incarnation()};
  return work_at_intervals(self, work, [=]() mutable {
    if (when.is_due())
      hang(self, how);
  });
}

caf::behavior muted(caf::event_based_actor* self, routine work,
                    trigger_options when, life_handle life, std::string path,
                    std::uint64_t incarnation) {
  tick_after(self, work.every);
  life.ready();
  return {[=, is_mute = false, sign = trigger{when, path, incarnation},
           sum = std::uint64_t{1}](tick) mutable {
    const auto end = steady_clock::now() + work.busy;
    while (steady_clock::now() < end)
      sum = work_a_little(sum);
    is_mute = is_mute || sign.is_due();
    if (!is_mute)
      life.beat();
    tick_after(self, work.every);
  }};
}

caf::behavior slow_stopper(worker* self, routine work, time_limit takes) {
  tick_after(self, work.every);
  return compat::system_behavior(
    self,
    [=](caf::exit_msg&) {
      if (takes.is_finite())
        compat::tell_after(self, takes.span(),
                           caf::actor_cast<caf::actor>(self), stop_now{});
    },
    [](caf::error&) {},
    [=](tick) {
      compute(self, work.busy);
      tick_after(self, work.every);
    },
    [=](stop_now) { self->quit(caf::exit_reason::user_shutdown); });
}

caf::behavior client_of_flaky(worker* self, routine work, duration takes,
                              time_limit up, std::string dependency) {
  self->defer_ready();
  const auto start = steady_clock::now();
  tick_after(self, std::min<duration>(takes, 1s));
  return {[=, is_ready = false](tick) mutable {
    const auto age = steady_clock::now() - start;
    if (!is_ready) {
      is_ready = age >= takes;
      if (is_ready)
        self->ready();
      tick_after(self,
                 is_ready ? work.every : std::min<duration>(takes - age, 1s));
      return;
    }
    compute(self, work.busy);
    if (up.is_finite() && age >= up.span())
      throw failure_error{{.failure_class = "connection_lost",
                           .message = "lost the connection to " + dependency}};
    tick_after(self, work.every);
  }};
}

} // namespace coppice::tool
