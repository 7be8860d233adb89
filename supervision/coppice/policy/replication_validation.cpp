// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/policy/domain_spread.hpp"
#include "coppice/policy/limits.hpp"
#include "coppice/policy/replication_limits.hpp"
#include "coppice/policy/replication_spec.hpp"
#include "coppice/policy/spec_section.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_map>

namespace coppice::policy {

namespace {

using enum replication_mode;
using replica_specs = std::vector<replica_spec>;

constexpr duration just_above_zero{1};

void length_up_to(const spec_section& at, std::string_view field,
                  const time_limit& x, duration min, duration max) {
  if (x.is_finite() && x.span() >= min && x.span() <= max)
    return;
  const auto from = min == just_above_zero
                      ? std::string{"a length above zero, up to "}
                      : "a length from " + to_string(min) + " to ";
  at.defect(field, to_string(x), from + to_string(max));
}

// -- hedges ------------------------------------------------------------------

void check_quantile(const spec_section& at, const hedge_spec& x) {
  at.number(".quantile", *x.quantile, limits::hedge_quantile_min,
            limits::hedge_quantile_max);
  at.time(".floor", x.floor, not_negative);
  if (!not_negative_or_infinite.contains(x.cap))
    at.defect(".cap", to_string(x.cap),
              "a length of `floor` or more, or "
              "infinity");
  else if (not_negative.contains(x.floor) && x.cap.span() < x.floor.span())
    at.defect(".cap", to_string(x.cap),
              "at least `floor`, which is " + to_string(x.floor));
  at.number(".samples_min", x.samples_min, limits::latency_samples_min,
            limits::latency_samples_max);
}

void check(const spec_section& at, const hedge_spec& x, replication_mode mode) {
  at.name(".trigger", x.trigger, hedge_trigger::after_start);
  if (mode == tied && x.trigger == hedge_trigger::after_send)
    at.defect(".trigger", to_string(x.trigger),
              "after_start for tied: before, all copies wait in queues, and "
              "another one only waits in one more");
  if (x.quantile)
    check_quantile(at, x);
  else
    at.time(".delay", x.delay, positive);
  at.number(".extra_max", x.extra_max, limits::hedge_extra_min,
            limits::hedge_extra_max);
}

void check_hedge(const spec_section& at, const replication_spec& x) {
  if (x.mode == hedge && !x.hedge)
    at.defect(".hedge", "nothing",
              "when a copy is late: mode `hedge` needs it");
  else if ((x.mode == race || x.mode == quorum) && x.hedge)
    at.defect(".hedge", "settings",
              std::string{"nothing for "} + to_string(x.mode)
                + ", which sends all copies at once");
  else if (x.hedge)
    check(at.part(".hedge"), *x.hedge, x.mode);
}

// -- copies and quorums ------------------------------------------------------

bool are_copies_in_range(const replication_spec& x) noexcept {
  return x.mode == hedge
           ? x.copies == 1
           : x.copies >= limits::copies_min && x.copies <= limits::copies_max;
}

void check_copies(const spec_section& at, const replication_spec& x,
                  std::size_t replicas) {
  const auto found = std::to_string(x.copies);
  if (x.mode == hedge && x.copies != 1)
    at.defect(".copies", found,
              "1 for hedge; further copies are its `hedge.extra_max`");
  else if (x.mode != hedge)
    at.number(".copies", x.copies, limits::copies_min, limits::copies_max);
  if (are_copies_in_range(x) && replicas > 0 && x.copies > replicas)
    at.defect(".copies", found,
              "at most " + std::to_string(replicas)
                + ", as there are so many replicas");
}

void check_quorum(const spec_section& at, const replication_spec& x) {
  if (x.mode == quorum && are_copies_in_range(x))
    at.number(".quorum", x.quorum, 1, x.copies);
  else if (x.mode == quorum && x.quorum == 0)
    at.defect(".quorum", "0", "1 to `copies`");
  else if (x.mode != quorum && x.quorum != 0)
    at.defect(".quorum", std::to_string(x.quorum),
              std::string{"0 for "} + to_string(x.mode));
  if (x.mode != quorum && x.quorum_agrees)
    at.defect(".quorum_agrees", "true",
              std::string{"false for "} + to_string(x.mode));
  else if (x.quorum_agrees && x.quorum > 0
           && std::uint64_t{x.quorum} * 2 <= x.copies)
    at.defect(".quorum_agrees", "true",
              "false, or a `quorum` of " + std::to_string(x.copies / 2 + 1)
                + " or more: with fewer, two answers could have one each");
}

// -- costs -------------------------------------------------------------------

void check(const spec_section& at, const copy_budget_spec& x) {
  if (x.share)
    at.number(".share", *x.share, 0.0, limits::budget_share_max);
  length_up_to(at, ".window", x.window, limits::budget_window_min,
               limits::budget_window_max);
  at.number(".reserve", x.reserve, 0, limits::budget_reserve_max);
}

void check_load(const spec_section& at, double load_max,
                const replica_specs& replicas) {
  if (!(load_max > 0.0) || !std::isfinite(load_max))
    at.defect(".load_max", text(load_max), "a finite number above 0");
  const auto silent
    = std::find_if(replicas.begin(), replicas.end(),
                   [](const replica_spec& x) { return x.servers == 0; });
  if (silent != replicas.end())
    at.defect(".load_max", text(load_max),
              "nothing, or `servers` of all replicas: replicas["
                + std::to_string(silent - replicas.begin())
                + "] does not state them");
}

void check(const spec_section& at, const off_switch_spec& x,
           const replica_specs& replicas) {
  at.number(".wins_min", x.wins_min, 0.0, 1.0);
  at.number(".judged_by", x.judged_by, limits::judged_by_min,
            limits::judged_by_max);
  at.number(".probe_every", x.probe_every, limits::probe_every_min,
            limits::probe_every_max);
  if (x.load_max)
    check_load(at, *x.load_max, replicas);
}

void check(const spec_section& at, const ejection_spec& x) {
  at.number(".failures_max", x.failures_max, 1, limits::ejection_failures_max);
  if (!(x.slow_factor > 1.0))
    at.defect(".slow_factor", text(x.slow_factor),
              "a number above 1, or infinity");
  at.number(".samples_min", x.samples_min, limits::latency_samples_min,
            limits::latency_samples_max);
  at.time(".first", x.first, positive);
  if (!positive.contains(x.cap))
    at.defect(".cap", to_string(x.cap), "a finite length of `first` or more");
  else if (positive.contains(x.first) && x.cap.span() < x.first.span())
    at.defect(".cap", to_string(x.cap),
              "at least `first`, which is " + to_string(x.first));
  at.number(".share_max", x.share_max, 0.0, 1.0);
}

// -- replicas ----------------------------------------------------------------

void check_name(const spec_section& at, const std::string& name) {
  if (name.empty() || name.size() > limits::id_bytes_max)
    at.defect(".name", quoted(name),
              "1 to " + std::to_string(limits::id_bytes_max) + " bytes");
  if (std::any_of(name.begin(), name.end(), is_control))
    at.defect(".name", quoted(name), "no control characters");
}

void check(const spec_section& at, const replica_specs& replicas) {
  const auto size = replicas.size();
  if (size == 0 || size > limits::replicas_max)
    at.defect(".replicas", std::to_string(size),
              "1 to " + std::to_string(limits::replicas_max) + " replicas");
  std::unordered_map<std::string_view, std::size_t> seen;
  for (std::size_t i = 0; i < size; ++i) {
    const auto& x = replicas[i];
    const auto here = at.part(".replicas[" + std::to_string(i) + "]");
    check_name(here, x.name);
    const auto [first, is_new] = seen.emplace(x.name, i);
    if (!is_new && !x.name.empty())
      here.defect(".name", quoted(x.name),
                  "a name of its own; replicas[" + std::to_string(first->second)
                    + "] has this one already");
    here.number(".servers", x.servers, 0, limits::replica_servers_max);
  }
}

/// Copies of a request are never sent to the same replica twice.
void check_room(const spec_section& at, std::uint32_t copies,
                std::uint32_t extra, std::size_t replicas) {
  const auto room = replicas - copies;
  if (extra <= room)
    return;
  const auto found = std::to_string(extra);
  const auto there = std::to_string(replicas);
  if (room == 0)
    at.defect(".hedge.extra_max", found,
              "another replica to send it to; `copies` takes all " + there);
  else
    at.defect(".hedge.extra_max", found,
              "at most " + std::to_string(room) + ", as there are " + there
                + " replicas and `copies` takes " + std::to_string(copies));
}

/// Copies that `refuse` would refuse to each and every request.
void check_domains(const spec_section& at, std::uint32_t copies,
                   std::uint32_t extra, const replica_specs& replicas) {
  const auto wanted = std::size_t{copies} + extra;
  const auto most = domain_spread(replicas, wanted);
  if (most >= wanted)
    return;
  constexpr const char* why = ": no more replicas are without a failure domain "
                              "in common; or let `shared_domain` be flag";
  if (most == 1)
    at.defect(".replicas",
              std::to_string(replicas.size()) + " that share failure domains",
              "two at least that share none, as no second copy is sent else; "
              "or let `shared_domain` be flag");
  else if (most < copies)
    at.defect(".copies", std::to_string(copies),
              "at most " + std::to_string(most) + why);
  else
    at.defect(".hedge.extra_max", std::to_string(extra),
              "at most " + std::to_string(most - copies) + why);
}

/// Only of numbers that are sound by themselves: one defect is enough.
void check_together(const spec_section& at, const replication_spec& spec,
                    const replica_specs& replicas) {
  const auto has_extra = spec.hedge
                         && (spec.mode == hedge || spec.mode == tied);
  const auto extra = has_extra ? spec.hedge->extra_max : 0;
  const auto size = replicas.size();
  if (!are_copies_in_range(spec) || extra > limits::hedge_extra_max
      || spec.copies > size || size > limits::replicas_max)
    return;
  check_room(at, spec.copies, extra, size);
  if (spec.shared_domain == shared_domain_rule::refuse
      && spec.copies + extra <= size)
    check_domains(at, spec.copies, extra, replicas);
}

} // namespace

spec_defects validate(const replication_spec& spec,
                      const std::vector<replica_spec>& replicas,
                      const std::string& where) {
  spec_defects found;
  const spec_section at{found, where};
  at.name(".mode", spec.mode, quorum);
  if (spec.mode <= quorum) {
    check_copies(at, spec, replicas.size());
    check_hedge(at, spec);
    check_quorum(at, spec);
  }
  check(at.part(".budget"), spec.budget);
  check(at.part(".off_switch"), spec.off_switch, replicas);
  length_up_to(at, ".latency_window", spec.latency_window, just_above_zero,
               limits::latency_window_max);
  at.name(".choice", spec.choice, replica_choice::two_choices);
  at.name(".shared_domain", spec.shared_domain, shared_domain_rule::flag);
  check(at.part(".ejection"), spec.ejection);
  check(at, replicas);
  if (spec.mode <= quorum)
    check_together(at, spec, replicas);
  return found;
}

} // namespace coppice::policy
