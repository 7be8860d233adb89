// This file is part of coppice. License: see LICENSE in the source root.

// Serves files over HTTP, and races reads over replicas of them.
//
// Topology:   blobs (one_for_one)
//             |-- a              a pool of readers, with a directory of its own
//             |   |-- worker-1   a thread each
//             |   `-- ...
//             |-- b
//             `-- c
//
// Run:        ./blob_service --slow=a:100ms:0.05
//             curl http://127.0.0.1:8080/blob/blob-1
//             curl -X POST 'http://127.0.0.1:8080/mode?set=off'
//             ./blob_service --help
//
// You should see a line per second: how long requests take, and what the
// replication costs. README.md shows it under load.

#include "coppice/system_config.hpp"

#include "data_set.hpp"
#include "figures.hpp"
#include "http_front.hpp"
#include "options.hpp"
#include "self_test.hpp"
#include "service.hpp"

#include <csignal>
#include <cstdio>
#include <exception>

namespace {

using namespace blob_service;
using namespace std::chrono_literals;

sigset_t ours() {
  sigset_t result;
  sigemptyset(&result);
  sigaddset(&result, SIGINT);
  sigaddset(&result, SIGTERM);
  return result;
}

/// Until somebody ends it: a line per second.
void wait_for_signal(const service& of, traffic& seen) {
  const auto signals = ours();
  const timespec second{1, 0};
  live_line line;
  while (sigtimedwait(&signals, nullptr, &second) < 0) {
    std::puts(line.next(of, seen).c_str());
    std::fflush(stdout);
  }
}

int serve(const options& how) {
  coppice::system_config config;
  caf::actor_system system{config};
  const data_set data{how};
  service blobs{system, how, data};
  traffic seen;
  http_front http{blobs, seen, how};
  std::printf("%zu blobs at http://%s:%d/blob/%s ..., mode %s\n",
              data.names().size(), how.address.c_str(), http.port(),
              data.names().front().c_str(), to_string(how.mode));
  std::fflush(stdout);
  wait_for_signal(blobs, seen);
  const auto signals = ours(); // a second one ends the process as it is
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  http.stop();
  const auto report = blobs.stop(10s);
  std::puts(report.complete && report.left.empty() ? "stopped in order"
                                                   : "not all has stopped");
  return report.complete ? all_is_well : failed;
}

} // namespace

int main(int argc, char** argv) {
  const auto parsed = parse_options(argc, argv);
  if (const auto* status = std::get_if<int>(&parsed))
    return *status;
  const auto& how = std::get<options>(parsed);
  const auto signals = ours(); // before there are threads that would get them
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  coppice::init_types<caf::id_block::blob_service>();
  try {
    return how.self_test ? self_test(how) : serve(how);
  } catch (const coppice::failure_error& e) {
    std::fprintf(stderr, "blob_service: %s", describe(e.get()).c_str());
  } catch (const std::exception& e) {
    std::fprintf(stderr, "blob_service: %s\n", e.what());
  }
  return failed;
}
