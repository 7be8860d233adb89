// This file is part of coppice. License: see LICENSE in the source root.

#include "kinds.hpp"
#include "service_acts.hpp"

#include <sstream>
#include <string>
#include <utility>

namespace coppice::tool {

namespace {

using namespace std::chrono_literals;

responder_options responder_from(argument_reader& given) {
  responder_options result;
  result.mean = given
                  .time("mean", {"How long an answer takes, on average."},
                        time_limit{result.mean}, policy::not_negative)
                  .span();
  const auto kind = given.choice(
    "distribution", {"How the times of answers are spread around the mean."},
    {"fixed", "uniform", "exponential", "heavy_tail"}, "exponential");
  result.kind = kind == "fixed"        ? delay_kind::fixed
                : kind == "uniform"    ? delay_kind::uniform
                : kind == "heavy_tail" ? delay_kind::heavy_tail
                                       : delay_kind::exponential;
  result.slow_share
    = given.number("slow_share",
                   {"This share of the requests takes `slow` longer."}, 0.0,
                   {0, 1});
  result.slow = given
                  .time("slow", {"For the unlucky requests."},
                        time_limit{result.slow}, policy::not_negative)
                  .span();
  result.failing = given.number("failing",
                                {"This share of the requests gets a failure."},
                                0.0, {0, 1});
  result.seed
    = given.count("seed", {"Of the times; path and life are added to it."}, 1);
  return result;
}

void make_responder(argument_reader& given, child_spec& child) {
  child.start = spawns(responder, responder_from(given));
  child.isolation = isolation_kind::thread; // it waits inside its handler
}

// -- pool --------------------------------------------------------------------

/// Equal texts mean equal pools.
std::string text_of(const pool_options& pool, const responder_options& each) {
  std::ostringstream out;
  out << pool.workers << ' ' << pool.admission.queue_depth_max << ' '
      << each.mean.count() << ' ' << static_cast<int>(each.kind) << ' '
      << each.slow_share << ' ' << each.slow.count() << ' ' << each.failing
      << ' ' << each.seed;
  return out.str();
}

std::string parent_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

/// A supervisor, whose children get their work from the pool that is made
/// when the first of them starts: a file that is only checked has no pool.
supervisor_spec members_of(pool_options pool, const responder_options& each,
                           const std::shared_ptr<kind_environment>& world) {
  const auto what = text_of(pool, each);
  pool.worker = {.start = spawns(responder, each),
                 .isolation = isolation_kind::thread};
  supervisor_spec result;
  for (std::size_t i = 1; i <= pool.workers; ++i) {
    auto member = pool.worker;
    member.id = "worker-" + std::to_string(i);
    member.start = [=](start_context& context) {
      const auto path = parent_of(context.path());
      auto options = pool;
      options.name = path;
      world->start_member(context, path, what, options, i);
    };
    result.children.push_back(std::move(member));
  }
  return result;
}

void make_pool(argument_reader& given, child_spec& child,
               const std::shared_ptr<kind_environment>& world) {
  pool_options pool;
  pool.workers = given.count("workers", {"Each has a thread of its own."}, 4,
                             {1, 1'000});
  pool.admission.queue_depth_max = static_cast<std::uint32_t>(
    given.count("queue", {"Requests that may wait; more are refused at once."},
                1'000, {1, 1'000'000}));
  child.supervisor = members_of(pool, responder_from(given), world);
}

// -- load --------------------------------------------------------------------

policy::replication_spec spec_of(const std::string& mode, std::size_t targets,
                                 std::uint32_t quorum) {
  using policy::replication_spec;
  const auto n = static_cast<std::uint32_t>(targets);
  if (mode == "race")
    return replication_spec::race(n);
  if (mode == "tied")
    return replication_spec::tied();
  if (mode == "tied_and_hedged")
    return replication_spec::tied_and_hedged({});
  if (mode == "quorum")
    return replication_spec::first_of(quorum, n);
  return replication_spec::hedged();
}

/// What the replicator itself would refuse, in the words of the file.
void check_load(argument_reader& given, const load_options& how,
                const std::string& mode, std::uint64_t quorum) {
  if (given.has_failed())
    return;
  const auto found = std::to_string(how.over.size()) + " of them";
  if (how.over.empty())
    given.refuse("over", "[]", "paths of children, such as \"/app/a\"");
  for (const auto& path : how.over)
    if (!path.starts_with('/') || path.find('/', 1) == std::string::npos)
      given.refuse("over", policy::quoted(path),
                   "the path of a child, such as \"/app/a\"");
  if (mode != "single" && how.over.size() < 2)
    given.refuse("over", found, "at least two, for mode " + mode);
  if (how.over.size() > 64)
    given.refuse("over", found, "at most 64");
  if (mode == "quorum" && quorum > how.over.size())
    given.refuse("quorum", std::to_string(quorum),
                 "at most as many as there are in `over`");
}

void make_load(argument_reader& given, child_spec& child,
               const std::shared_ptr<kind_environment>& world) {
  load_options how;
  how.over = given.texts("over",
                         {"Paths of responders, or of pools: who is asked.",
                          "paths such as \"/app/a\""});
  const auto mode = given.choice(
    "mode",
    {"single: each request to one, in turns; the others by a "
     "replicator."},
    {"single", "race", "hedge", "tied", "tied_and_hedged", "quorum"}, "single");
  const auto quorum = given.count("quorum", {"Answers needed, for that mode."},
                                  2, {1, 64});
  how.rate = given.number("rate", {"Requests per second, at random times."},
                          how.rate, {0.01, 20'000});
  how.deadline = given
                   .time("deadline", {"Of each request."},
                         time_limit{how.deadline}, policy::positive)
                   .span();
  how.report_every = given.time("report_every",
                                {"Prints its figures; infinity: never."},
                                how.report_every, policy::positive_or_infinite);
  how.seed = given.count("seed", {"Of the times between requests."}, 1);
  check_load(given, how, mode, quorum);
  if (mode != "single")
    how.policy = spec_of(mode, how.over.size(),
                         static_cast<std::uint32_t>(quorum));
  child.start = spawns(load, how, world);
}

} // namespace

void register_service_kinds(worker_kinds& kinds,
                            const std::shared_ptr<kind_environment>& world) {
  kinds
    .register_worker("load",
                     "Asks responders or pools, at a rate of its own whether "
                     "answers come or not, and prints how long they take.",
                     [world](argument_reader& given, child_spec& child) {
                       make_load(given, child, world);
                     })
    .register_worker("pool",
                     "A supervisor of equal responders, `worker-1` and so on, "
                     "behind one bounded queue. Ask it by its own path.",
                     [world](argument_reader& given, child_spec& child) {
                       make_pool(given, child, world);
                     })
    .register_worker("responder",
                     "Answers requests, one at a time, after some time each. "
                     "On a thread of its own, unless the file says otherwise.",
                     make_responder);
}

worker_kinds shipped_kinds(std::shared_ptr<kind_environment> world) {
  worker_kinds kinds;
  register_worker_kinds(kinds);
  register_service_kinds(kinds, world);
  register_process_kinds(kinds);
  return kinds;
}

} // namespace coppice::tool
