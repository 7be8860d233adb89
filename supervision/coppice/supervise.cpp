// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/supervise.hpp"

#include "coppice/supervise_validation.hpp"
#include "coppice/supervisor.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <memory>
#include <utility>

namespace coppice {

namespace {

// -- waiting for an answer ---------------------------------------------------

/// Posts a command and waits for its reply on this thread.
template <class Command>
outcome<command_reply>
call(const caf::actor& supervisor, Command what, time_limit timeout) {
  if (!supervisor)
    return failure{.failure_class = "stopped",
                   .code = errc::stopped,
                   .message = "an empty supervisor reference"};
  auto promise = std::make_shared<std::promise<outcome<command_reply>>>();
  auto answer = promise->get_future();
  compat::post(supervisor,
               supervisor_command{std::move(what),
                                  command_ticket{[promise](auto reply) {
                                    promise->set_value(std::move(reply));
                                  }}});
  const auto until = timeout.after(std::chrono::steady_clock::now());
  if (timeout.is_finite()
      && answer.wait_until(until) != std::future_status::ready)
    return failure{.failure_class = "request_timeout",
                   .code = errc::request_timeout,
                   .message = "the supervisor did not answer within "
                              + policy::to_string(timeout)};
  return answer.get();
}

outcome<caf::actor> actor_of(outcome<command_reply> reply) {
  if (!reply)
    return reply.error();
  return reply->actor;
}

outcome_of_nothing nothing_of(const outcome<command_reply>& reply) {
  if (!reply)
    return reply.error();
  return done;
}

// -- the root ----------------------------------------------------------------

void write(const failure& why) {
  std::fprintf(stderr, "coppice: the supervision tree has ended: %s\n",
               describe(why).c_str());
  std::fflush(stderr);
}

/// What `options` say about an end that nobody asked for (BUDGET-7).
void act_on_root_end(root_end_action action, int exit_code,
                     const std::optional<failure>& why) {
  if (!why || action == root_end_action::return_failure)
    return;
  write(*why);
  if (action == root_end_action::exit_process)
    std::quick_exit(exit_code);
  if (action == root_end_action::abort_process)
    std::abort();
}

} // namespace

// -- supervisor_ref ----------------------------------------------------------

outcome<caf::actor> supervisor_ref::start_child(child_spec spec,
                                                time_limit timeout) const {
  return actor_of(
    call(supervisor_, command::start_child{std::move(spec)}, timeout));
}

outcome<caf::actor> supervisor_ref::start_instance(caf::message arguments,
                                                   time_limit timeout) const {
  return actor_of(
    call(supervisor_, command::start_instance{std::move(arguments)}, timeout));
}

outcome_of_nothing supervisor_ref::terminate_child(child_name child,
                                                   time_limit timeout) const {
  return nothing_of(
    call(supervisor_, command::terminate_child{std::move(child)}, timeout));
}

outcome_of_nothing supervisor_ref::hold_child(child_name child,
                                              std::string reason,
                                              time_limit timeout) const {
  return nothing_of(call(
    supervisor_, command::terminate_child{std::move(child), std::move(reason)},
    timeout));
}

outcome<caf::actor> supervisor_ref::restart_child(child_name child,
                                                  time_limit timeout) const {
  return actor_of(
    call(supervisor_, command::restart_child{std::move(child)}, timeout));
}

outcome_of_nothing supervisor_ref::delete_child(child_name child,
                                                time_limit timeout) const {
  return nothing_of(
    call(supervisor_, command::delete_child{std::move(child)}, timeout));
}

outcome_of_nothing supervisor_ref::retry_now(child_name child,
                                             time_limit timeout) const {
  return nothing_of(
    call(supervisor_, command::retry_now{std::move(child)}, timeout));
}

outcome<std::vector<child_line>>
supervisor_ref::which_children(time_limit timeout) const {
  auto reply = call(supervisor_, command::list_children{}, timeout);
  if (!reply)
    return reply.error();
  return std::move(reply->children);
}

outcome<policy::child_counts>
supervisor_ref::count_children(time_limit timeout) const {
  const auto reply = call(supervisor_, command::count_children{}, timeout);
  if (!reply)
    return reply.error();
  return reply->counts;
}

outcome<child_line> supervisor_ref::get_child(child_name child,
                                              time_limit timeout) const {
  auto reply = call(supervisor_, command::find_child{std::move(child)},
                    timeout);
  if (!reply)
    return reply.error();
  return std::move(reply->children.front());
}

// -- supervision_tree --------------------------------------------------------

supervision_tree::supervision_tree(supervision_tree&&) noexcept = default;

supervision_tree&
supervision_tree::operator=(supervision_tree&& other) noexcept {
  if (this != &other) {
    // The tree that this was ends here, as it would in the destructor.
    supervision_tree before{std::move(*this)};
    context_ = std::move(other.context_);
    root_ = std::move(other.root_);
    stop_within_ = other.stop_within_;
    seen_ = other.seen_;
  }
  return *this;
}

supervision_tree::~supervision_tree() {
  if (context_ == nullptr)
    return;
  const auto ended_before = context_->has_ended();
  if (!ended_before) {
    const auto report = stop(stop_within_);
    for (const auto& left : report.left)
      std::fprintf(stderr, "coppice: left behind: %s, life %llu\n",
                   left.path.c_str(),
                   static_cast<unsigned long long>(left.incarnation));
  } else if (const auto why = context_->end_reason(); why && !seen_) {
    write(*why);
  }
  // Lives that end late keep the context; the observer's owner need not.
  context_->events().close();
}

namespace {

/// "/app/db/conn" -> "app", "db", "conn".
std::vector<std::string> parts_of(const std::string& path) {
  std::vector<std::string> parts;
  for (std::size_t begin = 1; begin <= path.size();) {
    const auto end = std::min(path.find('/', begin), path.size());
    parts.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

} // namespace

outcome<supervisor_ref> supervision_tree::supervisor(const std::string& path,
                                                     time_limit timeout) const {
  auto at = root_;
  const auto parts = parts_of(path);
  const auto unknown = [&path] {
    return failure{.failure_class = to_string(errc::unknown_child),
                   .code = errc::unknown_child,
                   .message = "no supervisor at '" + path
                              + "'; paths look like /root/inner"};
  };
  if (!path.starts_with('/') || parts.empty()
      || '/' + parts.front() != context_->root_path())
    return unknown();
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const auto line = at.get_child(parts[i], timeout);
    if (!line)
      return line.error();
    if (line->info.kind != child_kind::supervisor || !line->actor)
      return unknown();
    at = supervisor_ref{line->actor};
  }
  return at;
}

outcome<child_ref> supervision_tree::child(const std::string& path,
                                           time_limit timeout) const {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos || slash == 0)
    return failure{.failure_class = to_string(errc::unknown_child),
                   .code = errc::unknown_child,
                   .message = "'" + path
                              + "' is not the path of a child; "
                                "paths look like /root/child"};
  const auto parent = supervisor(path.substr(0, slash), timeout);
  if (!parent)
    return parent.error();
  auto reply = call(parent->handle(),
                    command::refer_to_child{path.substr(slash + 1)}, timeout);
  if (!reply)
    return reply.error();
  return child_ref{reply->actor};
}

outcome<reload_report> supervision_tree::reload(supervisor_spec spec,
                                                time_limit timeout) {
  const auto defects = validate_tree(spec, context_->settings().scan_interval);
  if (!defects.empty())
    return failure{.failure_class = to_string(errc::invalid_spec),
                   .code = errc::invalid_spec,
                   .message = to_string(defects)};
  auto reply = call(
    root_.handle(),
    command::reload{std::make_shared<supervisor_spec>(std::move(spec)), true},
    timeout);
  if (!reply)
    return reply.error();
  return std::move(reply->reloaded);
}

stop_report supervision_tree::stop(time_limit deadline) {
  compat::post(root_.handle(), supervisor_command{command::stop{deadline}, {}});
  // The root keeps the deadline itself; this is for a root that cannot.
  constexpr duration margin = std::chrono::milliseconds{500};
  const auto patience = deadline.is_finite()
                            && deadline.span() < duration::max() - margin
                          ? time_limit{deadline.span() + margin}
                          : time_limit{infinity};
  const auto complete = context_->wait_until_ended(patience);
  if (complete)
    seen_ = true;
  return {context_->abandoned(), complete};
}

std::optional<std::optional<failure>>
supervision_tree::wait(time_limit timeout) {
  if (!context_->wait_until_ended(timeout))
    return std::nullopt;
  seen_ = true;
  return context_->end_reason();
}

bool supervision_tree::has_ended() const {
  return context_->has_ended();
}

std::vector<left_behind> supervision_tree::abandoned() const {
  return context_->abandoned();
}

// -- the way in --------------------------------------------------------------

outcome<supervision_tree> launch(caf::actor_system& system,
                                 supervisor_spec spec,
                                 supervise_options options) {
  const auto defects = validate_tree(spec, options);
  if (!defects.empty())
    return failure{.failure_class = to_string(errc::invalid_spec),
                   .code = errc::invalid_spec,
                   .message = to_string(defects)};
  supervision_tree tree;
  tree.stop_within_ = options.stop_within;
  auto path = '/' + spec.name;
  tree.context_ = std::make_shared<tree_context>(system, options, path,
                                                 compat::pool_threads(system));
  tree.context_->on_root_end(
    [action = options.on_root_end,
     code = options.exit_code](const std::optional<failure>& why) {
      act_on_root_end(action, code, why);
    });
  const auto alone = options.root_isolation == isolation_kind::thread
                     && !options.virtual_time;
  auto root = alone
                ? system.spawn<supervisor_actor, caf::detached>(tree.context_,
                                                                std::move(spec),
                                                                std::move(path))
                : system.spawn<supervisor_actor>(tree.context_, std::move(spec),
                                                 std::move(path));
  tree.root_ = supervisor_ref{caf::actor_cast<caf::actor>(root)};
  tree.context_->set_root(root.address());
  return tree;
}

outcome<supervision_tree> supervise(caf::actor_system& system,
                                    supervisor_spec spec,
                                    supervise_options options) {
  const auto within = options.start_within;
  auto tree = launch(system, std::move(spec), std::move(options));
  if (!tree)
    return tree;
  auto& context = *tree->context_;
  if (!context.wait_until_started_or_ended(within)) {
    const auto report = tree->stop(tree->stop_within_);
    failure why{.failure_class = failure_classes::start_timeout,
                .code = errc::start_timeout,
                .message = context.root_path() + " was not ready within "
                           + policy::to_string(within),
                .where = here(context.root_path())};
    for (const auto& left : report.left)
      why.misc["left_behind"] += left.path + ' ';
    return why;
  }
  if (context.is_started())
    return tree;
  tree->seen_ = true;
  if (auto why = context.end_reason())
    return std::move(*why);
  return failure{.failure_class = failure_classes::start_failure,
                 .code = errc::start_failed,
                 .message = context.root_path()
                            + " was stopped before it was ready",
                 .where = here(context.root_path())};
}

} // namespace coppice
