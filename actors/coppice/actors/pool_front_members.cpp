// This file is part of coppice. License: see LICENSE in the source root.

// The workers of a pool: who is there, and what becomes of what they had.

#include "coppice/actors/pool_front.hpp"

#include <chrono>
#include <utility>

namespace coppice {

namespace {

/// How long a worker gets nothing that CAF says is down, until it is looked at
/// again: its end takes microseconds. Were it only the actor to which the
/// worker hands its requests on that is down, this many get through.
constexpr auto suspension = std::chrono::milliseconds{1};

} // namespace

// -- lives -------------------------------------------------------------------

pool_front::life_number pool_front::life_begins(member_id who) {
  pool_outbox out;
  life_number result = 0;
  {
    const std::lock_guard guard{mutex_};
    const auto when = now();
    auto& x = known(who);
    pause(who, x, when);
    lose_all(x, caf::make_error(caf::exit_reason::kill), when, out);
    out.drop(std::exchange(x.actor, nullptr));
    out.drop(std::move(x.end_of_suspicion));
    x.beats = {};
    x.is_ready = false;
    ++x.lives;
    result = x.life = ++lives_;
    pump(when, out);
    settle(out);
  }
  flush(out);
  return result;
}

void pool_front::life_is(member_id who, life_number life,
                         const caf::actor& actor, heartbeat beats) {
  pool_outbox out;
  {
    const std::lock_guard guard{mutex_};
    auto* x = member_of(who, life);
    if (x == nullptr)
      return;
    const auto when = now();
    x->actor = caf::actor_cast<caf::strong_actor_ptr>(actor);
    x->beats = beats;
    offer(who, *x, when);
    pump(when, out);
  }
  flush(out);
}

void pool_front::life_is_ready(member_id who, life_number life) {
  pool_outbox out;
  {
    const std::lock_guard guard{mutex_};
    auto* x = member_of(who, life);
    if (x == nullptr)
      return;
    const auto when = now();
    x->is_ready = true;
    offer(who, *x, when);
    pump(when, out);
  }
  flush(out);
}

void pool_front::life_fails(member_id who, life_number life) {
  const std::lock_guard guard{mutex_};
  if (auto* x = member_of(who, life))
    pause(who, *x, now());
}

void pool_front::life_ends(member_id who, life_number life,
                           const caf::error& why) {
  pool_outbox out;
  {
    const std::lock_guard guard{mutex_};
    auto* x = member_of(who, life);
    if (x == nullptr)
      return;
    const auto when = now();
    pause(who, *x, when);
    lose_all(*x, why, when, out);
    out.drop(std::exchange(x->actor, nullptr));
    x->life = 0;
    pump(when, out);
    settle(out);
  }
  flush(out);
}

// -- membership --------------------------------------------------------------

void pool_front::retire(member_id who, std::function<void()> when_idle) {
  {
    const std::lock_guard guard{mutex_};
    auto& x = known(who);
    x.leaves = true;
    pause(who, x, now());
    if (!x.in_hand.empty()) {
      x.when_idle = std::move(when_idle);
      return;
    }
  }
  when_idle();
}

void pool_front::forget(member_id who) {
  pool_outbox out;
  {
    const std::lock_guard guard{mutex_};
    auto* x = member_of(who);
    if (x == nullptr)
      return;
    const auto when = now();
    pause(who, *x, when);
    lose_all(*x, caf::make_error(caf::exit_reason::kill), when, out);
    out.drop(std::exchange(x->actor, nullptr));
    out.drop(std::move(x->end_of_suspicion));
    dispatcher_.remove(who);
    *x = member{};
    settle(out);
  }
  flush(out);
}

void pool_front::welcome(member_id who) {
  const std::lock_guard guard{mutex_};
  if (auto* x = member_of(who))
    x->leaves = false;
}

// -- under the lock ----------------------------------------------------------

pool_front::member& pool_front::known(member_id who) {
  if (members_.size() <= who)
    members_.resize(who + 1);
  auto& x = members_[who];
  if (!x.is_known) {
    x.is_known = true;
    dispatcher_.add(who);
    dispatcher_.pause(who);
  }
  return x;
}

pool_front::member* pool_front::member_of(member_id who) {
  return who < members_.size() && members_[who].is_known ? &members_[who]
                                                         : nullptr;
}

/// Null if that life is history.
pool_front::member* pool_front::member_of(member_id who, life_number life) {
  auto* x = member_of(who);
  return x != nullptr && x->life == life ? x : nullptr;
}

/// One that was only suspended may still have requests in hand. They fill it
/// as before.
void pool_front::offer(member_id who, member& x, time_point now) {
  if (x.is_available || !x.is_ready || !x.actor || x.leaves || is_ending(x))
    return;
  x.is_available = true;
  elsewhere_ -= x.in_hand.size();
  const auto life = dispatcher_.resume(who, x.in_hand.size());
  for (const auto place : x.in_hand)
    requests_[place].worker.life = life;
  count_servers(now);
}

void pool_front::pause(member_id who, member& x, time_point now) {
  if (!x.is_available)
    return;
  x.is_available = false;
  dispatcher_.pause(who);
  elsewhere_ += x.in_hand.size();
  count_servers(now);
}

/// A mailbox is closed a little before its actor shows that it has ended, and
/// would swallow the whole queue in the meantime.
void pool_front::suspend(member_id who, time_point now, pool_outbox& out) {
  auto& x = members_[who];
  if (!x.is_available)
    return;
  pause(who, x, now);
  out.call([self = caf::actor_cast<caf::actor>(this), who, life = x.life] {
    compat::object_of<pool_front>(self).offer_again_later(who, life);
  });
}

void pool_front::offer_again_later(member_id who, life_number life) {
  auto timer = context::lasting(suspension,
                                {.reference = name_, .clock = clock_});
  // Weak: the registration belongs to the front.
  auto registration = timer.on_cancel(
    [addr = caf::actor_cast<caf::actor_addr>(this), who, life] {
      if (const auto self = caf::actor_cast<caf::actor>(addr))
        compat::object_of<pool_front>(self).life_is_ready(who, life);
    });
  const std::lock_guard guard{mutex_};
  if (auto* x = member_of(who, life)) {
    std::swap(x->suspicion, timer);
    std::swap(x->end_of_suspicion, registration);
  }
}

void pool_front::lose_all(member& x, const caf::error& why, time_point now,
                          pool_outbox& out) {
  while (!x.in_hand.empty())
    lose(x.in_hand.back(), why, now, out);
}

/// What is in the hands of those that get nothing new does not take the place
/// of what the others could do.
void pool_front::count_servers(time_point now) {
  queue_.resize(now, concurrency_ * dispatcher_.available() + elsewhere_);
}

/// `stop_requested` covers the time from a stall's verdict to the next life,
/// and an orderly stop; the flag, what ends on its own.
bool pool_front::is_ending(const member& x) const noexcept {
  return x.beats.stop_requested()
         || x.actor->get()->getf(caf::abstract_actor::is_terminated_flag);
}

} // namespace coppice
