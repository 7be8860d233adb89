// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/limits.hpp"
#include "coppice/policy/spec.hpp"
#include "coppice/policy/spec_section.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_map>

namespace coppice::policy {

namespace {

void check_id(const spec_section& at, std::string_view field,
              std::string_view id) {
  if (id.empty() || id.size() > limits::id_bytes_max)
    at.defect(field, quoted(id) + " (" + std::to_string(id.size()) + " bytes)",
              "1 to " + std::to_string(limits::id_bytes_max) + " bytes");
  const auto is_refused = [](char c) { return c == '/' || is_control(c); };
  if (std::any_of(id.begin(), id.end(), is_refused))
    at.defect(field, quoted(id),
              "neither `/`, which separates the parts of a path, nor control "
              "characters");
}

std::string days(duration span) {
  return std::to_string(span / std::chrono::hours{24}) + " days";
}

// -- parts that have their own struct ----------------------------------------

void check(const spec_section& at, const restart_limits& x) {
  const auto& most = x.restarts_max;
  if (most.is_negative()
      || (!most.is_infinite() && most.count() > limits::restarts_max))
    at.defect(".limits.restarts_max", to_string(most),
              "a count from 0 to " + std::to_string(limits::restarts_max)
                + ", or infinity");
  at.time(".limits.window", x.window, positive_or_infinite);
}

void check(const spec_section& at, const cause_weights& x) {
  const auto weight = [&at](std::string_view field, std::uint32_t value) {
    at.number(field, value, 0, limits::weight_max);
  };
  weight(".weights.crash", x.crash);
  weight(".weights.stall", x.stall);
  weight(".weights.start_failure", x.start_failure);
  weight(".weights.node_loss", x.node_loss);
  weight(".weights.clean_end", x.clean_end);
}

void check_cap(const spec_section& at, const backoff_spec& x, bool is_parking) {
  constexpr std::string_view field = ".backoff.cap";
  if (!not_negative.contains(x.cap) || x.cap.span() > limits::backoff_cap_max)
    at.defect(field, to_string(x.cap),
              "a length from `first` to " + days(limits::backoff_cap_max));
  else if (not_negative.contains(x.first) && x.cap.span() < x.first.span())
    at.defect(field, to_string(x.cap),
              "at least `first`, which is " + to_string(x.first));
  else if (is_parking && x.cap.span() == duration::zero())
    at.defect(field, to_string(x.cap),
              "a length above zero: `park` retries at this distance for ever");
}

void check(const spec_section& at, const backoff_spec& x, bool is_parking) {
  at.time(".backoff.first", x.first, not_negative);
  check_cap(at, x, is_parking);
  at.number(".backoff.factor", x.factor, limits::backoff_factor_min,
            limits::backoff_factor_max);
  at.name(".backoff.jitter", x.jitter, jitter_kind::proportional);
  at.number(".backoff.jitter_ratio", x.jitter_ratio, 0.0,
            limits::jitter_ratio_max);
  at.time(".backoff.reset_after", x.reset_after, not_negative_or_infinite);
}

void check(const spec_section& at, const std::vector<failure_rule>& rules) {
  std::unordered_map<std::string_view, std::size_t> seen;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const auto& rule = rules[i];
    const auto here = at.part(".on_failure[" + std::to_string(i) + "]");
    if (rule.failure_class.empty())
      here.defect(".failure_class", quoted(rule.failure_class),
                  "the class of a failure");
    else if (const auto [first, is_new] = seen.emplace(rule.failure_class, i);
             !is_new)
      here.defect(".failure_class", quoted(rule.failure_class),
                  "one rule per class; on_failure["
                    + std::to_string(first->second) + "] has this one already");
    here.name(".action", rule.action, failure_action::escalate);
  }
}

void check(const spec_section& at, const phi_spec& x) {
  if (!(x.threshold > 0.0 && x.threshold <= limits::phi_threshold_max))
    at.defect(".phi.threshold", text(x.threshold),
              "a number above 0, at most " + text(limits::phi_threshold_max));
  at.number(".phi.samples_max", x.samples_max, limits::phi_samples_min,
            limits::phi_samples_max);
  at.time(".phi.deviation_min", x.deviation_min, positive);
  at.time(".phi.acceptable_pause", x.acceptable_pause, not_negative);
  at.time(".phi.first_estimate", x.first_estimate, positive);
}

// With the stall timeout as upper bound, a worker that beats at the assumed
// interval would be stalled before its first beat.
void check_estimate(const spec_section& at, const heartbeat_spec& x) {
  const auto& estimate = x.phi.first_estimate;
  if (x.detector == detector_kind::phi_accrual && positive.contains(estimate)
      && positive.contains(x.stall_timeout)
      && estimate.span() >= x.stall_timeout.span())
    at.defect(".phi.first_estimate", to_string(estimate),
              "less than `stall_timeout`, which is "
                + to_string(x.stall_timeout));
}

void check(const spec_section& at, const heartbeat_spec& x) {
  at.time(".stall_timeout", x.stall_timeout, positive_or_infinite);
  at.time(".idle_timeout", x.idle_timeout, positive_or_infinite);
  at.time(".extension_max", x.extension_max, not_negative);
  at.time(".probe_every", x.probe_every, positive_or_infinite);
  at.name(".detector", x.detector, detector_kind::phi_accrual);
  check(at, x.phi);
  check_estimate(at, x);
}

void check(const spec_section& at, const parking_spec& x) {
  at.number(".parking.messages_max", x.messages_max, 0,
            limits::parked_messages_max);
  at.name(".parking.overflow", x.overflow, parking_overflow::drop_oldest);
}

// -- children and supervisors ------------------------------------------------

bool is_pool(const supervisor_spec& x) noexcept {
  return x.strategy == simple_one_for_one;
}

void check_supervisor(const spec_section& at, const supervisor_spec& spec,
                      std::size_t depth);

void check_start(const spec_section& at, const child_spec& spec,
                 std::size_t depth) {
  if (!spec.start && !spec.supervisor)
    at.defect(".start", "nothing",
              "a start function, or else an inner `supervisor`");
  if (spec.start && spec.supervisor)
    at.defect(".supervisor", "a supervisor beside a start function",
              "one of `start` and `supervisor`");
  if (!spec.supervisor)
    return;
  if (depth < limits::nesting_depth_max)
    check_supervisor(at.part(".supervisor"), *spec.supervisor, depth + 1);
  else
    at.defect(".supervisor",
              "supervisor number " + std::to_string(depth + 1)
                + " from the root down",
              "at most " + std::to_string(limits::nesting_depth_max)
                + " above one another");
}

void check_stop(const spec_section& at, const child_spec& spec) {
  if (spec.shutdown && !spec.shutdown->is_brutal()
      && !not_negative_or_infinite.contains(spec.shutdown->limit()))
    at.defect(".shutdown", to_string(*spec.shutdown),
              "a length of zero or more, infinity, or brutal_kill");
  at.time(".kill_grace", spec.kill_grace, not_negative);
}

// OTP refuses the same (STOP-5).
void check_significance(const spec_section& at, const child_spec& spec,
                        const supervisor_spec& parent) {
  if (!spec.significant)
    return;
  if (spec.restart == permanent)
    at.defect(".significant", "true",
              "false for a permanent child: it never ends for good");
  if (is_pool(parent))
    at.defect(".significant", "true", "false in a pool");
  else if (parent.auto_shutdown == auto_shutdown_mode::never)
    at.defect(".significant", "true",
              "false where `auto_shutdown` is never; or choose another mode "
              "there");
}

void check_child(const spec_section& at, const child_spec& spec,
                 const supervisor_spec& parent, std::size_t depth) {
  const auto is_parking = spec.on_exhausted == exhaustion_action::park
                          || parent.on_exhausted == exhaustion_action::park;
  check_start(at, spec, depth);
  at.name(".restart", spec.restart, temporary);
  check_stop(at, spec);
  if (spec.start_deadline)
    at.time(".start_deadline", *spec.start_deadline, positive_or_infinite);
  check(at, spec.backoff, is_parking);
  check(at, spec.limits);
  at.name(".on_exhausted", spec.on_exhausted, exhaustion_action::pause);
  check(at, spec.on_failure);
  check_significance(at, spec, parent);
  check(at.part(".heartbeat"), spec.heartbeat);
  at.name(".isolation", spec.isolation, isolation_kind::thread);
  check(at, spec.parking);
}

void check_number_of_children(const spec_section& at,
                              const supervisor_spec& spec) {
  const auto size = spec.children.size();
  const auto& most = spec.children_max;
  if (most.is_negative())
    at.defect(".children_max", to_string(most),
              "a count of zero or more, or infinity");
  else if (!is_pool(spec) && size > most.count())
    at.defect(".children_max", to_string(most),
              "at least " + std::to_string(size)
                + ", as `children` has so many");
  if (is_pool(spec) && size != 1)
    at.defect(".children", std::to_string(size) + " specs",
              "exactly one in a pool: the template of its instances");
}

void check_children(const spec_section& at, const supervisor_spec& spec,
                    std::size_t depth) {
  std::unordered_map<std::string_view, std::size_t> seen;
  for (std::size_t i = 0; i < spec.children.size(); ++i) {
    const auto& child = spec.children[i];
    auto where = ".children[" + std::to_string(i) + "]";
    if (!child.id.empty())
      where += '(' + printable(child.id) + ')';
    const auto here = at.part(where);
    check_id(here, ".id", child.id);
    const auto [first, is_new] = seen.emplace(child.id, i);
    if (!is_new && !child.id.empty())
      here.defect(".id", quoted(child.id),
                  "an id of its own; children[" + std::to_string(first->second)
                    + "] has this one already");
    check_child(here, child, spec, depth);
  }
}

void check_supervisor(const spec_section& at, const supervisor_spec& spec,
                      std::size_t depth) {
  at.name(".strategy", spec.strategy, simple_one_for_one);
  check(at, spec.limits);
  check(at, spec.weights);
  at.name(".on_exhausted", spec.on_exhausted, exhaustion_action::pause);
  at.time(".pause_length", spec.pause_length, positive);
  at.name(".auto_shutdown", spec.auto_shutdown,
          auto_shutdown_mode::all_significant);
  if (is_pool(spec) && spec.auto_shutdown != auto_shutdown_mode::never)
    at.defect(".auto_shutdown", to_string(spec.auto_shutdown),
              "never in a pool");
  at.name(".revive", spec.revive, revive_mode::all);
  check_number_of_children(at, spec);
  check_children(at, spec, depth);
}

} // namespace

spec_defects validate(const supervisor_spec& spec, const std::string& where) {
  spec_defects found;
  const spec_section at{found, where};
  check_id(at, ".name", spec.name);
  check_supervisor(at, spec, 1);
  return found;
}

spec_defects validate(const child_spec& spec, const supervisor_spec& parent,
                      const std::string& where) {
  spec_defects found;
  const spec_section at{found, where};
  check_id(at, ".id", spec.id);
  check_child(at, spec, parent, 1);
  return found;
}

} // namespace coppice::policy
