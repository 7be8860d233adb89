// This file is part of coppice. License: see LICENSE in the source root.

// The kinds of children that the manual shows, in one tree.
//
// Topology:   app (one_for_one)
//             |-- cache     a worker with a state
//             |-- link      says by itself when it is ready
//             |-- sensor    a plain CAF actor that beats by message
//             |-- extra     declines to start
//             |-- licence   asks not to be restarted
//             `-- report    takes long, and says so
//
// You should see the sensor be restarted after it fell silent, the licence stay
// stopped, and the report finish although it takes longer than its timeout.

#include "coppice/actors/worker.hpp"
#include "coppice/supervise.hpp"
#include "coppice/system_config.hpp"

#include "check.hpp"

#include <condition_variable>
#include <cstdio>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>

using namespace std::literals;
using namespace coppice;
using manual::check;

namespace {

// --(doc:stateful-begin)--
struct cache_state {
  cache_state() = default;
  std::map<std::string, int> entries;
};

caf::behavior cache(stateful_worker<cache_state>* self) {
  auto& entries = compat::state(self).entries; // CAF 0.17: self->state
  return {[&entries](const std::string& key, int value) {
            entries[key] = value;
          },
          [&entries](const std::string& key) { return entries.at(key); }};
}
// --(doc:stateful-end)--

// --(doc:deferred-begin)--
caf::behavior link(worker* self) {
  self->defer_ready(); // the children after this one wait
  compat::tell_after(self, 50ms, self, "connected"s);
  return {[self](const std::string& news) {
    if (news == "connected")
      self->ready();
  }};
}
// --(doc:deferred-end)--

// --(doc:foreign-begin)--
/// Knows nothing of workers; is given its `life_handle`.
caf::behavior sensor(caf::event_based_actor* self, life_handle life) {
  life.ready();
  compat::tell_after(self, 50ms, self, "tick"s);
  return {[self, life, silent = false](const std::string& order) mutable {
    silent = silent || order == "be silent";
    if (silent)
      return;
    life.beat();
    compat::tell_after(self, 50ms, self, "tick"s);
  }};
}

void start_sensor(start_context& context) {
  // The order matters: who asks for `life()` says by itself when it is ready.
  auto life = context.life();
  context.spawn(sensor, std::move(life));
}
// --(doc:foreign-end)--

// --(doc:declines-begin)--
void start_extra(start_context& context) {
  context.ignore(); // stays stopped, is no failure
}
// --(doc:declines-end)--

// --(doc:permanent_failure-begin)--
caf::behavior licence(worker*) {
  return {[](const std::string&) {
    throw failure_error{{.failure_class = "licence_expired",
                         .message = "the licence file is from 2019",
                         .user_message = "Please renew your licence."}};
  }};
}
// --(doc:permanent_failure-end)--

// --(doc:long_work-begin)--
caf::behavior report(worker* self) {
  return {[self](int pages) {
    for (int page = 1; page <= pages && !self->cancelled(); ++page) {
      self->beat("a page");
      std::this_thread::sleep_for(200ms); // the work
    }
    self->extend(5s); // for a call that cannot beat
    std::this_thread::sleep_for(600ms);
    return pages;
  }};
}
// --(doc:long_work-end)--

supervisor_spec app() {
  return {.name = "app",
          .children = {{.id = "cache", .start = spawns(cache)},
                       {.id = "link", .start = spawns(link)},
                       // --(doc:foreign_spec-begin)--
                       {.id = "sensor",
                        .start = start_sensor,
                        .heartbeat = {.idle_timeout = 300ms}},
                       // --(doc:foreign_spec-end)--
                       {.id = "extra", .start = start_extra},
                       // --(doc:on_failure-begin)--
                       {.id = "licence",
                        .start = spawns(licence),
                        .on_failure = {{.failure_class = "licence_expired",
                                        .action = failure_action::stop}}},
                       // --(doc:on_failure-end)--
                       {.id = "report",
                        .start = spawns(report),
                        .heartbeat = {.stall_timeout = 500ms},
                        .isolation = isolation_kind::thread}}};
}

/// Lets the program wait for events.
class event_book {
public:
  void operator()(const supervision_event& event) {
    std::lock_guard guard{mutex_};
    seen_.insert(line(event.kind, event.path, event.incarnation));
    changed_.notify_all();
  }

  /// Did it come, within a generous time?
  bool comes(event_kind kind, const std::string& path, std::uint64_t life) {
    std::unique_lock guard{mutex_};
    const auto wanted = line(kind, path, life);
    return changed_.wait_for(guard, 10s,
                             [&] { return seen_.contains(wanted); });
  }

  bool has_come(event_kind kind, const std::string& path, std::uint64_t life) {
    std::lock_guard guard{mutex_};
    return seen_.contains(line(kind, path, life));
  }

private:
  using entry = std::pair<std::pair<event_kind, std::string>, std::uint64_t>;

  static entry line(event_kind kind, std::string path, std::uint64_t life) {
    return {{kind, std::move(path)}, life};
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<entry> seen_;
};

void talk_to(caf::actor_system& system, const supervision_tree& tree) {
  const auto tell = [&](const char* path, const std::string& what) {
    compat::post(tree.child(path).value().handle(), what);
  };
  tell("/app/sensor", "be silent");
  tell("/app/licence", "check");
  caf::scoped_actor self{system};
  compat::ask(self, tree.child("/app/report").value().handle(), 30s, 4)
    .receive([](int pages) { check("pages", pages, 4); },
             [](const caf::error& why) {
               check(to_string(from_error(why)).c_str(), true, false);
             });
}

void look_at(const supervision_tree& tree, event_book& events) {
  check("the silent sensor was noticed",
        events.comes(event_kind::stalled, "/app/sensor", 1), true);
  check("and has a next life",
        events.comes(event_kind::ready, "/app/sensor", 2), true);
  check("the licence stays stopped",
        events.comes(event_kind::stopped, "/app/licence", 1), true);
  check("the report was taken for stuck",
        events.has_come(event_kind::stalled, "/app/report", 1), false);
  const auto why = [&](const char* id) {
    return std::string{to_string(tree.root().get_child(id).value().info.why)};
  };
  check("the licence is stopped, because it", why("licence"), "failed");
  check("the extra child is stopped, because it", why("extra"), "declined");
}

} // namespace

int main() {
  system_config config;
  caf::actor_system system{config};
  event_book events;
  supervise_options options;
  options.on_event = std::ref(events);
  auto tree = supervise(system, app(), options);
  if (!tree)
    return std::puts(describe(tree.error()).c_str()), 1;
  talk_to(system, *tree);
  look_at(*tree, events);
  const auto end = tree->stop(10s);
  check("all are gone", end.complete && end.left.empty(), true);
  return check.result();
}
