// This file is part of coppice. License: see LICENSE in the source root.

#include "kind_environment.hpp"

#include <stdexcept>
#include <utility>

namespace coppice::tool {

namespace {

/// Goes down from `at` by `rest`, "db/conn", to the child there; null if there
/// is none. `at` is the supervisor of that child.
void descend(const supervisor_ref& at, const std::string& rest,
             kind_environment::finder found) {
  const auto slash = rest.find('/');
  const auto id = rest.substr(0, slash);
  const auto below = slash == std::string::npos ? "" : rest.substr(slash + 1);
  at.submit(command::find_child{id}, [=](auto reply) {
    if (!reply || reply->children.empty()) {
      found({});
      return;
    }
    const auto& line = reply->children.front();
    const auto is_worker = line.info.kind == child_kind::worker;
    if (is_worker && below.empty())
      at.submit(command::refer_to_child{id}, [found](auto answer) {
        found(answer ? answer->actor : caf::actor{});
      });
    else if (!is_worker && !below.empty() && line.actor)
      descend(supervisor_ref{line.actor}, below, found);
    else
      found({});
  });
}

} // namespace

void kind_environment::set_root(std::string path, supervisor_ref root) {
  const std::lock_guard lock{mutex_};
  root_path_ = std::move(path);
  root_ = std::move(root);
}

void kind_environment::set_speaker(speaker f) {
  const std::lock_guard lock{mutex_};
  speaker_ = f ? std::make_shared<const speaker>(std::move(f)) : nullptr;
}

void kind_environment::say(const std::string& path,
                           const std::string& line) const {
  std::unique_lock lock{mutex_};
  const auto speaks = speaker_;
  lock.unlock();
  if (speaks != nullptr)
    (*speaks)(path, line);
}

void kind_environment::find(const std::string& path, finder found) const {
  std::unique_lock lock{mutex_};
  const auto root = root_;
  const auto prefix = root_path_ + '/';
  const auto pool = pools_.find(path);
  const auto front = pool != pools_.end() ? pool->second.pool->handle()
                                          : caf::actor{};
  lock.unlock();
  if (front || !root.handle() || !path.starts_with(prefix))
    found(front);
  else
    descend(root, path.substr(prefix.size()), std::move(found));
}

void kind_environment::add(const std::string& path,
                           const std::shared_ptr<replicator>& front) {
  const std::lock_guard lock{mutex_};
  auto& source = replicator_sources_[path];
  source = [weak = std::weak_ptr{front}] {
    if (const auto here = weak.lock())
      return here->statistics();
    throw std::runtime_error{"its load is between two lives"};
  };
  if (board_ != nullptr)
    board_->add_replicator(path, source);
}

void kind_environment::show_figures_on(figures_board* board) {
  const std::lock_guard lock{mutex_};
  board_ = board;
  if (board == nullptr)
    return;
  for (const auto& [path, source] : pool_sources_)
    board->add_pool(path, source);
  for (const auto& [path, source] : replicator_sources_)
    board->add_replicator(path, source);
}

void kind_environment::start_member(start_context& context,
                                    const std::string& path,
                                    const std::string& what,
                                    const pool_options& options,
                                    std::size_t number) {
  std::unique_lock lock{mutex_};
  auto& entry = pools_[path];
  if (entry.pool == nullptr || entry.what != what) {
    entry.pool = std::make_shared<worker_pool>(context.system(), options);
    entry.spec = entry.pool->child(path);
    entry.what = what;
    auto& source = pool_sources_[path];
    source = [pool = entry.pool] { return pool->statistics(); };
    if (board_ != nullptr)
      board_->add_pool(path, source);
  }
  const auto spec = entry.spec;
  lock.unlock();
  spec.supervisor->children.at(number - 1).start(context);
}

} // namespace coppice::tool
