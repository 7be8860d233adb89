// This file is part of coppice. License: see LICENSE in the source root.

#include "service_tree.hpp"

#include "indexer.hpp"
#include "service_actors.hpp"

#include <algorithm>
#include <utility>

namespace text_index {

namespace {

using namespace std::chrono_literals;

/// Retries come quickly: what fell over one file will do better with the next.
constexpr coppice::backoff_spec quick_backoff{.first = 5ms, .cap = 100ms};

/// What asks while there is nobody to answer waits here; each worker has one
/// request out.
constexpr coppice::parking_spec room_for_requests{.messages_max = 1'000};

/// In the whole run.
coppice::restart_limits at_most(std::uint64_t restarts) {
  constexpr std::uint64_t most_allowed = 1'000'000'000;
  return {.restarts_max = std::min(restarts, most_allowed),
          .window = coppice::infinity};
}

/// A worker that falls costs its file a strike, and a file has `poison_after`
/// of them. More falls than that are not the fault of the files: then something
/// is broken that no restart will mend.
coppice::restart_limits worker_limits(std::size_t files, const options& how) {
  return at_most(files * how.poison_after + how.workers);
}

/// The others fall once per lease at most, and not much more often than not.
/// (The budget of the root: a fall of all the workers counts as one as well.)
coppice::restart_limits service_limits(std::size_t files, const options& how) {
  return at_most(10 * files * how.poison_after + 10);
}

template <class Actor>
coppice::child_spec service_part_spec(std::string id, service_ptr service) {
  return {.id = std::move(id),
          .start =
            [service = std::move(service)](coppice::start_context& start) {
              start.spawn<Actor>(service);
            },
          .backoff = quick_backoff,
          .parking = room_for_requests};
}

coppice::supervisor_spec index_spec(const service_ptr& service,
                                    const options& how) {
  return {.name = "index",
          .strategy = coppice::one_for_one,
          .limits = service_limits(service->files.files.size(), how),
          .children = {service_part_spec<coordinator>("coordinator", service),
                       service_part_spec<merger>("merger", service)}};
}

coppice::child_spec worker_spec(std::string id, coppice::start_function start,
                                const options& how) {
  return {.id = std::move(id),
          .start = std::move(start),
          .shutdown = 100ms,
          .kill_grace = 100ms,
          .backoff = quick_backoff,
          .heartbeat = {.stall_timeout = how.stall_timeout},
          .isolation = coppice::isolation_kind::thread};
}

coppice::child_spec workers_spec(coppice::start_function start,
                                 std::size_t files, const options& how) {
  coppice::supervisor_spec workers{.limits = worker_limits(files, how)};
  for (std::uint32_t i = 1; i <= how.workers; ++i)
    workers.children.push_back(
      worker_spec("worker-" + std::to_string(i), start, how));
  return {.id = "workers", .supervisor = std::move(workers)};
}

} // namespace

coppice::outcome<coppice::supervision_tree>
start_service(caf::actor_system& system, const service_ptr& service,
              const options& how) {
  coppice::supervise_options settings;
  settings.scan_interval = 20ms;
  settings.abandoned_max = how.abandoned_max;
  settings.seed = how.faults.seed;
  settings.on_event = [service](const coppice::supervision_event& x) {
    service->statistics.on_event(x);
  };
  auto tree = coppice::supervise(system, index_spec(service, how), settings);
  if (!tree)
    return tree;
  // The workers come second: they need references to the other two, which
  // hold across all lives of those.
  const auto coordinator = tree->child("/index/coordinator");
  if (!coordinator)
    return coordinator.error();
  const auto merger = tree->child("/index/merger");
  if (!merger)
    return merger.error();
  const auto start_worker = [service, to = *coordinator,
                             and_to = *merger](coppice::start_context& start) {
    start.spawn<indexer>(service, to, and_to);
  };
  const auto workers = tree->root().start_child(
    workers_spec(start_worker, service->files.files.size(), how));
  if (!workers)
    return workers.error();
  return tree;
}

} // namespace text_index
