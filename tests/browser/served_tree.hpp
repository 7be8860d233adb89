// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Real trees with an observer, for a browser to look at.
///
/// Layer: tests.
/// Threads: one.
/// Rules: none.

#include "coppice/actors/worker.hpp"
#include "coppice/observer/observer_server.hpp"
#include "coppice/supervise.hpp"
#include "coppice/system_config.hpp"

#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace coppice::test {

using namespace std::literals;

/// From a crash to the next life, if nobody asks for it: longer than any test.
inline constexpr auto until_asked = 1h;

[[noreturn]] inline void give_up() {
  throw failure_error{
    failure{.failure_class = failure_classes::permanent_failure,
            .message = "schema 12 is newer than this program",
            .user_message = "Please update."}};
}

/// Busy, with a beat now and then, until it is stopped.
inline void work(worker* self) {
  for (; !self->cancelled(); self->beat())
    std::this_thread::sleep_for(100ms);
}

inline caf::behavior obedient(worker* self) {
  return {[self](const std::string& order) {
    if (order == "finish")
      self->quit();
    else if (order == "give up")
      give_up();
    else if (order == "work")
      work(self);
    else
      throw std::runtime_error{order};
  }};
}

inline child_spec child(std::string id, restart_type restart = permanent) {
  return {.id = std::move(id),
          .start = spawns(obedient),
          .restart = restart,
          .backoff = {.first = until_asked, .cap = until_asked}};
}

/// Comes back at once.
inline child_spec flapping(std::string id) {
  auto result = child(std::move(id));
  result.backoff.first = 0ms;
  return result;
}

/// Can work without being in the way of others.
inline child_spec diligent(std::string id) {
  auto result = child(std::move(id));
  result.isolation = isolation_kind::thread;
  return result;
}

inline child_spec group(std::string id, restart_strategy strategy,
                        std::vector<child_spec> children) {
  return {.id = std::move(id),
          .supervisor = supervisor_spec{.strategy = strategy,
                                        .limits = {.restarts_max = 5},
                                        .children = std::move(children)}};
}

inline supervisor_spec shop() {
  return {.name = "shop",
          .children
          = {group("catalog", rest_for_one,
                   {child("store"), flapping("search"), child("suggest")}),
             group("payments", one_for_one,
                   {child("gateway"), child("fraud"), child("refunds")}),
             group("thumbnails", one_for_one,
                   {diligent("resize-1"), diligent("resize-2"),
                    diligent("resize-3")}),
             child("nightly-report", transient), child("importer", transient)}};
}

inline supervisor_spec crowd(std::size_t size) {
  std::vector<child_spec> children;
  for (std::size_t i = 0; i < size; ++i)
    children.push_back(child("worker-" + std::to_string(i)));
  return {.name = "crowd", .children = std::move(children)};
}

/// A tree and its observer.
class served_tree {
public:
  explicit served_tree(supervisor_spec spec, duration refresh = 100ms)
    : spec_(std::move(spec)) {
    supervise_options options;
    options.on_event = hub_.as_observer();
    tree_.emplace(
      std::move(supervise(system_, spec_, std::move(options)).value()));
    open_window(0, refresh);
  }

  /// As if the program had ended and come back at the same address.
  void close_window() { window_.reset(); }
  void open_window(int port, duration refresh = 100ms) {
    observer_options how;
    how.port = port;
    how.token = token_;
    how.refresh = refresh;
    how.topology_file = "shop.conf";
    how.on_reload = [this] { return reload(); };
    window_.emplace(
      std::move(observer_server::start(*tree_, hub_, std::move(how)).value()));
  }

  [[nodiscard]] observer_server& window() { return *window_; }
  [[nodiscard]] const std::string& url() const { return window_->url(); }
  [[nodiscard]] const std::string& token() const { return token_; }

  void tell(const std::string& path, const std::string& order) {
    compat::post(tree_->child(path).value().handle(), order);
  }

private:
  /// As if the file had been changed.
  outcome<reload_report> reload() {
    spec_.limits.window = ++seconds_ * 1s;
    return tree_->reload(spec_);
  }

  system_config config_;
  caf::actor_system system_{config_};
  event_hub hub_;
  supervisor_spec spec_;
  std::optional<supervision_tree> tree_;
  const std::string token_ = new_token();
  int seconds_ = 60;
  std::optional<observer_server> window_;
};

} // namespace coppice::test
