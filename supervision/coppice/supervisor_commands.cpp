// This file is part of coppice. License: see LICENSE in the source root.

// Commands and questions of operators.

#include "coppice/supervisor.hpp"

#include <atomic>
#include <utility>

namespace coppice {

// -- tickets -----------------------------------------------------------------

struct command_ticket::pending {
  command_callback callback;
  std::atomic<bool> answered{false};

  explicit pending(command_callback f) : callback(std::move(f)) {}
  ~pending() {
    if (!answered)
      answer(failure{.failure_class = "stopped",
                     .code = errc::stopped,
                     .message = "the supervisor is gone"});
  }
  pending(const pending&) = delete;
  pending& operator=(const pending&) = delete;

  void answer(outcome<command_reply> what) {
    if (!answered.exchange(true) && callback)
      callback(std::move(what));
  }
};

command_ticket::command_ticket(command_callback callback)
  : pending_(std::make_shared<pending>(std::move(callback))) {}

void command_ticket::answer(outcome<command_reply> what) const {
  if (pending_ != nullptr)
    pending_->answer(std::move(what));
}

// -- names and results -------------------------------------------------------

namespace {

failure refusal(errc code, std::string message, std::string path) {
  return {.failure_class = to_string(code),
          .code = code,
          .message = std::move(message),
          .where = here(std::move(path))};
}

errc code_of(policy::command_result x) {
  switch (x) {
    case policy::command_result::already_started:
      return errc::already_started;
    case policy::command_result::already_present:
      return errc::already_present;
    case policy::command_result::not_found:
      return errc::unknown_child;
    case policy::command_result::running:
      return errc::child_running;
    case policy::command_result::restarting:
      return errc::child_restarting;
    case policy::command_result::start_failed:
      return errc::start_failed;
    case policy::command_result::children_max:
      return errc::children_max_reached;
    case policy::command_result::shutting_down:
      return errc::shutting_down;
    case policy::command_result::needs_key:
      return errc::needs_id;
    case policy::command_result::superseded:
      return errc::stopped;
    default:
      return errc::unknown;
  }
}

} // namespace

failure supervisor_actor::command_failure(policy::command_result result,
                                          policy::child_key key) const {
  const auto code = code_of(result);
  const auto known = core_.knows(key);
  const auto path = known ? path_of(key) : own_path_;
  auto why = refusal(code, path + ": " + describe(code), path);
  if (result == policy::command_result::start_failed)
    if (const auto cause = last_failure(key))
      return wrap(*cause, std::move(why));
  if (known && core_.is_current({key, slots_[key].life.generation}))
    why.misc["incarnation"] = std::to_string(core_.incarnation_of(key));
  return why;
}

outcome<policy::child_key> supervisor_actor::resolve(const child_name& name) {
  if (const auto* id = std::get_if<std::string>(&name)) {
    if (core_.is_pool())
      return refusal(errc::needs_handle,
                     own_path_ + " is a pool: name '" + *id + "' by its actor",
                     own_path_);
    const auto key = core_.find(*id);
    if (key == policy::no_child)
      return refusal(errc::unknown_child,
                     own_path_ + " has no child '" + *id + '\'', own_path_);
    return key;
  }
  if (!core_.is_pool())
    return refusal(errc::needs_id,
                   own_path_ + " is not a pool: name the child by its id",
                   own_path_);
  const auto& actor = std::get<caf::actor>(name);
  const auto wanted = caf::actor_cast<caf::strong_actor_ptr>(actor);
  for (policy::child_key key = 0; key < slots_.size(); ++key)
    if (wanted && slots_[key].actor == wanted)
      return key;
  return refusal(errc::unknown_child, own_path_ + " has no such instance",
                 own_path_);
}

policy::command_token supervisor_actor::remember(const command_ticket& ticket) {
  if (free_tokens_.empty()) {
    waiting_.push_back(ticket);
    return waiting_.size();
  }
  const auto token = free_tokens_.back();
  free_tokens_.pop_back();
  waiting_[token - 1] = ticket;
  return token;
}

// -- commands ----------------------------------------------------------------

void supervisor_actor::run(const command::start_child& x,
                           const command_ticket& ticket) {
  const auto where = own_path_.substr(1) + ".(" + x.spec.id + ')';
  if (const auto defects = policy::validate(x.spec, core_.spec(), where);
      !defects.empty()) {
    ticket.answer(refusal(errc::invalid_spec, to_string(defects), own_path_));
    return;
  }
  obey(core_.start_child(remember(ticket), x.spec, now()));
}

void supervisor_actor::run(const command::start_instance& x,
                           const command_ticket& ticket) {
  const auto token = remember(ticket);
  auto todo = core_.start_instance(token, now());
  if (!x.arguments.empty() && !todo.empty())
    if (const auto* start = std::get_if<policy::start_life>(&todo.front()))
      extras(start->life.key).arguments = x.arguments;
  obey(std::move(todo));
}

void supervisor_actor::run(const command::terminate_child& x,
                           const command_ticket& ticket) {
  const auto key = resolve(x.child);
  if (!key) {
    ticket.answer(key.error());
    return;
  }
  if (!x.reason.empty() && !core_.is_ending())
    extras(*key).hold_reason = x.reason;
  obey(core_.terminate_child(remember(ticket), *key, now()));
}

void supervisor_actor::run(const command::restart_child& x,
                           const command_ticket& ticket) {
  if (const auto key = resolve(x.child))
    obey(core_.restart_child(remember(ticket), *key, now()));
  else
    ticket.answer(key.error());
}

void supervisor_actor::run(const command::delete_child& x,
                           const command_ticket& ticket) {
  if (const auto key = resolve(x.child))
    obey(core_.delete_child(remember(ticket), *key, now()));
  else
    ticket.answer(key.error());
}

void supervisor_actor::run(const command::retry_now& x,
                           const command_ticket& ticket) {
  if (const auto key = resolve(x.child))
    obey(core_.retry_now(remember(ticket), *key, now()));
  else
    ticket.answer(key.error());
}

void supervisor_actor::run(const command::stop& x,
                           const command_ticket& ticket) {
  obey(core_.stop(remember(ticket), x.within, now()));
}

// -- questions ---------------------------------------------------------------

namespace {

time_limit silence_max(const child_spec& spec, policy::child_state state,
                       bool is_busy) {
  if (state == policy::child_state::starting)
    return spec.effective_start_deadline();
  if (state == policy::child_state::stopping)
    return spec.effective_shutdown().limit();
  return is_busy ? spec.heartbeat.stall_timeout : spec.heartbeat.idle_timeout;
}

} // namespace

child_line supervisor_actor::line_of(policy::child_info info) {
  const auto key = info.key;
  const auto& child = slot(key);
  child_line line{.info = std::move(info),
                  .path = path_of(key),
                  .actor = caf::actor_cast<caf::actor>(child.actor),
                  .signs = {},
                  .silence_max = infinity,
                  .last_failure = last_failure(key)};
  if (child.beats != no_slot) {
    line.signs = tree_->dog().look(child.beats, now());
    line.silence_max = silence_max(core_.spec_of(key), line.info.state,
                                   line.signs->busy);
  }
  if (child.extras != nullptr)
    line.hold_reason = child.extras->hold_reason;
  return line;
}

void supervisor_actor::run(const command::list_children&,
                           const command_ticket& ticket) {
  command_reply reply;
  for (auto& info : core_.listing(now()))
    reply.children.push_back(line_of(std::move(info)));
  reply.counts = core_.counts();
  reply.abandoned = core_.abandoned();
  reply.restarts_in_window = core_.restarts_in_window(now());
  reply.strategy = core_.spec().strategy;
  reply.limits = core_.spec().limits;
  reply.is_ending = core_.is_ending();
  ticket.answer(std::move(reply));
}

void supervisor_actor::run(const command::count_children&,
                           const command_ticket& ticket) {
  command_reply reply;
  reply.counts = core_.counts();
  reply.restarts_in_window = core_.restarts_in_window(now());
  ticket.answer(std::move(reply));
}

void supervisor_actor::run(const command::find_child& x,
                           const command_ticket& ticket) {
  const auto key = resolve(x.child);
  if (!key) {
    ticket.answer(key.error());
    return;
  }
  command_reply reply;
  reply.actor = caf::actor_cast<caf::actor>(slot(*key).actor);
  reply.children.push_back(line_of(core_.describe(*key, now())));
  ticket.answer(std::move(reply));
}

void supervisor_actor::run(const command::refer_to_child& x,
                           const command_ticket& ticket) {
  const auto key = core_.find(x.id);
  if (key == policy::no_child) {
    ticket.answer(refusal(errc::unknown_child,
                          own_path_ + " has no child '" + x.id + '\'',
                          own_path_));
    return;
  }
  const auto handle = tree_->cell(path_of(key));
  auto& cell = compat::object_of<child_cell>(handle);
  cell.configure(core_.spec_of(key).parking);
  const auto state = core_.state_of(key);
  if (state == policy::child_state::running)
    cell.attach(slot(key).actor);
  else if (state == policy::child_state::stopped
           && core_.describe(key, now()).why != policy::stopped_why::by_group)
    cell.close();
  else
    cell.detach();
  command_reply reply;
  reply.actor = handle;
  ticket.answer(std::move(reply));
}

} // namespace coppice
