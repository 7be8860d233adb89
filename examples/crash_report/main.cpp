// This file is part of coppice. License: see LICENSE in the source root.

// Shows what is left of a crash, and of a worker that hangs, three supervisors
// further up: one failure, with the line that threw, or the function that
// loops, and with what each supervisor did about it.
//
// Topology:   app (one_for_one)
//             `-- db (one_for_one)
//                 `-- shard (one_for_one)
//                     `-- conn  parses headers; crashes, or loops for ever
//
// You should see the report for the developer, the same as JSON, what the end
// user gets, and the stack of the worker in the endless loop.

#include "coppice/actors/worker.hpp"
#include "coppice/failure_json.hpp"
#include "coppice/failure_stack.hpp"
#include "coppice/failure_user.hpp"
#include "coppice/supervise.hpp"
#include "coppice/system_config.hpp"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

using namespace std::literals;

namespace {

std::atomic<bool> let_go{false};

[[gnu::noinline]] int parse_header(const std::string& line) {
  const auto colon = line.find(':');
  if (colon == std::string::npos)
    throw std::invalid_argument("no colon in '" + line + '\'');
  return static_cast<int>(colon);
}

[[gnu::noinline]] void search_for_ever() {
  while (!let_go.load(std::memory_order_relaxed)) {}
}

caf::behavior conn(coppice::worker* self, bool hangs) {
  coppice::compat::post(caf::actor{self}, "GET / HTTP/1.1"s);
  return {[=](const std::string& line) {
    if (hangs)
      search_for_ever();
    return parse_header(line);
  }};
}

/// Gives up at the first failure.
coppice::child_spec supervisor(std::string id, coppice::child_spec child) {
  return {.id = std::move(id),
          .supervisor = coppice::supervisor_spec{
            .limits = {.restarts_max = 0}, .children = {std::move(child)}}};
}

/// The failure with which the tree ends.
coppice::failure run(caf::actor_system& system, bool hangs) {
  let_go = false;
  coppice::child_spec worker{.id = "conn",
                             .start = coppice::spawns(conn, hangs),
                             .shutdown = coppice::brutal_kill,
                             .kill_grace = 10ms,
                             .heartbeat = {.stall_timeout = 200ms},
                             .isolation = coppice::isolation_kind::thread};
  auto tree = coppice::supervise(
    system,
    {.name = "app",
     .limits = {.restarts_max = 0},
     .children = {supervisor("db", supervisor("shard", std::move(worker)))}});
  if (!tree)
    return tree.error();
  const auto end = tree->wait(30s);
  let_go = true; // else its thread could never end
  if (!end || !*end) {
    std::puts("the tree should have given up");
    std::exit(1);
  }
  return **end;
}

} // namespace

int main() {
  coppice::system_config config;
  caf::actor_system system{config};
  // --(doc:crash_report-begin)--
  auto crash = run(system, false);
  fill_stack_text(crash, 10s); // names and lines, found by another thread
  std::printf("-- the developer reads --\n%s", describe(crash).c_str());
  std::printf("-- as JSON --\n%s\n", to_json(crash, 2).c_str());
  std::printf("-- the user gets --\n%s\n",
              problem_json(crash, {.indent = 2}).c_str());
  std::printf("-- and reads --\n%s", to_string(for_user(crash)).c_str());
  // --(doc:crash_report-end)--
  auto stall = run(system, true);
  fill_stack_text(stall, 10s);
  std::printf("-- a worker in an endless loop --\n%s",
              describe(root_cause(stall)).c_str());
}
