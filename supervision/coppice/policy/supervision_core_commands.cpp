// This file is part of coppice. License: see LICENSE in the source root.

// Commands: what an operator can ask of a supervisor. Each is answered once.

#include "coppice/policy/supervision_core.hpp"

#include <utility>

namespace coppice::policy {

directives supervision_core::start_child(command_token token, child_spec spec,
                                         time_point now) {
  enter(now);
  auto present = children_.find(spec.id);
  if (present == no_child)
    present = find_leaver(spec.id);
  if (is_ending()) {
    answer(token, command_result::shutting_down);
  } else if (is_pool()) {
    answer(token, command_result::needs_key);
  } else if (present != no_child) {
    if (children_[present].is_live() && !children_[present].is_restarting())
      answer(token, command_result::already_started, life_of(present));
    else
      answer(token, command_result::already_present);
  } else if (children_.size() >= spec_.children_max.count()) {
    answer(token, command_result::children_max);
  } else {
    const auto key = children_.append(std::move(spec));
    pending_.emplace(key, pending_command{token, pending_command::kind::start});
    start_life_of(key, start_purpose::added);
  }
  return finish();
}

directives supervision_core::start_instance(command_token token,
                                            time_point now) {
  enter(now);
  if (is_ending()) {
    answer(token, command_result::shutting_down);
  } else if (!is_pool()) {
    answer(token, command_result::needs_key);
  } else if (children_.size() >= spec_.children_max.count()) {
    answer(token, command_result::children_max);
  } else {
    const auto key = children_.append_instance(spec_.children.front());
    pending_.emplace(key, pending_command{token, pending_command::kind::start});
    start_life_of(key, start_purpose::added);
  }
  return finish();
}

directives supervision_core::terminate_child(command_token token, child_key key,
                                             time_point now) {
  enter(now);
  if (!children_.contains(key)) {
    answer(token, command_result::not_found);
    return finish();
  }
  if (is_ending()) {
    answer(token, command_result::shutting_down);
    return finish();
  }
  auto& child = children_[key];
  answer_waiting(key, pending_command::kind::start, command_result::superseded);
  switch (child.state) {
    case child_state::starting:
    case child_state::running:
      pending_.emplace(key, pending_command{token,
                                            pending_command::kind::terminate});
      begin_stop(key, after_end::stay_operator, false);
      walk();
      break;
    case child_state::stopping:
      pending_.emplace(key, pending_command{token,
                                            pending_command::kind::terminate});
      child.after = after_end::stay_operator;
      break;
    case child_state::backoff:
      answer(token, command_result::ok, life_of(key));
      if (is_pool()) {
        forget(key);
      } else {
        set_stopped(key, stopped_why::by_operator);
        bring_group_back(key);
        walk();
      }
      break;
    case child_state::stopped:
      answer(token, command_result::ok, life_of(key));
      if (is_pool() || child.spec->restart == temporary)
        forget(key);
      else
        set_stopped(key, stopped_why::by_operator);
  }
  return finish();
}

directives supervision_core::restart_child(command_token token, child_key key,
                                           time_point now) {
  enter(now);
  if (!children_.contains(key)) {
    answer(token, command_result::not_found);
  } else if (is_ending()) {
    answer(token, command_result::shutting_down);
  } else if (is_pool()) {
    answer(token, command_result::needs_key);
  } else if (children_[key].is_restarting()) {
    answer(token, command_result::restarting);
  } else if (children_[key].is_live()) {
    answer(token, command_result::running, life_of(key));
  } else if (!children_[key].has_lived && !leaving_.empty()) {
    children_[key].why = stopped_why::by_group; // once those have left
    answer(token, command_result::restarting);
    walk_anew();
  } else {
    pending_.emplace(key, pending_command{token, pending_command::kind::start});
    start_life_of(key, start_purpose::manual);
  }
  return finish();
}

directives supervision_core::delete_child(command_token token, child_key key,
                                          time_point now) {
  enter(now);
  if (!children_.contains(key)) {
    answer(token, command_result::not_found);
  } else if (is_ending()) {
    answer(token, command_result::shutting_down);
  } else if (is_pool()) {
    answer(token, command_result::needs_key);
  } else if (children_[key].is_restarting()) {
    answer(token, command_result::restarting);
  } else if (children_[key].is_live()) {
    answer(token, command_result::running, life_of(key));
  } else {
    answer(token, command_result::ok);
    forget(key);
  }
  return finish();
}

directives supervision_core::retry_now(command_token token, child_key key,
                                       time_point now) {
  if (!children_.contains(key) || children_[key].state != child_state::backoff
      || is_ending())
    return restart_child(token, key, now);
  enter(now);
  timers_.cancel(key);
  children_[key].retry_not_before = now_;
  answer(token, command_result::ok, life_of(key));
  retry_is_due(key);
  return finish();
}

} // namespace coppice::policy
