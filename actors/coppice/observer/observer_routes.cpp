// This file is part of coppice. License: see LICENSE in the source root.

// What the server answers.

#include "coppice/failure_json.hpp"
#include "coppice/observer/observer_server_impl.hpp"
#include "coppice/observer/page_files.hpp"
#include "coppice/observer/tree_commands.hpp"
#include "coppice/tree_snapshot_json.hpp"
#include "coppice/tree_snapshot_text.hpp"

#include <nlohmann/json.hpp>

#include <charconv>
#include <optional>

namespace coppice {

namespace {

using json = nlohmann::ordered_json;

void answer(httplib::Response& out, const json& body) {
  out.set_content(body.dump(-1, ' ', false, json::error_handler_t::replace),
                  "application/json");
}

/// A failure of ours, as operators see it.
int status_of(const failure& why) {
  const auto is = [&why](errc x) { return why.code == failure_code{x}; };
  if (is(errc::unknown_child))
    return 404;
  if (is(errc::already_started) || is(errc::already_present)
      || is(errc::child_running) || is(errc::child_restarting)
      || is(errc::shutting_down) || is(errc::stopped))
    return 409;
  return is(errc::request_timeout) ? 504 : 422;
}

void answer_failure(httplib::Response& out, const failure& why) {
  answer_problem(out, {.status = status_of(why),
                       .title = why.failure_class,
                       .detail = why.message.empty() ? to_string(why)
                                                     : why.message});
}

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t res = 0;
  const auto end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, res);
  if (error != std::errc{} || rest != end)
    return std::nullopt;
  return res;
}

/// A browser that comes back says itself what it has seen.
std::optional<std::uint64_t> after_of(const httplib::Request& in) {
  if (in.has_header("Last-Event-ID"))
    return number_of(in.get_header_value("Last-Event-ID"));
  return in.has_param("after") ? number_of(in.get_param_value("after"))
                               : std::uint64_t{0};
}

struct bad_request {
  std::string detail;
};

std::string text_field(const nlohmann::json& body, const char* name,
                       bool is_needed) {
  const auto at = body.find(name);
  if (at == body.end() && !is_needed)
    return {};
  if (at == body.end() || !at->is_string())
    throw bad_request{std::string{"the field '"} + name
                      + "' is missing, or not a text"};
  return at->get<std::string>();
}

nlohmann::json object_of(const httplib::Request& in) {
  auto body = nlohmann::json::parse(in.body, nullptr, false);
  if (!body.is_object())
    throw bad_request{"the body is not an object in JSON"};
  return body;
}

tree_order order_of(const httplib::Request& in) {
  const auto body = object_of(in);
  const auto action = text_field(body, "action", true);
  const auto what = to_tree_action(action);
  if (!what)
    throw bad_request{"found the action '" + action
                      + "', expected stop, start, restart, retry or hold"};
  constexpr std::size_t reason_max = 1'000;
  auto reason = text_field(body, "reason", false);
  if (reason.size() > reason_max)
    throw bad_request{"the reason is longer than 1000 bytes"};
  return {*what, text_field(body, "path", true), std::move(reason)};
}

} // namespace

void observer_server::implementation::add_routes() {
  http_.Get("/healthz", [](const auto&, auto& out) {
    out.set_content("ok\n", "text/plain");
  });
  http_.Get("/api/tree",
            [this](const auto& in, auto& out) { get_tree(in, out); });
  http_.Get("/api/events",
            [this](const auto& in, auto& out) { get_events(in, out); });
  http_.Get("/api/failure",
            [this](const auto& in, auto& out) { get_failure(in, out); });
  http_.Get("/api/topology",
            [this](const auto&, auto& out) { get_topology(out); });
  http_.Get("/metrics", [this](const auto&, auto& out) { get_metrics(out); });
  http_.Post("/api/ctl",
             [this](const auto& in, auto& out) { post_ctl(in, out); });
  http_.Post("/api/reload",
             [this](const auto&, auto& out) { post_reload(out); });
  http_.Post("/api/stop", [this](const auto&, auto& out) { post_stop(out); });
  if (options_.with_page)
    add_page();
}

void observer_server::implementation::add_page() {
  const auto add = [this](const char* path, std::string_view file,
                          const char* type) {
    http_.Get(path, [file, type](const auto&, auto& out) {
      out.set_content(file.data(), file.size(), type);
    });
  };
  add("/", page_files::html, "text/html; charset=utf-8");
  add("/page.js", page_files::js, "text/javascript; charset=utf-8");
  add("/page.css", page_files::css, "text/css; charset=utf-8");
}

// -- looking -----------------------------------------------------------------

void observer_server::implementation::get_tree(const request& in,
                                               response& out) {
  const auto format = in.has_param("format") ? in.get_param_value("format")
                                             : std::string{"json"};
  if (format != "json" && format != "text" && format != "dot")
    return answer_problem(out, {400, "Unknown format",
                                "found '" + format
                                  + "', expected json, text or dot"});
  const auto tree = take_snapshot(tree_, options_.snapshot_within);
  if (!tree)
    return answer_failure(out, tree.error());
  if (format == "text")
    out.set_content(to_text(*tree), "text/plain; charset=utf-8");
  else if (format == "dot")
    out.set_content(to_dot(*tree), "text/vnd.graphviz; charset=utf-8");
  else
    out.set_content(to_json(*tree), "application/json");
}

void observer_server::implementation::get_events(const request& in,
                                                 response& out) {
  const auto after = after_of(in);
  if (!after)
    return answer_problem(out, {400, "Bad number",
                                "`after` is the number of an event"});
  auto viewer = feed_.join(*after);
  if (viewer == nullptr) {
    ++viewers_refused_;
    out.set_header("Retry-After", "5");
    return answer_problem(out, {503, "Too many viewers",
                                "close another page, or raise viewers_max"});
  }
  out.set_chunked_content_provider(
    "text/event-stream", [this, viewer](std::size_t, httplib::DataSink& sink) {
      const auto news = viewer->take(std::chrono::seconds{1});
      const auto begin = std::chrono::steady_clock::now();
      const auto is_there = (news.empty()
                             || sink.write(news.data(), news.size()))
                            && sink.is_writable();
      // One that went away is noticed at once.
      if (!is_there
          && std::chrono::steady_clock::now() - begin
               >= options_.viewer_patience)
        ++viewers_dropped_;
      if (viewer->is_over())
        sink.done();
      return is_there;
    });
}

void observer_server::implementation::get_failure(const request& in,
                                                  response& out) {
  const auto path = in.get_param_value("path");
  std::shared_ptr<const failure> why;
  if (path == tree_.context()->root_path()) {
    if (auto end = tree_.context()->end_reason())
      why = std::make_shared<const failure>(std::move(*end));
  } else {
    const auto line = look_up(tree_, path, options_.snapshot_within);
    if (!line)
      return answer_failure(out, line.error());
    why = line->last_failure;
  }
  if (why == nullptr)
    return answer_problem(out, {404, "No failure",
                                path + " has not failed, as far as is known"});
  answer(out, {{"text", describe(*why)},
               {"failure", json::parse(problem_json(*why))}});
}

void observer_server::implementation::get_topology(response& out) {
  if (options_.topology_file.empty())
    return answer_problem(out, {404, "No file",
                                "this tree was not read from a file"});
  answer(out, {{"file", options_.topology_file}, {"version", tree_.version()}});
}

void observer_server::implementation::get_metrics(response& out) {
  const auto tree = take_snapshot(tree_, options_.snapshot_within);
  if (!tree)
    return answer_failure(out, tree.error());
  out.set_content(metrics_text(*tree, events_.counts(), figures.look(),
                               counts()),
                  "text/plain; version=0.0.4; charset=utf-8");
}

// -- changing ----------------------------------------------------------------

void observer_server::implementation::post_ctl(const request& in,
                                               response& out) {
  try {
    const auto order = order_of(in);
    const auto result = carry_out(tree_, order, options_.command_within,
                                  stopping_.get_token());
    if (!result)
      return answer_failure(out, result.error());
    answer(out, {{"done", true}});
  } catch (const bad_request& x) {
    answer_problem(out, {400, "Bad request", x.detail});
  }
}

void observer_server::implementation::post_reload(response& out) {
  if (!options_.on_reload)
    return answer_problem(out, {404, "No reload",
                                "this program has nothing to reload from"});
  const auto report = options_.on_reload();
  if (!report)
    return answer_failure(out, report.error());
  auto changes = json::array();
  for (const auto& x : report->changes)
    changes.push_back({{"kind", policy::to_string(x.kind)},
                       {"path", x.path},
                       {"field", x.field},
                       {"before", x.before},
                       {"after", x.after}});
  answer(out, {{"version", report->version}, {"changes", std::move(changes)}});
}

void observer_server::implementation::post_stop(response& out) {
  if (!options_.on_stop)
    return answer_problem(out, {404, "No stop",
                                "this program does not end on request"});
  options_.on_stop();
  out.status = 202;
  answer(out, {{"stopping", true}});
}

} // namespace coppice
