// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The observer: a tree, live, for browsers, programs and Prometheus.
///
/// Layer: L3.
/// Threads: thread-safe, from outside of the actor system.
/// Rules: docs/semantics.md, OBSERVE-1, OBSERVE-2.

#include "coppice/observer/event_hub.hpp"
#include "coppice/observer/figures_board.hpp"
#include "coppice/observer/metrics_text.hpp"
#include "coppice/observer/observer_options.hpp"
#include "coppice/supervise.hpp"

#include <memory>
#include <string>

namespace coppice {

/// An HTTP server in a program that has a tree:
///
///     event_hub hub;
///     supervise_options options{{.on_event = hub.as_observer()}};
///     auto tree = supervise(system, spec, options).value();
///     auto window = observer_server::start(tree, hub).value();
///     std::cout << window.url() << '\n';
///
/// GET `/`, `/api/tree` (`?format=text|dot`), `/api/events` (`?after=N`),
/// `/api/failure?path=P`, `/api/topology`, `/metrics`, `/healthz`; POST
/// `/api/ctl`, `/api/reload`, `/api/stop`. docs/observer.md has the details.
///
/// The tree never waits for it. While nobody looks it does nothing at all.
class observer_server {
public:
  /// Listens when it returns. Fails for options that break a rule
  /// (errc::invalid_spec), and for an address that cannot be had
  /// (errc::unavailable).
  /// @pre `tree` outlives the server, and is not moved meanwhile.
  [[nodiscard]] static outcome<observer_server>
  start(const supervision_tree& tree, const event_hub& events,
        observer_options options = {});

  observer_server(observer_server&&) noexcept;
  /// Ends the one that this was.
  observer_server& operator=(observer_server&&) noexcept;
  /// As `stop()`.
  ~observer_server();

  /// "http://127.0.0.1:8080/".
  [[nodiscard]] const std::string& url() const noexcept;
  [[nodiscard]] int port() const noexcept;

  /// Where to say which pools and replicators to show.
  [[nodiscard]] figures_board& figures() noexcept;

  [[nodiscard]] observer_counts counts() const;

  /// Ends all connections, whoever hangs on to them, and what they wait for.
  /// Takes milliseconds, unless a supervisor is stuck or a callback does not
  /// return. Again does no harm. Not from a callback of the options.
  void stop();

private:
  class implementation;
  explicit observer_server(std::unique_ptr<implementation> impl);
  std::unique_ptr<implementation> impl_;
};

} // namespace coppice
