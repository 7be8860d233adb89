// This file is part of coppice. License: see LICENSE in the source root.

#include "http_front.hpp"

#include "coppice/failure_convert.hpp"
#include "coppice/failure_json.hpp"
#include "coppice/failure_user.hpp"

#include <httplib.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace blob_service {

namespace {

using coppice::failure;
using httplib::Request;
using httplib::Response;

constexpr std::string_view blob_prefix = "/blob/";
constexpr const char* blob_type = "application/octet-stream";
constexpr std::size_t body_bytes_max = 1'024;
constexpr int backlog = 128;

/// Known edge cases that are not the user's fault: asking again may help.
int status_of(const failure& why) {
  if (find(why, failure_classes::no_such_blob) != nullptr)
    return 404;
  const auto status = coppice::problem_status(why);
  return status < 500 ? 503 : status;
}

// --(doc:problem-begin)--
void answer(Response& to, const failure& why, int status) {
  const auto user = for_user(why);
  if (user.is_bug) // logged here, and nowhere else
    std::fprintf(stderr, "blob_service: %s\n", to_string(why).c_str());
  to.status = user.is_bug ? 500 : status;
  to.set_content(coppice::problem_json(why, {.status = status}),
                 "application/problem+json");
  if (user.retry_after) {
    using std::chrono::seconds;
    const auto wait = std::chrono::ceil<seconds>(*user.retry_after);
    to.set_header("Retry-After",
                  std::to_string(std::max(wait, seconds{1}).count()));
  }
}
// --(doc:problem-end)--

void refuse(Response& to, int status, std::string what, std::string text) {
  answer(
    to,
    {.failure_class = std::move(what), .message = text, .user_message = text},
    status);
}

/// Says no to other methods than `allowed`, such as "GET, HEAD".
bool has_method(const Request& x, Response& to, std::string_view allowed) {
  if (allowed.find(x.method) != std::string_view::npos)
    return true;
  to.set_header("Allow", std::string{allowed});
  refuse(to, 405, "method_not_allowed",
         "This can be asked for with " + std::string{allowed} + " only.");
  return false;
}

bool is_from_here(const Request& x) {
  const std::string_view from = x.remote_addr;
  return from.starts_with("127.") || from == "::1"
         || from.starts_with("::ffff:127.");
}

/// What the library refuses by itself.
void complete(const Request&, Response& to) {
  if (!to.body.empty())
    return;
  if (to.status == 413)
    refuse(to, 413, "body_too_long", "The body of the request is too long.");
  else if (to.status == 414)
    refuse(to, 414, "target_too_long", "The address is too long.");
  else if (to.status == 416)
    refuse(to, 416, "bad_range", "The blob has no such range.");
  else
    refuse(to, to.status, "bad_request", "This is not a request for us.");
}

/// The library would share the port with other processes (SO_REUSEPORT).
void set_options(int socket) {
  const int yes = 1;
  setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
}

} // namespace

class http_front::server {
public:
  server(service& of, traffic& seen, const options& how)
    : service_(of), seen_(seen) {
    configure(how);
    bind(how);
    thread_ = std::thread{[this] { http_.listen_after_bind(); }};
    while (!http_.is_running()) // or there would be nothing to stop
      std::this_thread::yield();
  }

  ~server() { stop(); }

  void stop() {
    http_.stop();
    if (thread_.joinable())
      thread_.join();
  }

  [[nodiscard]] int port() const noexcept { return port_; }

private:
  void configure(const options& how);
  void bind(const options& how);

  void route(const Request& x, Response& to);
  void serve_blob(const Request& x, Response& to);
  void switch_mode(const Request& x, Response& to);

  service& service_;
  traffic& seen_;
  httplib::Server http_;
  std::thread thread_;
  int socket_ = -1;
  int port_ = -1;
};

void http_front::server::configure(const options& how) {
  http_.new_task_queue = [threads = how.connections] {
    return new httplib::ThreadPool(threads);
  };
  http_.set_keep_alive_max_count(1'000'000'000);
  http_.set_keep_alive_timeout(1);
  http_.set_tcp_nodelay(true); // header and body are two writes
  http_.set_payload_max_length(body_bytes_max);
  http_.set_socket_options([this](int socket) {
    socket_ = socket;
    set_options(socket);
  });
  const auto handler = [this](const Request& x, Response& to) { route(x, to); };
  http_.Get("/.*", handler);
  http_.Post("/.*", handler);
  http_.Put("/.*", handler);
  http_.Patch("/.*", handler);
  http_.Delete("/.*", handler);
  http_.Options("/.*", handler);
  http_.set_error_handler(complete);
  http_.set_exception_handler(
    [](const Request&, Response& to, std::exception_ptr why) {
      answer(to, coppice::from_exception(why), 500);
    });
}

void http_front::server::bind(const options& how) {
  const auto& host = how.address;
  if (how.port == 0)
    port_ = http_.bind_to_any_port(host);
  else
    port_ = http_.bind_to_port(host, how.port) ? how.port : -1;
  if (port_ <= 0)
    throw std::runtime_error("cannot listen on " + host + ", port "
                             + std::to_string(how.port));
  listen(socket_, backlog); // again: the library's own is 5
}

void http_front::server::route(const Request& x, Response& to) {
  const std::string_view path = x.path; // decoded already, once
  if (path.starts_with(blob_prefix)) {
    if (has_method(x, to, "GET, HEAD"))
      serve_blob(x, to);
  } else if (path == "/stats") {
    if (has_method(x, to, "GET, HEAD"))
      to.set_content(to_json(service_, seen_), "application/json");
  } else if (path == "/mode") {
    if (has_method(x, to, "POST"))
      switch_mode(x, to);
  } else {
    refuse(to, 404, "no_such_page", "There is nothing at this address.");
  }
}

void http_front::server::serve_blob(const Request& x, Response& to) {
  const auto begin = traffic::clock::now();
  const auto name = x.path.substr(blob_prefix.size());
  if (!is_blob_name(name)) {
    refuse(to, 400, "bad_name",
           "Names of blobs are up to 128 letters, digits, '.', '_' and '-',"
           " and do not begin with a dot.");
  } else if (const auto found = service_.get(name); !found) {
    answer(to, found.error(), status_of(found.error()));
  } else if (found->bytes->empty()) {
    to.set_content(std::string{}, blob_type);
  } else {
    // The bytes go out from where the reader put them.
    to.set_content_provider(found->bytes->size(), blob_type,
                            [bytes = found->bytes](std::size_t from,
                                                   std::size_t count,
                                                   httplib::DataSink& sink) {
                              return sink.write(bytes->data() + from, count);
                            });
  }
  seen_.add(begin, to.status < 0 ? 200 : to.status); // or 206, later
}

// Browsers send `Origin` with what another page posts: that one may be from
// anywhere, even if the browser is here.
void http_front::server::switch_mode(const Request& x, Response& to) {
  if (!is_from_here(x) || x.has_header("Origin")) {
    refuse(to, 403, "not_from_here", "Modes are switched from this machine.");
    return;
  }
  const auto mode = mode_from(x.get_param_value("set"));
  if (!mode) {
    refuse(to, 400, "bad_mode", "The modes are: off, race, hedge, tied.");
    return;
  }
  service_.set_mode(*mode);
  seen_.begin_window();
  to.set_content(to_string(*mode) + std::string{"\n"}, "text/plain");
}

http_front::http_front(service& of, traffic& seen, const options& how)
  : server_(std::make_unique<server>(of, seen, how)) {}

http_front::~http_front() = default;

int http_front::port() const noexcept {
  return server_->port();
}

void http_front::stop() {
  server_->stop();
}

} // namespace blob_service
