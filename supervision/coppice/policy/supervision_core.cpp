// This file is part of coppice. License: see LICENSE in the source root.

// Facts: what the supervisor is told.

#include "coppice/policy/supervision_core.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace coppice::policy {

namespace {

/// Most facts lead to fewer: one allocation instead of one per doubling.
constexpr std::size_t usual_directives = 8;

} // namespace

supervision_core::supervision_core(supervisor_spec spec, std::uint64_t seed)
  : spec_(std::move(spec)),
    budget_(spec_.limits),
    random_(seed),
    timers_(timer_positions{&children_}) {
  if (is_pool())
    return; // its one spec is the template of instances to come
  for (auto& child : std::exchange(spec_.children, {})) {
    auto& record = children_[children_.append(std::move(child))];
    record.why = stopped_why::by_group;
    record.declared = true;
  }
}

void supervision_core::continue_from(
  const child_table::last_incarnations& last) {
  assert(phase_ == phase::fresh);
  children_.continue_from(last);
}

child_table::last_incarnations supervision_core::last_incarnations() const {
  return children_.last_incarnations_of_all();
}

// -- facts -------------------------------------------------------------------

directives supervision_core::on_start(time_point now) {
  enter(now);
  assert(phase_ == phase::fresh);
  phase_ = phase::starting;
  group_ = {.at = group_walk::stage::starting,
            .first = 0,
            .cursor = children_.first()};
  walk();
  return finish();
}

directives supervision_core::on_ready(life_id life, time_point now) {
  enter(now);
  auto* child = current(life);
  if (child == nullptr || child->state != child_state::starting) {
    report_late(life);
    return finish();
  }
  timers_.cancel(life.key);
  child->state = child_state::running;
  child->ready_at = now_;
  ++running_;
  if (child->spec->restart == temporary)
    children_.release_start(life.key);
  report(event_kind::ready, life.key);
  answer_waiting(life.key, pending_command::kind::start, command_result::ok);
  walk();
  return finish();
}

directives supervision_core::on_declined(life_id life, time_point now) {
  enter(now);
  auto* child = current(life);
  if (child == nullptr) {
    history_ended(life);
  } else if (child->state == child_state::stopping) {
    stop_is_over(life.key);
  } else {
    const auto is_absorbed = belongs_to_group_stop(life.key);
    life_is_over(life.key);
    answer_waiting(life.key, pending_command::kind::start,
                   command_result::declined);
    if (is_absorbed)
      absorb(life.key);
    else if (is_pool() || child->leaving || child->spec->restart == temporary)
      forget(life.key);
    else
      set_stopped(life.key, stopped_why::declined);
    walk();
  }
  return finish();
}

directives supervision_core::on_start_failed(life_id life,
                                             const end_of_life& how,
                                             time_point now) {
  return on_down(life, how, now);
}

directives supervision_core::on_down(life_id life, const end_of_life& how,
                                     time_point now) {
  enter(now);
  if (current(life) == nullptr)
    history_ended(life);
  else
    life_ended(life.key, how);
  return finish();
}

/// An abandoned life ended at last; or it is old news.
void supervision_core::history_ended(life_id life) {
  const auto i = abandoned_.find(life);
  if (i == abandoned_.end()) {
    report_late(life);
    return;
  }
  out_.push_back(report_event{.kind = event_kind::abandoned_ended,
                              .life = life,
                              .incarnation = i->second.incarnation,
                              .span = now_ - i->second.since});
  abandoned_.erase(i);
}

directives supervision_core::on_stalled(life_id life, time_point now) {
  enter(now);
  auto* child = current(life);
  if (child == nullptr || child->state != child_state::running) {
    report_late(life);
    return finish();
  }
  report(event_kind::stalled, life.key);
  if (is_being_stopped_in_group(life.key))
    return finish(); // its stop comes in time
  if (child->leaving) {
    begin_stop(life.key, after_end::leave, true);
    return finish();
  }
  const auto after
    = decide(life.key, {.cause = end_cause::stall, .failure_class = "stall"});
  if (after == after_end::give_up)
    begin_end(end_);
  else
    begin_stop(life.key, after, true);
  return finish();
}

directives supervision_core::on_healthy(life_id life, time_point now) {
  enter(now);
  auto* child = current(life);
  if (child == nullptr || child->state != child_state::running) {
    report_late(life);
  } else {
    child->reported_healthy = true;
    child->failures = 0;
    child->parked = false;
  }
  return finish();
}

directives supervision_core::on_more_time(life_id life, duration span,
                                          time_point now) {
  enter(now);
  auto* child = current(life);
  if (child == nullptr) {
    report_late(life);
  } else if (child->state != child_state::running && !child->being_killed
             && timers_.contains(life.key)) {
    const auto due = timers_.due_of(life.key);
    const auto most = child->spec->heartbeat.extension_max.span();
    const auto left = std::max(most - child->extended, duration::zero());
    const auto more = std::clamp(saturating_add(now_, span) - due,
                                 duration::zero(), left);
    child->extended += more;
    set_timer(life.key, saturating_add(due, more));
  }
  return finish();
}

directives supervision_core::on_timer(time_point now) {
  enter(now);
  armed_.reset();
  firing_ = true;
  if (paused_until_ && now_ >= *paused_until_) {
    paused_until_.reset();
    budget_.clear();
    out_.push_back(report_event{.kind = event_kind::resumed});
  }
  if (phase_ == phase::ending && now_ >= kill_all_at_)
    kill_all();
  if (phase_ == phase::ending && now_ >= abandon_all_at_)
    abandon_all();
  fire_timers();
  auto todo = finish();
  firing_ = false;
  return todo;
}

void supervision_core::fire_timers() {
  while (!timers_.empty() && timers_.next_due() <= now_) {
    const auto key = timers_.next_key();
    timers_.cancel(key);
    timer_fired(key);
  }
}

void supervision_core::timer_fired(child_key key) {
  const auto& child = children_[key];
  if (child.state == child_state::starting)
    start_timed_out(key);
  else if (child.state == child_state::backoff && paused_until_)
    set_timer(key, *paused_until_);
  else if (child.state == child_state::backoff)
    retry_is_due(key);
  else if (child.being_killed)
    abandon(key);
  else
    begin_kill(key);
}

/// One that is set while timers fire is not due at once: the life that it is
/// about gets a chance to end in the meantime.
void supervision_core::set_timer(child_key key, time_point due) {
  if (firing_ && due <= now_)
    due = saturating_add(now_, duration{1});
  timers_.set(key, due);
}

// -- plumbing ----------------------------------------------------------------

void supervision_core::enter(time_point now) {
  children_.purge();
  out_.reserve(usual_directives);
  now_ = std::max(now_, now);
}

directives supervision_core::finish() {
  if (!leaving_.empty())
    see_leavers_off();
  const auto due = next_due();
  if (due != time_point::max() && (!armed_ || due < *armed_)) {
    armed_ = due;
    out_.push_back(arm_timer{due});
  }
  return std::exchange(out_, {});
}

time_point supervision_core::next_due() const {
  auto due = timers_.empty() ? time_point::max() : timers_.next_due();
  if (phase_ == phase::ending)
    due = std::min({due, kill_all_at_, abandon_all_at_});
  else if (phase_ != phase::ended && paused_until_)
    due = std::min(due, *paused_until_);
  return due;
}

void supervision_core::answer(command_token token, command_result result,
                              life_id life) {
  out_.push_back(answer_command{token, result, life});
}

void supervision_core::answer_waiting(child_key key, pending_command::kind what,
                                      command_result result) {
  if (pending_.empty())
    return;
  const auto life = life_of(key);
  auto [i, end] = pending_.equal_range(key);
  while (i != end) {
    if (i->second.what != what) {
      ++i;
      continue;
    }
    answer(i->second.token, result, life);
    i = pending_.erase(i);
  }
}

bool supervision_core::is_waiting(child_key key,
                                  pending_command::kind what) const {
  const auto [begin, end] = pending_.equal_range(key);
  return std::any_of(begin, end, [what](const auto& entry) {
    return entry.second.what == what;
  });
}

void supervision_core::report(event_kind kind, child_key key, duration span,
                              std::uint64_t attempts) {
  const auto& child = children_[key];
  out_.push_back(report_event{.kind = kind,
                              .life = life_of(key),
                              .incarnation = child.incarnation,
                              .cause = child.cause,
                              .why = child.why,
                              .span = span,
                              .attempts = attempts});
}

void supervision_core::report_late(life_id life) {
  out_.push_back(report_event{.kind = event_kind::late_news, .life = life});
}

end_supervisor supervision_core::because_of(child_key key, end_reason why,
                                            std::uint64_t attempts) const {
  const auto& child = children_[key];
  return {.reason = why,
          .life = life_of(key),
          .id = children_.id_of(key),
          .incarnation = child.incarnation,
          .cause = child.cause,
          .attempts = attempts};
}

life_id supervision_core::life_of(child_key key) const {
  return {key, children_[key].generation};
}

child_record* supervision_core::current(life_id life) {
  return is_current(life) ? &children_[life.key] : nullptr;
}

} // namespace coppice::policy
