// This file is part of coppice. License: see LICENSE in the source root.

// A tour of restart policies: one small tree after the other, each crashed on
// purpose, with all that its supervisor does about it.
//
// Topology:   tour (the strategy in question)
//             |-- a
//             |-- b   the one that is told to crash, or to finish
//             `-- c
//
// You should see which of them get a new life, in which order, and in the end
// a supervisor that gives up and says why.

#include "coppice/actors/worker.hpp"
#include "coppice/supervise.hpp"
#include "coppice/system_config.hpp"

#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <stdexcept>
#include <string>

using namespace std::literals;
using namespace coppice;

namespace {

caf::behavior member(worker* self) {
  return {[self](const std::string& order) {
    if (order == "crash")
      throw std::runtime_error("told to");
    self->quit();
  }};
}

/// Prints events, and lets the tour wait until nothing has happened for long.
class event_printer {
public:
  void operator()(const supervision_event& event) {
    if (event.kind != event_kind::forgotten)
      std::printf("    %s\n", to_string(event).c_str());
    std::lock_guard guard{mutex_};
    ++seen_;
    changed_.notify_all();
  }

  void wait_for_silence() {
    std::unique_lock guard{mutex_};
    for (auto seen = seen_;; seen = seen_)
      if (!changed_.wait_for(guard, 400ms, [&] { return seen_ != seen; }))
        return;
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int seen_ = 0;
};

child_spec child(const char* id, restart_type restart) {
  return {.id = id,
          .start = spawns(member),
          .restart = restart,
          .backoff = {.jitter = jitter_kind::none}};
}

void show(caf::actor_system& system, const char* title,
          restart_strategy strategy, restart_type restart, const char* order,
          int times = 1) {
  std::printf("\n%s\n", title);
  event_printer printer;
  supervise_options options;
  options.on_event = std::ref(printer);
  auto tree
    = supervise(system,
                {.name = "tour",
                 .strategy = strategy,
                 .limits = {.restarts_max = 2, .window = 5s},
                 .children = {child("a", permanent), child("b", restart),
                              child("c", permanent)}},
                options);
  if (!tree) {
    std::puts(describe(tree.error()).c_str());
    return;
  }
  printer.wait_for_silence();
  std::printf("  b is told to %s\n", order);
  for (int i = 0; i < times; ++i) {
    if (const auto b = tree->child("/tour/b"))
      compat::post(b->handle(), std::string{order});
    printer.wait_for_silence();
  }
  if (const auto end = tree->wait(0s); end && *end)
    std::printf("  the tree has ended, and says:\n%s", describe(**end).c_str());
  else
    std::puts("  and is asked to stop");
  static_cast<void>(tree->stop(5s));
}

} // namespace

int main() {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  system_config config;
  caf::actor_system system{config};
  show(system, "one_for_one: only b comes back", one_for_one, permanent,
       "crash");
  show(system, "one_for_all: everybody does", one_for_all, permanent, "crash");
  show(system, "rest_for_one: b, and c that was started after it", rest_for_one,
       permanent, "crash");
  show(system, "transient: a clean end is final", one_for_one, transient,
       "finish");
  show(system, "temporary: forgotten however it ends", one_for_one, temporary,
       "crash");
  show(system, "permanent, three times: two restarts are tolerated",
       one_for_one, permanent, "crash", 3);
}
