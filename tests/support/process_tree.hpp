// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// A tree on the real scheduler whose children are processes.
///
/// Layer: tests.
/// Threads: use from the thread of the test.
/// Rules: none.

#include "coppice/actors/process.hpp"
#include "coppice/actors/process_group.hpp"
#include "coppice/supervise.hpp"
#include "coppice/system_config.hpp"

#include "support/event_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace coppice::test {

using namespace std::literals;

/// The program of process_puppet.cpp, and what it is to do.
inline std::vector<process_argument>
puppet(std::vector<process_argument> acts) {
  acts.insert(acts.begin(), COPPICE_TEST_PUPPET);
  return acts;
}

/// Lines that processes write, as they come.
class line_log {
public:
  [[nodiscard]] auto recorder() {
    return [this](const process_line& line) {
      std::lock_guard guard{mutex_};
      lines_.push_back((line.is_error ? "err: " : "") + line.text);
      changed_.notify_all();
    };
  }

  /// The first line that begins like this, from the `nth` such on.
  std::string wait_for(const std::string& begin, int nth = 1) {
    std::unique_lock guard{mutex_};
    std::string found;
    changed_.wait_for(guard, patience, [&] {
      int left = nth;
      for (const auto& x : lines_)
        if (x.starts_with(begin) && --left == 0)
          found = x;
      return !found.empty();
    });
    EXPECT_FALSE(found.empty()) << "no line " << begin;
    return found;
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
};

/// Polls what only the system knows; a failure if it never comes true.
template <class Condition>
[[nodiscard]] bool comes_true(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end)
      return false;
    std::this_thread::yield();
  }
  return true;
}

/// Zombies aside, for which nobody may wait where the tests run.
inline bool group_is_gone(::pid_t group) {
  return !group_exists(group) || !group_lives(group);
}

inline std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& x :
       std::filesystem::directory_iterator{"/proc/self/fd"})
    ++count;
  return count;
}

class process_tree : public testing::Test {
protected:
  process_tree() : config(2), system(config) {}

  /// /app with these children, started; `options` of the supervisor may be
  /// set before.
  void run(std::vector<child_spec> children) {
    spec.name = "app";
    spec.children = std::move(children);
    supervise_options how;
    how.on_event = log.recorder();
    how.scan_interval = 10ms;
    how.on_root_end = root_end_action::keep;
    auto started = supervise(system, spec, how);
    if (started)
      tree.emplace(std::move(*started));
    else
      why_not = started.error();
  }

  /// One child, /app/p, whose backoff is none.
  void run_one(process_options options, child_spec child = {}) {
    options.on_line = lines.recorder();
    if (child.id.empty())
      child.id = "p";
    child.backoff = {.first = 0ms, .cap = 0ms};
    run({process(std::move(options), std::move(child))});
  }

  [[nodiscard]] caf::actor actor(const std::string& id = "p") {
    const auto line = tree->root().get_child(id, patience);
    return line ? line->actor : caf::actor{};
  }
  [[nodiscard]] process_status status(const std::string& id = "p") {
    return status_of_process(actor(id)).value_or(process_status{});
  }
  [[nodiscard]] ::pid_t pid(const std::string& id = "p") {
    return status(id).pid;
  }
  [[nodiscard]] bool wait_for(event_kind kind, std::ptrdiff_t times = 1,
                              const std::string& path = "/app/p") {
    return log.wait_for(kind, path, times);
  }
  /// The failure that came with the first event of this kind.
  [[nodiscard]] failure because(event_kind kind) {
    failure result;
    EXPECT_TRUE(log.wait_for([&](const supervision_event& x) {
      if (x.kind == kind && x.because)
        result = *x.because;
      return x.kind == kind && x.because;
    }))
      << log.text();
    return result;
  }

  event_log log;
  line_log lines;
  system_config config;
  caf::actor_system system;
  supervisor_spec spec{.limits = {.restarts_max = infinity}};
  std::optional<supervision_tree> tree;
  std::optional<failure> why_not;
};

} // namespace coppice::test
