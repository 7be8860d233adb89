// This file is part of coppice. License: see LICENSE in the source root.

#include "remote_events.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace coppice::tool {

namespace {

using nlohmann::json;

std::string number_text(const json& x) {
  return x.is_number_float() ? std::to_string(x.get<double>()) : x.dump();
}

} // namespace

std::string event_text(const std::string& json_text) {
  const auto x = json::parse(json_text, nullptr, false);
  if (!x.is_object())
    return json_text;
  auto line = number_text(x.value("number", json{0})) + ' '
              + x.value("when", "") + ' ' + x.value("path", "");
  if (const auto life = x.value("incarnation", std::uint64_t{0}); life > 0)
    line += '#' + std::to_string(life);
  line += ' ' + x.value("kind", "");
  for (const auto* field : {"cause", "why"})
    if (const auto text = x.value(field, ""); !text.empty())
      line += std::string{" "} + field + '=' + text;
  for (const auto* field : {"span_ms", "attempts", "suspicion"})
    if (const auto i = x.find(field); i != x.end() && i->is_number())
      line += std::string{" "} + field + '=' + number_text(*i);
  if (const auto i = x.find("failure"); i != x.end() && i->is_object())
    line += ": " + i->value("line", "");
  return line;
}

http_answer print_events(const tree_client& client, const events_request& x) {
  // What is known now ends with this number.
  const auto answer = client.get("/api/tree");
  if (!answer.is_good())
    return answer;
  const auto snapshot = json::parse(answer.body, nullptr, false);
  std::uint64_t last = 0;
  if (snapshot.is_object() && snapshot.contains("events"))
    last = snapshot["events"].value("last", std::uint64_t{0});
  if (!x.follow && last <= x.after)
    return {200, {}};
  auto at = x.after;
  // Nothing may happen for long; but what is known comes at once.
  const std::chrono::seconds idle{x.follow ? 86'400 : 2};
  const auto result = client.stream(
    "/api/events?after=" + std::to_string(x.after), idle,
    [&](const stream_event& event) {
      if (event.name != "event")
        return true;
      at = std::strtoull(event.id.c_str(), nullptr, 10);
      std::puts((x.json ? event.data : event_text(event.data)).c_str());
      std::fflush(stdout);
      return x.follow || at < last;
    });
  // The end of the tree is the end of its events.
  return result.status == 0 && at > x.after ? http_answer{200, {}} : result;
}

} // namespace coppice::tool
