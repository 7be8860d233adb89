// This file is part of coppice. License: see LICENSE in the source root.

// What a request through a pool costs, beside one to a worker's handle.

#include "coppice/actors/pool.hpp"
#include "coppice/actors/worker.hpp"
#include "coppice/supervise.hpp"
#include "coppice/system_config.hpp"

#include "figure.hpp"

#include <cstdlib>

namespace figures {

namespace {

using namespace coppice;

caf::behavior echo(worker*) {
  return {[](int x) { return x; }, [](const context&, int x) { return x; }};
}

/// Sends requests, each after the answer to the one before.
caf::behavior pool_asker(caf::event_based_actor* self, caf::actor to,
                         std::size_t count, std::promise<void>* done) {
  struct rounds {
    caf::event_based_actor* self;
    caf::actor to;
    std::promise<void>* done;

    void next(std::size_t left) {
      if (left == 0) {
        done->set_value();
        self->quit();
        return;
      }
      compat::ask_without_timeout(self, to, 1).then([this, left](int) {
        next(left - 1);
      });
    }
  };
  auto what = std::make_shared<rounds>(rounds{self, std::move(to), done});
  what->next(count);
  return {[what](caf::tick_atom) {}};
}

spent ask(caf::actor_system& system, const caf::actor& to, std::size_t count) {
  std::promise<void> promise;
  auto done = promise.get_future();
  const stopwatch watch;
  system.spawn(pool_asker, to, count, &promise);
  done.wait();
  return watch.read();
}

worker_pool make_pool(caf::actor_system& system, std::size_t workers) {
  return {system, {.workers = workers, .worker = {.start = spawns(echo)}}};
}

} // namespace

void pool_figures(table& out, const settings& how) {
  system_config config{2};
  caf::actor_system system{config};
  const auto of_one = make_pool(system, 1);
  const auto of_two = make_pool(system, 2);
  auto tree = supervise(system,
                        {.name = "figures",
                         .children = {{.id = "worker", .start = spawns(echo)},
                                      of_one.child("one"),
                                      of_two.child("two")}});
  if (!tree)
    std::abort();
  const auto life = tree->child("/figures/worker").value().current_life();
  const auto plain = system.spawn([](caf::event_based_actor*) -> caf::behavior {
    return {[](int x) { return x; }};
  });
  const auto count = how.of(300'000);
  const auto scale = static_cast<double>(count);
  enum { one_wall, one_cpu, two_wall, two_cpu, over_plain, cases };
  figure lines[cases]
    = {{.what = "request through a pool of 1, beside the worker's handle",
        .unit = "ns",
        .target = 1.3},
       {.what = "the same, CPU time", .unit = "ns"},
       {.what = "request through a pool of 2, beside the worker's handle",
        .unit = "ns",
        .target = 1.3},
       {.what = "the same, CPU time", .unit = "ns"},
       {.what = "request through a pool of 1, beside a plain actor",
        .unit = "ns"}};
  const auto add = [&](std::size_t line, double ours, double base) {
    lines[line].ours.push_back(ours / scale);
    lines[line].base.push_back(base / scale);
  };
  for (std::size_t i = 0; i <= how.rounds; ++i) {
    const auto direct = ask(system, life, count);
    const auto one = ask(system, of_one.handle(), count);
    const auto two = ask(system, of_two.handle(), count);
    const auto bare = ask(system, plain, count);
    if (i == 0)
      continue; // warm-up
    add(one_wall, one.wall, direct.wall);
    add(one_cpu, one.cpu, direct.cpu);
    add(two_wall, two.wall, direct.wall);
    add(two_cpu, two.cpu, direct.cpu);
    add(over_plain, one.wall, bare.wall);
  }
  for (auto& line : lines)
    out.add(std::move(line));
}

} // namespace figures
