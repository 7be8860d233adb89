// This file is part of coppice. License: see LICENSE in the source root.

// No failure is lost to the log, and none is logged twice, whatever a
// supervisor makes of it.

#include "coppice/failure_log.hpp"

#include "support/tree_test.hpp"

#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace coppice::test {
namespace {

/// Keeps what is logged; refuses as often as it is told to.
class memory_log : public failure_log {
public:
  void write(const failure_record& x) override {
    if (refusals > 0) {
      --refusals;
      throw std::runtime_error{"disk full"};
    }
    records.push_back(x);
  }

  int refusals = 0;
  std::vector<failure_record> records;
};

class FailureLogDecisions : public supervision_test {
public:
  supervise_options logged() {
    supervise_options res;
    // The clock on the wall decides nothing here.
    res.on_event = log_failures(log, {}, 24h);
    return res;
  }

  std::vector<std::string> lines() const {
    std::vector<std::string> res;
    for (const auto& x : log->records)
      res.push_back(std::string{to_string(x.severity)} + ' ' + x.path + ' '
                    + x.decision);
    return res;
  }

  const failure_record& last() const { return log->records.back(); }

  std::shared_ptr<memory_log> log = std::make_shared<memory_log>();
};

// FAILURE-5: failures that are made once and thrown often are many.
TEST_F(FailureLogDecisions, LogsAStaticFailureEachTime) {
  for (const auto* reference : {"", "ALWAYS-THE-SAME"}) {
    log->records.clear();
    auto a = script("a");
    supervise({.name = "app",
               .limits = {.restarts_max = 2},
               .children = {a.spec({.backoff = at_once})}},
              logged());
    const failure same{.message = "no disk", .reference = reference};
    for (int i = 0; i < 3; ++i) {
      a.now(throws(same));
      settle();
    }
    EXPECT_TRUE(has_ended());
    EXPECT_THAT(lines(),
                ElementsAre("warning /app/a restart", "warning /app/a restart",
                            "critical /app/a give up"));
  }
}

// FAILURE-5: that a sibling ended with the same failure does not hide the end.
TEST_F(FailureLogDecisions, LogsTheEndThoughTheFailureWasAnothersBefore) {
  auto a = script("a");
  auto b = script("b");
  supervise({.name = "app",
             .limits = {.restarts_max = 1},
             .children = {a.spec({.backoff = at_once}),
                          b.spec({.backoff = at_once})}},
            logged());
  const failure same{.message = "no disk"};
  a.now(throws(same));
  settle();
  b.now(throws(same));
  settle();
  EXPECT_THAT(lines(),
              ElementsAre("warning /app/a restart", "critical /app/b give up"));
}

// FAILURE-5: what fails while its group is stopped is not lost.
TEST_F(FailureLogDecisions, LogsFailuresThatAGroupStopAbsorbs) {
  auto a = script("a");
  auto b = script("b");
  supervise({.name = "app",
             .strategy = one_for_all,
             .limits = {.restarts_max = infinity},
             .children = {a.spec({.backoff = at_once}),
                          b.spec({.backoff = at_once})}},
            logged());
  settle();
  b.on_stop(crash_on_stop());
  a.now(throws("no disk")); // b runs with what it was given at its start
  settle();
  log->records.clear();
  a.now(throws("no disk, again"));
  settle();
  EXPECT_THAT(lines(),
              testing::UnorderedElementsAre("warning /app/a restart",
                                            "warning /app/b with its group"));
}

// FAILURE-5: nor what fails when it is stopped by an operator.
TEST_F(FailureLogDecisions, LogsFailuresThatAnOperatorsStopAbsorbs) {
  auto a = script("a");
  a.on_stop(crash_on_stop());
  supervise({.name = "app", .children = {a.spec()}}, logged());
  settle();
  EXPECT_THAT(terminate_child("/app/a"), Succeeds());
  EXPECT_THAT(lines(), ElementsAre("error /app/a stop"));
}

// FAILURE-5: an old failure is not the reason of a later, orderly stop.
TEST_F(FailureLogDecisions, DoesNotLogAnOldFailureAgain) {
  auto a = script("a");
  supervise({.name = "app", .children = {a.spec({.backoff = at_once})}},
            logged());
  a.now(throws("no disk"));
  settle();
  EXPECT_THAT(terminate_child("/app/a"), Succeeds());
  EXPECT_THAT(lines(), ElementsAre("warning /app/a restart"));
}

// FAILURE-5, STOP-2: the end of a tree that would not end is logged as well.
TEST_F(FailureLogDecisions, LogsTheEndAtTheAbandonedCap) {
  auto a = script("a");
  auto options = logged();
  options.abandoned_max = 0;
  supervise({.name = "app",
             .limits = {.restarts_max = infinity},
             .children = {a.spec({.shutdown = brutal_kill,
                                  .kill_grace = 1s,
                                  .backoff = at_once,
                                  .heartbeat = {.stall_timeout = 1s}})}},
            options);
  settle();
  a.now(hangs());
  run_for(5s);
  ASSERT_TRUE(has_ended());
  ASSERT_THAT(lines(), testing::Contains("critical /app give up"));
  EXPECT_EQ(last().why->failure_class, "abandoned_cap");
  EXPECT_EQ(last().why->reference, end_reason()->reference);
}

// FAILURE-5: what the owner of the tree gets is found in the log.
TEST_F(FailureLogDecisions, HasTheReferenceThatTheOwnerGets) {
  auto a = script("a");
  supervise(
    {.name = "app", .limits = {.restarts_max = 0}, .children = {a.spec()}},
    logged());
  a.now(throws("no disk"));
  settle();
  ASSERT_TRUE(has_ended());
  ASSERT_THAT(lines(), ElementsAre("critical /app/a give up"));
  EXPECT_EQ(last().why->reference, end_reason()->reference);
  EXPECT_EQ(*last().why, *end_reason());
  EXPECT_THAT(to_line(last()),
              HasSubstr("causes=" + root_cause(*end_reason()).reference));
}

// FAILURE-5: a pool below the root that gives up is one failure.
TEST_F(FailureLogDecisions, LogsAPoolThatGivesUpOnce) {
  auto w = script("w");
  supervise({.name = "app",
             .limits = {.restarts_max = infinity},
             .children
             = {{.id = "pool",
                 .supervisor = supervisor_spec{.strategy = simple_one_for_one,
                                               .limits = {.restarts_max = 0},
                                               .children = {w.spec()}}}}},
            logged());
  settle();
  EXPECT_THAT(start_instance("/app/pool"), Succeeds());
  w.now(throws("no disk"));
  run_for(1s);
  ASSERT_EQ(lines().size(), 1u);
  EXPECT_EQ(last().path, "/app/pool");
}

// -- event by event ----------------------------------------------------------

supervision_event event_of(event_kind kind, std::shared_ptr<const failure> why,
                           std::string path = "/app/a") {
  return {.kind = kind, .path = std::move(path), .because = std::move(why)};
}

// FAILURE-5: a supervisor that gives up, and is killed before it could fail.
TEST(FailureLogEvents, KeepsWhatNobodyPassedOn) {
  const auto log = std::make_shared<memory_log>();
  const auto observe = log_failures(log);
  const auto why = std::make_shared<failure>();
  observe(event_of(event_kind::failed, why, "/app/l1/a"));
  observe(event_of(event_kind::gave_up, why, "/app/l1/a"));
  EXPECT_THAT(log->records, IsEmpty());
  auto stop = event_of(event_kind::stopped, nullptr, "/app/l1");
  stop.why = stopped_why::by_group;
  observe(stop);
  ASSERT_EQ(log->records.size(), 1u);
  EXPECT_EQ(log->records[0].why, why);
}

// FAILURE-5: a failure about which nothing was decided is not lost.
TEST(FailureLogEvents, WritesWhatIsUndecidedAtTheEnd) {
  const auto log = std::make_shared<memory_log>();
  log_failures(log)(event_of(event_kind::failed, std::make_shared<failure>()));
  ASSERT_EQ(log->records.size(), 1u);
  EXPECT_EQ(log->records[0].decision, "none");
}

// FAILURE-5: what the sink refuses is neither taken for written, nor hidden
// from who comes next, nor counted as nothing.
TEST(FailureLogEvents, OffersAgainWhatTheSinkRefused) {
  const auto log = std::make_shared<memory_log>();
  int seen = 0;
  const auto observe = log_failures(log, [&seen](const auto&) { ++seen; });
  const auto why = std::make_shared<failure>();
  observe(event_of(event_kind::failed, why));
  log->refusals = 1;
  EXPECT_THROW(observe(event_of(event_kind::backing_off, why)),
               std::runtime_error);
  EXPECT_EQ(seen, 2);
  observe(event_of(event_kind::restarting, why));
  EXPECT_EQ(seen, 3);
  ASSERT_EQ(log->records.size(), 1u);
  EXPECT_THAT(log->records[0].decision, HasSubstr("backoff"));
}

/// Refuses the first, and says when it has the next.
class promising_log : public failure_log {
public:
  void write(const failure_record& x) override {
    if (std::exchange(refuses, false))
      throw std::runtime_error{"disk full"};
    written.set_value(x.path);
  }
  bool refuses = true;
  std::promise<std::string> written;
};

supervision_event stop_of(const std::string& path) {
  auto x = event_of(event_kind::stopped, std::make_shared<failure>(), path);
  x.why = stopped_why::failed;
  return x;
}

// FAILURE-5: the same for what was held.
TEST(FailureLogEvents, OffersAgainWhatWasHeld) {
  const auto log = std::make_shared<promising_log>();
  const auto observe = log_failures(log, {}, 1ms);
  observe(stop_of("/app/a"));
  auto path = log->written.get_future();
  ASSERT_EQ(path.wait_for(60s), std::future_status::ready);
  EXPECT_EQ(path.get(), "/app/a");
}

// FAILURE-5: how long a stop is held is not the wall's business, which may be
// set back, and any length does.
TEST(FailureLogEvents, HoldsForAnyLengthOfTime) {
  using policy::duration;
  const auto log = std::make_shared<memory_log>();
  {
    const auto forever = log_failures(log, {}, duration::max());
    auto stop = stop_of("/app/a");
    stop.when = {}; // 1970: held for long, by the wall
    forever(stop);
    EXPECT_THAT(log->records, IsEmpty());
  }
  const auto quick = std::make_shared<promising_log>();
  quick->refuses = false;
  const auto observe = log_failures(quick, {}, duration::min());
  auto stop = stop_of("/app/b");
  stop.when = wall_now() + std::chrono::hours{1};
  observe(stop);
  ASSERT_EQ(quick->written.get_future().wait_for(60s),
            std::future_status::ready);
}

// FAILURE-5
TEST(FailureLogEvents, NeedsASink) {
  EXPECT_THROW(static_cast<void>(log_failures(nullptr)), std::invalid_argument);
}

} // namespace
} // namespace coppice::test
