// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/actors/pool_options.hpp"

#include "coppice/policy/spec_section.hpp"

#include <iterator>

namespace coppice {

namespace {

void check_count(const policy::spec_section& at, const char* field,
                 std::size_t x, std::size_t max) {
  if (x < 1 || x > max)
    at.defect(field, std::to_string(x),
              "a number from 1 to " + std::to_string(max));
}

policy::spec_defects defects_of_worker(const pool_options& options,
                                       const std::string& where) {
  auto worker = options.worker;
  worker.id = "worker-1";
  auto found = policy::validate(worker, supervisor_spec{}, where);
  if (worker.supervisor)
    found.push_back({where + ".supervisor", "a supervisor",
                     "a worker, whose start function spawns an actor"});
  return found;
}

} // namespace

policy::spec_defects validate(const pool_options& options,
                              const std::string& where) {
  policy::spec_defects found;
  const auto add = [&found](policy::spec_defects more) {
    found.insert(found.end(), std::make_move_iterator(more.begin()),
                 std::make_move_iterator(more.end()));
  };
  const policy::spec_section at{found, where};
  check_count(at, ".workers", options.workers, 1'000);
  check_count(at, ".concurrency", options.concurrency, 10'000);
  at.name(".dispatch", options.dispatch, policy::dispatch_kind::by_key);
  add(policy::validate(options.admission, where + ".admission"));
  if (!options.worker.id.empty())
    at.defect(".worker.id", policy::quoted(options.worker.id),
              "nothing: the pool numbers its workers");
  add(defects_of_worker(options, where + ".worker"));
  // The template stands for the supervisor: only its own limits are new.
  add(policy::validate(
    supervisor_spec{.name = "pool", .limits = options.limits}, where));
  const auto by_key = options.dispatch == policy::dispatch_kind::by_key;
  if (by_key && !options.key_of)
    at.defect(".key_of", "nothing",
              "a function that gives the key of a request, because `dispatch` "
              "is by_key");
  if (!by_key && options.key_of)
    at.defect(".key_of", "a function",
              "nothing, unless `dispatch` is by_key: nobody would call it");
  return found;
}

} // namespace coppice
