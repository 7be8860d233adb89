// This file is part of coppice. License: see LICENSE in the source root.

// The life of the server, and what is refused before anything else.

#include "coppice/observer/observer_server.hpp"

#include "coppice/observer/observer_server_impl.hpp"
#include "coppice/tree_snapshot.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <nlohmann/json.hpp>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <utility>

namespace coppice {

namespace {

using namespace std::chrono_literals;

/// For requests, beside those for streams of events.
constexpr std::size_t threads = 6;
constexpr std::size_t body_max = 64 * 1'024;
constexpr auto request_patience = 5s;

/// No scripts but our own, no frames, nothing kept, no address passed on.
const httplib::Headers security_headers{
  {"Content-Security-Policy",
   "default-src 'none'; script-src 'self'; style-src 'self'; connect-src "
   "'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
   "frame-ancestors 'none'"},
  {"X-Content-Type-Options", "nosniff"},
  {"X-Frame-Options", "DENY"},
  {"Referrer-Policy", "no-referrer"},
  {"Cross-Origin-Resource-Policy", "same-origin"},
  {"Cross-Origin-Opener-Policy", "same-origin"},
  {"Cache-Control", "no-store"},
};

request_facts facts_of(const httplib::Request& in) {
  const auto header = [&in](const char* name) -> std::string_view {
    const auto at = in.headers.find(name);
    return at == in.headers.end() ? std::string_view{} : at->second;
  };
  const auto token = in.params.find("token");
  return {
    .method = in.method,
    .path = in.path,
    // Of two names it cannot be known which one counts.
    .host = in.headers.count("Host") == 1 ? header("Host") : std::string_view{},
    .has_origin = in.headers.contains("Origin"),
    .origin = header("Origin"),
    .authorization = header("Authorization"),
    .content_type = header("Content-Type"),
    .token = token == in.params.end() ? std::string_view{} : token->second,
    .fetch_site = header("Sec-Fetch-Site")};
}

int port_of(const sockaddr_storage& x) {
  if (x.ss_family == AF_INET)
    return ntohs(reinterpret_cast<const sockaddr_in&>(x).sin_port);
  if (x.ss_family == AF_INET6)
    return ntohs(reinterpret_cast<const sockaddr_in6&>(x).sin6_port);
  return -1;
}

} // namespace

void answer_problem(httplib::Response& out, const refusal& why) {
  const nlohmann::ordered_json body{{"title", why.title},
                                    {"detail", why.detail},
                                    {"status", why.status}};
  out.status = why.status;
  if (why.status == 401)
    out.set_header("WWW-Authenticate", "Bearer realm=\"coppice\"");
  out.set_content(body.dump(-1, ' ', false,
                            nlohmann::json::error_handler_t::replace),
                  "application/problem+json");
}

// -- the life of the server --------------------------------------------------

observer_server::implementation::implementation(const supervision_tree& tree,
                                                const event_hub& events,
                                                observer_options options)
  : tree_(tree),
    events_(events),
    options_(std::move(options)),
    guard_(options_),
    feed_({.snapshot
           = [this] { return take_snapshot(tree_, options_.snapshot_within); },
           .figures = [this] { return to_json(figures.look()); },
           .events = events},
          options_.refresh, options_.viewers_max) {
  configure();
  add_routes();
}

observer_server::implementation::~implementation() {
  stop();
}

void observer_server::implementation::configure() {
  http_.new_task_queue = [this] {
    return new httplib::ThreadPool(threads + options_.viewers_max);
  };
  // Not the library's, which share the port with whoever asks for it.
  http_.set_socket_options([](socket_t fd) {
    const int yes = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  });
  http_.set_default_headers(security_headers);
  http_.set_payload_max_length(body_max);
  http_.set_read_timeout(request_patience);
  http_.set_write_timeout(options_.viewer_patience);
  // One request per connection: the body of one that was refused unread must
  // not be taken for the next, and nobody holds a thread by doing nothing.
  http_.set_keep_alive_max_count(1);
  http_.set_pre_routing_handler([this](const auto& in, auto& out) {
    return refuse(in, out) ? httplib::Server::HandlerResponse::Handled
                           : httplib::Server::HandlerResponse::Unhandled;
  });
  http_.set_exception_handler(
    [](const auto&, auto& out, const std::exception_ptr&) {
      answer_problem(out, {500, "Internal error", "a bug of the observer"});
    });
  http_.set_error_handler([](const auto& in, auto& out) {
    if (out.body.empty())
      answer_problem(out, {out.status, "Refused",
                           out.status == 404 ? "nothing at " + in.path
                                             : "the request is malformed"});
  });
}

bool observer_server::implementation::refuse(const request& in, response& out) {
  // The library would repeat a large body for each of thousands of ranges, and
  // bodies in pieces are not counted against `body_max`.
  if (in.has_header("Range") || in.has_header("Transfer-Encoding")) {
    ++requests_refused_;
    answer_problem(out, {400, "Refused",
                         "neither ranges nor bodies in pieces are served"});
    return true;
  }
  const auto why = guard_.judge(facts_of(in));
  if (!why)
    return false;
  ++requests_refused_;
  answer_problem(out, *why);
  return true;
}

outcome_of_nothing observer_server::implementation::listen() {
  const auto& host = options_.address;
  port = options_.port;
  const auto bound = port == 0 ? (port = http_.bind_to_any_port(host)) > 0
                               : http_.bind_to_port(host, port);
  if (!bound)
    return failure{.failure_class = to_string(errc::unavailable),
                   .code = errc::unavailable,
                   .message = "cannot listen on " + host + " port "
                              + std::to_string(options_.port)
                              + ": is it in use, or not of this machine?"};
  const auto is_v6 = host.find(':') != std::string::npos;
  url = "http://" + (is_v6 ? '[' + host + ']' : host) + ':'
        + std::to_string(port) + '/';
  thread_ = std::thread{[this] {
    pthread_setname_np(pthread_self(), "coppice.http");
    http_.listen_after_bind();
    std::lock_guard guard{mutex_};
    has_ended_ = true;
    changed_.notify_all();
  }};
  // Until then `stop` would have nothing to stop.
  while (!http_.is_running())
    std::this_thread::yield();
  return done;
}

void observer_server::implementation::stop() {
  stopping_.request_stop();
  feed_.stop();
  std::unique_lock guard{mutex_};
  if (!thread_.joinable())
    return;
  http_.stop();
  do
    shut_connections();
  while (!changed_.wait_for(guard, 50ms, [this] { return has_ended_; }));
  guard.unlock();
  thread_.join();
}

/// The library waits for connections; some would keep it waiting. Each socket
/// is looked at by a second descriptor, so that it cannot become another file
/// in between.
void observer_server::implementation::shut_connections() const {
  std::error_code none;
  for (const auto& entry :
       std::filesystem::directory_iterator{"/proc/self/fd", none}) {
    const auto fd = dup(std::atoi(entry.path().filename().c_str()));
    if (fd < 0)
      continue;
    sockaddr_storage own{};
    sockaddr_storage peer{};
    socklen_t own_size = sizeof(own);
    socklen_t peer_size = sizeof(peer);
    if (getsockname(fd, reinterpret_cast<sockaddr*>(&own), &own_size) == 0
        && port_of(own) == port
        && getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &peer_size) == 0)
      ::shutdown(fd, SHUT_RDWR);
    ::close(fd);
  }
}

observer_counts observer_server::implementation::counts() const {
  return {.viewers = feed_.viewers(),
          .viewers_refused = viewers_refused_,
          .viewers_dropped = viewers_dropped_,
          .requests_refused = requests_refused_};
}

// -- the outside -------------------------------------------------------------

outcome<observer_server> observer_server::start(const supervision_tree& tree,
                                                const event_hub& events,
                                                observer_options options) {
  if (const auto defects = validate(options); !defects.empty())
    return failure{.failure_class = to_string(errc::invalid_spec),
                   .code = errc::invalid_spec,
                   .message = to_string(defects)};
  auto impl = std::make_unique<implementation>(tree, events,
                                               std::move(options));
  if (auto listening = impl->listen(); !listening)
    return listening.error();
  return observer_server{std::move(impl)};
}

observer_server::observer_server(std::unique_ptr<implementation> impl)
  : impl_(std::move(impl)) {}
observer_server::observer_server(observer_server&&) noexcept = default;
observer_server&
observer_server::operator=(observer_server&&) noexcept = default;
observer_server::~observer_server() = default;

const std::string& observer_server::url() const noexcept {
  return impl_->url;
}

int observer_server::port() const noexcept {
  return impl_->port;
}

figures_board& observer_server::figures() noexcept {
  return impl_->figures;
}

observer_counts observer_server::counts() const {
  return impl_->counts();
}

void observer_server::stop() {
  if (impl_ != nullptr)
    impl_->stop();
}

} // namespace coppice
