// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/actors/replicator_alarm.hpp"
#include "coppice/actors/replicator_front.hpp"
#include "coppice/failure_convert.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

namespace coppice {

namespace {

// A copy's number in messages: how often the slot was used before, which copy,
// and the slot. CAF leaves 56 bits and more to it.
constexpr unsigned slot_bits = 22;
constexpr unsigned copy_bits = 7;
constexpr unsigned generation_bits = 27;
constexpr std::uint64_t slot_mask = (std::uint64_t{1} << slot_bits) - 1;
constexpr std::uint64_t copy_mask = ((std::uint64_t{1} << copy_bits) - 1)
                                    << slot_bits;
constexpr std::uint32_t generation_mask = (1u << generation_bits) - 1;

using policy::step_kind;

} // namespace

// -- requests ----------------------------------------------------------------

/// Another slot would have no number.
bool replicator_front::is_full() const noexcept {
  return free_.empty() && requests_.size() > slot_mask;
}

std::uint64_t replicator_front::id_of(slot x) const noexcept {
  return std::uint64_t{requests_[x].generation} << (slot_bits + copy_bits) | x;
}

policy::copy_name replicator_front::copy_of(std::uint64_t number) noexcept {
  return {number & ~copy_mask,
          static_cast<std::uint32_t>((number & copy_mask) >> slot_bits)};
}

std::uint64_t replicator_front::number_of(policy::copy_name x) noexcept {
  return x.request | std::uint64_t{x.number} << slot_bits;
}

replicator_front::request* replicator_front::find(std::uint64_t id) noexcept {
  const auto place = static_cast<slot>(id & slot_mask);
  if (place >= requests_.size() || id_of(place) != id
      || !requests_[place].is_known)
    return nullptr;
  return &requests_[place];
}

replicator_front::sent_copy*
replicator_front::find(policy::copy_name x) noexcept {
  auto* whole = find(x.request);
  return whole != nullptr && x.number < whole->copies.size()
           ? &whole->copies[x.number]
           : nullptr;
}

replicator_front::slot
replicator_front::accept(caf::mailbox_element& x, caf::message content,
                         const context& ctx, bool is_idempotent) {
  if (free_.empty()) {
    free_.push_back(static_cast<slot>(requests_.size()));
    requests_.emplace_back();
  }
  const auto place = free_.back();
  free_.pop_back();
  auto& entry = requests_[place];
  entry.generation = (entry.generation + 1) & generation_mask;
  entry.generation += entry.generation == 0 ? 1 : 0; // 0 is nobody's id
  entry.is_known = true;
  entry.is_answered = false;
  entry.sender = std::move(x.sender);
  entry.mid = x.mid;
  entry.ctx = ctx;
  entry.content = std::move(content);
  entry.is_idempotent = is_idempotent;
  if (is_idempotent && ctx.dedup_key().empty())
    entry.key = failure::new_reference();
  return place;
}

void replicator_front::release(request& x, replicator_outbox& out) {
  const auto place = static_cast<slot>(&x - requests_.data());
  out.drop(std::move(x.ctx));
  out.drop(std::move(x.registration));
  out.drop(std::move(x.content));
  for (auto& copy : x.copies) {
    out.drop(std::move(copy.ctx));
    out.drop(std::move(copy.answer));
  }
  x.copies.clear();
  x.claim.reset();
  x.key.clear();
  x.sender = nullptr;
  x.is_known = false;
  free_.push_back(place);
}

// -- steps -------------------------------------------------------------------

void replicator_front::take(replicator_outbox& out) {
  for (const auto& step : steps_)
    if (auto* x = find(step.copy.request))
      take(*x, step, out);
  steps_.clear();
  set_alarm();
}

void replicator_front::take(request& x, const policy::replication_step& step,
                            replicator_outbox& out) {
  switch (step.kind) {
    case step_kind::send:
      return send(x, step, out);
    case step_kind::cancel: {
      auto& copy = x.copies[step.copy.number];
      copy.is_cancelled = true;
      if (!copy.ctx.empty())
        out.cancel(copy.ctx, remote(step.replica));
      return;
    }
    case step_kind::release:
      if (x.claim != nullptr)
        x.claim->release(step.copy.number);
      return;
    case step_kind::answer:
      return deliver(x, step.copy.number, out);
    case step_kind::give_up:
      return fail(x, step.why_given_up, out);
    case step_kind::forget:
      return release(x, out);
  }
}

/// The original takes the content as it is; others need one of their own, with
/// another context in it.
void replicator_front::send(request& x, const policy::replication_step& step,
                            replicator_outbox& out) {
  auto& copy = x.copies.emplace_back();
  copy.replica = step.replica;
  if (x.is_idempotent && step.copy.number == 0)
    x.claim = make_claim(step.copy.request);
  if (x.claim != nullptr)
    copy.ctx = x.ctx.with_copy(
      {.dedup_key = x.key, .number = step.copy.number, .tie = x.claim});
  else
    copy.ctx = x.ctx.with_cancel(); // empty if there is none
  if (step.copy.number == 0 && !copy.ctx.empty())
    x.content.get_mutable_as<context>(0) = copy.ctx;
  auto content = x.content;
  if (step.copy.number > 0)
    content.get_mutable_as<context>(0) = copy.ctx;
  const caf::message_id mid{
    (x.mid.integer_value() & caf::message_id::category_flag_mask)
    | number_of(step.copy)};
  out.deliver(caf::actor_cast<caf::strong_actor_ptr>(
                options_.replicas[step.replica].handle),
              compat::make_element(caf::actor_cast<caf::strong_actor_ptr>(this),
                                   mid, std::move(content)));
}

/// Those that are sent now queue for one claim; those that come later, because
/// one of these is late or has failed, do not.
std::shared_ptr<replicator_front::tie>
replicator_front::make_claim(std::uint64_t id) const {
  const auto at_once
    = std::count_if(steps_.begin(), steps_.end(), [id](const auto& x) {
        return x.kind == step_kind::send && x.copy.request == id;
      });
  const auto is_tied = options_.policy.mode == replication_mode::tied;
  return std::make_shared<tie>(
    address(), id, is_tied ? static_cast<std::uint32_t>(at_once) : 0);
}

void replicator_front::deliver(request& x, std::uint32_t number,
                               replicator_outbox& out) {
  auto& answer = x.copies[number].answer;
  answer->mid = x.mid.response_id();
  out.deliver(std::move(x.sender), std::move(answer));
  x.is_answered = true;
  out.drop(std::move(x.registration));
}

void replicator_front::fail(request& x, policy::give_up_reason why,
                            replicator_outbox& out) {
  out.refuse(std::move(x.sender), x.mid, error_of(x, why), x.ctx);
  x.is_answered = true;
  out.drop(std::move(x.registration));
}

caf::error replicator_front::error_of(const request& x,
                                      policy::give_up_reason why) const {
  std::vector<failed_copy> failed;
  std::size_t answers = 0;
  for (const auto& copy : x.copies) {
    answers += copy.answer != nullptr ? 1 : 0;
    if (copy.why && !copy.is_cancelled)
      failed.push_back({options_.replicas[copy.replica].about.name, *copy.why});
  }
  // Copies may have seen it first, in the moment before the clock rings. Not
  // by `is_over`, which would ring it here, under the lock.
  if (const auto deadline = x.ctx.deadline();
      !x.ctx.empty() && deadline && *deadline <= now())
    why = policy::give_up_reason::over;
  switch (why) {
    case policy::give_up_reason::fatal:
      return x.copies[x.last_failed].error;
    case policy::give_up_reason::over:
      return is_stopped_ ? to_error(stopped(x.ctx, name_)) : caf::error{};
    case policy::give_up_reason::no_agreement:
      return to_error(no_agreement(failed, answers, x.ctx, name_));
    case policy::give_up_reason::no_replica:
      return to_error(no_replica(x.ctx, name_));
    case policy::give_up_reason::all_failed:
      break;
  }
  // The only one speaks for itself.
  if (x.copies.size() == 1)
    return x.copies.front().error;
  return to_error(failed.empty() ? no_replica(x.ctx, name_)
                                 : all_failed(failed, x.ctx, name_));
}

/// The handle of a replica on another node, which contexts do not reach.
caf::strong_actor_ptr replicator_front::remote(policy::replica_id which) const {
  const auto& handle = options_.replicas[which].handle;
  return handle.node() == node()
           ? nullptr
           : caf::actor_cast<caf::strong_actor_ptr>(handle);
}

// -- quorums -----------------------------------------------------------------

std::uint32_t replicator_front::first_equal(const request& x,
                                            std::uint32_t number) {
  if (!options_.policy.quorum_agrees)
    return number;
  const auto& latest = compat::content_of(*x.copies[number].answer);
  for (std::uint32_t i = 0; i < x.copies.size(); ++i) {
    const auto& answer = x.copies[i].answer;
    if (i != number && answer != nullptr
        && are_equal(compat::content_of(*answer), latest))
      return x.copies[i].equal_to;
  }
  return number;
}

bool replicator_front::are_equal(const caf::message& a, const caf::message& b) {
  try {
    if (options_.equal)
      return options_.equal(a, b);
    compat::byte_buffer left;
    compat::byte_buffer right;
    return compat::to_bytes(home_system(), left, a)
           && compat::to_bytes(home_system(), right, b) && left == right;
  } catch (...) {
    ++counts_.callback_failures;
    return false;
  }
}

// -- time --------------------------------------------------------------------

/// Only ever moves the alarm forward: one that rings in vain is cheaper than
/// one that is set anew for each request.
void replicator_front::set_alarm() {
  const auto due = core_.next_due();
  if (!due || *due >= alarm_due_)
    return;
  try {
    if (alarm_ == nullptr)
      alarm_ = std::make_shared<alarm>(caf::actor_cast<caf::actor_addr>(this),
                                       clock_);
    else
      clock_->disarm(*alarm_);
    alarm_due_ = *due;
    clock_->arm(*alarm_, *due);
  } catch (const std::system_error&) {
    alarm_due_ = time_point::max(); // no thread, no hedges
  }
}

} // namespace coppice
