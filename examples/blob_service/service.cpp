// This file is part of coppice. License: see LICENSE in the source root.

#include "service.hpp"

#include "coppice/ask.hpp"

#include <stdexcept>
#include <utility>

namespace blob_service {

namespace {

using namespace std::chrono_literals;
using coppice::hedge_spec;
using coppice::replication_spec;
using coppice::policy::event_kind;

constexpr const char* root = "/blobs/";

/// A read waits for a disk, and that must not hold the threads that others
/// share.
coppice::pool_options pool_options_of(const std::shared_ptr<replica_site>& site,
                                      const options& how) {
  return {.workers = how.workers,
          .admission = {.queue_depth_max = how.queue},
          .worker = {.start = coppice::spawns(reader, site),
                     .shutdown = 500ms,
                     .heartbeat = {.stall_timeout = 2s},
                     .isolation = coppice::isolation_kind::thread},
          .name = site->name};
}

// --(doc:modes-begin)--
replication_spec spec_of(serving_mode mode, const options& how) {
  auto result = replication_spec::hedged();
  if (mode == serving_mode::race)
    result = replication_spec::race(how.replicas);
  else if (mode == serving_mode::tied)
    result = replication_spec::tied_and_hedged(
      {.trigger = coppice::policy::hedge_trigger::after_start});
  if (mode != serving_mode::race) // which sends to all, or it is none
    result.budget.share = how.budget;
  result.budget.reserve = how.reserve;
  if (!how.sets_aside)
    result.ejection.share_max = 0;
  return result;
}
// --(doc:modes-end)--

/// All replicas hold the same files: what one of them does not have, none has.
bool is_fatal(const coppice::failure& x) {
  return coppice::is_fatal_by_default(x)
         || find(x, failure_classes::no_such_blob) != nullptr;
}

/// CAF 0.17 remembers the actor system per thread, and the system would wait
/// for threads that do not forget it. (Not by a thread_local, which may outlive
/// CAF's own.)
struct visit_to_caf {
  ~visit_to_caf() { coppice::compat::leave_thread(); }
};

} // namespace

service::service(caf::actor_system& system, const options& how,
                 const data_set& data)
  : system_(system), deadline_(how.deadline), mode_(how.mode) {
  make_pools(how, data);
  make_replicators(how);
  grow_tree();
}

service::~service() {
  stop(10s);
}

void service::make_pools(const options& how, const data_set& data) {
  for (std::uint32_t i = 0; i < how.replicas; ++i) {
    const auto site = std::make_shared<replica_site>();
    site->name = replica_name(i);
    site->directory = data.replicas().at(i);
    site->seed = how.seed * 1'000'003 + i * 10'007;
    if (const auto found = how.troubles.find(site->name);
        found != how.troubles.end())
      site->what_befalls = found->second;
    sites_.push_back(site);
    pools_.emplace_back(system_, pool_options_of(site, how));
  }
}

void service::make_replicators(const options& how) {
  for (const auto mode : all_modes) {
    // --(doc:replicator-begin)--
    coppice::replicator_options about{.policy = spec_of(mode, how),
                                      .is_fatal = is_fatal,
                                      .name = to_string(mode)};
    if (mode == serving_mode::off)
      about.unmarked = coppice::unmarked_requests::send_once;
    for (std::size_t i = 0; i < pools_.size(); ++i)
      about.replicas.push_back(
        {.about = {.name = sites_[i]->name,
                   .domain = {.data_path = sites_[i]->directory.string()},
                   .servers = how.workers},
         .handle = pools_[i].handle()});
    fronts_.emplace(mode, coppice::replicator{system_, std::move(about)});
    // --(doc:replicator-end)--
  }
}

void service::grow_tree() {
  coppice::supervisor_spec blobs{.name = "blobs"};
  for (std::size_t i = 0; i < pools_.size(); ++i)
    blobs.children.push_back(pools_[i].child(sites_[i]->name));
  coppice::supervise_options settings;
  settings.on_event = [this](const auto& x) { on_event(x); };
  auto tree = coppice::supervise(system_, std::move(blobs), settings);
  if (!tree)
    throw coppice::failure_error{tree.error()};
  tree_.emplace(std::move(*tree));
}

// --(doc:present-begin)--
void service::on_event(const coppice::supervision_event& x) {
  const auto is_up = x.kind == event_kind::ready;
  const auto is_down = x.kind == event_kind::stopped
                       || x.kind == event_kind::failed
                       || x.kind == event_kind::gave_up;
  for (const auto& site : sites_)
    if ((is_up || is_down) && x.path == root + site->name)
      for (const auto& [mode, front] : fronts_)
        front.set_present(site->name, is_up);
}
// --(doc:present-end)--

const coppice::replicator& service::front(serving_mode x) const {
  return fronts_.at(x);
}

// --(doc:get-begin)--
coppice::outcome<blob> service::get(const std::string& name) {
  const visit_to_caf visit;
  coppice::outcome<blob> result = coppice::failure{};
  const auto mode = mode_.load();
  auto ctx = coppice::context::lasting(deadline_);
  if (mode != serving_mode::off) // who does not say so gets one copy
    ctx = ctx.idempotent();
  caf::scoped_actor self{system_};
  ask(self, ctx, front(mode).handle(), name)
    .receive([&](const blob& x) { result = x; },
             [&](const coppice::failure& why) { result = why; });
  return result;
}
// --(doc:get-end)--

coppice::outcome_of_nothing service::stop_replica(const std::string& name) {
  return tree_->root().terminate_child(name);
}

coppice::outcome_of_nothing service::restart_replica(const std::string& name) {
  const auto result = tree_->root().restart_child(name);
  if (!result)
    return result.error();
  return coppice::done;
}

coppice::replicator_statistics service::statistics(serving_mode x) const {
  return front(x).statistics();
}

coppice::pool_statistics service::pool_of(std::size_t number) const {
  return pools_.at(number).statistics();
}

coppice::stop_report service::stop(coppice::time_limit within) {
  for (const auto& [mode, front] : fronts_)
    front.stop();
  for (const auto& pool : pools_)
    pool.stop();
  return tree_->stop(within);
}

} // namespace blob_service
