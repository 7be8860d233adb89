// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/event_json.hpp"

#include <nlohmann/json.hpp>

#include <chrono>

namespace coppice {

namespace {

using json = nlohmann::ordered_json;

double ms(policy::duration span) {
  return std::chrono::duration<double, std::milli>{span}.count();
}

void add_what_applies(json& to, const supervision_event& x) {
  if (has_cause(x.kind))
    to["cause"] = policy::to_string(x.cause);
  if (x.kind == event_kind::stopped)
    to["why"] = field_text(x.why);
  if (x.span != policy::duration::zero())
    to["span_ms"] = ms(x.span);
  if (x.attempts > 0)
    to["attempts"] = x.attempts;
  if (x.suspicion > 0)
    to["suspicion"] = x.suspicion;
  if (x.because != nullptr)
    to["failure"] = {{"line", to_string(*x.because)},
                     {"class", x.because->failure_class},
                     {"id", x.because->reference}};
}

} // namespace

std::string to_json(const supervision_event& x) {
  json res{{"number", x.number},
           {"version", x.version},
           {"kind", policy::to_string(x.kind)},
           {"when", utc_text_ms(x.when)},
           {"path", x.path},
           {"incarnation", x.incarnation}};
  add_what_applies(res, x);
  return res.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string utc_text_ms(wall_time when) {
  auto text = utc_text(when);
  text.erase(text.size() - 7, 6); // of nine digits, then "Z"
  return text;
}

const char* field_text(policy::stopped_why x) noexcept {
  switch (x) {
    case policy::stopped_why::none:
      return "";
    case policy::stopped_why::by_operator:
      return "by_operator";
    case policy::stopped_why::by_group:
      return "by_group";
    default:
      return policy::to_string(x);
  }
}

} // namespace coppice
