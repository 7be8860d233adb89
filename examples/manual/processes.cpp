// This file is part of coppice. License: see LICENSE in the source root.

// Shows a program that keeps failing, as a child, and what is known about it
// in the end.
//
// Topology:   app (one_for_one, 2 restarts in 5 s)
//             `-- disk  a shell script, permanent
//
// Run:        ./processes
// You should see the lines that the script wrote, three times, and then the
// failure of the tree, with the exit code and the last lines.

#include "coppice/actors/process.hpp"
#include "coppice/supervise.hpp"
#include "coppice/system_config.hpp"

#include <iostream>

using namespace coppice;
using namespace std::literals;

namespace {

// --(doc:redis-begin)--
child_spec cache() {
  return process(
    {.command = {"redis-server", "--port", "6379", "--supervised", "systemd"},
     .notify = true, // ready when it says READY=1
     .check = {.tcp = "127.0.0.1:6379", .send = "PING\r\n", .expect = "+PONG"}},
    {.id = "cache", .shutdown = 10s});
}
// --(doc:redis-end)--

// --(doc:watchdog-begin)--
child_spec indexer(const std::string& token) {
  return process({.command = {"/usr/bin/indexer", "--foreground", "--token",
                              sensitive_text{token}},
                  .environment = {{"INDEX_DIR", "/var/lib/index"}},
                  .directory = "/var/lib/index",
                  .notify = true,
                  .watchdog = 10s}, // expects WATCHDOG=1 at least that often
                 {.id = "indexer"});
}
// --(doc:watchdog-end)--

// --(doc:lines-begin)--
child_spec disk() {
  return process(
    {.command = {"sh", "-c", "echo starting; echo no disk left >&2; exit 3"},
     .on_line =
       [](const process_line& line) {
         std::cout << (line.is_error ? "err: " : "out: ") << line.text << '\n';
       }},
    {.id = "disk", .backoff = {.first = 10ms}});
}
// --(doc:lines-end)--

} // namespace

int main() {
  system_config config;
  caf::actor_system system{config};
  for (const auto& child : {cache(), indexer("secret")})
    std::cout << child.id << " is replaced when it is silent for "
              << policy::to_string(child.heartbeat.idle_timeout) << '\n';
  auto tree = supervise(system, {.name = "app",
                                 .limits = {.restarts_max = 2, .window = 5s},
                                 .children = {disk()}});
  if (!tree) {
    std::cout << describe(tree.error());
    return 1;
  }
  const auto end = tree->wait(10s);
  if (!end || !*end)
    return 1;
  if (const auto* why = find(**end, "process_exit")) {
    std::cout << why->message << '\n';
    for (const auto& [key, value] : why->misc)
      std::cout << "  " << key << " = " << value << '\n';
  }
}
