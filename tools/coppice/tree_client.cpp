// This file is part of coppice. License: see LICENSE in the source root.

#include "tree_client.hpp"

#include <httplib.h>

#include <chrono>
#include <utility>

namespace coppice::tool {

namespace {

using namespace std::chrono_literals;

httplib::Headers headers_for(const running_tree& tree) {
  return {{"Authorization", "Bearer " + tree.token}};
}

/// httplib wants it without a path.
std::string base_of(std::string url) {
  if (url.ends_with('/'))
    url.pop_back();
  return url;
}

/// A stop may take as long as the grace of the child.
constexpr auto patience = 60s;

http_answer answer_of(const httplib::Result& result) {
  if (!result)
    return {0, httplib::to_string(result.error())};
  return {result->status, result->body};
}

} // namespace

http_answer tree_client::get(const std::string& path) const {
  httplib::Client client{base_of(tree_.url)};
  client.set_read_timeout(patience);
  return answer_of(client.Get(path, headers_for(tree_)));
}

http_answer tree_client::post(const std::string& path,
                              const std::string& json) const {
  httplib::Client client{base_of(tree_.url)};
  client.set_read_timeout(patience);
  return answer_of(
    client.Post(path, headers_for(tree_), json, "application/json"));
}

http_answer tree_client::stream(
  const std::string& path, std::chrono::seconds idle,
  const std::function<bool(const stream_event&)>& on_event) const {
  httplib::Client client{base_of(tree_.url)};
  client.set_read_timeout(idle);
  event_parser parser;
  http_answer refusal;
  const auto result = client.Get(
    path, headers_for(tree_),
    [&](const httplib::Response& head) {
      refusal.status = head.status;
      return true;
    },
    [&](const char* data, std::size_t size) {
      if (refusal.is_good())
        return parser.feed(data, size, on_event);
      refusal.body.append(data, size);
      return true;
    });
  if (!result && result.error() == httplib::Error::Canceled)
    return {200, {}}; // by `on_event`
  if (!result)
    return {0, httplib::to_string(result.error())};
  return refusal;
}

// -- event_parser ------------------------------------------------------------

bool event_parser::feed(const char* data, std::size_t size, const callback& f) {
  for (std::size_t i = 0; i < size; ++i) {
    if (data[i] == '\r')
      continue; // a server of ours ends lines as Unix does, or as HTTP does
    if (data[i] != '\n') {
      line_ += data[i];
    } else if (!line(f)) {
      return false;
    } else {
      line_.clear();
    }
  }
  return true;
}

bool event_parser::line(const callback& f) {
  if (line_.empty()) {
    const auto event = std::exchange(event_, {});
    return event.data.empty() || f(event);
  }
  const auto colon = line_.find(':');
  const auto field = line_.substr(0, colon);
  auto value = colon == std::string::npos ? "" : line_.substr(colon + 1);
  if (value.starts_with(' '))
    value.erase(0, 1);
  if (field == "event")
    event_.name = value;
  else if (field == "id")
    event_.id = value;
  else if (field == "data")
    event_.data += event_.data.empty() ? value : '\n' + value;
  return true;
}

} // namespace coppice::tool
