// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The inside of an observer's HTTP server. Internal; not installed.
///
/// Layer: L3.
/// Threads: thread-safe; handlers run on threads of the HTTP library.
/// Rules: none.

#include "coppice/observer/live_feed.hpp"
#include "coppice/observer/observer_server.hpp"
#include "coppice/observer/request_guard.hpp"

#include <httplib.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

namespace coppice {

class observer_server::implementation {
public:
  implementation(const supervision_tree& tree, const event_hub& events,
                 observer_options options);
  ~implementation();

  outcome_of_nothing listen();
  void stop();

  [[nodiscard]] observer_counts counts() const;

  int port = 0;
  std::string url;
  figures_board figures;

private:
  using request = httplib::Request;
  using response = httplib::Response;

  // observer_routes.cpp
  void add_routes();
  void add_page();
  void get_tree(const request& in, response& out);
  void get_events(const request& in, response& out);
  void get_failure(const request& in, response& out);
  void get_topology(response& out);
  void get_metrics(response& out);
  void post_ctl(const request& in, response& out);
  void post_reload(response& out);
  void post_stop(response& out);

  // observer_server.cpp
  void configure();
  [[nodiscard]] bool refuse(const request& in, response& out);
  void shut_connections() const;

  const supervision_tree& tree_;
  event_hub events_;
  const observer_options options_;
  const request_guard guard_;
  std::atomic<std::uint64_t> requests_refused_{0};
  std::atomic<std::uint64_t> viewers_refused_{0};
  std::atomic<std::uint64_t> viewers_dropped_{0};
  std::stop_source stopping_;
  live_feed feed_;
  httplib::Server http_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool has_ended_ = false;
  std::thread thread_;
};

/// `{"title","detail","status"}`, as RFC 9457 has it.
void answer_problem(httplib::Response& out, const refusal& why);

} // namespace coppice
