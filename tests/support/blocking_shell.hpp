// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Obeys a supervision core the way OTP's supervisor works: it waits.
///
/// Layer: tests.
/// Threads: not thread-safe.
/// Rules: docs/semantics.md, RESTART-2, RESTART-5, BUDGET-2.

#include "coppice/policy/supervision_core.hpp"

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace coppice::test {

/// A shell whose starts and stops take no time and let nothing come between,
/// while failed starts queue up behind what was there before, as OTP's
/// retries do. Virtual time stands still, so what waits waits for ever.
class blocking_shell {
public:
  explicit blocking_shell(policy::supervisor_spec spec)
    : core(std::move(spec), 1) {}

  /// Hands directives to the simulated world, and the world's news to the
  /// core, until there is no news.
  void settle(policy::directives todo) {
    obey(std::move(todo));
    while (!queue_.empty()) {
      const auto next = std::move(queue_.front());
      queue_.pop_front();
      obey(deliver(next));
    }
  }

  /// Ends the running life of `id`; the supervisor hears of it later.
  bool end(const std::string& id, const std::string& reason) {
    const auto key = core.find(id);
    if (key == policy::no_child)
      return false;
    const auto life = core.describe(key, now).life;
    const auto found = lives_.find(life);
    if (found == lives_.end() || !found->second.alive)
      return false;
    found->second.alive = false;
    note("end " + id + ' ' + reason);
    queue_.push_back({news::down, life, reason});
    return true;
  }

  /// The next `count` starts of `id` fail.
  void fail_next_starts(const std::string& id, int count) {
    failing_starts_[id] = count;
  }

  [[nodiscard]] std::string take_journal() {
    return std::exchange(journal_, {});
  }

  /// The answer to the last command.
  [[nodiscard]] policy::command_result answer() const { return answer_; }

  static constexpr policy::time_point now{std::chrono::hours{1}};

  policy::supervision_core core;

private:
  enum class news { ready, start_failed, down };

  struct event {
    news what;
    policy::life_id life;
    std::string reason = {};
  };

  struct living {
    std::string id;
    bool alive = true;
  };

  void note(const std::string& line) {
    journal_ += (journal_.empty() ? "" : ", ") + line;
  }

  static bool is_clean(const std::string& reason) {
    return reason == "normal" || reason == "shutdown"
           || reason == "shutdown_info";
  }

  policy::directives deliver(const event& x) {
    using policy::end_cause;
    switch (x.what) {
      case news::ready:
        return core.on_ready(x.life, now);
      case news::start_failed:
        return core.on_start_failed(x.life, {.cause = end_cause::start_failure},
                                    now);
      case news::down:
        break;
    }
    lives_.erase(x.life);
    const auto cause = is_clean(x.reason) ? end_cause::clean_end
                                          : end_cause::crash;
    return core.on_down(x.life, {.cause = cause}, now);
  }

  void obey(policy::directives todo) {
    std::vector<event> at_once;
    for (const auto& x : todo) {
      if (const auto* start = std::get_if<policy::start_life>(&x))
        start_life(start->life, at_once);
      else if (const auto* stop = std::get_if<policy::stop_life>(&x))
        stop_life(stop->life, at_once);
      else if (const auto* said = std::get_if<policy::answer_command>(&x))
        answer_ = said->result;
    }
    queue_.insert(queue_.begin(), at_once.begin(), at_once.end());
  }

  void start_life(policy::life_id id, std::vector<event>& at_once) {
    const auto name = core.id_of(id.key);
    if (auto& left = failing_starts_[name]; left > 0) {
      --left;
      note("startfail " + name);
      queue_.push_back({news::start_failed, id});
      return;
    }
    note("start " + name);
    lives_[id] = {name};
    at_once.push_back({news::ready, id});
  }

  /// A life that is dead already is found to be so.
  void stop_life(policy::life_id id, std::vector<event>& at_once) {
    const auto queued = std::ranges::find_if(queue_, [&](const event& x) {
      return x.what != news::ready && x.life == id;
    });
    if (queued != queue_.end()) {
      at_once.push_back(std::move(*queued));
      queue_.erase(queued);
      return;
    }
    lives_.at(id).alive = false;
    note("end " + lives_.at(id).id + " shutdown");
    at_once.push_back({news::down, id, "shutdown"});
  }

  std::deque<event> queue_;
  std::map<policy::life_id, living> lives_;
  std::map<std::string, int> failing_starts_;
  std::string journal_;
  policy::command_result answer_ = policy::command_result::ok;
};

} // namespace coppice::test
