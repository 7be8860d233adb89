// This file is part of coppice. License: see LICENSE in the source root.

// Reloads of trees whose children beat: how long, and does anybody seem late?

#include "coppice/actors/worker.hpp"
#include "coppice/supervise.hpp"
#include "coppice/system_config.hpp"

#include "figure.hpp"

#include <atomic>
#include <cstdlib>
#include <thread>

namespace figures {

namespace {

using namespace std::literals;
using namespace coppice;

/// In supervisors of a hundred, each child judged by beats twice a second.
supervisor_spec tree_of(std::size_t count, std::size_t version) {
  constexpr std::size_t group_size = 100;
  const auto some = std::chrono::milliseconds{version % 2};
  supervisor_spec root{.name = "figures"};
  for (std::size_t done = 0; done < count; done += group_size) {
    supervisor_spec group{.limits = {.window = 5s + some}};
    for (auto i = done; i < std::min(count, done + group_size); ++i)
      group.children.push_back(
        {.id = std::to_string(i),
         .start = spawns([](worker* self) -> caf::behavior {
           compat::tell_after(self, 500ms, caf::actor{self}, 1);
           return {[self](int x) {
             compat::tell_after(self, 500ms, caf::actor{self}, x);
           }};
         }),
         .shutdown = 5s + some,
         .backoff = {.first = 100ms + some},
         .heartbeat = {.stall_timeout = 3s + some, .idle_timeout = 3s + some}});
    root.children.push_back(
      {.id = "g" + std::to_string(done), .supervisor = std::move(group)});
  }
  return root;
}

struct measured {
  samples times; ///< Unit: ms.
  std::size_t late = 0;
};

measured reload(std::size_t count, std::size_t rounds) {
  std::atomic<std::size_t> late{0};
  system_config config{2};
  caf::actor_system system{config};
  supervise_options options;
  options.on_event = [&late](const supervision_event& x) {
    if (x.kind == event_kind::beat_late || x.kind == event_kind::stalled)
      ++late;
  };
  auto tree = supervise(system, tree_of(count, 0), options);
  if (!tree)
    std::abort();
  measured result;
  for (std::size_t i = 1; i <= rounds + 1; ++i) {
    auto next = tree_of(count, i);
    const stopwatch watch;
    if (!tree->reload(std::move(next), 1min))
      std::abort();
    if (i > 1) // warm-up
      result.times.push_back(watch.read().wall / 1e6);
    std::this_thread::sleep_for(200ms); // of beats under the new spec
  }
  std::this_thread::sleep_for(4s); // whoever missed one is late by now
  result.late = late;
  return result;
}

} // namespace

void reload_figures(table& out, const settings& how) {
  for (const auto count : {how.of(100), how.of(1'000), how.of(10'000)}) {
    const auto name = "reload of " + std::to_string(count) + " specs";
    auto found = reload(count, how.rounds);
    out.add({name, "ms", std::move(found.times), {}, 100.0});
    const auto late = static_cast<double>(found.late);
    out.add({name + ", children that seemed late",
             "",
             samples(how.rounds, late),
             {},
             0.0});
  }
}

} // namespace figures
