// This file is part of coppice. License: see LICENSE in the source root.

// What messages cost: to a worker, and through a child reference.

#include "coppice/actors/worker.hpp"
#include "coppice/supervise.hpp"
#include "coppice/system_config.hpp"

#include "figure.hpp"

#include <cstdlib>

namespace figures {

namespace {

using namespace coppice;

struct counter {
  std::size_t left = 0;
  std::promise<void>* done = nullptr;

  void one_more() {
    if (--left == 0)
      done->set_value();
  }
};

template <class Self>
caf::behavior consumer(Self*, counter* what) {
  return {[=](caf::tick_atom) { what->one_more(); }, [](int x) { return x; }};
}

/// Sends requests, each after the answer to the one before.
caf::behavior asker(caf::event_based_actor* self) {
  struct rounds {
    caf::event_based_actor* self;
    caf::actor to;
    std::promise<void>* done;

    void next(std::size_t left) {
      if (left == 0) {
        done->set_value();
        self->quit();
        return;
      }
      compat::ask(self, to, std::chrono::minutes{1}, 1).then([this, left](int) {
        next(left - 1);
      });
    }
  };
  auto what = std::make_shared<rounds>(rounds{self, {}, nullptr});
  return {[=](caf::put_atom, const caf::actor& to, std::uint64_t count,
              std::uint64_t done) {
    what->to = to;
    what->done = reinterpret_cast<std::promise<void>*>(done); // this process
    what->next(count);
  }};
}

spent send(const caf::actor& to, counter& what, std::size_t count) {
  std::promise<void> promise;
  auto done = promise.get_future();
  what = {count, &promise};
  const stopwatch watch;
  for (std::size_t i = 0; i < count; ++i)
    compat::post(to, caf::tick_atom_v);
  done.wait();
  return watch.read();
}

spent ask(caf::actor_system& system, const caf::actor& to, std::size_t count) {
  std::promise<void> promise;
  auto done = promise.get_future();
  const auto self = system.spawn(asker);
  const stopwatch watch;
  compat::post(self, caf::put_atom_v, to, std::uint64_t{count},
               reinterpret_cast<std::uint64_t>(&promise));
  done.wait();
  return watch.read();
}

} // namespace

void message_figures(table& out, const settings& how) {
  system_config config{2};
  caf::actor_system system{config};
  counter of_worker;
  counter of_plain;
  auto tree = supervise(
    system, {.name = "figures",
             .children = {{.id = "worker",
                           .start = spawns(consumer<worker>, &of_worker)}}});
  if (!tree)
    std::abort();
  const auto ref = tree->child("/figures/worker").value();
  const auto life = ref.current_life();
  const auto plain = system.spawn(consumer<caf::event_based_actor>, &of_plain);
  const auto count = how.of(300'000);
  const auto scale = static_cast<double>(count);
  enum { flat_worker, flat_ref, ask_worker, ask_ref, cases };
  figure lines[cases] = {
    {.what = "message to a worker, beside a plain actor, CPU time",
     .unit = "ns"},
    {.what = "message through a child reference, beside the worker's handle, "
             "CPU time",
     .unit = "ns"},
    {.what = "request to a worker and its answer, beside a plain actor",
     .unit = "ns"},
    {.what = "request through a child reference, beside the worker's handle",
     .unit = "ns"}};
  for (std::size_t i = 0; i <= how.rounds; ++i) {
    const auto a = send(life, of_worker, count).cpu / scale;
    const auto b = send(plain, of_plain, count).cpu / scale;
    const auto c = send(ref.handle(), of_worker, count).cpu / scale;
    const auto d = ask(system, life, count).wall / scale;
    const auto e = ask(system, plain, count).wall / scale;
    const auto f = ask(system, ref.handle(), count).wall / scale;
    if (i == 0)
      continue; // warm-up
    const auto add = [](figure& line, double ours, double base) {
      line.ours.push_back(ours);
      line.base.push_back(base);
    };
    add(lines[flat_worker], a, b);
    add(lines[flat_ref], c, a);
    add(lines[ask_worker], d, e);
    add(lines[ask_ref], f, d);
  }
  for (auto& line : lines)
    out.add(std::move(line));
}

} // namespace figures
