// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/admission_spec.hpp"

#include "coppice/policy/admission_limits.hpp"
#include "coppice/policy/spec_section.hpp"

namespace coppice::policy {

namespace {

/// For integers that were cast to an enumeration; validation refuses them.
constexpr const char* no_such_enumerator = "unknown";

void check(const spec_section& at, const standing_queue_spec& x) {
  at.time(".standing.target", x.target, positive);
  if (x.interval.is_infinite())
    return;
  constexpr std::string_view field = ".standing.interval";
  if (!positive.contains(x.interval)
      || x.interval.span() > limits::standing_interval_max)
    at.defect(field, to_string(x.interval),
              "a length from `target` to "
                + to_string(limits::standing_interval_max) + ", or infinity");
  else if (positive.contains(x.target) && x.interval.span() < x.target.span())
    at.defect(field, to_string(x.interval),
              "at least `target`, which is " + to_string(x.target));
}

void check(const spec_section& at, const service_time_spec& x) {
  at.number(".service.quantile", x.quantile, limits::service_quantile_min,
            limits::service_quantile_max);
  at.number(".service.samples_min", x.samples_min, limits::service_samples_min,
            limits::service_samples_max);
  if (!positive.contains(x.window)
      || x.window.span() > limits::service_window_max)
    at.defect(".service.window", to_string(x.window),
              "a length above zero, up to "
                + to_string(limits::service_window_max));
  at.time(".service.relearn_after", x.relearn_after, positive);
}

void check(const spec_section& at, const criticality_shares& x) {
  at.number(".shares.critical_plus", x.critical_plus, 0.0, 1.0);
  at.number(".shares.critical", x.critical, 0.0, 1.0);
  at.number(".shares.sheddable_plus", x.sheddable_plus, 0.0, 1.0);
  at.number(".shares.sheddable", x.sheddable, 0.0, 1.0);
}

void check(const spec_section& at, const retry_hint_spec& x) {
  at.time(".retry_after.min", x.min, positive);
  constexpr std::string_view field = ".retry_after.max";
  if (!positive.contains(x.max) || x.max.span() > limits::retry_after_max)
    at.defect(field, to_string(x.max),
              "a length from twice `min` to "
                + to_string(limits::retry_after_max));
  else if (positive.contains(x.min) && x.max.span() / 2 < x.min.span())
    at.defect(field, to_string(x.max),
              "at least twice `min`, which is " + to_string(x.min));
}

} // namespace

double criticality_shares::of(criticality x) const noexcept {
  switch (x) {
    case criticality::critical_plus:
      return critical_plus;
    case criticality::critical:
      return critical;
    case criticality::sheddable_plus:
      return sheddable_plus;
    case criticality::sheddable:
      return sheddable;
  }
  return 0.0;
}

spec_defects validate(const admission_spec& spec, const std::string& where) {
  spec_defects found;
  const spec_section at{found, where};
  at.number(".queue_depth_max", spec.queue_depth_max, 1,
            limits::queue_depth_max);
  at.name(".stale", spec.stale, stale_check::cannot_finish);
  check(at, spec.standing);
  check(at, spec.service);
  check(at, spec.shares);
  check(at, spec.retry_after);
  return found;
}

const char* to_string(stale_check x) noexcept {
  switch (x) {
    case stale_check::none:
      return "none";
    case stale_check::expired:
      return "expired";
    case stale_check::cannot_finish:
      return "cannot_finish";
  }
  return no_such_enumerator;
}

} // namespace coppice::policy
