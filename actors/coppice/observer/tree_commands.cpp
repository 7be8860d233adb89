// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/observer/tree_commands.hpp"

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>

namespace coppice {

namespace {

failure trouble(errc code, std::string message) {
  return {.failure_class = to_string(code),
          .code = code,
          .message = std::move(message)};
}

/// "/app/db/conn" -> "/app/db", "conn"; of the root the first is empty.
std::pair<std::string, std::string> split(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos
           ? std::pair{std::string{}, path}
           : std::pair{path.substr(0, slash), path.substr(slash + 1)};
}

struct letter_box {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::optional<outcome<command_reply>> reply;
};

/// As the functions of `supervisor_ref`, and ends when `stop` is requested.
template <class Command>
outcome<command_reply> ask(const supervisor_ref& whom, Command what,
                           time_limit within, const std::stop_token& stop) {
  auto box = std::make_shared<letter_box>();
  whom.submit(std::move(what), [box](outcome<command_reply> reply) {
    std::lock_guard guard{box->mutex};
    box->reply = std::move(reply);
    box->changed.notify_all();
  });
  std::unique_lock guard{box->mutex};
  const auto due = within.after(std::chrono::steady_clock::now());
  const auto has_come = [&] { return box->reply.has_value(); };
  if (within.is_infinite())
    box->changed.wait(guard, stop, has_come);
  else
    box->changed.wait_until(guard, stop, due, has_come);
  if (box->reply)
    return std::move(*box->reply);
  return stop.stop_requested()
           ? trouble(errc::shutting_down, "the observer is ending")
           : trouble(errc::request_timeout, "not through within "
                                              + policy::to_string(within)
                                              + "; it goes on");
}

struct target {
  supervisor_ref parent;
  child_name name;
};

outcome<target> find_target(const supervision_tree& tree,
                            const std::string& path, time_limit within) {
  const auto [above, id] = split(path);
  if (above.empty())
    return trouble(errc::unknown_child,
                   "'" + path
                     + "' is not the path of a child; they look like "
                       "/root/child, and the root is stopped as a whole");
  const auto parent = tree.supervisor(above, within);
  if (!parent)
    return parent.error();
  const auto line = parent->get_child(id, within);
  if (line)
    return target{*parent, id};
  if (line.error().code != failure_code{errc::needs_handle})
    return line.error();
  const auto all = parent->which_children(within);
  if (!all)
    return all.error();
  const auto at = std::ranges::find(*all, path, &child_line::path);
  if (at == all->end() || !at->actor)
    return trouble(errc::unknown_child, path + " has no life");
  return target{*parent, at->actor};
}

/// How long a question may take that needs no child's help.
time_limit brief(time_limit within) {
  constexpr duration most = std::chrono::seconds{2};
  return time_limit{std::min(within.span(), most)};
}

outcome_of_nothing nothing_of(const outcome<command_reply>& reply) {
  if (!reply)
    return reply.error();
  return done;
}

outcome_of_nothing restart(const target& whom, time_limit within,
                           const std::stop_token& stop) {
  if (std::holds_alternative<caf::actor>(whom.name))
    return trouble(errc::needs_id, "an instance of a pool is forgotten when it "
                                   "is stopped; it cannot be restarted");
  const auto gone = ask(whom.parent, command::terminate_child{whom.name, {}},
                        within, stop);
  if (!gone)
    return gone.error();
  return nothing_of(
    ask(whom.parent, command::restart_child{whom.name}, within, stop));
}

} // namespace

std::optional<tree_action> to_tree_action(std::string_view text) noexcept {
  if (text == "stop")
    return tree_action::stop;
  if (text == "start")
    return tree_action::start;
  if (text == "restart")
    return tree_action::restart;
  if (text == "retry")
    return tree_action::retry;
  if (text == "hold")
    return tree_action::hold;
  return std::nullopt;
}

outcome_of_nothing carry_out(const supervision_tree& tree,
                             const tree_order& order, time_limit within,
                             std::stop_token stop) {
  const auto whom = find_target(tree, order.path, brief(within));
  if (!whom)
    return whom.error();
  const auto& [parent, name] = *whom;
  switch (order.action) {
    case tree_action::stop:
      return nothing_of(
        ask(parent, command::terminate_child{name, {}}, within, stop));
    case tree_action::start:
      return nothing_of(
        ask(parent, command::restart_child{name}, within, stop));
    case tree_action::restart:
      return restart(*whom, within, stop);
    case tree_action::retry:
      return nothing_of(ask(parent, command::retry_now{name}, within, stop));
    case tree_action::hold:
      return nothing_of(ask(
        parent, command::terminate_child{name, order.reason}, within, stop));
  }
  return trouble(errc::unknown, "no such action");
}

outcome<child_line> look_up(const supervision_tree& tree,
                            const std::string& path, time_limit within) {
  const auto [above, id] = split(path);
  if (above.empty())
    return trouble(errc::unknown_child,
                   "'" + path + "' is not the path of a child");
  const auto parent = tree.supervisor(above, within);
  if (!parent)
    return parent.error();
  auto line = parent->get_child(id, within);
  if (line || line.error().code != failure_code{errc::needs_handle})
    return line;
  auto all = parent->which_children(within);
  if (!all)
    return all.error();
  for (auto& x : *all)
    if (x.path == path)
      return std::move(x);
  return trouble(errc::unknown_child, "nothing at " + path);
}

} // namespace coppice
