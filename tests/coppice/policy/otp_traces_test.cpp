// This file is part of coppice. License: see LICENSE in the source root.

// What a real OTP supervisor did in 500 random scenarios, our core does too.

#include "coppice/policy/supervision_core.hpp"

#include "support/blocking_shell.hpp"
#include "support/otp_trace.hpp"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

using namespace coppice;

namespace {

/// OTP's words for our states.
std::string otp_state(policy::child_state x) {
  switch (x) {
    case policy::child_state::backoff:
      return "restarting";
    case policy::child_state::running:
    case policy::child_state::starting:
    case policy::child_state::stopping:
    case policy::child_state::stopped:
      break;
  }
  return policy::to_string(x);
}

/// Goes through one scenario.
class replay {
public:
  explicit replay(const test::trace& scenario)
    : scenario_(scenario), shell_(scenario.spec) {}

  /// Empty, or where it went another way than OTP.
  std::string run() {
    for (std::size_t i = 0; i < scenario_.steps.size(); ++i) {
      const auto& step = scenario_.steps[i];
      auto expected = step.seen;
      auto got = perform(step);
      if (expected != got)
        return difference(i, expected, got);
    }
    return {};
  }

private:
  test::observation perform(const test::trace_step& step) {
    test::observation seen;
    seen.result = obey(step.op);
    seen.journal = shell_.take_journal();
    if (!step.state_known)
      seen.listing = shell_.core.has_ended() ? "" : "still there";
    else if (shell_.core.has_ended())
      seen.listing = "dead";
    else
      describe(seen);
    return seen;
  }

  void describe(test::observation& seen) const {
    std::ostringstream listing;
    const auto& core = shell_.core;
    const char* separator = "";
    for (const auto& x : core.listing(shell_.now)) {
      listing << separator << x.id << ' ' << otp_state(x.state) << ' '
              << policy::to_string(x.restart);
      separator = ", ";
    }
    seen.listing = listing.str();
    const auto counts = core.counts();
    std::ostringstream numbers;
    numbers << counts.specs << ' ' << counts.running << ' '
            << counts.supervisors << ' ' << counts.workers;
    seen.counts = numbers.str();
  }

  std::string obey(const std::vector<std::string>& op) {
    const auto& verb = op.at(0);
    if (verb == "start")
      shell_.settle(shell_.core.on_start(shell_.now));
    else if (verb == "stop")
      shell_.settle(shell_.core.stop(1, policy::infinity, shell_.now));
    else if (verb == "fail_next_starts")
      shell_.fail_next_starts(op.at(1), std::stoi(op.at(2)));
    else if (verb == "cmd")
      return end_one(op.at(1), op.at(2));
    else if (verb == "fail_together")
      return fail_together(op);
    else
      return manage(verb, op.at(1));
    return "ok";
  }

  std::string end_one(const std::string& id, const std::string& how) {
    const auto reason = how == "fail"          ? "failed"
                        : how == "finish"      ? "normal"
                        : how == "kill"        ? "killed"
                        : how == "finish_info" ? "shutdown_info"
                                               : "shutdown";
    const auto ended = shell_.end(id, reason);
    shell_.settle({});
    return ended ? "ok" : "not_running";
  }

  std::string fail_together(const std::vector<std::string>& op) {
    std::string result;
    for (std::size_t i = 1; i < op.size(); ++i) {
      result += (i == 1 ? "" : ", ") + op[i];
      result += shell_.end(op[i], "failed") ? " ok" : " not_running";
    }
    shell_.settle({});
    return result;
  }

  std::string manage(const std::string& verb, const std::string& id) {
    auto& core = shell_.core;
    const auto key = core.find(id);
    if (verb == "add")
      shell_.settle(core.start_child(1, spec_of(id), shell_.now));
    else if (verb == "terminate")
      shell_.settle(core.terminate_child(1, key, shell_.now));
    else if (verb == "restart")
      shell_.settle(core.restart_child(1, key, shell_.now));
    else if (verb == "delete")
      shell_.settle(core.delete_child(1, key, shell_.now));
    else
      return "unknown operation " + verb;
    return policy::to_string(shell_.answer());
  }

  policy::child_spec spec_of(const std::string& id) const {
    for (const auto& child : scenario_.spec.children)
      if (child.id == id)
        return child;
    throw std::runtime_error("the traces add a stranger: " + id);
  }

  std::string difference(std::size_t at, const test::observation& expected,
                         const test::observation& got) const {
    std::ostringstream text;
    text << "scenario " << scenario_.scenario << " ("
         << policy::to_string(scenario_.spec.strategy) << ", intensity "
         << scenario_.spec.limits.restarts_max.count() << ", "
         << policy::to_string(scenario_.spec.auto_shutdown) << ") step "
         << at + 1 << ':';
    for (const auto& part : scenario_.steps[at].op)
      text << ' ' << part;
    const auto line = [&text](const char* what, const std::string& of_otp,
                              const std::string& ours) {
      if (of_otp != ours)
        text << "\n  " << what << "\n    expected: " << of_otp
             << "\n    got:      " << ours;
    };
    line("result", expected.result, got.result);
    line("journal", expected.journal, got.journal);
    line("counts", expected.counts, got.counts);
    line("listing", expected.listing, got.listing);
    return text.str();
  }

  const test::trace& scenario_;
  test::blocking_shell shell_;
};

// START-1, RESTART-1, RESTART-2, BUDGET-2, STOP-1, STOP-5
TEST(OtpTraces, AreReplayedStepByStep_T04) {
  const auto traces = test::read_traces(COPPICE_TEST_DATA "/otp_traces.jsonl");
  ASSERT_EQ(traces.size(), 500u);
  std::size_t equal = 0;
  for (const auto& scenario : traces) {
    const auto difference = replay{scenario}.run();
    if (difference.empty())
      ++equal;
    else
      ADD_FAILURE() << difference;
  }
  std::cout << equal << " of " << traces.size() << " scenarios as in OTP\n";
  EXPECT_EQ(equal, traces.size());
}

} // namespace
