// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/directive.hpp"

namespace coppice::policy {

const char* to_string(end_cause x) noexcept {
  switch (x) {
    case end_cause::crash:
      return "crash";
    case end_cause::stall:
      return "stall";
    case end_cause::start_failure:
      return "start_failure";
    case end_cause::start_timeout:
      return "start_timeout";
    case end_cause::node_loss:
      return "node_loss";
    case end_cause::clean_end:
      return "clean_end";
  }
  return "unknown";
}

const char* to_string(child_state x) noexcept {
  switch (x) {
    case child_state::starting:
      return "starting";
    case child_state::running:
      return "running";
    case child_state::stopping:
      return "stopping";
    case child_state::backoff:
      return "backoff";
    case child_state::stopped:
      return "stopped";
  }
  return "unknown";
}

const char* to_string(stopped_why x) noexcept {
  switch (x) {
    case stopped_why::none:
      return "none";
    case stopped_why::by_operator:
      return "operator";
    case stopped_why::by_group:
      return "group";
    case stopped_why::finished:
      return "finished";
    case stopped_why::failed:
      return "failed";
    case stopped_why::exhausted:
      return "exhausted";
    case stopped_why::declined:
      return "declined";
  }
  return "unknown";
}

const char* to_string(command_result x) noexcept {
  switch (x) {
    case command_result::ok:
      return "ok";
    case command_result::declined:
      return "declined";
    case command_result::already_started:
      return "already_started";
    case command_result::already_present:
      return "already_present";
    case command_result::not_found:
      return "not_found";
    case command_result::running:
      return "running";
    case command_result::restarting:
      return "restarting";
    case command_result::start_failed:
      return "start_failed";
    case command_result::children_max:
      return "children_max";
    case command_result::shutting_down:
      return "shutting_down";
    case command_result::needs_key:
      return "needs_key";
    case command_result::superseded:
      return "superseded";
  }
  return "unknown";
}

const char* to_string(event_kind x) noexcept {
  switch (x) {
    case event_kind::started:
      return "started";
    case event_kind::ready:
      return "ready";
    case event_kind::failed:
      return "failed";
    case event_kind::stalled:
      return "stalled";
    case event_kind::restarting:
      return "restarting";
    case event_kind::backing_off:
      return "backing_off";
    case event_kind::stopped:
      return "stopped";
    case event_kind::abandoned:
      return "abandoned";
    case event_kind::abandoned_ended:
      return "abandoned_ended";
    case event_kind::gave_up:
      return "gave_up";
    case event_kind::budget_spent:
      return "budget_spent";
    case event_kind::paused:
      return "paused";
    case event_kind::resumed:
      return "resumed";
    case event_kind::late_news:
      return "late_news";
    case event_kind::forgotten:
      return "forgotten";
    case event_kind::beat_late:
      return "beat_late";
    case event_kind::watcher_late:
      return "watcher_late";
    case event_kind::pool_stuck:
      return "pool_stuck";
    case event_kind::pool_free:
      return "pool_free";
    case event_kind::message_ignored:
      return "message_ignored";
    case event_kind::late_reply:
      return "late_reply";
    case event_kind::reloaded:
      return "reloaded";
    case event_kind::replicated:
      return "replicated";
  }
  return "unknown";
}

const char* to_string(end_reason x) noexcept {
  switch (x) {
    case end_reason::stopped:
      return "stopped";
    case end_reason::auto_shutdown:
      return "auto_shutdown";
    case end_reason::start_failed:
      return "start_failed";
    case end_reason::gave_up:
      return "gave_up";
  }
  return "unknown";
}

namespace {

std::string name(life_id life) {
  return std::to_string(life.key) + '#' + std::to_string(life.generation);
}

struct printer {
  std::string operator()(const start_life& x) const {
    return "start " + name(x.life);
  }
  std::string operator()(const stop_life& x) const {
    return "stop " + name(x.life) + " grace=" + to_string(x.grace);
  }
  std::string operator()(const kill_life& x) const {
    return "kill " + name(x.life);
  }
  std::string operator()(const abandon_life& x) const {
    return "abandon " + name(x.life);
  }
  std::string operator()(const forget_child& x) const {
    return "forget " + std::to_string(x.key);
  }
  std::string operator()(const adjust_child& x) const {
    return "adjust " + name(x.life);
  }
  std::string operator()(const hand_down& x) const {
    return "hand down " + name(x.life);
  }
  std::string operator()(const arm_timer& x) const {
    return "arm " + to_string(x.due.time_since_epoch());
  }
  std::string operator()(const answer_command& x) const {
    return "answer " + std::to_string(x.token) + ' ' + to_string(x.result);
  }
  std::string operator()(const report_event& x) const {
    return "report " + std::string{to_string(x.kind)} + ' ' + name(x.life)
           + " cause=" + to_string(x.cause) + " why=" + to_string(x.why)
           + " span=" + to_string(x.span)
           + " attempts=" + std::to_string(x.attempts);
  }
  std::string operator()(const report_ready&) const { return "ready"; }
  std::string operator()(const end_supervisor& x) const {
    return "end " + std::string{to_string(x.reason)} + ' ' + name(x.life);
  }
};

} // namespace

std::string to_string(const directive& x) {
  return std::visit(printer{}, x);
}

} // namespace coppice::policy
