// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/failure_convert.hpp"

#include "kinds.hpp"
#include "worker_acts.hpp"

#include <unistd.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>

namespace coppice::tool {

namespace {

using namespace std::chrono_literals;

/// Stands for "never": no worker beats as often, and no child has as many
/// lives.
constexpr std::uint64_t practically_never = 1'000'000'000;

routine routine_from(argument_reader& given) {
  const auto every = given.time("every", {"Between two pieces of work."},
                                time_limit{100ms}, policy::positive);
  const auto busy = given.time("busy", {"Computing, in each piece of work."},
                               time_limit{0ms}, policy::not_negative);
  if (every.is_finite() && every.span() > 1min)
    given.refuse("every", to_string(every), "at most 1min");
  return {every.span(), busy.span()};
}

trigger_options trigger_from(argument_reader& given, time_limit after) {
  trigger_options result;
  result.after = given.time("after",
                            {"So long after its start, if not before."}, after,
                            policy::positive_or_infinite);
  result.beats = given.count("after_beats",
                             {"After so many pieces of work, if not before."},
                             practically_never, {1, practically_never});
  result.chance = given.number(
    "chance", {"At each piece of work, with this probability."}, 0.0, {0, 1});
  result.seed
    = given.count("seed", {"Of the chance; path and life are added to it."}, 1);
  result.lives = given.count("lives",
                             {"Only the first so many lives do it; later ones "
                              "just work."},
                             practically_never, {0, practically_never});
  return result;
}

void make_beater(argument_reader& given, child_spec& child) {
  child.start = spawns(beater, routine_from(given));
}

void make_crasher(argument_reader& given, child_spec& child) {
  const auto work = routine_from(given);
  crash_options how;
  how.when = trigger_from(given, time_limit{3s});
  const auto failure_class
    = given.text("class",
                 {"Class of the failure that is thrown, such as "
                  "permanent_failure; \"crash\" "
                  "is a plain exception, which counts as a bug."},
                 "crash");
  if (failure_class.empty())
    given.refuse("class", "\"\"", "a class of failures, which is not empty");
  if (failure_class != failure_classes::crash)
    how.failure_class = failure_class;
  how.message = given.text("message", {"What the failure says."}, how.message);
  how.clean = given.flag("clean",
                         {"Does not fail, but ends, as one that has finished."},
                         false);
  child.start = spawns(crasher, work, how);
}

void make_hanger(argument_reader& given, child_spec& child) {
  const auto work = routine_from(given);
  hang_options how;
  how.when = trigger_from(given, time_limit{3s});
  const auto what
    = given.choice("how",
                   {"In an endless loop, or waiting for what never comes."},
                   {"computing", "blocked"}, "computing");
  how.how = what == "blocked" ? hang_kind::blocked : hang_kind::computing;
  how.lasts = given.time("lasts", {"Then it goes on as if nothing had been."},
                         infinity);
  how.polite
    = given.flag("polite",
                 {"Ends when it is asked to, as a good handler does. Otherwise "
                  "its life is given up, and keeps its thread."},
                 false);
  child.start = spawns(hanger, work, how);
  child.isolation = isolation_kind::thread; // or it blocks others
  child.heartbeat.stall_timeout = 1s;
}

void make_muted(argument_reader& given, child_spec& child) {
  const auto work = routine_from(given);
  const auto when = trigger_from(given, time_limit{3s});
  child.start = [=](start_context& context) {
    context.spawn(muted, work, when, context.life(), context.path(),
                  context.incarnation());
  };
  child.heartbeat.idle_timeout = 1s;
}

void make_slow_stopper(argument_reader& given, child_spec& child) {
  const auto work = routine_from(given);
  const auto takes = given.time("takes",
                                {"From when it is asked to end until it does. "
                                 "Infinity: it has to be killed."},
                                time_limit{2s});
  child.start = spawns(slow_stopper, work, takes);
}

// -- flaky_start -------------------------------------------------------------

struct flaky_options {
  duration takes{0};
  time_limit up = infinity;
  std::uint64_t fails = 0;
  std::string absent_while;
  std::string dependency;
};

/// What the lives of one child share: attempts since the dependency was lost.
void connect(start_context& context, const routine& work,
             const flaky_options& how, std::atomic<std::uint64_t>& attempts) {
  const auto n = attempts++ % (how.fails + 1);
  const auto is_away = !how.absent_while.empty()
                       && access(how.absent_while.c_str(), F_OK) == 0;
  if (n != 0 || is_away)
    throw failure_error{
      {.failure_class = "dependency_down",
       .message = "cannot connect to " + how.dependency
                  + (is_away ? ": " + how.absent_while + " exists"
                             : ", attempt " + std::to_string(n) + " of "
                                 + std::to_string(how.fails))}};
  context.spawn(client_of_flaky, work, how.takes, how.up, how.dependency);
}

void make_flaky_start(argument_reader& given, child_spec& child) {
  const auto work = routine_from(given);
  flaky_options how;
  how.takes = given
                .time("takes", {"To connect; it is ready after that."},
                      time_limit{50ms}, policy::not_negative)
                .span();
  how.up = given.time("up", {"The connection holds so long; then it crashes."},
                      time_limit{3s}, policy::positive_or_infinite);
  how.fails = given.count("fails",
                          {"Starts that fail after each loss, before one "
                           "succeeds. The very first start does not fail."},
                          4, {0, 1'000'000});
  how.absent_while
    = given.text("absent_while",
                 {"Starts fail as long as this file exists; \"\": none."}, "");
  how.dependency = given.text("dependency", {"Its name, for failures."},
                              "the database");
  const auto attempts = std::make_shared<std::atomic<std::uint64_t>>(0);
  child.start = [=](start_context& context) {
    connect(context, work, how, *attempts);
  };
}

} // namespace

void register_worker_kinds(worker_kinds& kinds) {
  kinds
    .register_worker("beater", "Works at intervals, and beats: all is well.",
                     make_beater)
    .register_worker("crasher",
                     "Works, and crashes: after a time, after so much work, or "
                     "by chance.",
                     make_crasher)
    .register_worker("flaky_start",
                     "A client of something that comes and goes: it loses the "
                     "connection, and then its next starts fail.",
                     make_flaky_start)
    .register_worker("hanger",
                     "Works, and then hangs in a handler. On a thread of its "
                     "own, with a stall_timeout of 1s, unless the file says "
                     "otherwise.",
                     make_hanger)
    .register_worker("muted",
                     "A foreign actor that beats by message, and then works on "
                     "without beating. Its idle_timeout is 1s, unless the file "
                     "says otherwise.",
                     make_muted)
    .register_worker("slow_stopper",
                     "Works, and takes its time to end when it is asked to.",
                     make_slow_stopper);
}

} // namespace coppice::tool
