// Supervises a worker that crashes, with the coppice that is installed.

#include "coppice/actors/worker.hpp"
#include "coppice/supervise.hpp"
#include "coppice/system_config.hpp"

#include <chrono>
#include <iostream>
#include <stdexcept>
#include <string>

using namespace std::literals;

namespace {

caf::behavior echo(coppice::worker* self) {
  return {[self](const std::string& text) {
    if (text == "crash")
      throw std::runtime_error("told to");
    return text + " from life " + std::to_string(self->incarnation());
  }};
}

std::string ask(caf::actor_system& system, const coppice::child_ref& child,
                const std::string& text) {
  std::string answer;
  caf::scoped_actor self{system};
  coppice::compat::ask(self, child.handle(), 10s, text)
    .receive([&](const std::string& reply) { answer = reply; },
             [&](const caf::error& why) {
               answer = to_string(coppice::from_error(why));
             });
  return answer;
}

} // namespace

int main() {
  coppice::system_config config;
  caf::actor_system system{config};
  auto tree = coppice::supervise(
    system, {.name = "app",
             .children = {{.id = "echo",
                           .start = coppice::spawns(echo),
                           .parking = {.messages_max = 10}}}});
  if (!tree) {
    std::cout << describe(tree.error());
    return 1;
  }
  const auto child = tree->child("/app/echo").value();
  std::cout << ask(system, child, "hello") << '\n'
            << ask(system, child, "crash") << '\n';
  const auto last = ask(system, child, "hello");
  std::cout << last << '\n';
  return last == "hello from life 2" ? 0 : 1;
}
