// This file is part of coppice. License: see LICENSE in the source root.

// The one source file that knows the JSON library.

#include "coppice/failure_json.hpp"

#include "coppice/failure.hpp"
#include "coppice/failure_convert.hpp"
#include "coppice/failure_user.hpp"
#include "coppice/text_escape.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string_view>

namespace coppice {

namespace {

// Fields in the order in which they are written, for people.
using json = nlohmann::ordered_json;

std::string dump(const json& x, int indent) {
  return x.dump(indent, ' ', false, json::error_handler_t::replace);
}

/// Unless it is empty: a report full of "" is hard to read.
void add(json& to, const char* key, const std::string& text) {
  if (!text.empty())
    to[key] = text;
}

void add(json& to, const char* key, std::uint64_t number) {
  if (number != 0)
    to[key] = number;
}

void add(json& to, const char* key, json part) {
  if (!part.empty())
    to[key] = std::move(part);
}

json code_json(const failure_code& x) {
  if (x == failure_code{})
    return {};
  return {{"category", x.category}, {"value", x.value}, {"name", x.name}};
}

json where_json(const failure_where& x) {
  json res;
  add(res, "host", x.host);
  add(res, "process", x.process);
  add(res, "thread", x.thread);
  add(res, "path", x.path);
  add(res, "incarnation", x.incarnation);
  add(res, "file", x.file);
  add(res, "line", std::uint64_t{x.line});
  add(res, "function", x.function);
  return res;
}

/// Root to leaf, as people read.
json frames_json(const failure& x) {
  auto res = json::array();
  std::for_each(x.frames.rbegin(), x.frames.rend(), [&res](const auto& frame) {
    json next{{"when", utc_text(frame.when)}, {"path", frame.path}};
    add(next, "incarnation", frame.incarnation);
    next["decision"] = frame.decision;
    add(next, "attempt", std::uint64_t{frame.attempt});
    add(next, "attempts_in_window", std::uint64_t{frame.attempts_in_window});
    res.push_back(std::move(next));
  });
  return res;
}

void add_context(json& to, const failure& x) {
  add(to, "misc", json(x.misc));
  auto keys = json::array();
  for (const auto& [key, value] : x.sensitive)
    keys.push_back(key);
  add(to, "sensitive", std::move(keys));
}

void add_stack(json& to, const failure& x) {
  auto addresses = json::array();
  for (const auto address : x.stack)
    addresses.push_back(address_text(address));
  add(to, "stack", std::move(addresses));
  add(to, "stack_text", json(x.stack_text));
}

json left_out_json(const failure& x) {
  json res;
  add(res, "frames", std::uint64_t{x.frames_left_out});
  add(res, "links", std::uint64_t{x.links_left_out});
  add(res, "misc", std::uint64_t{x.misc_left_out});
  add(res, "secondary", std::uint64_t{x.secondary_left_out});
  add(res, "stack", std::uint64_t{x.stack_left_out});
  return res;
}

/// Without its causes.
json link_json(const failure& x) {
  json res{{"class", x.failure_class}};
  add(res, "code", code_json(x.code));
  add(res, "message", x.message);
  add(res, "user_message", x.user_message);
  add(res, "help_link", x.help_link);
  res["reference"] = x.reference;
  res["is_bug"] = x.is_bug;
  res["when"] = utc_text(x.when);
  add(res, "where", where_json(x.where));
  if (x.retry_after)
    res["retry_after_ns"] = x.retry_after->count();
  add_context(res, x);
  add(res, "frames", frames_json(x));
  add_stack(res, x);
  add(res, "left_out", left_out_json(x));
  return res;
}

json failure_to_json(const failure& x) {
  auto res = link_json(x);
  auto beside = json::array();
  for (const auto& cause : x.secondary)
    if (cause)
      beside.push_back(failure_to_json(*cause));
  add(res, "secondary", std::move(beside));
  if (x.inner)
    res["inner"] = failure_to_json(*x.inner);
  return res;
}

// -- problems ----------------------------------------------------------------

/// What is safe in a path of a URI: "db_down", "http%20error" as "http-error".
std::string slug(std::string_view text) {
  std::string res;
  for (const auto c : text) {
    const auto is_safe = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
                         || (c >= '0' && c <= '9') || c == '_' || c == '-'
                         || c == '.';
    res += is_safe ? c : '-';
  }
  return res;
}

/// "db_down": "Db down".
std::string title_of(std::string_view failure_class) {
  auto res = escaped(failure_class);
  std::ranges::replace(res, '_', ' ');
  if (!res.empty() && res[0] >= 'a' && res[0] <= 'z')
    res[0] = static_cast<char>(res[0] - 'a' + 'A');
  return res;
}

/// No registered status says that nobody waits for the answer; proxies log it
/// as this one. 408 would say that the request did not come in time.
constexpr int client_gone = 499;

const char* title_of(int status) {
  switch (status) {
    case 404:
      return "Not Found";
    case 422:
      return "Unprocessable Content";
    case client_gone:
      return "Client Closed Request";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    default:
      return status < 500 ? "Bad Request" : "Internal Server Error";
  }
}

constexpr int known_edge_case = 422;

int status_of(errc x) {
  switch (x) {
    case errc::unknown_child:
      return 404;
    case errc::request_timeout:
    case errc::deadline_exceeded:
    case errc::cannot_finish:
      return 504;
    case errc::cancelled:
      return client_gone;
    case errc::overloaded:
    case errc::shutting_down:
    case errc::stopped:
    case errc::unavailable:
    case errc::parking_full:
    case errc::children_max_reached:
    case errc::child_restarting:
    case errc::node_lost:
    case errc::gave_up:
    case errc::start_failed:
    case errc::start_timeout:
      return 503;
    default:
      return known_edge_case;
  }
}

std::int64_t in_seconds(std::chrono::nanoseconds span) {
  const auto res = std::chrono::ceil<std::chrono::seconds>(span).count();
  return std::max<std::int64_t>(res, 0);
}

} // namespace

std::string to_json(const failure& x, int indent) {
  return dump(failure_to_json(x), indent);
}

int problem_status(const failure& x) {
  const auto user = for_user(x);
  if (user.is_bug)
    return 500;
  const auto status = status_of(to_errc(x));
  return user.retry_after && status == known_edge_case ? 503 : status;
}

std::string problem_json(const failure& x, const problem_options& options) {
  const auto user = for_user(x);
  const auto status = user.is_bug ? 500
                                  : options.status.value_or(problem_status(x));
  json res;
  if (user.failure_class.empty()) {
    res["type"] = "about:blank";
    res["title"] = title_of(status);
  } else {
    res["type"] = options.type_base + slug(user.failure_class);
    res["title"] = title_of(user.failure_class);
  }
  res["status"] = status;
  res["detail"] = user.text;
  res["instance"] = options.instance_base + slug(user.reference);
  res["reference"] = user.reference;
  add(res, "help", user.help_link);
  if (user.retry_after)
    res["retry_after"] = in_seconds(*user.retry_after);
  return dump(res, options.indent);
}

} // namespace coppice
