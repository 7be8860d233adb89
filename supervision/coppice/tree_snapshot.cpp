// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/tree_snapshot.hpp"

#include <condition_variable>
#include <mutex>
#include <utility>

namespace coppice {

namespace {

/// The answer of one supervisor, and of those below it.
struct part {
  std::optional<command_reply> reply;
  /// The supervisor is gone.
  bool has_ended = false;
  /// Which of the children, and its part.
  std::vector<std::pair<std::size_t, std::shared_ptr<part>>> below;
};

} // namespace

// -- asking ------------------------------------------------------------------

struct snapshot_walk::progress {
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t outstanding = 0;
  bool is_closed = false;
  std::shared_ptr<part> root = std::make_shared<part>();

  /// One question on its way to `whom`.
  static void ask(const std::shared_ptr<progress>& self, const caf::actor& whom,
                  const std::shared_ptr<part>& to) {
    supervisor_ref{whom}.submit(command::list_children{},
                                [self, to](outcome<command_reply> reply) {
                                  self->answered(self, *to, std::move(reply));
                                });
  }

  // On the supervisor's thread: keeps what it said, and asks further down.
  void answered(const std::shared_ptr<progress>& self, part& to,
                outcome<command_reply> reply) {
    std::vector<std::pair<caf::actor, std::shared_ptr<part>>> questions;
    {
      std::lock_guard guard{mutex};
      --outstanding;
      if (is_closed)
        return;
      to.has_ended = !reply;
      if (reply)
        to.reply = std::move(*reply);
      note_below(to, questions);
      outstanding += questions.size();
      if (outstanding == 0)
        changed.notify_all();
    }
    for (const auto& [whom, where] : questions)
      ask(self, whom, where);
  }

  static void
  note_below(part& to,
             std::vector<std::pair<caf::actor, std::shared_ptr<part>>>& out) {
    if (!to.reply)
      return;
    const auto& lines = to.reply->children;
    for (std::size_t i = 0; i < lines.size(); ++i)
      if (lines[i].info.kind == child_kind::supervisor && lines[i].actor) {
        to.below.emplace_back(i, std::make_shared<part>());
        out.emplace_back(lines[i].actor, to.below.back().second);
      }
  }
};

snapshot_walk::snapshot_walk(const supervision_tree& tree)
  : context_(tree.context()), progress_(std::make_shared<progress>()) {
  progress_->outstanding = 1;
  progress::ask(progress_, tree.root().handle(), progress_->root);
}

bool snapshot_walk::wait(time_limit timeout) const {
  std::unique_lock guard{progress_->mutex};
  const auto through = [this] { return progress_->outstanding == 0; };
  if (timeout.is_infinite()) {
    progress_->changed.wait(guard, through);
    return true;
  }
  return progress_->changed.wait_until(
    guard, timeout.after(std::chrono::steady_clock::now()), through);
}

// -- putting together --------------------------------------------------------

namespace {

life_phase phase_of(policy::child_state state, bool busy) {
  if (state == policy::child_state::starting)
    return life_phase::starting;
  if (state == policy::child_state::stopping)
    return life_phase::draining;
  return busy ? life_phase::busy : life_phase::idle;
}

tree_node node_of(child_line&& x) {
  auto& info = x.info;
  tree_node node{.path = std::move(x.path),
                 .id = std::move(info.id),
                 .kind = info.kind,
                 .state = static_cast<node_state>(info.state),
                 .why = info.why,
                 .hold_reason = std::move(x.hold_reason),
                 .incarnation = info.incarnation,
                 .restarts = info.restarts_total,
                 .restarts_in_window = info.restarts_in_window,
                 .restart = info.restart,
                 .parked = info.parked,
                 .abandoned = info.abandoned,
                 .last_failure = std::move(x.last_failure)};
  if (info.state == policy::child_state::backoff)
    node.next_retry = info.next_retry;
  if (x.signs && x.signs->watched)
    node.heartbeat
      = node_heartbeat{.phase = phase_of(info.state, x.signs->busy),
                       .busy = x.signs->busy,
                       .age = x.signs->age,
                       .limit = x.silence_max,
                       .suspicion = x.signs->suspicion};
  return node;
}

/// Adds what the supervisor itself said. At most 64 levels (spec.hpp).
void complete(tree_node& node, part& from) {
  if (!from.reply) {
    node.state = node_state::unknown;
    return;
  }
  auto& reply = *from.reply;
  node.strategy = reply.strategy;
  node.limits = reply.limits;
  node.restarts_in_window = reply.restarts_in_window;
  node.children.reserve(reply.children.size());
  for (auto& line : reply.children)
    node.children.push_back(node_of(std::move(line)));
  for (auto& [index, below] : from.below)
    complete(node.children[index], *below);
}

tree_state state_of(const tree_context& context, const part& root) {
  if (context.has_ended())
    return tree_state::ended;
  if (root.reply && root.reply->is_ending)
    return tree_state::stopping;
  return context.is_started() ? tree_state::running : tree_state::starting;
}

node_state root_state(tree_state tree, const part& root) {
  if (tree == tree_state::ended)
    return node_state::stopped;
  if (!root.reply)
    return node_state::unknown;
  return static_cast<node_state>(tree);
}

} // namespace

tree_snapshot snapshot_walk::finish() {
  auto& context = *context_;
  std::shared_ptr<part> root;
  {
    std::lock_guard guard{progress_->mutex};
    progress_->is_closed = true;
    root = std::exchange(progress_->root, std::make_shared<part>());
  }
  tree_snapshot x{.when = wall_now(),
                  .at = context.now(),
                  .version = context.events().version(),
                  .state = state_of(context, *root),
                  .name = context.root_path().substr(1),
                  .abandoned = context.abandoned(),
                  .events_last = context.events().last_number(),
                  .events_dropped = context.events().dropped()};
  x.root = {.path = context.root_path(),
            .id = x.name,
            .kind = child_kind::supervisor,
            .incarnation = 1,
            .restart = temporary};
  complete(x.root, *root);
  x.root.state = root_state(x.state, *root);
  if (auto why = context.end_reason())
    x.root.last_failure = std::make_shared<const failure>(std::move(*why));
  return x;
}

outcome<tree_snapshot> take_snapshot(const supervision_tree& tree,
                                     time_limit timeout) {
  if (tree.context() == nullptr)
    return failure{.failure_class = to_string(errc::stopped),
                   .code = errc::stopped,
                   .message = "a snapshot of a tree that was moved from"};
  snapshot_walk walk{tree};
  static_cast<void>(walk.wait(timeout));
  return walk.finish();
}

const tree_node* find(const tree_snapshot& x,
                      const std::string& path) noexcept {
  const auto* node = &x.root;
  while (node != nullptr && node->path != path) {
    const tree_node* next = nullptr;
    for (const auto& child : node->children)
      if (path.starts_with(child.path)
          && (path.size() == child.path.size()
              || path[child.path.size()] == '/')) {
        next = &child;
        break;
      }
    node = next;
  }
  return node;
}

// -- names -------------------------------------------------------------------

const char* to_string(node_state x) noexcept {
  return x == node_state::unknown
           ? "unknown"
           : policy::to_string(static_cast<policy::child_state>(x));
}

const char* to_string(tree_state x) noexcept {
  switch (x) {
    case tree_state::starting:
      return "starting";
    case tree_state::running:
      return "running";
    case tree_state::stopping:
      return "stopping";
    case tree_state::ended:
      return "ended";
  }
  return "unknown";
}

const char* to_string(life_phase x) noexcept {
  switch (x) {
    case life_phase::starting:
      return "starting";
    case life_phase::idle:
      return "idle";
    case life_phase::busy:
      return "busy";
    case life_phase::draining:
      return "draining";
  }
  return "unknown";
}

} // namespace coppice
