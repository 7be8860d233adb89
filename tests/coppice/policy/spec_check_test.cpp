// This file is part of coppice. License: see LICENSE in the source root.

// What `check` finds: each kind once, and nothing in sound specs.

#include "coppice/policy/spec_check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace coppice::policy {
namespace {

using namespace std::literals;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using enum finding_kind;
using enum finding_severity;

void start_nothing(start_context&) {}

child_spec worker(std::string id) {
  return {.id = std::move(id), .start = start_nothing};
}

/// A spec that has one worker, "a", and an inner supervisor "in" with one, "b".
/// Nothing is wrong with it, and the window is long enough for stalls.
supervisor_spec sound() {
  const restart_limits limits{.restarts_max = 3, .window = 10min};
  const supervisor_spec inner{.limits = limits, .children = {worker("b")}};
  return {.name = "app",
          .limits = limits,
          .children = {worker("a"), {.id = "in", .supervisor = inner}}};
}

std::vector<spec_finding> findings(const supervisor_spec& spec,
                                   time_limit stop_within = 20s) {
  return check(spec, 100ms, stop_within).findings;
}

using change = std::function<void(supervisor_spec&)>;

/// The change makes exactly this finding of the sound spec.
struct one_change {
  finding_severity severity;
  finding_kind kind;
  const char* field;
  change make;
};

/// Of the inner supervisor.
change inside(const change& make) {
  return [make](supervisor_spec& x) {
    auto inner = *x.children[1].supervisor;
    make(inner);
    x.children[1].supervisor = inner;
  };
}

/// Of the worker.
template <class Make>
change of_worker(Make make) {
  return [make](supervisor_spec& x) { make(x.children[0]); };
}

void expect_each(const std::vector<one_change>& all) {
  for (const auto& x : all) {
    SCOPED_TRACE(std::string{to_string(x.kind)} + " at " + x.field);
    auto spec = sound();
    x.make(spec);
    EXPECT_THAT(findings(spec),
                ElementsAre(
                  AllOf(Field("severity", &spec_finding::severity, x.severity),
                        Field("kind", &spec_finding::kind, x.kind),
                        Field("field", &spec_finding::field, x.field))))
      << to_text(check(spec, 100ms, 20s));
  }
}

// TOPOLOGY-2
TEST(SpecCheck, FindsNothingInASoundTree) {
  EXPECT_THAT(findings(sound()), IsEmpty())
    << to_text(check(sound(), 100ms, 20s));
}

// TOPOLOGY-2: limits that can never trigger; backoff that outlives the window.
TEST(SpecCheck, FindsLimitsThatNeverTrigger) {
  const auto slow = [](supervisor_spec& x) {
    x.limits.window = 5s;
    x.children[0].backoff = {.first = 10s, .cap = 20s, .reset_after = 1min};
    x.children[0].heartbeat.stall_timeout = infinity;
  };
  expect_each({
    {warning, limit_never_triggers, "app.children[1](in).supervisor.limits",
     inside(slow)},
    {warning, backoff_outlives_window, "app.children[0](a).backoff",
     of_worker(
       [](child_spec& x) { x.backoff.first = 400s, x.backoff.cap = 1h; })},
    {warning, limit_shadowed, "app.children[0](a).limits",
     of_worker([](child_spec& x) { x.limits.restarts_max = 4; })},
    {warning, limit_never_triggers, "app.children[0](a).limits",
     of_worker([](child_spec& x) {
       x.limits = {.restarts_max = 3, .window = 50ms};
       x.backoff.reset_after = 1s;
     })},
    {warning, backoff_never_applies, "app.children[0](a).backoff.reset_after",
     of_worker([](child_spec& x) { x.backoff.reset_after = 0s; })},
  });
}

// TOPOLOGY-2: a restart that costs nothing, or more than one thinks.
TEST(SpecCheck, FindsWhatRestartsCost) {
  expect_each({
    {warning, restarts_cost_nothing, "app.weights.stall",
     [](supervisor_spec& x) { x.weights.stall = 0; }},
    {warning, restarts_cost_nothing, "app.weights.crash",
     [](supervisor_spec& x) { x.weights.crash = 0; }},
    {note, restarts_cost_nothing,
     "app.children[1](in).supervisor.limits.restarts_max",
     inside([](supervisor_spec& x) { x.limits.restarts_max = infinity; })},
    {warning, restarts_multiply,
     "app.children[1](in).supervisor.children[0](b)",
     inside([](supervisor_spec& x) {
       x.limits = {.restarts_max = 300, .window = infinity};
       x.children[0].backoff.cap = 100ms;
     })},
    {note, stalls_never_escalate, "app.children[0](a).heartbeat.stall_timeout",
     of_worker([](child_spec& x) { x.heartbeat.stall_timeout = 1h; })},
  });
  auto busy = sound();
  busy.limits.restarts_max = infinity;
  busy.children[0].backoff.first = 0s;
  EXPECT_THAT(findings(busy),
              Contains(AllOf(Field(&spec_finding::kind, restarts_without_end),
                             Field(&spec_finding::severity, error))));
}

// TOPOLOGY-2, HEARTBEAT-7: timeouts below the scan interval.
TEST(SpecCheck, FindsHeartbeatsThatCannotWork) {
  expect_each({
    {error, heartbeat_below_scan, "app.children[0](a).heartbeat.stall_timeout",
     of_worker([](child_spec& x) { x.heartbeat.stall_timeout = 99ms; })},
    {error, heartbeat_below_scan, "app.children[0](a).heartbeat.idle_timeout",
     of_worker([](child_spec& x) { x.heartbeat.idle_timeout = 99ms; })},
    {warning, probe_without_effect, "app.children[0](a).heartbeat.probe_every",
     of_worker([](child_spec& x) {
       x.heartbeat.idle_timeout = 10s;
       x.heartbeat.probe_every = 10s;
     })},
    {warning, probe_without_effect, "app.children[0](a).heartbeat.probe_every",
     of_worker([](child_spec& x) {
       x.heartbeat.stall_timeout = infinity;
       x.heartbeat.probe_every = 10s;
     })},
    {note, setting_unused, "app.children[0](a).heartbeat.phi",
     of_worker([](child_spec& x) { x.heartbeat.phi.threshold = 12.0; })},
    {warning, setting_unused, "app.children[0](a).heartbeat.detector",
     of_worker([](child_spec& x) {
       x.heartbeat.stall_timeout = infinity;
       x.heartbeat.detector = detector_kind::phi_accrual;
     })},
  });
}

// TOPOLOGY-2, STOP-1, STOP-2, START-1
TEST(SpecCheck, FindsStopsAndStartsThatMayHang) {
  expect_each({
    {warning, abandoned_at_once, "app.children[0](a).kill_grace",
     of_worker([](child_spec& x) { x.kill_grace = 0s; })},
    {warning, grace_below_children, "app.children[1](in).shutdown",
     [](supervisor_spec& x) { x.children[1].shutdown = 2s; }},
    {warning, kill_without_order, "app.children[1](in).shutdown",
     [](supervisor_spec& x) { x.children[1].shutdown = brutal_kill; }},
    {warning, start_unbounded, "app.children[0](a).start_deadline",
     of_worker([](child_spec& x) { x.start_deadline = infinity; })},
    {warning, start_deadline_below_children,
     "app.children[1](in).start_deadline",
     [](supervisor_spec& x) { x.children[1].start_deadline = 4s; }},
  });
}

// TOPOLOGY-2, STOP-3: what the whole tree gets, in `stop_within`.
TEST(SpecCheck, ComparesTheStopWithItsDeadline) {
  const auto kinds = [](const supervisor_spec& spec, time_limit within) {
    std::vector<std::string> out;
    for (const auto& x : findings(spec, within))
      out.push_back(x.field + ' ' + to_string(x.kind));
    return out;
  };
  EXPECT_THAT(kinds(sound(), 12s), IsEmpty());
  EXPECT_THAT(kinds(sound(), 12s - 1ns),
              ElementsAre("app stop_exceeds_deadline"));
  auto slow = sound();
  slow.children[0].shutdown = 13s;
  EXPECT_THAT(kinds(slow, 12s),
              ElementsAre("app stop_exceeds_deadline",
                          "app.children[0](a).shutdown stop_exceeds_deadline"));
  slow.children[0].shutdown = infinity;
  EXPECT_THAT(kinds(slow, infinity),
              ElementsAre("app.children[0](a).shutdown stop_unbounded"));
}

// TOPOLOGY-2, STOP-5: significance that cannot come true.
TEST(SpecCheck, FindsUnreachableShutdowns) {
  expect_each({
    {warning, shutdown_unreachable, "app.auto_shutdown",
     [](supervisor_spec& x) {
       x.auto_shutdown = auto_shutdown_mode::any_significant;
     }},
    {warning, shutdown_unreachable, "app.auto_shutdown",
     [](supervisor_spec& x) {
       x.auto_shutdown = auto_shutdown_mode::all_significant;
       for (auto& child : x.children)
         child.restart = transient, child.significant = true;
     }},
  });
  auto reachable = sound();
  reachable.auto_shutdown = auto_shutdown_mode::any_significant;
  reachable.children[0].restart = transient;
  reachable.children[0].significant = true;
  EXPECT_THAT(findings(reachable), IsEmpty());
}

// TOPOLOGY-2: settings that something else switches off.
TEST(SpecCheck, FindsWhatHasNoEffect) {
  using enum exhaustion_action;
  const std::string a = "app.children[0](a)";
  expect_each({
    {warning, setting_unused, "app.children[0](a).on_exhausted",
     of_worker([](child_spec& x) { x.on_exhausted = park; })},
    {note, setting_unused, "app.pause_length",
     [](supervisor_spec& x) { x.pause_length = 1s; }},
    {note, setting_unused, "app.revive",
     [](supervisor_spec& x) { x.revive = revive_mode::all; }},
    {note, setting_unused, "app.children[0](a).backoff.jitter_ratio",
     of_worker([](child_spec& x) {
       x.backoff.jitter = jitter_kind::full;
       x.backoff.jitter_ratio = 0.5;
     })},
    {note, setting_unused, "app.children[0](a).on_failure[0]",
     of_worker([](child_spec& x) {
       x.on_failure = {{"odd", failure_action::restart},
                       {"permanent_failure", failure_action::restart}};
     })},
    {note, setting_unused, "app.children[0](a).parking.overflow",
     of_worker([](child_spec& x) {
       x.parking.overflow = parking_overflow::drop_oldest;
     })},
    {note, setting_unused, "app.children[0](a).limits",
     of_worker([](child_spec& x) {
       x.restart = temporary;
       x.limits.restarts_max = 5;
     })},
    {note, no_room, "app.children_max",
     [](supervisor_spec& x) { x.children_max = 2; }},
    {note, no_children, "app.children[1](in).supervisor.children",
     inside([](supervisor_spec& x) { x.children.clear(); })},
    {warning, no_room, "app.children[1](in).supervisor.children_max",
     inside([](supervisor_spec& x) {
       x.strategy = simple_one_for_one;
       x.children_max = 0;
       x.limits.restarts_max = infinity;
       x.children[0].limits = {.restarts_max = 2, .window = 10min};
     })},
  });
}

// TOPOLOGY-2: ten thousand children with the same mistake are one finding.
TEST(SpecCheck, CountsWhatIsAlike) {
  auto spec = sound();
  for (auto i = 0; i < 5; ++i) {
    spec.children.push_back(worker("w" + std::to_string(i)));
    spec.children.back().kill_grace = 0s;
  }
  const auto found = check(spec, 100ms, 1min);
  ASSERT_EQ(found.findings.size(), 1u);
  EXPECT_EQ(found.findings[0].field, "app.children[2](w0).kill_grace");
  EXPECT_EQ(found.findings[0].alike, 4u);
  EXPECT_EQ(found.count(warning), 5u);
}

// TOPOLOGY-1, TOPOLOGY-2: an invalid spec is not worth more than its defects.
TEST(SpecCheck, ReportsDefectsOfInvalidSpecs) {
  auto spec = sound();
  spec.pause_length = 0s;
  const auto found = check(spec, 100ms, 20s);
  EXPECT_THAT(found.worst, IsEmpty());
  ASSERT_EQ(found.findings.size(), 1u);
  EXPECT_EQ(to_string(found.findings[0]),
            "error: app.pause_length: 0s [invalid]\n"
            "    expected is a finite length above zero\n"
            "    -> write what is expected\n");
}

// TOPOLOGY-2: as people read it, the README's example.
TEST(SpecCheck, IsReadable) {
  auto spec = sound();
  spec.limits.window = 5s;
  EXPECT_EQ(to_text(check(spec, 100ms, 10s)),
            R"(At worst, in one crash loop and in one stop:
path       restarts  gives up in  starts in  stops in
/app              0         4.2s        10s       12s
/app/a            3            -         5s        6s
/app/in           3        840ms         5s        6s
/app/in/b        15            -         5s        6s

warning: app: stops within 12s at worst [stop_exceeds_deadline]
    the tree gets 10s to stop; shortly before that, what is left is killed, and then abandoned
    -> choose shorter graces, or more time for the tree
note: app.children[0](a).heartbeat.stall_timeout: 30s [stalls_never_escalate]
    a child that hangs again and again is replaced for ever: the budget of 3 in 5s has forgotten a stall before enough others come
    -> if that should end the supervisor, choose a `window` above 1min 30s, or a weight for stalls
0 errors, 1 warning, 1 note
)");
  const auto brief = to_text(check(spec, 100ms, 10s),
                             {.lines_max = 3, .with_notes = false});
  EXPECT_THAT(brief, HasSubstr("... and 1 more\n"));
  EXPECT_THAT(brief, Not(HasSubstr("\nnote:")));
}

// TOPOLOGY-2: the names that scripts filter by.
TEST(SpecCheck, NamesAllKinds) {
  EXPECT_STREQ(to_string(invalid), "invalid");
  EXPECT_STREQ(to_string(setting_unused), "setting_unused");
  EXPECT_STREQ(to_string(no_children), "no_children");
  EXPECT_STREQ(to_string(static_cast<finding_kind>(99)), "unknown");
}

} // namespace
} // namespace coppice::policy
