// This file is part of coppice. License: see LICENSE in the source root.

// Restarts of whole groups: is the time per child the same for many?

#include "coppice/actors/worker.hpp"
#include "coppice/supervise.hpp"
#include "coppice/system_config.hpp"

#include "figure.hpp"

#include <atomic>
#include <cstdlib>

namespace figures {

namespace {

using namespace std::literals;
using namespace coppice;

/// The last child of a group is the last one to be ready again.
struct lookout {
  std::atomic<std::promise<void>*> waiting{nullptr};

  void last_is_up() {
    if (auto* promise = waiting.exchange(nullptr))
      promise->set_value();
  }
};

class group {
public:
  group(caf::actor_system& system, std::size_t count) : count_(count) {
    supervisor_spec inner{.strategy = one_for_all,
                          .limits = {.restarts_max = infinity}};
    for (std::size_t i = 0; i < count; ++i) {
      const auto is_last = i + 1 == count;
      inner.children.push_back(
        {.id = std::to_string(i),
         .start =
           [this, is_last](start_context& context) {
             context.spawn([this, is_last](worker*) -> caf::behavior {
               if (is_last)
                 lookout_.last_is_up();
               return {[](int x) { return x; }};
             });
           },
         .backoff = {.first = time_limit{duration{0}},
                     .reset_after = time_limit{duration{0}}}});
    }
    auto tree = supervise(system,
                          {.name = "figures",
                           .children = {{.id = "group", .supervisor = inner}}});
    if (!tree)
      std::abort();
    tree_.emplace(std::move(*tree));
  }

  /// From the kill of a child in the middle. Unit: us.
  double restart_per_child() {
    const auto inner = tree_->supervisor("/figures/group").value();
    const auto child = inner.get_child(std::to_string(count_ / 2), 1min);
    std::promise<void> up;
    auto done = up.get_future();
    lookout_.waiting = &up;
    const stopwatch watch;
    compat::post(child.value().actor,
                 caf::exit_msg{nullptr,
                               caf::make_error(caf::exit_reason::kill)});
    done.wait();
    return watch.read().wall / 1e3 / static_cast<double>(count_);
  }

private:
  std::size_t count_;
  lookout lookout_;
  std::optional<supervision_tree> tree_;
};

} // namespace

void group_figures(table& out, const settings& how) {
  system_config config{2};
  caf::actor_system system{config};
  group small{system, how.of(2'000)};
  group large{system, how.of(200'000)};
  figure line{
    "one_for_all, per child: 200,000 beside 2,000", "us", {}, {}, 2.0};
  for (std::size_t i = 0; i <= how.rounds; ++i) {
    const auto many = large.restart_per_child();
    samples few;
    for (auto n = 0; n < 11; ++n)
      few.push_back(small.restart_per_child());
    if (i == 0)
      continue; // warm-up
    line.ours.push_back(many);
    line.base.push_back(median(few));
  }
  out.add(std::move(line));
}

} // namespace figures
