// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/spec_check_json.hpp"

#include "coppice/policy/spec_check.hpp"

#include <nlohmann/json.hpp>

#include <chrono>

namespace coppice {

namespace {

// Fields in the order in which they are written, for people.
using json = nlohmann::ordered_json;

json milliseconds(const policy::time_limit& x) {
  if (!x.is_finite())
    return nullptr;
  return std::chrono::ceil<std::chrono::milliseconds>(x.span()).count();
}

json number(const policy::count_limit& x) {
  return x.is_infinite() ? json{} : json(x.count());
}

json worst_case_json(const policy::worst_case& x) {
  return {{"path", x.path},
          {"kind", to_string(x.kind)},
          {"restarts", number(x.restarts)},
          {"gives_up_within_ms", milliseconds(x.gives_up_within)},
          {"start_within_ms", milliseconds(x.start_within)},
          {"stop_within_ms", milliseconds(x.stop_within)}};
}

json finding_json(const policy::spec_finding& x) {
  return {{"severity", to_string(x.severity)},
          {"kind", to_string(x.kind)},
          {"field", x.field},
          {"found", x.found},
          {"why", x.why},
          {"advice", x.advice},
          {"alike", x.alike}};
}

} // namespace

std::string to_json(const policy::spec_check& x, int indent) {
  using enum policy::finding_severity;
  auto worst = json::array();
  for (const auto& y : x.worst)
    worst.push_back(worst_case_json(y));
  auto findings = json::array();
  for (const auto& y : x.findings)
    findings.push_back(finding_json(y));
  const json result{{"format", 1},
                    {"errors", x.count(error)},
                    {"warnings", x.count(warning)},
                    {"notes", x.count(note)},
                    {"scan_interval_ms", milliseconds(x.scan_interval)},
                    {"stop_within_ms", milliseconds(x.stop_within)},
                    {"worst", std::move(worst)},
                    {"findings", std::move(findings)}};
  return result.dump(indent, ' ', false, json::error_handler_t::replace);
}

} // namespace coppice
