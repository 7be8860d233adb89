// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// A tree with an observer, and what looks at it over real sockets.
///
/// Layer: tests.
/// Threads: as its parts.
/// Rules: none.

#include "coppice/observer/observer_server.hpp"
#include "coppice/system_config.hpp"
#include "coppice/testkit/child_script.hpp"

#include "support/event_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <netinet/in.h>
#include <nlohmann/json.hpp>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace coppice::test {

using namespace std::chrono_literals;
using nlohmann::json;

inline constexpr auto secret = "0123456789abcdef";

/// Asks again and again: for what nobody tells.
template <class Predicate>
[[nodiscard]] bool becomes_true(Predicate is_it) {
  const auto due = std::chrono::steady_clock::now() + patience;
  while (!is_it()) {
    if (std::chrono::steady_clock::now() > due)
      return false;
    std::this_thread::yield();
  }
  return true;
}

/// One server-sent event.
struct news {
  std::string kind;
  std::string id;
  json data;

  /// Null if there is none.
  [[nodiscard]] json operator[](const char* field) const {
    return data.value(field, json{});
  }
};

/// Reads a stream of events on a thread of its own.
class news_reader {
public:
  explicit news_reader(int port, std::string query = {},
                       httplib::Headers headers = {})
    : client_("127.0.0.1", port) {
    client_.set_read_timeout(patience);
    thread_ = std::thread{[this, query, headers] {
      const auto result
        = client_.Get(("/api/events" + query).c_str(), headers,
                      [this](const httplib::Response& head) {
                        std::lock_guard guard{mutex_};
                        status_ = head.status;
                        return true;
                      },
                      [this](const char* data, std::size_t size) {
                        return add({data, size});
                      });
      std::lock_guard guard{mutex_};
      has_ended_ = true;
      changed_.notify_all();
    }};
  }

  ~news_reader() {
    leave();
    thread_.join();
  }

  void leave() {
    std::lock_guard guard{mutex_};
    is_leaving_ = true;
    client_.stop();
  }

  /// Waits until one satisfies `is_it`; returns the first that does.
  template <class Predicate>
  std::optional<news> wait_for(Predicate is_it) {
    std::unique_lock guard{mutex_};
    std::optional<news> res;
    changed_.wait_for(guard, patience, [&] {
      for (const auto& x : seen_)
        if (!res && is_it(x))
          res = x;
      return res.has_value() || has_ended_;
    });
    return res;
  }

  std::optional<news> wait_for_kind(const std::string& kind) {
    return wait_for([&](const news& x) { return x.kind == kind; });
  }

  [[nodiscard]] bool wait_for_end() {
    std::unique_lock guard{mutex_};
    return changed_.wait_for(guard, patience, [this] { return has_ended_; });
  }

  [[nodiscard]] std::vector<news> seen() {
    std::lock_guard guard{mutex_};
    return seen_;
  }

private:
  bool add(std::string_view text) {
    std::lock_guard guard{mutex_};
    rest_ += text;
    for (auto end = rest_.find("\n\n"); end != std::string::npos;
         end = rest_.find("\n\n")) {
      parse(rest_.substr(0, end));
      rest_.erase(0, end + 2);
    }
    changed_.notify_all();
    return !is_leaving_;
  }

  void parse(const std::string& block) {
    news x;
    std::istringstream lines{block};
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("event: "))
        x.kind = line.substr(7);
      else if (line.starts_with("id: "))
        x.id = line.substr(4);
      else if (line.starts_with("data: "))
        x.data = json::parse(line.substr(6));
    }
    seen_.push_back(std::move(x));
  }

  httplib::Client client_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string rest_;
  std::vector<news> seen_;
  int status_ = 0;
  bool has_ended_ = false;
  bool is_leaving_ = false;
  std::thread thread_;
};

/// Sends what it is told, and reads nothing.
class deaf_client {
public:
  deaf_client(int port, const std::string& text)
    : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int small = 4'096;
    setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(
      ::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof(to)), 0);
    EXPECT_EQ(::send(fd_, text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
  ~deaf_client() { ::close(fd_); }
  deaf_client(const deaf_client&) = delete;
  deaf_client& operator=(const deaf_client&) = delete;

private:
  int fd_;
};

class ObserverServer : public testing::Test {
public:
  /// app: a, and inner supervisor `in` with b.
  void start(observer_options options = {}) {
    if (options.token.empty())
      options.token = secret;
    options.refresh = std::min<duration>(options.refresh, 50ms);
    start_tree();
    auto server = observer_server::start(*tree, hub, std::move(options));
    ASSERT_TRUE(server) << describe(server.error());
    window.emplace(std::move(*server));
  }

  void start_tree() {
    constexpr backoff_spec at_once{.first = 0ms, .jitter = jitter_kind::none};
    constexpr restart_limits generous{.restarts_max = infinity};
    supervise_options options;
    options.on_event = [this, to_hub = hub.as_observer(),
                        to_log = log.recorder()](const auto& event) {
      to_hub(event);
      to_log(event);
    };
    auto started = supervise(
      system,
      {.name = "app",
       .limits = generous,
       .children = {a.spec({.backoff = at_once}),
                    {.id = "in",
                     .supervisor = supervisor_spec{.limits = generous,
                                                   .children = {b.spec(
                                                     {.shutdown = 1s,
                                                      .backoff = at_once})}}}}},
      options);
    ASSERT_TRUE(started) << describe(started.error());
    tree.emplace(std::move(*started));
    EXPECT_TRUE(becomes_true([this] {
      return hub.last() == take_snapshot(*tree, patience)->events_last;
    }));
  }

  httplib::Result get(const std::string& path, httplib::Headers headers = {}) {
    httplib::Client client{"127.0.0.1", window->port()};
    client.set_read_timeout(patience);
    return client.Get(path.c_str(), headers);
  }

  httplib::Result post(const std::string& path, const std::string& body = "{}",
                       httplib::Headers headers = authorised(),
                       const char* type = "application/json") {
    httplib::Client client{"127.0.0.1", window->port()};
    client.set_read_timeout(patience);
    return client.Post(path.c_str(), headers, body, type);
  }

  httplib::Result order(const std::string& action, const std::string& path,
                        const std::string& reason = {}) {
    return post(
      "/api/ctl",
      json{{"action", action}, {"path", path}, {"reason", reason}}.dump());
  }

  static httplib::Headers authorised() {
    return {{"Authorization", std::string{"Bearer "} + secret}};
  }

  /// The node with this path, of `/api/tree`.
  json node(const std::string& path) {
    const auto tree_now = get("/api/tree");
    if (!tree_now)
      return {};
    auto at = json::parse(tree_now->body)["root"];
    while (at["path"] != path) {
      json next;
      for (const auto& child : at["children"])
        if (path.starts_with(child["path"].get<std::string>()))
          next = child;
      if (next.is_null())
        return {};
      at = next;
    }
    return at;
  }

  event_hub hub;
  event_log log;
  testkit::child_script a{"a"};
  testkit::child_script b{"b"};
  system_config config{2};
  caf::actor_system system{config};
  std::optional<supervision_tree> tree;
  std::optional<observer_server> window;
};

/// A response with this status, and a problem in JSON unless it is a success.
MATCHER_P(HasStatus, status, "has status " + std::to_string(status)) {
  if (!arg) {
    *result_listener << "no response: " << httplib::to_string(arg.error());
    return false;
  }
  *result_listener << arg->status << ": " << arg->body.substr(0, 300);
  if (arg->status != status)
    return false;
  const auto body = json::parse(arg->body, nullptr, false);
  return status < 400
         || (arg->get_header_value("Content-Type") == "application/problem+json"
             && body["status"] == status && body["title"].is_string()
             && body["detail"].is_string());
}

} // namespace coppice::test
