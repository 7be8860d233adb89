// This file is part of coppice. License: see LICENSE in the source root.

// Indexes the words of real files by workers that crash, hang and are killed,
// and shows that the index comes out as if nothing had happened.
//
// Topology:   index (one_for_one)
//             |-- coordinator   hands out the files
//             |-- merger        counts what comes back
//             `-- workers       (one_for_one)
//                 |-- worker-1  a thread each
//                 `-- ...
//
// Run:        ./text_index --fault-rate=0.05 --poison=3
//             ./text_index --help
//
// You should see a table at the end, and "index equal".
//
// How no file gets lost, and none is counted twice: what must survive is in
// one place outside of the tree, `index_store`. Work is given out by leases; a
// lease names the life that holds it, and is taken back when the next life of
// that worker asks for work. Counting a file and ending its lease is one step,
// so that the result of a life that was given up, and came to itself later,
// finds no lease and is refused.

#include "coppice/system_config.hpp"

#include "interrupts.hpp"
#include "options.hpp"
#include "report.hpp"
#include "service.hpp"
#include "service_tree.hpp"

#include <cstdio>
#include <cstdlib>
#include <memory>

namespace {

using namespace text_index;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

/// Returns when all files are done, or when the user or the tree ends it.
run_result run(coppice::supervision_tree& tree, const service& of,
               const interrupts& signals, const options& how) {
  progress_line line{of};
  run_result result;
  const auto start = steady_clock::now();
  while (!of.store.wait_until_finished(50ms) && !signals.requested()
         && !tree.has_ended())
    line.show();
  line.finish();
  const auto end = steady_clock::now();
  result.took = end - start;
  result.was_interrupted = signals.requested();
  if (!tree.has_ended())
    result.stop = tree.stop(how.stop_within);
  result.stop_took = steady_clock::now() - end;
  return result;
}

/// The status of the process, from how it went.
int verdict(coppice::supervision_tree& tree, const service& of,
            const run_result& run, const options& how) {
  print_table(of, run);
  if (const auto end = tree.wait(0s); end && *end) {
    std::fprintf(stderr, "the tree gave up: %s", describe(**end).c_str());
    return index_differs;
  }
  if (run.was_interrupted)
    return was_interrupted;
  return !how.check || check_index(of) ? all_is_well : index_differs;
}

int run_service(const options& how, corpus files, const interrupts& signals) {
  const auto shared = std::make_shared<service>(std::move(files), how);
  coppice::init_types<caf::id_block::text_index>();
  coppice::system_config config{2}; // the workers have threads of their own
  caf::actor_system system{config};
  auto tree = start_service(system, shared, how);
  if (!tree) {
    std::fprintf(stderr, "text_index: %s", describe(tree.error()).c_str());
    return index_differs;
  }
  const auto result = run(*tree, *shared, signals, how);
  const auto status = verdict(*tree, *shared, result, how);
  // A handler that never returns keeps its thread, and the actor system would
  // wait for it: leave without waiting.
  if (!tree->abandoned().empty() || !tree->has_ended()) {
    std::fflush(nullptr);
    std::quick_exit(status);
  }
  return status;
}

} // namespace

int main(int argc, char** argv) {
  const auto parsed = parse_options(argc, argv);
  if (const auto* status = std::get_if<int>(&parsed))
    return *status;
  const auto& how = std::get<options>(parsed);
  const interrupts signals;
  auto files = list_files(how.directories, how.files_max);
  if (how.faults.poison > files.files.size()) {
    std::fprintf(stderr, "--poison: '%u' is more than there are files, %zu\n",
                 how.faults.poison, files.files.size());
    return bad_usage;
  }
  return run_service(how, std::move(files), signals);
}
