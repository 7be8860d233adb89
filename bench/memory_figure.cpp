// This file is part of coppice. License: see LICENSE in the source root.

// What an idle child takes, in memory and in the watchdog's time. Each case
// runs in a process of its own.

#include "coppice/actors/worker.hpp"
#include "coppice/supervise.hpp"
#include "coppice/system_config.hpp"

#include "figure.hpp"

#include <malloc.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

namespace figures {

namespace {

using namespace std::literals;
using namespace coppice;

std::atomic<std::size_t> initialised{0};

double resident_bytes() {
  malloc_trim(0);
  std::ifstream statm{"/proc/self/statm"};
  double total = 0;
  double resident = 0;
  statm >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

void await(std::size_t count) {
  while (initialised < count)
    std::this_thread::sleep_for(1ms);
  std::this_thread::sleep_for(200ms);
}

/// CPU time of the thread of that name. Unit: ns.
double cpu_of_thread(const std::string& name) {
  for (const auto& task :
       std::filesystem::directory_iterator{"/proc/self/task"}) {
    std::string comm;
    std::getline(std::ifstream{task.path() / "comm"}, comm);
    if (comm != name)
      continue;
    double result = 0;
    std::ifstream{task.path() / "schedstat"} >> result;
    return result;
  }
  std::abort();
}

// -- by hand -----------------------------------------------------------------

caf::behavior child_by_hand(caf::event_based_actor*) {
  ++initialised;
  return {[](int x) { return x; }};
}

void report(const char* what, double value) {
  std::printf("%s %.3f\n", what, value);
}

int by_hand(caf::actor_system& system, std::size_t count) {
  std::vector<caf::actor> children;
  children.reserve(count);
  const auto before = resident_bytes();
  for (std::size_t i = 0; i < count; ++i) {
    children.push_back(system.spawn(child_by_hand));
    while (i > initialised + 1'000)
      std::this_thread::yield();
  }
  await(count);
  report("bytes", (resident_bytes() - before) / static_cast<double>(count));
  return EXIT_SUCCESS;
}

/// A supervisor by hand also monitors, and keeps handles to look up.
class keeper : public caf::event_based_actor {
public:
  keeper(caf::actor_config& cfg, std::size_t count)
    : caf::event_based_actor(cfg),
      count_(count),
      downs_(this, [this](const caf::actor_addr& who, const caf::error&) {
        children_.erase(who);
      }) {}

  caf::behavior make_behavior() override {
    compat::tell(this, this, caf::tick_atom_v);
    return {[this](caf::tick_atom) {
              auto child = spawn(child_by_hand);
              downs_.watch(child);
              children_.emplace(child.address(), child);
              if (children_.size() < count_)
                compat::tell(this, this, caf::tick_atom_v);
            },
            [this](caf::delete_atom) {
              children_.clear();
              quit();
            }};
  }

private:
  std::size_t count_;
  compat::down_hub downs_;
  std::unordered_map<caf::actor_addr, caf::actor> children_;
};

int by_hand_monitored(caf::actor_system& system, std::size_t count) {
  const auto before = resident_bytes();
  const auto hub = caf::actor_cast<caf::actor>(system.spawn<keeper>(count));
  await(count);
  report("bytes", (resident_bytes() - before) / static_cast<double>(count));
  compat::post(hub, caf::delete_atom_v);
  return EXIT_SUCCESS;
}

// -- supervised --------------------------------------------------------------

caf::behavior child_of_coppice(worker*) {
  ++initialised;
  return {[](int x) { return x; }};
}

int supervised(caf::actor_system& system, std::size_t count,
               start_function start) {
  auto tree = supervise(
    system,
    {.name = "figures",
     .children
     = {{.id = "pool",
         .supervisor
         = supervisor_spec{.strategy = simple_one_for_one,
                           .children = {{.id = "child",
                                         .start = std::move(start),
                                         .shutdown = brutal_kill}}}}}},
    {{.scan_interval = 1s}});
  if (!tree)
    std::abort();
  const auto pool = tree->supervisor("/figures/pool").value();
  const auto before = resident_bytes();
  for (std::size_t i = 0; i < count; ++i) {
    pool.submit(command::start_instance{}, [](const auto& reply) {
      if (!reply)
        std::abort();
    });
    while (i > initialised + 1'000)
      std::this_thread::yield();
  }
  await(count);
  const auto answer = pool.count_children(1min);
  if (!answer || answer->running != count)
    std::abort();
  report("bytes", (resident_bytes() - before) / static_cast<double>(count));
  const auto& dog = tree->context()->dog();
  std::this_thread::sleep_for(2s);
  const auto cpu = cpu_of_thread("coppice.watch");
  const auto scans = dog.stats().scans;
  const stopwatch watch;
  std::this_thread::sleep_for(10s);
  const auto wall = watch.read().wall;
  report("watchdog_percent",
         (cpu_of_thread("coppice.watch") - cpu) / wall * 100);
  report("scan_ms",
         static_cast<double>(dog.stats().last_scan_duration.count()) / 1e6);
  report("scans", static_cast<double>(dog.stats().scans - scans));
  std::fflush(stdout);
  std::_Exit(EXIT_SUCCESS); // nothing more to be seen
}

// -- processes ---------------------------------------------------------------

using readings = std::map<std::string, double>;

readings in_process(const char* kind, std::size_t count) {
  const auto command = std::filesystem::read_symlink("/proc/self/exe").string()
                       + " --memory-of " + kind + ' ' + std::to_string(count);
  auto* pipe = popen(command.c_str(), "r");
  readings result;
  char name[64];
  double value = 0;
  while (pipe != nullptr && std::fscanf(pipe, "%63s %lf", name, &value) == 2)
    result[name] = value;
  if (pipe == nullptr || pclose(pipe) != 0)
    std::abort();
  return result;
}

} // namespace

int memory_process(const std::string& kind, std::size_t count) {
  system_config config{2};
  caf::actor_system system{config};
  if (kind == "raw")
    return by_hand(system, count);
  if (kind == "monitored")
    return by_hand_monitored(system, count);
  if (kind == "worker")
    return supervised(system, count, spawns(child_of_coppice));
  if (kind == "plain")
    return supervised(system, count, spawns(child_by_hand));
  return EXIT_FAILURE;
}

void memory_figures(table& out, const settings& how) {
  const auto count = how.of(1'000'000);
  std::map<std::string, samples> bytes;
  samples percent;
  samples scan;
  for (std::size_t i = 0; i < std::min<std::size_t>(how.rounds, 5); ++i)
    for (const auto* kind : {"raw", "monitored", "worker", "plain"}) {
      const auto read = in_process(kind, count);
      bytes[kind].push_back(read.at("bytes"));
      if (kind != std::string{"worker"})
        continue;
      percent.push_back(read.at("watchdog_percent"));
      scan.push_back(read.at("scan_ms"));
    }
  const auto against = [&](const char* name, const char* ours, const char* base,
                           std::optional<double> target) {
    out.add({name, "bytes", bytes[ours], bytes[base], target, true});
  };
  against("idle worker more than an idle actor", "worker", "raw", 350);
  against("idle supervised plain actor, likewise", "plain", "raw", {});
  against("idle worker more than a monitored actor", "worker", "monitored", {});
  out.add({"watchdog, 1,000,000 idle children at 1 Hz, of a core",
           "%",
           percent,
           {},
           2.0});
  out.add({"one scan of them, with cold caches", "ms", scan, {}, 10.0});
}

} // namespace figures
