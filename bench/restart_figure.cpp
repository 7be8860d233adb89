// This file is part of coppice. License: see LICENSE in the source root.

// From the end of a life until its replacement handles the first message.

#include "coppice/actors/worker.hpp"
#include "coppice/supervise.hpp"
#include "coppice/system_config.hpp"

#include "figure.hpp"

#include <cstdlib>
#include <stdexcept>

namespace figures {

namespace {

using namespace coppice;

enum class end_by { kill, exception };

/// Life after life of one child: each handles one message, notes the time
/// since its predecessor's end was begun, and ends.
struct chain {
  end_by how;
  std::size_t left = 0;
  clock::time_point begun{};
  samples latencies{};
  std::promise<void> done{};

  void handled(caf::event_based_actor* self) {
    if (left == 0)
      return; // the first life, or the last
    if (begun != clock::time_point{})
      latencies.push_back(
        std::chrono::duration<double, std::micro>{clock::now() - begun}
          .count());
    if (--left == 0) {
      done.set_value();
      return;
    }
    begun = clock::now();
    if (how == end_by::exception)
      throw std::runtime_error("on purpose");
    compat::post_urgent(caf::actor_cast<caf::strong_actor_ptr>(self),
                        caf::exit_msg{self->address(),
                                      caf::make_error(caf::exit_reason::kill)});
  }

  /// Runs `count` restarts that begin with a message to the current life.
  double median_of(std::size_t count, const caf::actor& life) {
    done = {};
    latencies.clear();
    begun = {};
    left = count + 1;
    auto ready = done.get_future();
    compat::post(life, caf::tick_atom_v);
    ready.wait();
    return median(latencies);
  }
};

// -- by hand -----------------------------------------------------------------

caf::behavior child_by_hand(caf::event_based_actor* self, chain* what) {
  compat::on_exception(self, [](std::exception_ptr& e) {
    try {
      std::rethrow_exception(e);
    } catch (const std::exception& x) {
      return caf::make_error(caf::sec::runtime_error, std::string{x.what()});
    } catch (...) {
      return caf::make_error(caf::sec::runtime_error);
    }
  });
  return {[=](caf::tick_atom) { what->handled(self); }};
}

class restarter : public caf::event_based_actor {
public:
  restarter(caf::actor_config& cfg, chain* what)
    : caf::event_based_actor(cfg),
      what_(what),
      downs_(this, [this](const caf::actor_addr& who, const caf::error&) {
        if (child_ == who)
          start();
      }) {}

  caf::behavior make_behavior() override {
    start();
    return {[this](caf::get_atom) { return child_; },
            [this](caf::delete_atom) {
              compat::exit_now(this, std::exchange(child_, nullptr),
                               caf::exit_reason::kill);
              quit();
            }};
  }

private:
  void start() {
    child_ = spawn(child_by_hand, what_);
    downs_.watch(child_);
    compat::tell(this, child_, caf::tick_atom_v);
  }

  chain* what_;
  compat::down_hub downs_;
  caf::actor child_;
};

// -- supervised --------------------------------------------------------------

caf::behavior child_of_coppice(worker* self, chain* what) {
  return {[=](caf::tick_atom) { what->handled(self); }};
}

child_spec child_for(std::string id, chain& what) {
  return {.id = std::move(id),
          .start =
            [&what](start_context& context) {
              compat::post(context.spawn(child_of_coppice, &what),
                           caf::tick_atom_v);
            },
          .backoff = {.first = time_limit{duration{0}},
                      .reset_after = time_limit{duration{0}}}};
}

void compare(table& out, const settings& how, std::string name, end_by ends,
             std::optional<double> target) {
  system_config config{2};
  caf::actor_system system{config};
  chain ours{ends};
  chain theirs{ends};
  auto tree = supervise(
    system, {.name = "figures",
             .children = {{.id = "inner",
                           .supervisor = supervisor_spec{
                             .limits = {.restarts_max = infinity},
                             .children = {child_for("child", ours)}}}}});
  if (!tree)
    std::abort();
  const auto hub
    = caf::actor_cast<caf::actor>(system.spawn<restarter>(&theirs));
  figure line{std::move(name), "us", {}, {}, target};
  const auto inner = tree->supervisor("/figures/inner").value();
  const auto count = how.of(4'000);
  for (std::size_t i = 0; i <= how.rounds; ++i) {
    const auto life = inner.get_child("child").value().actor;
    const auto a = ours.median_of(count, life);
    caf::actor other;
    {
      caf::scoped_actor self{system};
      compat::ask(self, hub, std::chrono::minutes{1}, caf::get_atom_v)
        .receive([&](const caf::actor& x) { other = x; },
                 [](const caf::error&) { std::abort(); });
    }
    const auto b = theirs.median_of(count, other);
    if (i == 0)
      continue; // warm-up
    line.ours.push_back(a);
    line.base.push_back(b);
  }
  compat::post(hub, caf::delete_atom_v);
  out.add(std::move(line));
}

} // namespace

void restart_figures(table& out, const settings& how) {
  compare(out, how, "restart after a kill, until its first message is handled",
          end_by::kill, 1.5);
  compare(out, how, "restart after an exception, likewise", end_by::exception,
          {});
}

} // namespace figures
