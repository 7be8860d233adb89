// This file is part of coppice. License: see LICENSE in the source root.

// From the queue of a pool to its workers, and the pool as a whole.

#include "coppice/actors/pool_front.hpp"

#include <utility>
#include <variant>

namespace coppice {

// -- dispatch ----------------------------------------------------------------

/// First the worker, then the request, so that none is started that nobody can
/// take; by key it is the other way round, and the worker may be busy.
void pool_front::pump(time_point now, pool_outbox& out) {
  while (waiting_ > 0) {
    if (key_of_)
      pause_those_that_end(now);
    auto to = key_of_ ? std::nullopt : choose(0, concurrency_, now);
    const auto step = queue_.next(now);
    const auto* serve = std::get_if<policy::serve_ticket>(&step);
    if (serve == nullptr) {
      if (to)
        dispatcher_.on_done(*to);
      const auto* shed = std::get_if<policy::shed_ticket>(&step);
      if (shed == nullptr)
        return;
      turn_away(*shed, out);
      continue;
    }
    const auto place = *find(serve->who.id);
    if (!to)
      to = choose(requests_[place].key, SIZE_MAX, now);
    if (to)
      dispatch(place, *to, now, out);
    else
      lose(place, caf::make_error(caf::sec::request_receiver_down), now, out);
  }
}

/// Up to the first that does not: so that the queue starts nothing if nobody
/// is left. Whether the one of the key is there, `choose` finds out.
void pool_front::pause_those_that_end(time_point now) {
  for (member_id who = 0; who < members_.size(); ++who) {
    auto& x = members_[who];
    if (!x.is_available)
      continue;
    if (!is_ending(x))
      return;
    pause(who, x, now);
  }
}

/// One that was told to end, or has, takes nothing any more, whoever knows of
/// it already.
std::optional<policy::chosen_member>
pool_front::choose(std::uint64_t key, std::size_t busy_from, time_point now) {
  for (;;) {
    const auto to = dispatcher_.choose(key, busy_from);
    if (!to)
      return std::nullopt;
    auto& worker = members_[to->who];
    if (!is_ending(worker))
      return to;
    pause(to->who, worker, now);
  }
}

void pool_front::dispatch(slot x, const policy::chosen_member& to,
                          time_point now, pool_outbox& out) {
  auto& entry = requests_[x];
  auto& worker = members_[to.who];
  entry.worker = to;
  entry.dispatched = now;
  entry.is_dispatched = true;
  entry.is_behind_another = worker.in_hand.size() >= concurrency_;
  entry.position = static_cast<std::uint32_t>(worker.in_hand.size());
  worker.in_hand.push_back(x);
  ++worker.dispatched;
  --waiting_;
  if (entry.is_watched)
    out.drop(std::move(entry.registration));
  entry.is_watched = false;
  auto element = std::move(entry.waiting);
  element->sender = caf::actor_cast<caf::strong_actor_ptr>(this);
  element->mid = caf::message_id{
    (entry.mid.integer_value() & caf::message_id::category_flag_mask)
    | id_of(x)};
  out.deliver(worker.actor, std::move(element));
}

void pool_front::take_from_worker(slot x, time_point now, pool_outbox& out) {
  auto& entry = requests_[x];
  auto& worker = members_[entry.worker.who];
  const auto last = worker.in_hand.back();
  worker.in_hand[entry.position] = last;
  requests_[last].position = entry.position;
  worker.in_hand.pop_back();
  worker.last_end = now;
  dispatcher_.on_done(entry.worker);
  if (!worker.is_available) {
    --elsewhere_;
    count_servers(now);
  }
  if (worker.in_hand.empty() && worker.when_idle)
    out.call(std::exchange(worker.when_idle, nullptr));
}

void pool_front::settle(pool_outbox& out) {
  if (when_drained_.empty() || free_.size() != requests_.size())
    return;
  for (auto& f : std::exchange(when_drained_, {}))
    out.call(std::move(f));
}

// -- the pool ----------------------------------------------------------------

void pool_front::drain(std::function<void()> when_done) {
  pool_outbox out;
  {
    const std::lock_guard guard{mutex_};
    queue_.drain();
    when_drained_.push_back(std::move(when_done));
    settle(out);
  }
  flush(out);
}

void pool_front::stop() {
  pool_outbox out;
  {
    const std::lock_guard guard{mutex_};
    const auto when = now();
    is_stopped_ = true;
    queue_.stop();
    pump(when, out);
    for (auto& x : members_)
      lose_all(x, {}, when, out);
    settle(out);
  }
  flush(out);
}

void pool_front::count_callback_failures(std::uint64_t how_many) {
  const std::lock_guard guard{mutex_};
  counts_.callback_failures += how_many;
}

pool_statistics pool_front::statistics() const {
  const std::lock_guard guard{mutex_};
  auto result = counts_;
  result.admission = queue_.snapshot(now());
  for (std::size_t i = 0; i < members_.size(); ++i)
    if (const auto& x = members_[i]; x.is_known)
      result.members.push_back({.number = i,
                                .available = x.is_available,
                                .leaves = x.leaves,
                                .outstanding = x.in_hand.size(),
                                .lives = x.lives,
                                .dispatched = x.dispatched});
  return result;
}

} // namespace coppice
