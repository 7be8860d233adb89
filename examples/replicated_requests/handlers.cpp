// This file is part of coppice. License: see LICENSE in the source root.

#include "handlers.hpp"

#include "../common/pause.hpp"

#include <cstdio>
#include <random>
#include <string>

namespace example {

void work_log::add(const work_done& x) {
  const std::lock_guard lock{guard_};
  if (x.finished)
    std::printf("#%d took %.3f s\n", x.handler, x.took.count());
  else
    std::printf("#%d would have taken %.3f s, was called off after %.3f s\n",
                x.handler, x.load.count(), x.took.count());
  std::fflush(stdout);
  done_.push_back(x);
}

std::vector<work_done> work_log::all() const {
  const std::lock_guard lock{guard_};
  return done_;
}

// --(doc:handler-begin)--
caf::behavior handler(coppice::worker* self, int number, load_spec how,
                      std::shared_ptr<work_log> log) {
  std::mt19937_64 random{how.seed * 1'000 + static_cast<unsigned>(number)};
  std::uniform_real_distribution<double> one_to_five{1, 5};
  const auto load = seconds{one_to_five(random) / how.scale};
  return {coppice::handles(self, [=](const coppice::context& ctx,
                                     const std::string&) {
    const auto begin = std::chrono::steady_clock::now();
    const auto span = std::chrono::duration_cast<coppice::duration>(load);
    const auto finished = pause(self, ctx, span); // processor, disk, network
    log->add({.handler = number,
              .load = load,
              .took = std::chrono::steady_clock::now() - begin,
              .finished = finished});
    return number; // of use to nobody if it was called off
  })};
}
// --(doc:handler-end)--

} // namespace example
