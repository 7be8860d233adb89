// This file is part of coppice. License: see LICENSE in the source root.

// A tree from a file, with kinds of workers of the program's own.
//
// Topology:   mirrors (rest_for_one), in mirrors.conf
//             |-- hub
//             |-- debian
//             `-- caf
//
// Run:        ./manual_topology mirrors.conf mirrors_bad.conf
//
// You should see the tree come up, all that is wrong with the second file, and
// a policy that changes while the same lives go on.

#include "coppice/topology.hpp"

#include "coppice/actors/worker.hpp"
#include "coppice/supervise.hpp"
#include "coppice/system_config.hpp"

#include "check.hpp"

#include <cstdio>
#include <string>
#include <utility>

using namespace std::literals;
using namespace coppice;
using manual::check;

namespace {

caf::behavior hub(worker*) {
  return {[](const std::string&) {}};
}

caf::behavior mirror(worker* self, std::string host, policy::duration every) {
  compat::tell_after(self, every, self, std::move(host));
  return {[self, every](std::string where) {
    // ... copies what is new at `where`, and beats while it does.
    compat::tell_after(self, every, self, std::move(where));
  }};
}

// --(doc:kinds-begin)--
worker_kinds kinds_of_this_program() {
  worker_kinds kinds;
  kinds.register_worker("hub", "Passes on what mirrors find.",
                        [](argument_reader&, child_spec& child) {
                          child.start = spawns(hub);
                        });
  kinds.register_worker(
    "mirror", "Copies what is new on another machine.",
    [](argument_reader& given, child_spec& child) {
      const auto host = given.text("host", {"Where to copy from."});
      const auto every = given.time("every", {"Between two looks."},
                                    time_limit{1min}, policy::positive);
      child.start = spawns(mirror, host, every.span());
      child.heartbeat.stall_timeout = 20s; // unless the file says otherwise
    });
  return kinds;
}
// --(doc:kinds-end)--

void show_all_defects(const char* file, const worker_kinds& kinds) {
  const auto bad = load_topology(file, kinds);
  check("the other file is refused", bad.has_value(), false);
  if (!bad)
    std::printf("%s\n", to_string(bad.defects()).c_str());
}

void change_a_policy(supervision_tree& tree, topology now) {
  const auto before = tree.root().get_child("debian").value();
  // --(doc:reload-begin)--
  now.root.limits.window = 60s; // or: load_topology() once more
  const auto report = tree.reload(std::move(now.root));
  if (!report)
    std::fputs(describe(report.error()).c_str(), stderr); // nothing changed
  // --(doc:reload-end)--
  else
    std::printf("%s\n", to_string(report->changes).c_str());
  check("version", tree.version(), std::uint64_t{2});
  const auto after = tree.root().get_child("debian").value();
  check("the same life goes on", after.actor == before.actor, true);
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 3)
    return std::puts("manual_topology <file> <bad file>"), 2;
  system_config config;
  caf::actor_system system{config};
  // --(doc:load-begin)--
  const auto kinds = kinds_of_this_program();
  const auto file = load_topology(argv[1], kinds);
  if (!file) {
    std::fputs(to_string(file.defects()).c_str(), stderr);
    return 65;
  }
  auto tree = supervise(system, file->root, file->options);
  // --(doc:load-end)--
  if (!tree)
    return std::puts(describe(tree.error()).c_str()), 70;
  for (const auto& [path, what] : file->descriptions)
    std::printf("%s: %s\n", path.c_str(), what.c_str());
  show_all_defects(argv[2], kinds);
  change_a_policy(*tree, *file);
  const auto end = tree->stop(10s);
  check("all are gone", end.complete && end.left.empty(), true);
  return check.result();
}
