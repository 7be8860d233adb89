// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/spec_check.hpp"

#include "coppice/policy/spec_check_finder.hpp"
#include "coppice/policy/spec_check_loops.hpp"
#include "coppice/policy/spec_check_tree.hpp"

#include <numeric>

namespace coppice::policy {

namespace {

worst_case worst_case_of(const checked_tree& tree, std::size_t at) {
  const auto& node = tree.nodes()[at];
  const auto is_instance = node.child != nullptr
                           && is_pool(tree.supervisor_of(at));
  const auto first_lives = is_instance ? 0u : 1u;
  return {
    .path = tree.path_of(at),
    .kind = node.supervisor != nullptr ? child_kind::supervisor
                                       : child_kind::worker,
    .restarts = node.lives.is_infinite() ? node.lives
                                         : node.lives.count() - first_lives,
    .gives_up_within = node.supervisor != nullptr ? node.gives_up_within
                                                  : time_limit{duration{0}},
    .start_within = node.start,
    .stop_within = node.stop,
  };
}

spec_finding finding_of(spec_defect&& x) {
  return {.severity = finding_severity::error,
          .kind = finding_kind::invalid,
          .field = std::move(x.field),
          .found = std::move(x.value),
          .why = "expected is " + x.expected,
          .advice = "write what is expected"};
}

} // namespace

std::size_t spec_check::count(finding_severity x) const noexcept {
  return std::accumulate(findings.begin(), findings.end(), std::size_t{0},
                         [x](std::size_t count, const spec_finding& y) {
                           return count + (y.severity == x ? 1 + y.alike : 0);
                         });
}

spec_check check(const supervisor_spec& spec, duration scan_interval,
                 time_limit stop_within) {
  spec_check result{.scan_interval = scan_interval, .stop_within = stop_within};
  if (auto defects = validate(spec, spec.name); !defects.empty()) {
    for (auto& x : defects)
      result.findings.push_back(finding_of(std::move(x)));
    return result;
  }
  const checked_tree tree{spec};
  spec_check_finder finder{tree, scan_interval, stop_within, result.findings};
  result.worst.reserve(tree.nodes().size());
  for (std::size_t i = 0; i < tree.nodes().size(); ++i) {
    result.worst.push_back(worst_case_of(tree, i));
    finder.look_at(i);
  }
  return result;
}

} // namespace coppice::policy
