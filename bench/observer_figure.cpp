// This file is part of coppice. License: see LICENSE in the source root.

// What an observer costs: a restart that nobody looks at, and ten viewers of
// ten thousand children.
//
//     observer_figure [--rounds N] [--quick]

#include "coppice/actors/worker.hpp"
#include "coppice/observer/observer_server.hpp"
#include "coppice/supervise.hpp"
#include "coppice/system_config.hpp"

#include "figure.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

namespace figures {

namespace {

using namespace coppice;
using namespace std::literals;

// -- restarts ----------------------------------------------------------------

/// Life after life of one child: each handles one message, and is killed.
struct chain {
  std::atomic<std::size_t> left{0};
  std::promise<void> done{};

  void handled(caf::event_based_actor* self) {
    if (left == 0)
      return;
    if (--left == 0) {
      done.set_value();
      return;
    }
    compat::post_urgent(caf::actor_cast<caf::strong_actor_ptr>(self),
                        caf::exit_msg{self->address(),
                                      caf::make_error(caf::exit_reason::kill)});
  }
};

caf::behavior link_of(worker* self, chain* what) {
  return {[=](caf::tick_atom) { what->handled(self); }};
}

struct restarting_tree {
  restarting_tree(caf::actor_system& system, const observer& who,
                  std::string name) {
    supervise_options options;
    options.on_event = who;
    auto started = supervise(
      system,
      {.name = std::move(name),
       .limits = {.restarts_max = infinity},
       .children = {{.id = "child",
                     .start =
                       [this](start_context& context) {
                         compat::post(context.spawn(link_of, &links),
                                      caf::tick_atom_v);
                       },
                     .backoff = {.first = time_limit{duration{0}},
                                 .reset_after = time_limit{duration{0}}}}}},
      options);
    tree.emplace(std::move(started.value()));
  }

  /// Microseconds per restart.
  double run(std::size_t count) {
    links.done = {};
    links.left = count;
    auto done = links.done.get_future();
    const auto life = tree->root().get_child("child").value().actor;
    const auto begin = clock::now();
    compat::post(life, caf::tick_atom_v);
    done.wait();
    return std::chrono::duration<double, std::micro>{clock::now() - begin}
             .count()
           / static_cast<double>(count);
  }

  chain links;
  std::optional<supervision_tree> tree;
};

void restart_cost(table& out, const settings& how) {
  system_config config{2};
  caf::actor_system system{config};
  event_hub hub;
  restarting_tree plain{system, {}, "plain"};
  restarting_tree seen{system, hub.as_observer(), "seen"};
  auto window = observer_server::start(*seen.tree, hub);
  if (!window)
    std::abort();
  figure line{"a restart, observed by nobody, beside one without observer",
              "us",
              {},
              {},
              1.01};
  const auto count = how.of(20'000);
  for (std::size_t i = 0; i <= how.rounds; ++i) {
    const auto a = seen.run(count);
    const auto b = plain.run(count);
    if (i == 0)
      continue; // warm-up
    line.ours.push_back(a);
    line.base.push_back(b);
  }
  out.add(std::move(line));
}

// -- viewers -----------------------------------------------------------------

/// In a process of its own: takes what comes, until its input ends.
[[noreturn]] void view(int port, std::size_t count, int until) {
  std::vector<pollfd> all{{until, POLLIN, 0}};
  const auto ask = "GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n"s;
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (std::size_t i = 0; i < count; ++i) {
    const auto fd = ::socket(AF_INET, SOCK_STREAM, 0);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) != 0
        || ::write(fd, ask.data(), ask.size()) < 0)
      std::_Exit(1);
    all.push_back({fd, POLLIN, 0});
  }
  static std::array<char, 1 << 20> buffer;
  while (::poll(all.data(), all.size(), -1) > 0 && all[0].revents == 0)
    for (const auto& x : all)
      if (x.revents != 0 && ::read(x.fd, buffer.data(), buffer.size()) <= 0)
        std::_Exit(1);
  std::_Exit(0);
}

class viewers {
public:
  viewers(int port, std::size_t count) {
    std::array<int, 2> pipe{};
    if (::pipe(pipe.data()) != 0)
      std::abort();
    child_ = ::fork();
    if (child_ == 0) {
      ::close(pipe[1]);
      view(port, count, pipe[0]);
    }
    ::close(pipe[0]);
    until_ = pipe[1];
  }
  ~viewers() {
    ::close(until_);
    int status = 0;
    ::waitpid(child_, &status, 0);
    if (status != 0)
      std::abort(); // a viewer was dropped: the figure would be too good
  }
  viewers(const viewers&) = delete;
  viewers& operator=(const viewers&) = delete;

private:
  pid_t child_;
  int until_;
};

caf::behavior idle(worker*) {
  return {[](caf::tick_atom) { throw std::runtime_error("on purpose"); }};
}

/// Percent of a core over `span`.
double share(std::chrono::seconds span) {
  const stopwatch watch;
  std::this_thread::sleep_for(span);
  const auto x = watch.read();
  return 100.0 * x.cpu / x.wall;
}

/// Two levels, so that deltas have something to walk.
supervisor_spec wide_tree(std::size_t children) {
  supervisor_spec root{.name = "wide"};
  for (std::size_t i = 0; i < 100; ++i) {
    supervisor_spec inner{.limits = {.restarts_max = infinity}};
    for (std::size_t j = 0; j < children / 100; ++j)
      inner.children.push_back({.id = "w" + std::to_string(j),
                                .start = spawns(idle),
                                .backoff = {.first = time_limit{duration{0}}}});
    root.children.push_back(
      {.id = "s" + std::to_string(i), .supervisor = std::move(inner)});
  }
  return root;
}

/// Crashes a hundred children each second.
class trouble {
public:
  explicit trouble(const supervision_tree& tree) {
    for (std::size_t i = 0; i < 100; ++i) {
      const auto id = std::to_string(i);
      children_.push_back(
        tree.child("/wide/s" + id + "/w" + std::to_string(i % 10)).value());
    }
    thread_ = std::thread{[this] {
      while (!over_) {
        for (const auto& child : children_)
          compat::post(child.handle(), caf::tick_atom_v);
        std::this_thread::sleep_for(1s);
      }
    }};
  }
  ~trouble() {
    over_ = true;
    thread_.join();
  }

private:
  std::vector<child_ref> children_;
  std::atomic<bool> over_{false};
  std::thread thread_;
};

void viewer_cost(table& out, const settings& how) {
  system_config config{2};
  caf::actor_system system{config};
  event_hub hub;
  supervise_options options;
  options.on_event = hub.as_observer();
  auto started = supervise(system, wide_tree(how.of(10'000)), options);
  if (!started)
    std::abort();
  auto& tree = *started;
  auto window = observer_server::start(tree, hub);
  if (!window)
    std::abort();
  const auto span = how.divisor > 1 ? 3s : 10s;
  figure calm{"10 viewers of 10,000 children at 1 Hz, of a core",
              "%",
              {},
              {},
              10.0,
              true};
  figure storm{
    "the same while 100 of them restart each second", "%", {}, {}, 10.0, true};
  for (std::size_t i = 0; i < how.rounds; ++i) {
    calm.base.push_back(share(span));
    const viewers ten{window->port(), 10};
    static_cast<void>(share(2s)); // whole trees are sent
    calm.ours.push_back(share(span));
  }
  const trouble some{tree};
  for (std::size_t i = 0; i < how.rounds; ++i) {
    storm.base.push_back(share(span));
    const viewers ten{window->port(), 10};
    static_cast<void>(share(2s));
    storm.ours.push_back(share(span));
  }
  out.add(std::move(calm));
  out.add(std::move(storm));
}

} // namespace

} // namespace figures

int main(int argc, char** argv) {
  coppice::init_types();
  figures::settings how{.rounds = 5};
  for (auto i = 1; i < argc; ++i)
    if (std::strcmp(argv[i], "--quick") == 0)
      how.divisor = 20;
    else if (std::strcmp(argv[i], "--rounds") == 0 && i + 1 < argc)
      how.rounds = std::strtoull(argv[++i], nullptr, 10);
  figures::table out;
  figures::restart_cost(out, how);
  figures::viewer_cost(out, how);
  return out.print() == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
