// This file is part of coppice. License: see LICENSE in the source root.

// The numbers of docs/heartbeats.md, computed by the code that judges.
//
// Topology:   none: judgements alone, and a time of their own
//
// You should see a line for each number, and nothing else.

#include "coppice/policy/detector.hpp"
#include "coppice/policy/heartbeat_judge.hpp"

#include "check.hpp"

#include <cmath>
#include <string>
#include <utility>

using namespace std::literals;
using namespace coppice::policy;
using manual::check;

namespace {

std::string name(const judgement& x) {
  return x.state == liveness::stalled ? "stalled"
         : x.state == liveness::late  ? "late"
                                      : "healthy";
}

void timeouts() {
  // --(doc:fixed-begin)--
  heartbeat_spec spec{.stall_timeout = 3s};
  // --(doc:fixed-end)--
  const auto busy = [&](duration age, duration extra = 0s) {
    return name(judge(spec, {.busy = true, .age = age, .allowance = extra}));
  };
  check("timeout 3 s, after 1.9 s", busy(1900ms), "healthy");
  check("timeout 3 s, after 2 s", busy(2s), "late");
  check("timeout 3 s, after 3 s less 1 ns", busy(3s - 1ns), "late");
  check("timeout 3 s, after 3 s", busy(3s), "stalled");
  check("idle for a day", name(judge(spec, {.age = 24h})), "healthy");
  check("10 s more asked for, after 12.9 s", busy(12'900ms, 10s), "late");
  check("10 s more asked for, after 13 s", busy(13s, 10s), "stalled");
  check("an hour more asked for, after 5 min 3 s", busy(303s, 1h), "stalled");
}

void silence_of_the_idle() {
  // --(doc:interval-begin)--
  heartbeat_spec spec{.idle_timeout = 3s};
  // --(doc:interval-end)--
  check("idle timeout 3 s, after 3 s", name(judge(spec, {.age = 3s})),
        "stalled");
  // --(doc:probe-begin)--
  spec = {.stall_timeout = 2s, .probe_every = 10s};
  // --(doc:probe-end)--
  check("probe every 10 s: due after 10 s", judge(spec, {.age = 10s}).probe_due,
        true);
  check("a probe unanswered for 2 s",
        name(judge(spec, {.age = 12s, .since_probe = 2s})), "stalled");
}

/// The least age at which suspicion reaches `level`.
duration age_of(const phi_detector& detector, double level) {
  duration low{0};
  duration high{24h};
  while (high - low > 1us) {
    const auto middle = low + (high - low) / 2;
    (detector.phi(middle) >= level ? high : low) = middle;
  }
  return std::chrono::round<std::chrono::milliseconds>(high);
}

phi_detector after_regular_beats(const phi_spec& spec, duration interval) {
  phi_detector result{spec};
  for (int i = 0; i < 200; ++i)
    result.learn(interval);
  return result;
}

void thresholds() {
  const auto steady = after_regular_beats({}, 1s);
  check("phi 1 after", age_of(steady, 1), 1128ms);
  check("phi 3 after", age_of(steady, 3), 1306ms);
  check("phi 5 after", age_of(steady, 5), 1412ms);
  check("phi 8 after", age_of(steady, 8), 1523ms);
  check("phi 12 after", age_of(steady, 12), 1629ms);
  const auto quick = after_regular_beats({}, 100ms);
  check("beats each 100 ms: phi 8 after", age_of(quick, 8), 623ms);
  // --(doc:fine_phi-begin)--
  phi_spec fine{.deviation_min = 10ms};
  // --(doc:fine_phi-end)--
  check("deviation 10 ms at least: phi 8 after",
        age_of(after_regular_beats(fine, 100ms), 8), 152ms);
  fine.acceptable_pause = 400ms;
  check("and a pause of 400 ms: phi 8 after",
        age_of(after_regular_beats(fine, 100ms), 8), 552ms);
  check("before the first interval: phi 8 after", age_of(phi_detector{{}}, 8),
        2343ms);
}

void irregular() {
  phi_detector detector{{}};
  for (int i = 0; i < 100; ++i) {
    detector.learn(500ms);
    detector.learn(1500ms);
  }
  check("beats each 0.5 or 1.5 s: phi 8 after", age_of(detector, 8), 3613ms);
}

void upper_bound() {
  const heartbeat_spec spec{.stall_timeout = 1200ms,
                            .detector = detector_kind::phi_accrual};
  const auto detector = after_regular_beats(spec.phi, 1s);
  const auto at = [&](duration age) {
    return name(judge(spec, {.busy = true, .age = age, .phi = &detector}));
  };
  check("phi, and 1.2 s at most: after 1.2 s", at(1200ms), "stalled");
}

void a_late_watcher() {
  scan_clock clock{100ms, time_point{}};
  const auto at = [](duration x) { return time_point{} + x; };
  check("a scan on time", clock.begin_scan(at(100ms)).was_late, false);
  clock.plan(at(200ms));
  // The process was stopped for two seconds.
  const auto reading = clock.begin_scan(at(2200ms));
  check("a scan 2 s late", reading.was_late, true);
  check("which is not held against anybody", clock.missed(), 2s);
  check("nor is anybody judged then",
        clock.may_judge(clock.to_watch(at(2200ms))), false);
  check("but one interval later", clock.may_judge(clock.to_watch(at(2300ms))),
        true);
}

} // namespace

int main() {
  timeouts();
  silence_of_the_idle();
  thresholds();
  irregular();
  upper_bound();
  a_late_watcher();
  return check.result();
}
