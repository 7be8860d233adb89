// This file is part of coppice. License: see LICENSE in the source root.

// Shows a generator with a slow start that hangs half way, and is replaced.
//
// Topology:   app (one_for_one)
//             `-- generator   transient: it ends when all numbers are out
//
// You should see the numbers 0 to 2, a stall, and then 0 to 4: the second life
// begins anew. The test of the same worker is tests/coppice/do_work_test.cpp.

#include "coppice/supervise.hpp"
#include "coppice/system_config.hpp"

#include "do_work.hpp"

#include <cstdio>
#include <future>

using namespace std::literals;

int main() {
  coppice::init_types<caf::id_block::do_work>();
  coppice::system_config config;
  caf::actor_system system{config};
  auto printer = system.spawn([](caf::event_based_actor*) -> caf::behavior {
    return {[](int number) {
      std::printf("number %d\n", number);
      std::fflush(stdout);
    }};
  });

  std::promise<void> finished;
  coppice::supervise_options options;
  options.scan_interval = 20ms;
  options.on_event = [&finished](const coppice::supervision_event& event) {
    std::printf("  [%s]\n", to_string(event).c_str());
    std::fflush(stdout);
    if (event.why == coppice::policy::stopped_why::finished)
      finished.set_value();
  };
  const example::work_plan plan{.numbers = {0, 1, 2, 3, 4},
                                .delay = 500ms,
                                .hang_at = 3};
  auto tree = coppice::supervise(
    system,
    {.name = "app",
     .children = {{.id = "generator",
                   .start = coppice::spawns(example::do_work, printer, plan),
                   .restart = coppice::transient,
                   .backoff = {.jitter = coppice::jitter_kind::none},
                   .heartbeat = {.stall_timeout = 300ms}}}},
    options);
  if (!tree)
    return std::puts(describe(tree.error()).c_str()), 1;
  const auto done = finished.get_future().wait_for(30s);
  const auto report = tree->stop(5s);
  caf::anon_send_exit(printer, caf::exit_reason::user_shutdown);
  std::printf("all numbers are out: %s\n",
              done == std::future_status::ready && report.complete ? "yes"
                                                                   : "no");
}
