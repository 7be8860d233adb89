// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// A watchdog in virtual time, and a record of what it said when.
///
/// Layer: tests. No CAF.
/// Threads: one.
/// Rules: docs/semantics.md, HEARTBEAT.

#include "coppice/watchdog.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace coppice::test {

using namespace std::literals;

constexpr policy::time_point at(policy::duration span) {
  return policy::time_point{} + span;
}

/// A life under watch, and the thing it beats with.
struct watched_life {
  slot_id slot = 0;
  heartbeat beat;
  policy::life_id id = {};
};

struct watch_harness {
  using kind = watch_notice::kind;

  struct said {
    policy::time_point when;
    watch_notice notice;
  };

  explicit watch_harness(std::size_t pool_threads = 0,
                         policy::duration interval = 100ms)
    : dog{{.scan_interval = interval,
           .pool_threads = pool_threads,
           .manual = true,
           .now = [this] { return now; }}} {
    owner = dog.add_owner(recorder());
    dog.set_monitor(recorder());
  }

  std::function<void(const watch_notice&)> recorder() {
    return [this](const watch_notice& x) {
      heard.push_back({now, x});
      if (on_notice)
        on_notice(x);
    };
  }

  /// A life that is ready now.
  watched_life start(const policy::heartbeat_spec& spec, bool on_pool = true) {
    watched_life result;
    result.slot = dog.acquire();
    result.beat = dog.writer(result.slot);
    result.id = {next_key++, 1};
    dog.watch(result.slot, owner, result.id, spec, on_pool, now);
    return result;
  }

  /// Runs the watchdog whenever it wants to, up to and including `end`.
  void run_to(policy::duration end) {
    constexpr auto runs_max = 10'000'000;
    auto runs = 0;
    for (auto due = dog.next_due(); due <= at(end); due = dog.next_due()) {
      if (due > now)
        now = due;
      dog.run(now);
      ASSERT_LT(++runs, runs_max) << "it never rests";
    }
    now = at(end);
  }

  void run_for(policy::duration span) { run_to(now.time_since_epoch() + span); }

  /// Nobody runs the watchdog for a while; then it runs once.
  void oversleep_to(policy::duration end) {
    now = at(end);
    dog.run(now);
  }

  /// "100ms late 0", one line per notice; 0 is the life's key.
  std::vector<std::string> transcript() const {
    std::vector<std::string> result;
    for (const auto& [when, x] : heard) {
      auto line = policy::to_string(when.time_since_epoch()) + ' '
                  + to_string(x.what);
      if (x.what == kind::timer)
        line += ' ' + std::to_string(x.generation);
      else if (x.what == kind::watcher_late)
        line += ' ' + policy::to_string(x.lag);
      else if (x.life.key != policy::no_child)
        line += ' ' + std::to_string(x.life.key);
      result.push_back(std::move(line));
    }
    return result;
  }

  vital_signs look(const watched_life& x) const {
    return dog.look(x.slot, now);
  }

  policy::time_point now{};
  std::vector<said> heard;
  /// What the listener does, beside taking notes.
  std::function<void(const watch_notice&)> on_notice;
  policy::child_key next_key = 0;
  watchdog dog;
  owner_id owner = 0;
};

} // namespace coppice::test
