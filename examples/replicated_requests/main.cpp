// This file is part of coppice. License: see LICENSE in the source root.

// Shows one request that ten handlers race for, each with 1 to 5 s of work.
//
// Topology:   app (one_for_one)
//             |-- handler-0   a thread each, so that ten do run at once
//             `-- ...
//
// You should see the fastest handler win, the others called off in the middle
// of their work, and what the race cost. `--mode=hedge` and `--mode=tied` cost
// less, and are slower: they begin with one handler, and try others when it
// takes long. `--mode=quorum` waits for three of them.
//
// The handlers have an equal chance here. It is worth something only where
// their conditions differ: processes, machines, paths to the data.

#include "coppice/actors/replicator.hpp"
#include "coppice/ask.hpp"
#include "coppice/supervise.hpp"
#include "coppice/system_config.hpp"

#include "handlers.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <map>
#include <string>

using namespace std::literals;
using namespace example;

namespace {

constexpr int handlers = 10;

using coppice::replication_spec;

/// By name. Nobody has any samples of how long requests take, so the hedges
/// wait for a fixed time: 1.5 s, scaled as the work is.
std::map<std::string, replication_spec> modes(double scale) {
  const coppice::hedge_spec late{.quantile = {},
                                 .delay = seconds{1.5 / scale},
                                 .extra_max = 3};
  auto late_service = late;
  late_service.trigger = coppice::policy::hedge_trigger::after_start;
  std::map<std::string, replication_spec> result{
    {"race", replication_spec::race(handlers)},
    {"hedge", replication_spec::hedged(late)},
    {"tied", replication_spec::tied_and_hedged(late_service)},
    {"quorum", replication_spec::first_of(3, handlers)}};
  for (auto& [name, spec] : result)
    spec.budget.reserve = handlers; // a share of one request is nothing
  return result;
}

coppice::supervisor_spec app(const load_spec& how,
                             const std::shared_ptr<work_log>& log) {
  coppice::supervisor_spec result{.name = "app"};
  for (int i = 0; i < handlers; ++i)
    result.children.push_back({.id = "handler-" + std::to_string(i),
                               .start = coppice::spawns(handler, i, how, log),
                               .isolation = coppice::isolation_kind::thread});
  return result;
}

// --(doc:replicas-begin)--
/// References, not actors: they hold across restarts.
std::vector<coppice::replica> replicas_of(const coppice::supervision_tree& x) {
  std::vector<coppice::replica> result;
  for (int i = 0; i < handlers; ++i) {
    const auto id = "handler-" + std::to_string(i);
    result.push_back({.about = {.name = id, .domain = {.thread = id}},
                      .handle = x.child("/app/" + id).value().handle()});
  }
  return result;
}
// --(doc:replicas-end)--

/// Waits for the answer, and then for the handlers to notice.
int ask_them(caf::actor_system& system, coppice::supervision_tree& tree,
             const replication_spec& how, std::uint64_t seed) {
  // --(doc:race-begin)--
  coppice::replicator front{
    system, {.policy = how, .replicas = replicas_of(tree), .seed = seed}};
  const auto ctx = coppice::context::lasting(60s).idempotent();
  const auto begin = std::chrono::steady_clock::now();
  auto status = 1;
  caf::scoped_actor self{system};
  ask(self, ctx, front.handle(), "a request"s)
    .receive(
      [&](int winner) {
        const seconds took = std::chrono::steady_clock::now() - begin;
        std::printf("an answer from #%d after %.3f s\n", winner, took.count());
        status = 0;
      },
      [&](const coppice::failure& why) {
        std::fputs(describe(why).c_str(), stderr);
      });
  // --(doc:race-end)--
  tree.stop(10s);
  return status;
}

void print_cost(const std::vector<work_done>& all) {
  seconds took{0};
  seconds in_vain{0};
  seconds saved{0};
  int called_off = 0;
  for (const auto& x : all) {
    took += x.took;
    if (x.finished)
      continue;
    ++called_off;
    in_vain += x.took;
    saved += x.load - x.took;
  }
  std::printf("%zu of %d handlers began, %d were called off\n"
              "work: %.3f s, of which %.3f s in vain; called off: %.3f s\n",
              all.size(), handlers, called_off, took.count(), in_vain.count(),
              saved.count());
}

} // namespace

int main(int argc, char** argv) {
  load_spec how;
  std::string mode = "race";
  CLI::App app_options{"One request, ten handlers with random load."};
  app_options.add_option("--scale", how.scale, "Divides the 1 to 5 s of work")
    ->check(CLI::Range(0.1, 1000.0))
    ->capture_default_str();
  app_options.add_option("--seed", how.seed, "Of loads and choices")
    ->capture_default_str();
  app_options.add_option("--mode", mode, "How the request is replicated")
    ->check(CLI::IsMember{{"race", "hedge", "tied", "quorum"}})
    ->capture_default_str();
  CLI11_PARSE(app_options, argc, argv);
  coppice::system_config config;
  caf::actor_system system{config};
  const auto log = std::make_shared<work_log>();
  auto tree = coppice::supervise(system, app(how, log));
  if (!tree)
    return std::fputs(describe(tree.error()).c_str(), stderr), 1;
  const auto status = ask_them(system, *tree, modes(how.scale).at(mode),
                               how.seed);
  print_cost(log->all());
  return status;
}
