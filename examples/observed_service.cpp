// This file is part of coppice. License: see LICENSE in the source root.

// Shows a tree in a browser, while one of its workers keeps crashing.
//
// Topology:   shop (one_for_one)
//             |-- checkout   a pool of four
//             `-- feed       crashes every other second
//
// Run:        ./observed_service --stay     and open the address that it prints
// You should see "look at http://127.0.0.1:...". Enter ends it.

#include "coppice/actors/pool.hpp"
#include "coppice/actors/worker.hpp"
#include "coppice/observer/observer_server.hpp"
#include "coppice/supervise.hpp"
#include "coppice/system_config.hpp"

#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>

using namespace std::literals;

namespace {

caf::behavior checkout(coppice::worker*) {
  return {[](int basket) { return basket * 2; }};
}

caf::behavior feed(coppice::worker* self) {
  coppice::compat::tell_after(self, 2s, caf::actor{self}, "tick"s);
  return {[](const std::string&) {
    throw std::runtime_error{"the exchange has closed the connection"};
  }};
}

} // namespace

int main(int argc, char** argv) {
  coppice::system_config config;
  caf::actor_system system{config};
  coppice::worker_pool pool{system,
                            {.worker = {.start = coppice::spawns(checkout)}}};
  // --(doc:observer-begin)--
  coppice::event_hub hub;
  coppice::supervise_options options;
  options.on_event = hub.as_observer();
  auto tree
    = coppice::supervise(system,
                         {.name = "shop",
                          .limits = {.restarts_max = 100, .window = 1min},
                          .children = {pool.child("checkout"),
                                       {.id = "feed",
                                        .start = coppice::spawns(feed),
                                        .backoff = {.first = 2s}}}},
                         options);
  if (!tree)
    return std::cerr << describe(tree.error()), 1;

  coppice::observer_options how;
  how.token = coppice::new_token(); // for what changes the tree
  auto window = coppice::observer_server::start(*tree, hub, how);
  if (!window)
    return std::cerr << describe(window.error()), 1;
  std::cout << "look at " << window->url() << "\ntoken: " << how.token << '\n';
  // --(doc:observer-end)--

  // --(doc:figures-begin)--
  window->figures().add_pool("checkout", [&pool] { return pool.statistics(); });
  // --(doc:figures-end)--

  if (argc > 1 && argv[1] == "--stay"sv)
    std::cin.get();
}
