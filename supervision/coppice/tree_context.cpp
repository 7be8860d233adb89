// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/tree_context.hpp"

#include "coppice/supervisor_messages.hpp"

#include <utility>

namespace coppice {

namespace {

watchdog::options watchdog_options(caf::actor_system& system,
                                   const tree_settings& settings,
                                   std::size_t pool_threads) {
  watchdog::options result;
  result.scan_interval = settings.scan_interval;
  result.pool_threads = pool_threads;
  result.manual = settings.virtual_time;
  result.now = [&system] { return system.clock().now(); };
  return result;
}

} // namespace

tree_context::tree_context(caf::actor_system& system, tree_settings settings,
                           std::string root_path, std::size_t pool_threads)
  : system_(system),
    settings_(std::move(settings)),
    root_path_(std::move(root_path)),
    events_(settings_.on_event, settings_.virtual_time),
    dog_(watchdog_options(system, settings_, pool_threads)) {
  dog_.set_monitor([this](const watch_notice& notice) {
    supervision_event event;
    event.at = now();
    event.span = notice.lag;
    switch (notice.what) {
      case watch_notice::kind::watcher_late:
        event.kind = event_kind::watcher_late;
        break;
      case watch_notice::kind::pool_stuck:
        event.kind = event_kind::pool_stuck;
        break;
      default:
        event.kind = event_kind::pool_free;
    }
    events_.publish(std::move(event));
  });
}

policy::time_point tree_context::now() const {
  return system_.clock().now();
}

std::uint64_t tree_context::abandon(const std::string& path,
                                    std::uint64_t incarnation) {
  std::lock_guard guard{mutex_};
  ++abandoned_[{path, incarnation}];
  return abandoned_.size();
}

void tree_context::abandoned_life_ended(const std::string& path,
                                        std::uint64_t incarnation) {
  std::lock_guard guard{mutex_};
  abandoned_.erase({path, incarnation});
}

std::vector<left_behind> tree_context::abandoned() const {
  std::lock_guard guard{mutex_};
  std::vector<left_behind> result;
  result.reserve(abandoned_.size());
  for (const auto& [life, count] : abandoned_)
    result.push_back({life.first, life.second});
  return result;
}

caf::actor tree_context::cell(const std::string& path) {
  std::lock_guard guard{mutex_};
  auto& cell = cells_[path];
  if (!cell)
    cell = compat::make_redirecting<child_cell>(system_, path);
  if (ended_)
    compat::object_of<child_cell>(cell).close();
  has_cells_ = true;
  return cell;
}

caf::actor tree_context::find_cell(const std::string& path) const {
  if (!has_cells_)
    return {};
  std::lock_guard guard{mutex_};
  const auto i = cells_.find(path);
  return i != cells_.end() ? i->second : caf::actor{};
}

void tree_context::close_cells_below(const std::string& path) {
  if (!has_cells_)
    return;
  std::vector<caf::actor> below;
  {
    std::lock_guard guard{mutex_};
    const auto prefix = path + '/';
    for (auto i = cells_.lower_bound(prefix);
         i != cells_.end() && i->first.starts_with(prefix); ++i)
      below.push_back(i->second);
  }
  for (const auto& cell : below)
    compat::object_of<child_cell>(cell).close();
}

void tree_context::leave_incarnations(const std::string& path,
                                      incarnations last) {
  std::lock_guard guard{mutex_};
  incarnations_[path] = std::move(last);
}

tree_context::incarnations
tree_context::take_incarnations(const std::string& path) {
  std::lock_guard guard{mutex_};
  auto node = incarnations_.extract(path);
  return node.empty() ? incarnations{} : std::move(node.mapped());
}

void tree_context::set_root(caf::actor_addr root) {
  std::lock_guard guard{mutex_};
  root_ = std::move(root);
}

void tree_context::abandoned_cap_exceeded(std::uint64_t count) {
  std::unique_lock guard{mutex_};
  const auto root = caf::actor_cast<caf::strong_actor_ptr>(root_);
  guard.unlock();
  if (root)
    compat::post_urgent(root, abandoned_cap_reached{count});
}

void tree_context::root_is_ready() {
  std::lock_guard guard{mutex_};
  started_ = true;
  changed_.notify_all();
}

void tree_context::root_has_ended(std::optional<failure> why) {
  std::function<void(const std::optional<failure>&)> hook;
  {
    std::lock_guard guard{mutex_};
    if (ended_)
      return;
    ended_ = true;
    end_reason_ = why;
    hook = std::exchange(at_end_, {});
  }
  close_cells_below("");
  if (hook)
    hook(why);
  std::lock_guard guard{mutex_};
  changed_.notify_all();
}

template <class Condition>
bool tree_context::wait(time_limit within, Condition condition) {
  std::unique_lock guard{mutex_};
  if (within.is_finite())
    return changed_.wait_until(guard,
                               within.after(std::chrono::steady_clock::now()),
                               condition);
  changed_.wait(guard, condition);
  return true;
}

bool tree_context::wait_until_started_or_ended(time_limit within) {
  return wait(within, [this] { return started_ || ended_; });
}

bool tree_context::wait_until_ended(time_limit within) {
  return wait(within, [this] { return ended_; });
}

bool tree_context::is_started() const {
  std::lock_guard guard{mutex_};
  return started_;
}

bool tree_context::has_ended() const {
  std::lock_guard guard{mutex_};
  return ended_;
}

std::optional<failure> tree_context::end_reason() const {
  std::lock_guard guard{mutex_};
  return end_reason_;
}

void tree_context::on_root_end(
  std::function<void(const std::optional<failure>&)> hook) {
  std::unique_lock guard{mutex_};
  if (!ended_) {
    at_end_ = std::move(hook);
    return;
  }
  const auto why = end_reason_;
  guard.unlock();
  hook(why);
}

} // namespace coppice
