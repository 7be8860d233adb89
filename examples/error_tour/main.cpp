// This file is part of coppice. License: see LICENSE in the source root.

// Shows three things that go wrong, each as seen by three people: the whole
// report for the developer, one line of the log for the operator, and a
// problem document with a friendly text for whoever uses the service.
//
// Topology:   shop (one_for_one)
//             |-- stock    asks a server that is not there: a network error
//             |-- journal  writes to a disk that is full
//             `-- prices   looks up what is not in its table: a bug
//
// You should see that the first two are known edge cases, with a text for the
// user, and that nobody outside learns more about the bug than its reference.

#include "coppice/failure_json.hpp"
#include "coppice/failure_log.hpp"
#include "coppice/failure_stack.hpp"
#include "coppice/failure_user.hpp"
#include "coppice/supervise.hpp"
#include "coppice/system_config.hpp"

#include "workers.hpp"

#include <cstdio>
#include <iostream>
#include <memory>
#include <string>

using namespace std::literals;

namespace {

/// What the edge of a service does with a failure.
void show(const char* title, coppice::failure why) {
  fill_stack_text(why, 10s);
  std::printf("\n== %s ==\n", title);
  std::printf("-- the developer reads --\n%s", describe(why).c_str());
  std::printf("-- the user gets --\n%s\n",
              problem_json(why, {.indent = 2}).c_str());
  std::printf("-- and reads --\n%s", to_string(for_user(why)).c_str());
  std::fflush(stdout);
}

void ask(const coppice::supervision_tree& tree, caf::scoped_actor& self,
         const char* path, const char* title) {
  const auto worker = tree.child(path);
  if (!worker)
    return show(path, worker.error());
  coppice::compat::ask(self, worker->handle(), 5s, "ACME anvil"s)
    .receive([&](int answer) { std::printf("%s: %d\n", path, answer); },
             [&](const caf::error& err) {
               show(title, coppice::from_error(err));
             });
}

coppice::child_spec child(const char* id,
                          caf::behavior (*worker)(coppice::worker*)) {
  return {.id = id,
          .start = coppice::spawns(worker),
          .backoff = {.first = 10ms, .jitter = coppice::jitter_kind::none}};
}

} // namespace

int main() {
  coppice::system_config config;
  caf::actor_system system{config};
  // --(doc:error_tour_log-begin)--
  coppice::supervise_options options;
  options.on_event = coppice::log_failures(
    std::make_shared<coppice::ostream_failure_log>(std::cout));
  // --(doc:error_tour_log-end)--
  std::printf("The operator's lines begin with time=.\n");
  std::fflush(stdout);
  auto tree
    = coppice::supervise(system,
                         {.name = "shop",
                          .children = {child("stock", example::stock),
                                       child("journal", example::journal),
                                       child("prices", example::prices)}},
                         options);
  if (!tree)
    return std::puts(describe(tree.error()).c_str()), 1;
  caf::scoped_actor self{system};
  ask(*tree, self, "/shop/stock", "a network error");
  ask(*tree, self, "/shop/journal", "a full disk");
  ask(*tree, self, "/shop/prices", "a bug");
  const auto report = tree->stop(5s);
  std::printf("\nthe shop is closed: %s\n", report.complete ? "yes" : "no");
}
