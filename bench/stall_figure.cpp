// This file is part of coppice. License: see LICENSE in the source root.

// How late verdicts come while other threads keep all processors busy.

#include "coppice/actors/worker.hpp"
#include "coppice/supervise.hpp"
#include "coppice/system_config.hpp"

#include "figure.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <random>
#include <thread>

namespace figures {

namespace {

using namespace std::literals;
using namespace coppice;

constexpr auto timeout = 300ms;
constexpr auto interval = 100ms;

/// One thread more than there are processors, computing.
class crowd {
public:
  crowd() {
    for (auto i = 0u; i <= std::thread::hardware_concurrency(); ++i)
      threads_.emplace_back([this] {
        while (!stop_.load(std::memory_order_relaxed)) {}
      });
  }
  ~crowd() {
    stop_ = true;
    for (auto& thread : threads_)
      thread.join();
  }
  crowd(const crowd&) = delete;
  crowd& operator=(const crowd&) = delete;

private:
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
};

double ms(duration x) {
  return std::chrono::duration<double, std::milli>{x}.count();
}

// -- the watchdog alone ------------------------------------------------------

/// Delays of `count` verdicts about lives that fell silent one by one.
samples of_watchdog(std::size_t count) {
  watchdog dog{{.scan_interval = interval}};
  std::mutex mutex;
  samples delays;
  std::promise<void> done;
  std::vector<clock::time_point> last(count);
  const auto owner = dog.add_owner([&](const watch_notice& x) {
    const auto now = clock::now();
    if (x.what != watch_notice::kind::stalled)
      return;
    const std::lock_guard guard{mutex};
    delays.push_back(ms(now - (last[x.life.key] + timeout)));
    if (delays.size() == count)
      done.set_value();
  });
  std::vector<slot_id> slots;
  std::mt19937 random{1};
  std::uniform_int_distribution<int> pause{0, 2'000};
  for (std::size_t i = 0; i < count; ++i) {
    const auto slot = dog.acquire();
    slots.push_back(slot);
    auto writer = dog.writer(slot);
    dog.watch(slot, owner, {static_cast<std::uint32_t>(i), 1},
              {.stall_timeout = timeout}, false, clock::now());
    {
      const std::lock_guard guard{mutex};
      last[i] = clock::now();
      writer.begin_work();
    }
    std::this_thread::sleep_for(std::chrono::microseconds{pause(random)});
  }
  done.get_future().wait();
  dog.remove_owner(owner);
  for (const auto slot : slots) {
    dog.release_writer(slot);
    dog.unwatch(slot);
  }
  return delays;
}

// -- a whole tree ------------------------------------------------------------

/// Each child gets one message, in whose handler it hangs until it is asked to
/// stop; it is temporary, so that it stays away.
samples of_tree(std::size_t count) {
  system_config config{2};
  caf::actor_system system{config};
  std::mutex mutex;
  samples delays;
  std::promise<void> done;
  std::vector<clock::time_point> last(count);
  supervisor_spec spec{.name = "figures"};
  for (std::size_t i = 0; i < count; ++i)
    spec.children.push_back(
      {.id = std::to_string(i),
       .start = spawns([i, &last](worker* self) -> caf::behavior {
         return {[=, &last](caf::tick_atom) {
           last[i] = clock::now();
           self->beat();
           while (!self->cancelled())
             std::this_thread::sleep_for(1ms);
         }};
       }),
       .restart = temporary,
       .heartbeat = {.stall_timeout = timeout},
       .isolation = isolation_kind::thread});
  supervise_options options{{.scan_interval = interval}};
  options.on_event = [&](const supervision_event& x) {
    if (x.kind != event_kind::stalled)
      return;
    const auto index = std::stoul(x.path.substr(x.path.rfind('/') + 1));
    const std::lock_guard guard{mutex};
    delays.push_back(ms(x.at - (last[index] + timeout)));
    if (delays.size() == count)
      done.set_value();
  };
  auto tree = supervise(system, std::move(spec), std::move(options));
  if (!tree)
    std::abort();
  std::mt19937 random{1};
  std::uniform_int_distribution<int> pause{0, 2'000};
  const auto lines = tree->root().which_children(1min).value();
  for (const auto& line : lines) {
    compat::post(line.actor, caf::tick_atom_v);
    std::this_thread::sleep_for(std::chrono::microseconds{pause(random)});
  }
  done.get_future().wait();
  tree->stop(10s);
  return delays;
}

void add(table& out, const std::string& who, const samples& delays) {
  // One population: the quantiles are the figures.
  const std::pair<const char*, double> shares[]
    = {{"p50", 0.5}, {"p99", 0.99}, {"max", 1.0}};
  for (const auto& [name, share] : shares) {
    figure line{who + ", " + name, "ms", {quantile(delays, share)}};
    if (share == 0.99)
      line.target = ms(interval);
    out.add(std::move(line));
  }
  const auto early = std::ranges::count_if(delays,
                                           [](double x) { return x < 0; });
  out.add(
    {who + ", too early", "verdicts", {static_cast<double>(early)}, {}, 0.0});
}

} // namespace

void stall_figures(table& out, const settings& how) {
  const crowd busy;
  samples alone;
  samples whole;
  for (std::size_t i = 0; i < how.rounds; ++i) {
    std::ranges::copy(of_watchdog(how.of(1'000)), std::back_inserter(alone));
    std::ranges::copy(of_tree(how.of(100)), std::back_inserter(whole));
  }
  add(out, "verdict of the watchdog after its time (interval 100 ms)", alone);
  add(out, "verdict of the supervisor, likewise", whole);
}

} // namespace figures
