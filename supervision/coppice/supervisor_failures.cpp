// This file is part of coppice. License: see LICENSE in the source root.

// Failures: what a supervisor writes down, and passes up.

#include "coppice/failure_convert.hpp"
#include "coppice/failure_limits.hpp"
#include "coppice/failure_stack.hpp"
#include "coppice/supervisor.hpp"

#include <utility>

namespace coppice {

namespace {

/// What the child itself can tell.
void hear(const caf::strong_actor_ptr& child, failure& why) {
  if (!child)
    return;
  if (const auto* witness = dynamic_cast<const life_witness*>(child->get()))
    witness->testify(why);
}

} // namespace

void supervisor_actor::note_failure(policy::child_key key, failure why) {
  if (why.where.path.empty()) { // of somebody who does not know about trees
    why.where.path = path_of(key);
    why.where.incarnation = core_.incarnation_of(key);
  }
  auto& kept = extras(key);
  kept.last_end.is_open = false;
  kept.last_failure = std::make_shared<const failure>(std::move(why));
}

void supervisor_actor::note_end(policy::child_key key,
                                const caf::error& reason) {
  auto& end = extras(key).last_end;
  end.is_open = true;
  end.reason = reason;
  end.when = wall_now();
  end.incarnation = core_.incarnation_of(key);
  end.frames.clear();
}

std::shared_ptr<const failure>
supervisor_actor::last_failure(policy::child_key key) const {
  if (key >= slots_.size() || slots_[key].extras == nullptr)
    return nullptr;
  auto& kept = *slots_[key].extras;
  if (kept.last_end.is_open) {
    kept.last_failure
      = std::make_shared<const failure>(failure_of(kept.last_end, key));
    kept.last_end = {};
  }
  return kept.last_failure;
}

/// As if it had been made when the life ended.
failure supervisor_actor::failure_of(const end_record& end,
                                     policy::child_key key) const {
  auto why = from_error(end.reason,
                        here(path_of(key), end.incarnation, "", 0, ""));
  if (!end.reason.context().match_elements<failure>())
    why.when = end.when;
  if (why.where.path.empty()) {
    why.where.path = path_of(key);
    why.where.incarnation = end.incarnation;
  }
  for (auto frame : end.frames) {
    frame.path = own_path_;
    append_frame(why, std::move(frame));
  }
  return why;
}

/// Each decision about a failure becomes a frame of it (FAILURE-3).
void supervisor_actor::annotate(const policy::report_event& x) {
  const auto key = x.life.key;
  switch (x.kind) {
    case event_kind::failed:
      if (x.cause == policy::end_cause::start_timeout)
        note_failure(key, timeout_failure(key));
      else if (x.cause == policy::end_cause::clean_end)
        note_failure(key, clean_end_failure(key));
      break;
    case event_kind::restarting:
      add_frame(key, "restart", x);
      break;
    case event_kind::backing_off:
      add_frame(key, "backoff " + policy::in_words(x.span), x);
      break;
    case event_kind::stopped:
      if (x.why == policy::stopped_why::failed
          || x.why == policy::stopped_why::exhausted)
        add_frame(key, "stop", x);
      break;
    case event_kind::gave_up:
      add_frame(key, "give up", x);
      if (const auto why = last_failure(key); why != nullptr && !because_)
        because_ = *why;
      break;
    default:
      break;
  }
}

void supervisor_actor::add_frame(policy::child_key key, std::string decision,
                                 const policy::report_event& x) {
  if (slot(key).extras == nullptr)
    return;
  failure_frame frame{.when = wall_now(),
                      .incarnation = incarnation(),
                      .decision = std::move(decision),
                      .attempt = core_.failures_in_a_row(key),
                      .attempts_in_window
                      = static_cast<std::uint32_t>(x.attempts)};
  if (auto& end = extras(key).last_end;
      end.is_open && end.frames.size() < failure_limits::frames_max) {
    end.frames.push_back(std::move(frame));
    return;
  }
  const auto last = last_failure(key);
  if (last == nullptr)
    return;
  auto extended = *last;
  frame.path = own_path_;
  append_frame(extended, std::move(frame));
  note_failure(key, std::move(extended));
}

failure supervisor_actor::stall_failure(const watch_notice& notice) const {
  const auto key = notice.life.key;
  const auto& limits = core_.spec_of(key).heartbeat;
  const auto& limit = notice.was_busy ? limits.stall_timeout
                                      : limits.idle_timeout;
  failure why{.failure_class = failure_classes::stall,
              .code = errc::stalled,
              .message = "no heartbeat for " + policy::in_words(notice.age)
                         + (notice.was_busy ? " with work in hand" : "")
                         + ", tolerated are " + policy::to_string(limit),
              .where = where_is(key),
              .is_bug = true};
  why.misc["age"] = policy::in_words(notice.age);
  why.misc["suspicion"] = std::to_string(notice.suspicion);
  if (notice.note != nullptr)
    why.misc["last_mark"] = notice.note;
  if (notice.stack != nullptr)
    attach_stack(why, *notice.stack);
  hear(slots_[key].actor, why);
  return why;
}

failure supervisor_actor::timeout_failure(policy::child_key key) const {
  const auto limit = core_.spec_of(key).effective_start_deadline();
  failure why{.failure_class = failure_classes::start_timeout,
              .code = errc::start_timeout,
              .message = "not ready within " + policy::to_string(limit),
              .where = where_is(key),
              .is_bug = true};
  hear(slots_[key].actor, why);
  return why;
}

failure supervisor_actor::clean_end_failure(policy::child_key key) const {
  return {.failure_class = "clean_end",
          .code = errc::stopped,
          .message = "a permanent child ended, cleanly",
          .where = where_is(key)};
}

namespace {

/// What a supervisor that gives up had tolerated.
std::string what_was_too_much(const policy::end_supervisor& x) {
  if (!x.spent)
    return "a rule about its class says escalate";
  return std::to_string(x.attempts) + " attempts within "
         + policy::to_string(x.spent->window) + ", tolerated are "
         + policy::to_string(x.spent->restarts_max);
}

} // namespace

failure supervisor_actor::end_failure(const policy::end_supervisor& x,
                                      std::optional<failure> cause) const {
  const auto gave_up = x.reason == policy::end_reason::gave_up;
  const auto child = own_path_ + '/' + x.id;
  failure why{.failure_class = gave_up ? failure_classes::gave_up
                                       : failure_classes::start_failure,
              .code = gave_up ? errc::gave_up : errc::start_failed,
              .message = gave_up ? own_path_ + " gave up on " + child
                                     + ", life " + std::to_string(x.incarnation)
                                     + " (" + policy::to_string(x.cause)
                                     + "): " + what_was_too_much(x)
                                 : own_path_ + " could not start: " + child
                                     + " did not (" + policy::to_string(x.cause)
                                     + ')',
              .where = here(own_path_, incarnation())};
  why.misc["child"] = child;
  why.misc["child_incarnation"] = std::to_string(x.incarnation);
  why.misc["attempts"] = std::to_string(x.attempts);
  return cause ? wrap(std::move(*cause), std::move(why)) : why;
}

} // namespace coppice
