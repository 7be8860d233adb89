// This file is part of coppice. License: see LICENSE in the source root.

#include "run_observer.hpp"

#include "coppice/observer/observer_server.hpp"

#include <utility>

namespace coppice::tool {

struct run_observer::server {
  observer_server http;
  std::shared_ptr<kind_environment> world;

  ~server() {
    world->show_figures_on(nullptr);
    http.stop();
  }
};

run_observer::run_observer(supervision_tree& tree, event_hub& hub,
                           const observer_settings& settings,
                           const std::shared_ptr<kind_environment>& world) {
  observer_options options;
  options.address = settings.address.host;
  options.port = settings.address.port;
  options.token = settings.token;
  options.topology_file = settings.file;
  options.on_reload = settings.reload;
  options.on_stop = settings.stop;
  auto started = observer_server::start(tree, hub, std::move(options));
  if (!started) {
    trouble_ = started.error().message;
    return;
  }
  server_
    = std::unique_ptr<server>(new server{std::move(started.value()), world});
  world->show_figures_on(&server_->http.figures());
}

run_observer::~run_observer() = default;

std::string run_observer::url() const {
  return server_ != nullptr ? server_->http.url() : std::string{};
}

} // namespace coppice::tool
