// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/supervise_validation.hpp"

#include "coppice/policy/spec_section.hpp"
#include "coppice/supervise.hpp"

#include <string>
#include <utility>

namespace coppice {

namespace {

void refuse_unless(policy::spec_defects& defects, bool sound, const char* field,
                   std::string value, const char* expected) {
  if (!sound)
    defects.push_back({field, std::move(value), expected});
}

void check_options(const supervise_options& x, policy::spec_defects& defects) {
  using namespace std::chrono_literals;
  refuse_unless(defects, x.scan_interval >= 1ms && x.scan_interval <= 1h,
                "options.scan_interval", policy::to_string(x.scan_interval),
                "a length from 1ms to 1h");
  refuse_unless(defects, x.exit_code >= 0 && x.exit_code <= 255,
                "options.exit_code", std::to_string(x.exit_code),
                "a number from 0 to 255, as a process can say no more");
  refuse_unless(defects, policy::positive_or_infinite.contains(x.start_within),
                "options.start_within", policy::to_string(x.start_within),
                policy::positive_or_infinite.expected);
  refuse_unless(defects,
                policy::not_negative_or_infinite.contains(x.stop_within),
                "options.stop_within", policy::to_string(x.stop_within),
                policy::not_negative_or_infinite.expected);
}

/// A tree whose timeouts lie below the scan interval cannot keep them.
void check_timeouts(const supervisor_spec& spec, const std::string& where,
                    duration scan, policy::spec_defects& defects) {
  for (std::size_t i = 0; i < spec.children.size(); ++i) {
    const auto& child = spec.children[i];
    const auto& beats = child.heartbeat;
    const auto is_short = [scan](const time_limit& x) {
      return x.is_finite() && x.span() > duration::zero() && x.span() < scan;
    };
    if (!is_short(beats.stall_timeout) && !is_short(beats.idle_timeout)
        && !child.supervisor)
      continue;
    const auto here = where + ".children[" + std::to_string(i) + "]("
                      + policy::printable(child.id) + ')';
    for (const auto& [name, limit] :
         {std::pair{".heartbeat.stall_timeout", beats.stall_timeout},
          std::pair{".heartbeat.idle_timeout", beats.idle_timeout}})
      if (is_short(limit))
        defects.push_back({here + name, policy::to_string(limit),
                           "at least `options.scan_interval`, which is "
                             + policy::to_string(scan)});
    if (child.supervisor)
      check_timeouts(*child.supervisor, here + ".supervisor", scan, defects);
  }
}

} // namespace

policy::spec_defects validate_tree(const supervisor_spec& spec,
                                   duration scan_interval) {
  auto defects = policy::validate(spec, spec.name);
  check_timeouts(spec, spec.name, scan_interval, defects);
  return defects;
}

policy::spec_defects validate_tree(const supervisor_spec& spec,
                                   const supervise_options& options) {
  auto defects = validate_tree(spec, options.scan_interval);
  check_options(options, defects);
  return defects;
}

} // namespace coppice
