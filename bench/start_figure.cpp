// This file is part of coppice. License: see LICENSE in the source root.

// From the request to start a child until it is ready.

#include "coppice/actors/worker.hpp"
#include "coppice/supervise.hpp"
#include "coppice/system_config.hpp"

#include "figure.hpp"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <unordered_map>

namespace figures {

namespace {

using namespace std::literals;
using namespace coppice;

// -- by hand -----------------------------------------------------------------

caf::behavior child_by_hand(caf::event_based_actor* self, caf::actor parent) {
  compat::tell(self, parent, caf::ok_atom_v);
  return {[](int x) { return x; }};
}

/// What one would write without a framework: spawns, monitors, keeps the
/// handle, and counts who is ready.
class starter : public caf::event_based_actor {
public:
  starter(caf::actor_config& cfg, std::function<void()> on_ready)
    : caf::event_based_actor(cfg),
      on_ready_(std::move(on_ready)),
      downs_(this, [this](const caf::actor_addr& who, const caf::error&) {
        children_.erase(who);
      }) {}

  caf::behavior make_behavior() override {
    return {[this](caf::tick_atom) { start(); },
            [this](caf::ok_atom) { on_ready_(); },
            [this](caf::delete_atom) {
              for (const auto& [address, child] : children_)
                compat::exit_now(this, child, caf::exit_reason::kill);
              quit();
            }};
  }

private:
  void start() {
    auto child = spawn(child_by_hand, caf::actor_cast<caf::actor>(this));
    downs_.watch(child);
    children_.emplace(child.address(), child);
  }

  std::function<void()> on_ready_;
  compat::down_hub downs_;
  std::unordered_map<caf::actor_addr, caf::actor> children_;
};

// -- supervised --------------------------------------------------------------

caf::behavior child_of_coppice(worker*) {
  return {[](int x) { return x; }};
}

caf::behavior plain_child(caf::event_based_actor*) {
  return {[](int x) { return x; }};
}

// -- measuring ---------------------------------------------------------------

/// Keeps `window` starts outstanding until `count` children are ready.
struct run {
  std::size_t to_start;
  std::size_t to_be_ready;
  std::function<void()> start_one;
  std::promise<void> done;

  explicit run(std::size_t count) : to_start(count), to_be_ready(count) {}

  /// On the thread of the supervisor.
  void one_is_ready() {
    if (--to_be_ready == 0)
      done.set_value();
    else if (to_start > 0)
      start_next();
  }

  void start_next() {
    --to_start;
    start_one();
  }
};

spent measure(run& what, std::size_t window) {
  auto done = what.done.get_future();
  window = std::min(window, what.to_start);
  what.to_start -= window;
  const stopwatch watch;
  for (std::size_t i = 0; i < window; ++i)
    what.start_one();
  done.wait();
  return watch.read();
}

spent by_hand(caf::actor_system& system, std::size_t count,
              std::size_t window) {
  const auto before = system.registry().running();
  run what{count};
  auto hub = caf::actor_cast<caf::actor>(
    system.spawn<starter>([&what] { what.one_is_ready(); }));
  what.start_one = [hub] { compat::post(hub, caf::tick_atom_v); };
  const auto result = measure(what, window);
  what.start_one = nullptr;
  compat::post(hub, caf::delete_atom_v);
  hub = nullptr;
  await_actors(system, before);
  return result;
}

spent supervised(caf::actor_system& system, const supervision_tree& tree,
                 const std::string& pool, std::size_t count,
                 std::size_t window) {
  if (!tree.root().restart_child(pool))
    std::abort();
  const auto before = system.registry().running();
  run what{count};
  const auto hub = tree.supervisor("/figures/" + pool).value();
  what.start_one = [&hub, &what] {
    hub.submit(command::start_instance{}, [&what](const auto& reply) {
      if (!reply)
        std::abort();
      what.one_is_ready();
    });
  };
  const auto result = measure(what, window);
  if (!tree.root().terminate_child(pool, 1min))
    std::abort();
  await_actors(system, before - 1);
  return result;
}

child_spec pool_of(std::string id, start_function start) {
  return {.id = std::move(id),
          .supervisor = supervisor_spec{.strategy = simple_one_for_one,
                                        .children = {{.id = "child",
                                                      .start = std::move(start),
                                                      .shutdown = brutal_kill,
                                                      .kill_grace = 1min}}}};
}

} // namespace

void start_figures(table& out, const settings& how) {
  system_config config{2};
  caf::actor_system system{config};
  auto tree = supervise(
    system, {.name = "figures",
             .children = {pool_of("workers", spawns(child_of_coppice)),
                          pool_of("plain", spawns(plain_child))}});
  for (const auto* pool : {"workers", "plain"})
    if (!tree || !tree->root().terminate_child(pool))
      std::abort();
  const auto compare = [&](const std::string& pool, const std::string& name,
                           std::size_t count, std::size_t window,
                           std::optional<double> target) {
    figure wall{name + ", wall time", "us", {}, {}, target};
    figure cpu{name + ", CPU time", "us", {}, {}};
    const auto scale = 1e3 * static_cast<double>(count);
    for (std::size_t i = 0; i <= how.rounds; ++i) {
      const auto ours = supervised(system, *tree, pool, count, window);
      const auto theirs = by_hand(system, count, window);
      if (i == 0)
        continue; // warm-up
      wall.ours.push_back(ours.wall / scale);
      wall.base.push_back(theirs.wall / scale);
      cpu.ours.push_back(ours.cpu / scale);
      cpu.base.push_back(theirs.cpu / scale);
    }
    out.add(std::move(wall));
    out.add(std::move(cpu));
  };
  const auto few = how.of(10'000);
  const auto many = how.of(50'000);
  compare("workers", "start of a worker, one after the other", few, 1, 1.5);
  compare("workers", "start of a worker, 1,000 outstanding", many, 1'000, 1.5);
  compare("plain", "start of a plain actor, 1,000 outstanding", many, 1'000,
          {});
}

} // namespace figures
