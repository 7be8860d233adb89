// This file is part of coppice. License: see LICENSE in the source root.

// What a request through a replicator costs, beside one to a worker's handle.

#include "coppice/actors/replicator.hpp"
#include "coppice/actors/worker.hpp"
#include "coppice/supervise.hpp"
#include "coppice/system_config.hpp"

#include "figure.hpp"

#include <cstdlib>

namespace figures {

namespace {

using namespace coppice;

caf::behavior echo(worker*) {
  return {[](const context&, int x) { return x; }};
}

/// Sends requests, each after the answer to the one before, and with a context
/// of its own: a request enters once.
caf::behavior replicator_asker(caf::event_based_actor* self, caf::actor to,
                               std::size_t count, std::promise<void>* done) {
  struct rounds {
    caf::event_based_actor* self;
    caf::actor to;
    std::promise<void>* done;
    context all;

    void next(std::size_t left) {
      if (left == 0) {
        done->set_value();
        self->quit();
        return;
      }
      compat::ask_without_timeout(self, to, all.idempotent("key"), 1)
        .then([this, left](int) { next(left - 1); });
    }
  };
  auto what = std::make_shared<rounds>(
    rounds{self, std::move(to), done, context::without_deadline()});
  what->next(count);
  return {[what](caf::tick_atom) {}};
}

spent ask(caf::actor_system& system, const caf::actor& to, std::size_t count) {
  std::promise<void> promise;
  auto done = promise.get_future();
  const stopwatch watch;
  system.spawn(replicator_asker, to, count, &promise);
  done.wait();
  return watch.read();
}

replicator make(caf::actor_system& system, replication_spec how,
                const caf::actor& a, const caf::actor& b) {
  how.ejection.share_max = 0;
  return {system,
          {.policy = std::move(how),
           .replicas = {{.about = {.name = "a"}, .handle = a},
                        {.about = {.name = "b"}, .handle = b}}}};
}

} // namespace

void replicator_figures(table& out, const settings& how) {
  system_config config{2};
  caf::actor_system system{config};
  auto tree = supervise(system,
                        {.name = "figures",
                         .children = {{.id = "a", .start = spawns(echo)},
                                      {.id = "b", .start = spawns(echo)}}});
  if (!tree)
    std::abort();
  const auto a = tree->child("/figures/a").value().current_life();
  const auto b = tree->child("/figures/b").value().current_life();
  // No hedge is ever sent: an hour late.
  const auto one = make(system,
                        replication_spec::hedged(
                          {.quantile = {}, .delay = std::chrono::hours{1}}),
                        a, b);
  const auto two = make(system, replication_spec::tied(2), a, b);
  const auto count = how.of(300'000);
  const auto scale = static_cast<double>(count);
  enum { one_wall, one_cpu, two_wall, two_cpu, cases };
  figure lines[cases]
    = {{.what = "request through a replicator, one copy, beside the worker's"
                " handle",
        .unit = "ns",
        .target = 1.3},
       {.what = "the same, CPU time", .unit = "ns"},
       {.what = "request through a replicator, two tied copies, beside the"
                " worker's handle",
        .unit = "ns",
        .target = 2.5},
       {.what = "the same, CPU time", .unit = "ns", .target = 1.6}};
  const auto add = [&](std::size_t line, double ours, double base) {
    lines[line].ours.push_back(ours / scale);
    lines[line].base.push_back(base / scale);
  };
  for (std::size_t i = 0; i <= how.rounds; ++i) {
    const auto direct = ask(system, a, count);
    const auto single = ask(system, one.handle(), count);
    const auto tied = ask(system, two.handle(), count);
    if (i == 0)
      continue; // warm-up
    add(one_wall, single.wall, direct.wall);
    add(one_cpu, single.cpu, direct.cpu);
    add(two_wall, tied.wall, direct.wall);
    add(two_cpu, tied.cpu, direct.cpu);
  }
  for (auto& line : lines)
    out.add(std::move(line));
}

} // namespace figures
