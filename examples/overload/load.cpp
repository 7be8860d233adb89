// This file is part of coppice. License: see LICENSE in the source root.

#include "load.hpp"

#include "coppice/actors/worker.hpp"
#include "coppice/ask.hpp"

#include <algorithm>
#include <future>
#include <memory>
#include <random>
#include <stdexcept>
#include <thread>

using namespace std::literals;

namespace example {

namespace {

using clock = std::chrono::steady_clock;

/// All users of one run: each `tick` is another one.
struct users {
  caf::actor service;
  load_options how;
  load_result result{};
  std::uint64_t waiting = 0;
  bool closed = false;
  std::promise<load_result> done{};

  void one_is_done() {
    --waiting;
    finish_if_all_are();
  }

  void finish_if_all_are() {
    if (closed && waiting == 0)
      done.set_value(std::move(result));
  }

  void served(clock::time_point begin, const coppice::context& ctx) {
    if (!ctx.is_over()) {
      ++result.good;
      result.latencies.push_back(milliseconds{clock::now() - begin}.count());
    }
    one_is_done();
  }

  void failed(const coppice::failure& why) {
    const auto reason = why.misc.find("reason");
    ++result.failures[reason != why.misc.end() ? reason->second
                                               : why.failure_class];
    one_is_done();
  }
};

caf::behavior crowd(caf::event_based_actor* self, std::shared_ptr<users> us) {
  return {[=](caf::tick_atom) {
            ++us->result.offered;
            ++us->waiting;
            const auto begin = clock::now();
            const auto ctx = coppice::context::lasting(us->how.deadline);
            ask(self, ctx, us->service, 1)
              .then([=](int) { us->served(begin, ctx); },
                    [=](const coppice::failure& why) { us->failed(why); });
          },
          [=](caf::ok_atom) { // nobody else comes
            us->closed = true;
            us->finish_if_all_are();
          }};
}

/// Sends them in at random times; if it is late it does not forget anybody.
void arrive(const caf::actor& crowd, double per_second,
            const load_options& how) {
  std::mt19937_64 random{how.seed};
  std::exponential_distribution<double> gap{per_second};
  const auto end = clock::now()
                   + std::chrono::duration_cast<clock::duration>(how.length);
  auto next = clock::now();
  for (;;) {
    next += std::chrono::duration_cast<clock::duration>(
      std::chrono::duration<double>{gap(random)});
    if (next >= end)
      break;
    std::this_thread::sleep_until(next);
    coppice::compat::post(crowd, caf::tick_atom_v);
  }
  coppice::compat::post(crowd, caf::ok_atom_v);
}

} // namespace

double load_result::goodput(const load_options& how) const {
  return static_cast<double>(good) / how.length.count();
}

double load_result::median_latency() const {
  if (latencies.empty())
    return 0.0;
  auto sorted = latencies;
  const auto middle = sorted.begin()
                      + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::ranges::nth_element(sorted, middle);
  return *middle;
}

caf::behavior server(caf::event_based_actor*, load_options how) {
  auto random = std::make_shared<std::mt19937_64>(how.seed);
  return {[=](const coppice::context&, int question) {
    std::exponential_distribution<double> time{1.0 / how.service.count()};
    std::this_thread::sleep_for(milliseconds{time(*random)});
    return question;
  }};
}

double capacity_of(caf::actor_system& system, const load_options& how) {
  const auto one = system.spawn<caf::detached>(server, how);
  caf::scoped_actor self{system};
  const auto forever = coppice::context::without_deadline();
  constexpr int outstanding = 4;
  const auto count = std::max(100, static_cast<int>(how.length.count() * 1e3
                                                    / how.service.count()));
  const auto begin = clock::now();
  for (int i = 0; i < count; i += outstanding) {
    std::vector<decltype(ask(self, forever, one, 1))> batch;
    for (int k = 0; k < outstanding; ++k)
      batch.push_back(ask(self, forever, one, 1));
    for (auto& x : batch)
      std::move(x).receive([](int) {},
                           [](const coppice::failure& why) {
                             throw std::runtime_error(to_string(why));
                           });
  }
  const std::chrono::duration<double> took = clock::now() - begin;
  caf::anon_send_exit(one, caf::exit_reason::kill);
  return static_cast<double>(count) / took.count();
}

load_result offer(caf::actor_system& system, const caf::actor& service,
                  double per_second, const load_options& how) {
  auto us = std::make_shared<users>(
    users{.service = service, .how = how, .result = {}, .done = {}});
  auto done = us->done.get_future();
  const auto everybody = system.spawn(crowd, us);
  arrive(everybody, per_second, how);
  auto result = done.get();
  caf::anon_send_exit(everybody, caf::exit_reason::user_shutdown);
  return result;
}

load_result without_admission(caf::actor_system& system, double per_second,
                              const load_options& how) {
  const auto one = system.spawn<caf::detached>(server, how);
  auto result = offer(system, one, per_second, how);
  caf::anon_send_exit(one, caf::exit_reason::kill);
  return result;
}

load_result with_admission(caf::actor_system& system, double per_second,
                           const load_options& how) {
  // --(doc:overload_pool-begin)--
  coppice::worker_pool pool{system,
                            {.workers = 1,
                             .worker
                             = {.start = coppice::spawns(server, how),
                                .isolation = coppice::isolation_kind::thread}}};
  auto tree = coppice::supervise(system, {.name = "app",
                                          .children = {pool.child("disk")}});
  // --(doc:overload_pool-end)--
  if (!tree)
    throw coppice::failure_error{tree.error()};
  auto result = offer(system, pool.handle(), per_second, how);
  pool.stop();
  tree->stop(5s);
  return result;
}

} // namespace example
