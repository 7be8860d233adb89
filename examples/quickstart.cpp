// This file is part of coppice. License: see LICENSE in the source root.

// Shows a price feed that crashes and hangs, and a client that never notices.
//
// Topology:   app (one_for_one)
//             `-- feed   permanent; a crash costs 100 ms, a hang 300 ms more
//
// You should see "life 3" in the end, and no failed request.

#include "coppice/actors/worker.hpp"
#include "coppice/supervise.hpp"
#include "coppice/system_config.hpp"

#include <cstdio>
#include <stdexcept>
#include <string>

using namespace std::literals;

// --(doc:quickstart-begin)--
caf::behavior feed(coppice::worker* self) {
  return {[self](const std::string& symbol) {
    if (symbol == "crash")
      throw std::runtime_error("division by zero");
    while (symbol == "hang" && !self->cancelled()) {
    } // no heartbeat: work in hand, but no progress
    return 42.0 + static_cast<double>(self->incarnation());
  }};
}

int main() {
  coppice::system_config config;
  caf::actor_system system{config};
  auto tree = coppice::supervise(
    system, {.name = "app",
             .limits = {.restarts_max = 5, .window = 30s},
             .children = {{.id = "feed",
                           .start = coppice::spawns(feed),
                           .backoff = {.first = 100ms, .cap = 5s},
                           .heartbeat = {.stall_timeout = 300ms},
                           .parking = {.messages_max = 100}}}});
  if (!tree)
    return std::puts(describe(tree.error()).c_str()), 1;
  // --(doc:quickstart-end)--
  const auto reference = tree->child("/app/feed").value();
  caf::scoped_actor self{system};
  for (const auto* symbol : {"ACME", "crash", "ACME", "hang", "ACME"}) {
    coppice::compat::ask(self, reference.handle(), 5s, std::string{symbol})
      .receive([&](double price) { std::printf("%-5s %.0f\n", symbol, price); },
               [&](const caf::error& e) {
                 const auto why = coppice::from_error(e);
                 std::printf("%-5s %s\n", symbol, to_string(why).c_str());
               });
  }
  const auto feed_now = tree->root().get_child("feed").value();
  std::printf("the feed is in its life %d\n",
              static_cast<int>(feed_now.info.incarnation));
}
