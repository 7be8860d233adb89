// This file is part of coppice. License: see LICENSE in the source root.

// A check as people read it.

#include "coppice/policy/spec_check.hpp"
#include "coppice/policy/spec_check_finder.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace coppice::policy {

namespace {

using row = std::array<std::string, 5>;

std::string restarts_text(const count_limit& x) {
  return x.is_infinite() ? "unlimited" : to_string(x);
}

std::string time_text(const time_limit& x) {
  return x.is_finite() ? in_words(x.span()) : "unlimited";
}

std::string end_text(const worst_case& x) {
  if (x.kind == child_kind::worker)
    return "-";
  return x.gives_up_within.is_finite() ? in_words(x.gives_up_within.span())
                                       : "never";
}

row row_of(const worst_case& x) {
  return {x.path, restarts_text(x.restarts), end_text(x),
          time_text(x.start_within), time_text(x.stop_within)};
}

/// Supervisors, and of the workers as many as there is room for.
std::vector<row> rows_of(const spec_check& x, std::size_t lines_max) {
  std::vector<row> rows{
    {"path", "restarts", "gives up in", "starts in", "stops in"}};
  const auto supervisors = static_cast<std::size_t>(
    std::count_if(x.worst.begin(), x.worst.end(), [](const auto& y) {
      return y.kind == child_kind::supervisor;
    }));
  const auto shown_supervisors = std::min(supervisors, lines_max);
  auto room = shown_supervisors;
  auto room_for_workers = lines_max - shown_supervisors;
  for (const auto& y : x.worst) {
    auto& left = y.kind == child_kind::supervisor ? room : room_for_workers;
    if (left == 0)
      continue;
    --left;
    rows.push_back(row_of(y));
  }
  return rows;
}

std::string table(const std::vector<row>& rows) {
  std::array<std::size_t, std::tuple_size_v<row>> widths{};
  for (const auto& x : rows)
    for (std::size_t i = 0; i < x.size(); ++i)
      widths[i] = std::max(widths[i], x[i].size());
  std::string out;
  for (const auto& x : rows) {
    out += x[0] + std::string(widths[0] - x[0].size(), ' ');
    for (std::size_t i = 1; i < x.size(); ++i)
      out += "  " + std::string(widths[i] - x[i].size(), ' ') + x[i];
    out += '\n';
  }
  return out;
}

std::string worst_cases_text(const spec_check& x, std::size_t lines_max) {
  if (x.worst.empty())
    return {};
  const auto rows = rows_of(x, lines_max);
  auto out = "At worst, in one crash loop and in one stop:\n" + table(rows);
  if (const auto shown = rows.size() - 1; shown < x.worst.size())
    out += "... and " + std::to_string(x.worst.size() - shown) + " more\n";
  return out + '\n';
}

std::string counted(std::size_t count, const char* what) {
  return std::to_string(count) + ' ' + what + (count == 1 ? "" : "s");
}

} // namespace

std::string to_string(const spec_finding& x) {
  auto head = std::string{to_string(x.severity)} + ": " + x.field + ": "
              + x.found + " [" + to_string(x.kind) + ']';
  if (x.alike > 0)
    head += " and " + std::to_string(x.alike) + " beside it";
  return head + "\n    " + x.why + "\n    -> " + x.advice + '\n';
}

std::string to_text(const spec_check& x, const check_text_options& options) {
  auto out = worst_cases_text(x, options.lines_max);
  for (const auto& y : x.findings)
    if (options.with_notes || y.severity != finding_severity::note)
      out += to_string(y);
  return out + counted(x.count(finding_severity::error), "error") + ", "
         + counted(x.count(finding_severity::warning), "warning") + ", "
         + counted(x.count(finding_severity::note), "note") + '\n';
}

const char* to_string(finding_severity x) noexcept {
  switch (x) {
    case finding_severity::note:
      return "note";
    case finding_severity::warning:
      return "warning";
    case finding_severity::error:
      return "error";
  }
  return "unknown";
}

const char* to_string(finding_kind x) noexcept {
  constexpr std::array names{
    "invalid",
    "heartbeat_below_scan",
    "limit_never_triggers",
    "limit_shadowed",
    "backoff_outlives_window",
    "restarts_without_end",
    "restarts_cost_nothing",
    "restarts_multiply",
    "backoff_never_applies",
    "stalls_never_escalate",
    "probe_without_effect",
    "shutdown_unreachable",
    "stop_exceeds_deadline",
    "stop_unbounded",
    "grace_below_children",
    "kill_without_order",
    "abandoned_at_once",
    "start_unbounded",
    "start_deadline_below_children",
    "no_room",
    "no_children",
    "setting_unused",
  };
  static_assert(names.size()
                == static_cast<std::size_t>(finding_kind::setting_unused) + 1);
  const auto i = static_cast<std::size_t>(x);
  return i < names.size() ? names[i] : "unknown";
}

} // namespace coppice::policy
