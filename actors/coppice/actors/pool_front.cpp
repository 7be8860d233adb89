// This file is part of coppice. License: see LICENSE in the source root.

// Requests and answers. pool_front_dispatch.cpp has what connects them with
// workers, pool_front_members.cpp the workers.

#include "coppice/actors/pool_front.hpp"

#include "coppice/actors/redirection.hpp"
#include "coppice/failure_convert.hpp"
#include "coppice/request_handler.hpp"

#include <algorithm>
#include <cassert>
#include <system_error>
#include <utility>

namespace coppice {

namespace {

/// Of a ticket's number: the rest says how often its slot was used before.
constexpr unsigned slot_bits = 24;
constexpr std::uint64_t slot_mask = (std::uint64_t{1} << slot_bits) - 1;

/// Nobody's answer, but CAF's, of a mailbox that is closed.
bool is_bounce(caf::mailbox_element& x) {
  return x.sender == nullptr
         && compat::is_code(x.content().get_as<caf::error>(0),
                            caf::sec::request_receiver_down);
}

/// The content of `x`, which is made anew around it.
caf::message message_of(caf::mailbox_element_ptr& x) {
  auto content = compat::take_content(*x);
  x = compat::make_element(std::move(x->sender), x->mid, content);
  return content;
}

} // namespace

pool_front::pool_front(caf::actor_config& cfg, const pool_options& options)
  : compat::redirecting_actor(cfg),
    name_(options.name),
    clock_(options.clock != nullptr ? options.clock
                                    : deadline_clock::current()),
    concurrency_(options.concurrency),
    key_of_(options.key_of),
    queue_(options.admission, 0, options.seed ? *options.seed : fresh_seed()),
    dispatcher_(options.dispatch, options.seed ? *options.seed : fresh_seed()) {
}

// -- messages ----------------------------------------------------------------

void pool_front::redirect(caf::mailbox_element_ptr x, compat::host_type* host) {
  if (x->mid.is_response())
    return on_answer(std::move(x), host);
  if (!x->mid.is_request() && obey_recall(*x))
    return;
  if (is_work(*x))
    return on_request(std::move(x), host);
  const std::lock_guard guard{mutex_};
  ++counts_.ignored;
}

void pool_front::on_request(caf::mailbox_element_ptr x,
                            compat::host_type* host) {
  std::uint64_t key = 0;
  if (key_of_ && !find_key(x, key))
    return;
  pool_outbox out;
  context to_watch;
  std::uint64_t id = 0;
  {
    const std::lock_guard guard{mutex_};
    const auto when = now();
    const auto place = accept(std::move(x), key);
    id = id_of(place);
    const auto decision = queue_.on_arrival(when, ticket_of(place));
    if (decision.displaced)
      turn_away(*decision.displaced, out);
    if (decision.refused)
      turn_away(*decision.refused, out);
    pump(when, out);
    if (waits(id) && requests_[place].has_context)
      to_watch = requests_[place].ctx;
    settle(out);
  }
  flush(out, host);
  if (!to_watch.empty())
    watch(to_watch, id);
}

void pool_front::on_answer(caf::mailbox_element_ptr x,
                           compat::host_type* host) {
  const auto is_error = compat::holds<caf::error>(*x);
  pool_outbox out;
  {
    const std::lock_guard guard{mutex_};
    const auto place = find(x->mid.request_id().integer_value());
    if (!place || !requests_[*place].is_dispatched) {
      ++counts_.late_answers;
      return;
    }
    const auto when = now();
    if (is_error && is_bounce(*x)) {
      const auto who = requests_[*place].worker.who;
      lose(*place, caf::make_error(caf::sec::request_receiver_down), when, out);
      suspend(who, when, out);
    } else {
      pass_on(*place, std::move(x), is_error, when, out);
    }
    pump(when, out);
    settle(out);
  }
  flush(out, host);
}

void pool_front::pass_on(slot place, caf::mailbox_element_ptr x, bool is_error,
                         time_point now, pool_outbox& out) {
  end_service(place, now, is_error, x->sender != nullptr, out);
  auto& entry = requests_[place];
  if (entry.mid.is_request()) {
    x->mid = entry.mid.response_id();
    out.deliver(std::move(entry.sender), std::move(x));
  } else {
    ++counts_.unwanted_answers;
    out.deliver(nullptr, std::move(x)); // only to be let go
  }
  release(place, out);
}

/// Called by the context of a request that waits, or waited, once it is over.
void pool_front::on_over(std::uint64_t id) {
  pool_outbox out;
  {
    const std::lock_guard guard{mutex_};
    if (!waits(id))
      return;
    const auto when = now();
    pump(when, out); // counts it as expired, if that is what it is
    if (waits(id)
        && queue_.on_cancelled(when, id) == policy::cancel_outcome::dropped)
      turn_away({ticket_of(*find(id)), policy::shed_reason::cancelled}, out);
    settle(out);
  }
  flush(out);
}

/// Not under the lock: a context that is over calls at once. If the clock has
/// no thread, and can get none, the next event drops what is over.
void pool_front::watch(const context& ctx, std::uint64_t id) {
  cancel_registration registration;
  try {
    registration
      = ctx.on_cancel([self = caf::actor_cast<caf::actor>(this), id] {
          compat::object_of<pool_front>(self).on_over(id);
        });
  } catch (const std::system_error&) {
    return;
  }
  const std::lock_guard guard{mutex_};
  if (!waits(id))
    return;
  auto& entry = requests_[*find(id)];
  entry.registration = std::move(registration);
  entry.is_watched = true;
}

bool pool_front::find_key(caf::mailbox_element_ptr& x,
                          std::uint64_t& key) const {
  try {
    key = key_of_(message_of(x));
    return true;
  } catch (...) {
    compat::refuse(x->sender, x->mid,
                   to_error(from_exception(std::current_exception())));
    return false;
  }
}

// -- requests ----------------------------------------------------------------

pool_front::slot pool_front::accept(caf::mailbox_element_ptr x,
                                    std::uint64_t key) {
  if (free_.empty()) {
    free_.push_back(static_cast<slot>(requests_.size()));
    requests_.emplace_back();
  }
  const auto place = free_.back();
  free_.pop_back();
  auto& entry = requests_[place];
  ++entry.generation;
  const auto* ctx = context_of(*x);
  entry.has_context = ctx != nullptr;
  if (ctx != nullptr)
    entry.ctx = *ctx;
  entry.key = key;
  entry.mid = x->mid;
  entry.sender = std::move(x->sender);
  entry.waiting = std::move(x);
  entry.is_dispatched = false;
  ++waiting_;
  return place;
}

policy::ticket pool_front::ticket_of(slot x) const {
  const auto& entry = requests_[x];
  if (!entry.has_context)
    return {.id = id_of(x)};
  return {.id = id_of(x),
          .deadline = entry.ctx.deadline(),
          .level = entry.ctx.criticality()};
}

std::uint64_t pool_front::id_of(slot x) const noexcept {
  return (std::uint64_t{requests_[x].generation} << slot_bits) | x;
}

std::optional<pool_front::slot>
pool_front::find(std::uint64_t id) const noexcept {
  const auto place = static_cast<slot>(id & slot_mask);
  if (place >= requests_.size() || id_of(place) != id
      || (requests_[place].waiting == nullptr
          && !requests_[place].is_dispatched))
    return std::nullopt;
  return place;
}

bool pool_front::waits(std::uint64_t id) const noexcept {
  const auto place = find(id);
  return place && requests_[*place].waiting != nullptr;
}

void pool_front::release(slot x, pool_outbox& out) {
  auto& entry = requests_[x];
  if (entry.sender)
    out.drop(std::move(entry.sender));
  if (entry.has_context)
    out.drop(std::move(entry.ctx));
  if (entry.is_watched)
    out.drop(std::move(entry.registration));
  entry.is_watched = false;
  entry.has_context = false;
  entry.is_dispatched = false;
  free_.push_back(x);
}

/// An error that comes quickly says nothing about how long the work takes; one
/// that comes late does, or work that always comes too late would never be
/// learned from. One without a sender is not from the work at all: it was
/// dropped unstarted, or its worker given up.
void pool_front::end_service(slot x, time_point now, bool is_error,
                             bool is_from_worker, pool_outbox& out) {
  const auto& entry = requests_[x];
  const auto& worker = members_[entry.worker.who];
  const auto began = entry.is_behind_another
                       ? std::max(entry.dispatched, worker.last_end)
                       : entry.dispatched;
  const auto took = now - began;
  const auto took_its_time = [&] {
    const auto mean = queue_.snapshot(now).service_mean;
    return !mean || took >= *mean / 2;
  };
  if (!is_error || (is_from_worker && took_its_time()))
    queue_.on_done(now, id_of(x), took);
  else
    queue_.on_lost(now, id_of(x));
  take_from_worker(x, now, out);
}

/// Its worker will not answer, or there is none.
void pool_front::lose(slot x, const caf::error& why, time_point now,
                      pool_outbox& out) {
  auto& entry = requests_[x];
  queue_.on_lost(now, id_of(x));
  if (entry.is_dispatched)
    take_from_worker(x, now, out);
  else
    --waiting_;
  ++counts_.failed_with_worker;
  std::optional<policy::shed_ticket> shed;
  if (is_stopped_)
    shed = policy::shed_ticket{ticket_of(x), policy::shed_reason::stopped};
  out.refuse({std::move(entry.sender), entry.mid, entry.ctx, std::move(shed),
              why, std::move(entry.waiting)});
  release(x, out);
}

void pool_front::turn_away(const policy::shed_ticket& what, pool_outbox& out) {
  const auto place = find(what.who.id);
  assert(place);
  auto& entry = requests_[*place];
  --waiting_;
  out.refuse({std::move(entry.sender),
              entry.mid,
              entry.ctx,
              what,
              {},
              std::move(entry.waiting)});
  release(*place, out);
}

} // namespace coppice
