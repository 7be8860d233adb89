// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// A scripted world around one supervision core, in virtual time: children are
/// scripts by id, and nothing sleeps. The harness itself objects when the core
/// breaks a rule that holds always: two lives of one child, orders to the dead,
/// a command answered twice, an end that leaves somebody behind, counts and
/// listing that differ.
///
/// Layer: tests.
/// Threads: not thread-safe.
/// Rules: docs/semantics.md, START, RESTART, BUDGET, BACKOFF, STOP.

#include "coppice/policy/supervision_core.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace coppice::test {

using policy::duration;
using policy::time_point;
using namespace std::chrono_literals;

// -- specs, to be read aloud -------------------------------------------------

/// OTP's way: every retry at once.
inline const policy::backoff_spec no_backoff{.first = 0s,
                                             .jitter
                                             = policy::jitter_kind::none};

/// `worker("a").as(transient).grace(1s)`. Retries at once unless told
/// otherwise, so that a test of order needs no time.
struct child : policy::child_spec {
  child& as(policy::restart_type x) { return restart = x, *this; }
  child& grace(policy::stop_grace x) { return shutdown = x, *this; }
  child& kills_within(duration x) { return kill_grace = x, *this; }
  child& starts_within(duration x) { return start_deadline = x, *this; }
  child& backs_off(policy::backoff_spec x) { return backoff = x, *this; }
  child& rule(std::string name, policy::failure_action action) {
    on_failure.push_back({std::move(name), action});
    return *this;
  }
  child& budget(policy::restart_limits x, policy::exhaustion_action action) {
    return limits = x, on_exhausted = action, *this;
  }
  child& is_significant() { return significant = true, *this; }
};

[[nodiscard]] child worker(std::string id);
[[nodiscard]] child inner_supervisor(std::string id);

/// The catalogue's default budget is 5 in 60 s.
inline constexpr policy::restart_limits five_a_minute{.restarts_max = 5,
                                                      .window = 60s};

[[nodiscard]] inline policy::supervisor_spec
tree(policy::restart_strategy strategy,
     std::vector<policy::child_spec> children,
     policy::restart_limits limits = five_a_minute) {
  return {.strategy = strategy,
          .limits = limits,
          .children = std::move(children)};
}

// -- scripts -----------------------------------------------------------------

/// What one call of a start function leads to.
struct start_step {
  enum class kind : std::uint8_t { ready, silent, declined, failed, dies };
  kind what = kind::ready;
  duration after{0};
  policy::end_of_life how = {};
};

inline constexpr start_step start_ok{};
inline constexpr start_step start_never_ready{start_step::kind::silent};
inline constexpr start_step start_ignored{start_step::kind::declined};
inline constexpr start_step start_error{start_step::kind::failed,
                                        0s,
                                        {policy::end_cause::start_failure,
                                         "broken"}};

[[nodiscard]] constexpr start_step start_slow(duration after) {
  return {start_step::kind::ready, after};
}

/// The life begins, and ends by itself before it was ready.
[[nodiscard]] constexpr start_step start_dies(duration after = 0s) {
  return {start_step::kind::dies, after, {policy::end_cause::crash, "broken"}};
}

/// How a life takes being stopped and being killed.
struct stop_manners {
  policy::time_limit to_stop = duration{0};
  policy::time_limit to_kill = duration{0};
  /// Of the stop; a killed one ends with a crash.
  policy::end_of_life how = {policy::end_cause::clean_end};
};

inline constexpr stop_manners deaf{policy::infinity};
inline constexpr stop_manners spinning{policy::infinity, policy::infinity};

[[nodiscard]] constexpr stop_manners slow_stop(duration after) {
  return {after};
}

// -- the world ---------------------------------------------------------------

class core_harness {
public:
  explicit core_harness(policy::supervisor_spec spec, std::uint64_t seed = 1);

  core_harness(const core_harness&) = delete;
  core_harness& operator=(const core_harness&) = delete;

  /// Names every instance of a pool that has no script of its own.
  static constexpr const char* anyone = "*";

  /// The next starts of `id`; when they are used up, all goes well again.
  void script(const std::string& id, std::vector<start_step> steps);
  /// All starts of `id`, once its script is used up.
  void always(const std::string& id, start_step step);
  void manners(const std::string& id, stop_manners x);

  // -- facts; each returns when nothing is left to do at this point in time --

  void start();
  void crash(const std::string& id, std::string_view failure_class = "crash");
  void finish(const std::string& id);
  void lose_node_of(const std::string& id);
  void stall(const std::string& id);
  void report_healthy(const std::string& id);
  /// All of them are dead before the core hears of the first.
  void crash_together(std::initializer_list<const char*> ids);
  /// The handlers of all its lives that would not end return.
  void release(const std::string& id);
  /// A fact of the test's own making.
  void tell(const std::function<policy::directives(time_point)>& fact);

  // -- time ------------------------------------------------------------------

  /// Whatever is due within `span` happens, one by one.
  void run_for(duration span);
  /// The supervisor gets no processor for `span`; then it catches up.
  void oversleep(duration span);
  [[nodiscard]] time_point now() const noexcept { return now_; }
  /// Since the beginning.
  [[nodiscard]] duration clock() const noexcept { return now_ - time_point{}; }

  // -- commands; the token to ask for the answer with ------------------------

  using token = policy::command_token;
  token start_child(policy::child_spec spec);
  token start_instance();
  token terminate(const std::string& id);
  token restart(const std::string& id);
  token remove(const std::string& id);
  token retry_now(const std::string& id);
  token stop(policy::time_limit within = policy::infinity);

  /// Objects if the new spec is refused.
  void reload(policy::supervisor_spec spec);

  /// "pending", or the name of the result.
  [[nodiscard]] std::string answer_to(token asked) const;
  [[nodiscard]] policy::life_id life_in_answer_to(token asked) const;
  /// When the answer came, since the beginning.
  [[nodiscard]] duration time_of_answer_to(token asked) const;

  // -- what happened ---------------------------------------------------------

  /// "start a#1", "ready a#1", "stop a#1", "kill a#1", "abandon a#1",
  /// "end a#1", "startfail a#1", "decline a#1", "adjust a#1", "hand down a#1".
  [[nodiscard]] std::vector<std::string> journal() const;
  /// "start a", "startfail b", "end c" alone: the catalogue's journals.
  /// Without `stop`, `ready` and the incarnations.
  [[nodiscard]] std::vector<std::string> order() const;
  /// Times of what begins like this: "start a", "kill b"; since the beginning.
  [[nodiscard]] std::vector<duration> times(const std::string& what) const;
  [[nodiscard]] std::size_t count(const std::string& what) const {
    return times(what).size();
  }
  /// The journal begins anew here.
  void forget_journal() { journal_.clear(); }

  struct event {
    time_point at;
    std::string id;
    policy::report_event what;
  };
  [[nodiscard]] std::vector<event> events(policy::event_kind kind) const;

  [[nodiscard]] bool is_ready() const noexcept { return ready_; }
  [[nodiscard]] const std::optional<policy::end_supervisor>& end() const {
    return end_;
  }
  /// "runs", or the reason of the end.
  [[nodiscard]] std::string outcome() const;
  /// Since the beginning.
  [[nodiscard]] duration time_of_end() const { return end_at_ - time_point{}; }

  // -- what is ---------------------------------------------------------------

  [[nodiscard]] const policy::supervision_core& core() const { return core_; }
  [[nodiscard]] policy::supervision_core& core() { return core_; }
  /// Specs, running, supervisors, workers.
  [[nodiscard]] std::array<std::uint64_t, 4> counts() const;
  /// "running", "stopped by_operator", ..., or "gone".
  [[nodiscard]] std::string state(const std::string& id) const;
  /// "a running", "b stopped by_group", in start order.
  [[nodiscard]] std::vector<std::string> listing() const;
  [[nodiscard]] policy::child_info info(const std::string& id) const;
  [[nodiscard]] std::uint64_t incarnation(const std::string& id) const;
  [[nodiscard]] policy::life_id life(const std::string& id) const;
  [[nodiscard]] std::uint64_t restarts_in_window() const;
  /// How long its current life was given in the last polite stop.
  [[nodiscard]] policy::time_limit grace_asked_of(const std::string& id) const;
  /// How long until it is tried again.
  [[nodiscard]] duration until_retry(const std::string& id) const;

private:
  struct life_record {
    std::string id;
    std::uint64_t incarnation = 0;
    bool alive = true;
    bool known_dead = false;
    bool abandoned = false;
    policy::time_limit grace = duration{-1};
  };

  struct entry {
    time_point at;
    std::string what;
    std::string id;
    std::uint64_t incarnation = 0;
  };

  struct answer {
    policy::command_result result;
    policy::life_id life;
    time_point at;
  };

  using happening = std::function<void()>;

  // the core's orders
  void obey(const policy::directives& todo);
  void obey_one(const policy::start_life& x);
  void obey_one(const policy::stop_life& x);
  void obey_one(const policy::kill_life& x);
  void obey_one(const policy::abandon_life& x);
  void obey_one(const policy::forget_child& x);
  void obey_one(const policy::adjust_child& x);
  void obey_one(const policy::hand_down& x);
  void obey_one(const policy::arm_timer& x);
  void obey_one(const policy::answer_command& x);
  void obey_one(const policy::report_event& x);
  void obey_one(const policy::report_ready& x);
  void obey_one(const policy::end_supervisor& x);

  // the world's answers
  void later(duration after, happening what);
  void die_later(policy::life_id life, policy::time_limit after,
                 policy::end_of_life how);
  void die(policy::life_id life, policy::end_of_life how);
  void note(std::string what, const life_record& life);
  life_record& living(policy::life_id life, const char* order);
  [[nodiscard]] start_step next_step(const std::string& id);
  [[nodiscard]] stop_manners manners_of(const std::string& id) const;
  bool step(time_point end);
  void settle() { run_for(duration{0}); }
  void check_counts() const;
  token new_token();
  token command(const std::function<policy::directives(token)>& ask);
  void fact(const std::string& id,
            const std::function<policy::directives(policy::life_id)>& tell_it);

  policy::supervision_core core_;
  time_point now_{};
  std::optional<time_point> due_;
  std::multimap<time_point, happening> agenda_; ///< Equal times: in order.
  std::map<std::string, std::deque<start_step>> scripts_;
  std::map<std::string, start_step> habits_;
  std::map<std::string, stop_manners> manners_;
  std::map<policy::life_id, life_record> lives_;
  std::map<policy::child_key, std::string> names_;
  std::map<std::string, policy::life_id> newest_;
  std::vector<entry> journal_;
  std::vector<event> events_;
  std::map<token, std::optional<answer>> answers_;
  bool ready_ = false;
  std::optional<policy::end_supervisor> end_;
  time_point end_at_{};
};

} // namespace coppice::test
