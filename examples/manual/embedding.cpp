// This file is part of coppice. License: see LICENSE in the source root.

// A supervision tree inside a service that has its own actor system, its own
// signals, its own log, and its own idea of how to end.
//
// Topology:   shop (one_for_one)
//             `-- prices   permanent
//
// You should see the request fail that crashes the worker, the next one be
// answered, a warning in the log, one restart, and an orderly end by SIGTERM,
// which the program sends itself. With --broken the worker does not start, and
// the program ends with status 70.

#include "coppice/actors/worker.hpp"
#include "coppice/ask.hpp"
#include "coppice/failure_log.hpp"
#include "coppice/failure_user.hpp"
#include "coppice/supervise.hpp"
#include "coppice/system_config.hpp"

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

using namespace std::literals;

namespace {

// --(doc:config-begin)--
/// The configuration that the service has anyway.
class shop_config : public caf::actor_system_config {
public:
  shop_config() {
    coppice::add_types(*this);
    coppice::use_recommended_settings(*this);
  }
};
// --(doc:config-end)--

caf::behavior prices(coppice::worker* self, bool is_broken) {
  if (is_broken)
    throw std::runtime_error("no price list");
  return {coppice::handles(self, [](const coppice::context&, std::string what) {
    static const std::map<std::string, int> list{{"bread", 3}};
    return list.at(what);
  })};
}

// --(doc:observer-begin)--
/// What the service does with events. Called on a thread that does nothing
/// else.
void count_restarts(const coppice::supervision_event& event) {
  static int restarts = 0;
  if (event.kind == coppice::event_kind::restarting)
    std::printf("restarts: %d\n", ++restarts);
}
// --(doc:observer-end)--

// --(doc:signals-begin)--
/// Blocks them in this thread, and in all that are made after it.
sigset_t block_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  return set;
}

/// Returns when a signal came, or when the tree has ended by itself.
void wait_for_the_end(coppice::supervision_tree& tree, const sigset_t& set) {
  const timespec at_once{};
  while (!tree.wait(200ms))
    if (sigtimedwait(&set, nullptr, &at_once) > 0)
      return;
}
// --(doc:signals-end)--

void ask_for(caf::actor_system& system, const coppice::child_ref& prices,
             const std::string& what) {
  caf::scoped_actor self{system};
  coppice::ask(self, coppice::context::lasting(2s), prices, what)
    .receive([&](int x) { std::printf("%s costs %d\n", what.c_str(), x); },
             [&](const coppice::failure& why) {
               std::printf("%s: %s\n", what.c_str(),
                           to_string(coppice::for_user(why)).c_str());
             });
}

// --(doc:shutdown-begin)--
/// The order of the end: no new requests, the tree, the actor system.
int end_service(coppice::supervision_tree& tree) {
  // Here: stop to accept requests, and wait for those that are being served.
  const auto report = tree.stop(8s);
  const auto end = tree.wait(0s); // how the root ended, if it did
  if (end && *end)
    std::fputs(describe(**end).c_str(), stderr);
  const auto status = end && !*end ? 0 : 70;
  if (report.complete && report.left.empty())
    return status;
  // A handler never returned. The actor system would wait for it: leave.
  for (const auto& left : report.left)
    std::fprintf(stderr, "left behind: %s\n", left.path.c_str());
  std::fflush(nullptr);
  std::quick_exit(70);
}
// --(doc:shutdown-end)--

} // namespace

// --(doc:main-begin)--
int main(int argc, char**) {
  const auto signals = block_signals(); // before there are threads
  coppice::init_types();                // before there is a configuration
  shop_config config;
  caf::actor_system system{config};
  coppice::supervise_options options;
  options.start_within = 10s;
  options.on_event = coppice::log_failures(
    std::make_shared<coppice::ostream_failure_log>(std::clog), count_restarts);
  auto tree = coppice::supervise(
    system,
    {.name = "shop",
     .children = {{.id = "prices",
                   .start = coppice::spawns(prices, argc > 1),
                   .parking = {.messages_max = 1'000}}}},
    options);
  if (!tree) {
    std::fputs(describe(tree.error()).c_str(), stderr);
    return 70;
  }
  // --(doc:main-end)--
  const auto reference = tree->child("/shop/prices").value();
  ask_for(system, reference, "unobtainium");
  ask_for(system, reference, "bread");
  ::kill(::getpid(), SIGTERM);
  // --(doc:end-begin)--
  wait_for_the_end(*tree, signals);
  return end_service(*tree);
}
// --(doc:end-end)--
