// This file is part of coppice. License: see LICENSE in the source root.

#include "support/simulation.hpp"

#include "support/random_choice.hpp"
#include "support/random_spec.hpp"

#include <algorithm>

namespace coppice::test {

using namespace policy;
using namespace std::chrono_literals;

namespace {

supervisor_spec broken_spec(supervisor_spec spec, const sabotage& broken) {
  if (broken.spec)
    broken.spec(spec);
  return spec;
}

/// Facts of one schedule, before its end begins.
constexpr std::uint64_t facts_max = 300;

/// Far more than any end takes: an end that takes longer hangs.
constexpr std::size_t draining_facts_max = 1'000;

} // namespace

simulation::simulation(std::uint64_t seed, const sabotage& broken)
  : random_(seed),
    broken_(broken),
    spec_(random_supervisor(random_)),
    core_(broken_spec(spec_, broken), random_.next()),
    calm_(one_of<std::uint64_t>(random_, {1, 3, 10, 30})),
    checker_(spec_, core_) {}

std::string simulation::run() {
  tell_core({.kind = fact_kind::start});
  live_for_a_while();
  end_and_drain();
  return checker_.objection();
}

// -- time and news -----------------------------------------------------------

void simulation::live_for_a_while() {
  const auto facts = random_.up_to(facts_max);
  for (std::uint64_t i = 0; i < facts && !has_objection(); ++i) {
    if (one_in(random_, 5))
      command();
    else if (!let_something_happen())
      now_ += some_delay();
    if (checker_.has_ended() && one_in(random_, 10))
      return;
  }
}

void simulation::end_and_drain() {
  if (one_in(random_, 2))
    stop_within(one_of<time_limit>(random_, {infinity, 0ms, 10ms, 3s}));
  for (auto i = random_.up_to(10); i > 0 && !has_objection(); --i)
    let_something_happen();
  const auto end = one_of<duration>(random_, {0ms, 10ms, 3s});
  stop_within(end);
  for (std::size_t i = 0; !has_objection() && !checker_.has_ended(); ++i)
    if (!let_something_happen() || i > draining_facts_max) {
      checker_.object("never ends");
      return;
    }
  while (!has_objection() && !queue_.empty() && let_something_happen()) {}
}

/// The next piece of news, or the timer, whichever is due first.
bool simulation::let_something_happen() {
  if (queue_.empty() && timer_at_ == time_point::max())
    return false;
  if (!queue_.empty() && queue_.top().at <= timer_at_) {
    const auto next = queue_.top();
    queue_.pop();
    now_ = std::max(now_, next.at);
    tell_core(next.what);
    if (one_in(random_, 20)) // again, or later: it must not matter
      expect(some_delay(), next.what);
    return true;
  }
  now_ = std::max(now_, timer_at_);
  timer_at_ = time_point::max();
  tell_core({.kind = fact_kind::timer});
  return true;
}

void simulation::tell_core(const fact& x) {
  ++steps_;
  if (keeps_transcript_)
    transcript_ += "at " + policy::to_string(now_.time_since_epoch() - 1h) + ' '
                   + to_string(x) + '\n';
  checker_.before(x, now_);
  auto todo = tell(core_, x, now_);
  if (broken_.directives)
    broken_.directives(todo);
  for (const auto& order : todo) {
    if (keeps_transcript_)
      transcript_ += "    " + policy::to_string(order) + '\n';
    std::visit([this](const auto& y) { obey(y); }, order);
  }
  checker_.after(todo);
}

void simulation::expect(duration after, fact x) {
  queue_.push({now_ + after, numbers_++, x});
}

duration simulation::some_delay() {
  return one_of<duration>(random_, {0ms, 0ms, 1ms, 10ms, 50ms, 100ms, 1s, 2s});
}

end_of_life simulation::some_end() {
  using enum end_cause;
  const auto cause
    = one_of(random_, {crash, crash, crash, node_loss, clean_end, clean_end});
  if (cause == clean_end)
    return {.cause = cause};
  return {.cause = cause,
          .failure_class = one_of<std::string_view>(
            random_, {"bug", "bug", "odd", "permanent_failure"})};
}

// -- the world ---------------------------------------------------------------

void simulation::obey(const start_life& x) {
  plan_life(x.life);
}

void simulation::plan_life(life_id life) {
  const end_of_life broken{.cause = end_cause::start_failure,
                           .failure_class = "odd"};
  switch (random_.up_to(6 * calm_)) {
    case 0: // hangs
      return;
    case 1:
      expect(some_delay(), {.kind = fact_kind::declined, .life = life});
      return;
    case 2:
      expect(some_delay(),
             {.kind = fact_kind::start_failed, .life = life, .how = broken});
      return;
    case 3:
      plan_death(life);
      return;
    default:
      break;
  }
  const auto ready = some_delay();
  expect(ready, {.kind = fact_kind::ready, .life = life});
  if (one_in(random_, 8))
    expect(ready + some_delay(), {.kind = fact_kind::stalled, .life = life});
  if (one_in(random_, 8))
    expect(ready + some_delay(), {.kind = fact_kind::healthy, .life = life});
  if (one_in(random_, 2))
    plan_death(life);
}

void simulation::plan_death(life_id life) {
  expect(some_delay() + some_delay(),
         {.kind = fact_kind::down, .life = life, .how = some_end()});
}

void simulation::obey(const stop_life& x) {
  if (one_in(random_, 5)) // deaf
    return;
  const auto how = one_in(random_, 5)
                     ? some_end()
                     : end_of_life{.cause = end_cause::clean_end};
  expect(some_delay(), {.kind = fact_kind::down, .life = x.life, .how = how});
}

void simulation::obey(const kill_life& x) {
  if (!one_in(random_, 3)) // its handler does not return
    expect(some_delay(),
           {.kind = fact_kind::down, .life = x.life, .how = some_end()});
}

void simulation::obey(const abandon_life& x) {
  if (one_in(random_, 2))
    expect(some_delay(),
           {.kind = fact_kind::down, .life = x.life, .how = some_end()});
}

void simulation::obey(const arm_timer& x) {
  const auto late = one_in(random_, 6)
                      ? one_of<duration>(random_, {1ns, 1ms, 100ms, 5s})
                      : 0ns;
  timer_at_ = x.due + late;
}

// -- operators ---------------------------------------------------------------

void simulation::command() {
  if (one_in(random_, 10))
    reload();
  else if (one_in(random_, 40))
    stop_within(one_of<time_limit>(random_, {infinity, 0ms, 10ms, 3s}));
  else
    tell_core(random_command());
}

fact simulation::random_command() {
  fact x{.token = ++tokens_};
  x.key = random_key();
  switch (random_.up_to(core_.is_pool() ? 4 : 7)) {
    case 0:
    case 1:
      x.kind = fact_kind::terminate;
      break;
    case 2:
      x.kind = fact_kind::retry_now;
      break;
    case 3:
    case 4:
      x.key = no_child;
      x.kind = core_.is_pool() ? fact_kind::add_instance : fact_kind::add;
      x.spec = core_.is_pool() ? nullptr : random_addition();
      break;
    case 5:
      x.kind = fact_kind::remove;
      break;
    default:
      x.kind = fact_kind::restart;
  }
  return x;
}

/// Of a child; sometimes of one that was, or of nobody.
child_key simulation::random_key() {
  const auto& children = checker_.children();
  if (children.empty() || one_in(random_, 20))
    return static_cast<child_key>(random_.up_to(8));
  const auto index = random_.up_to(children.size() - 1);
  return std::next(children.begin(), static_cast<std::ptrdiff_t>(index))->first;
}

const child_spec* simulation::random_addition() {
  const std::string id(1, static_cast<char>('a' + random_.up_to(6)));
  auto added = random_child(random_, spec_, id);
  additions_.push_back(std::make_unique<child_spec>(std::move(added)));
  return additions_.back().get();
}

void simulation::reload() {
  const auto& before = specs_.empty() ? spec_ : *specs_.back();
  auto next = one_in(random_, 6) ? before : random_reload(random_, before);
  specs_.push_back(std::make_unique<supervisor_spec>(std::move(next)));
  tell_core({.kind = fact_kind::reload, .next = specs_.back().get()});
}

void simulation::stop_within(time_limit within) {
  tell_core({.kind = fact_kind::stop, .token = ++tokens_, .within = within});
}

} // namespace coppice::test
