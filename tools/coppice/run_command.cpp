// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/system_config.hpp"

#include "commands.hpp"
#include "exit_codes.hpp"
#include "kind_messages.hpp"
#include "kinds.hpp"
#include "run_session.hpp"
#include "signals.hpp"
#include "topology_report.hpp"

#include <termios.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>

namespace coppice::tool {

namespace {

/// Whoever closes the terminal means the end; others mean the file.
run_order order_of(int signal, bool had_terminal) {
  termios ignored{};
  const auto is_gone = had_terminal && tcgetattr(STDOUT_FILENO, &ignored) != 0;
  return signal == SIGHUP && !is_gone ? run_order::reload : run_order::stop;
}

int run_tree(const run_request& x, topology what, run_inbox& inbox,
             const worker_kinds& kinds,
             const std::shared_ptr<kind_environment>& world) {
  init_types<caf::id_block::coppice_tool>();
  system_config config;
  caf::actor_system system{config};
  auto status = exit_codes::clean;
  {
    run_session session{x, inbox, world, kinds};
    status = session.run(std::move(what), system);
    // A handler that never returns keeps its thread, and the actor system would
    // wait for it: leave without waiting.
    if (session.holds_threads()) {
      session.leave();
      std::fflush(nullptr);
      std::quick_exit(status);
    }
  }
  return status;
}

} // namespace

int execute(const run_request& x) {
  const auto world = std::make_shared<kind_environment>();
  const auto kinds = shipped_kinds(world);
  auto loaded = load_topology(x.file, kinds);
  if (!loaded) {
    print_defects(x.file, loaded.defects());
    return exit_codes::bad_file;
  }
  run_inbox inbox;
  const signals taken{
    [&inbox, had_terminal = isatty(STDOUT_FILENO) != 0](int signal) {
      inbox.put(order_of(signal, had_terminal));
    }};
  return run_tree(x, std::move(loaded.value()), inbox, kinds, world);
}

} // namespace coppice::tool
