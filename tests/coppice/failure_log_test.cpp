// This file is part of coppice. License: see LICENSE in the source root.

// A failure is logged once, where it ended.

#include "coppice/failure_log.hpp"

#include "support/tree_test.hpp"

#include <future>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace coppice::test {
namespace {

/// Keeps what is logged.
class memory_log : public failure_log {
public:
  void write(const failure_record& x) override { records.push_back(x); }

  std::vector<failure_record> records;
};

class FailureLog : public supervision_test {
public:
  supervise_options logged() {
    supervise_options res;
    // The clock on the wall decides nothing here.
    res.on_event = log_failures(log, {}, 24h);
    return res;
  }

  const std::vector<failure_record>& records() const { return log->records; }

  /// `child` under `levels` supervisors that tolerate nothing.
  child_spec under(int levels, child_spec child) {
    for (int i = levels; i > 0; --i)
      child = {.id = "l" + std::to_string(i),
               .supervisor = supervisor_spec{.limits = {.restarts_max = 0},
                                             .children = {child}}};
    return child;
  }

  std::shared_ptr<memory_log> log = std::make_shared<memory_log>();
};

supervision_event event_of(event_kind kind, std::shared_ptr<const failure> why,
                           std::string path = "/app/a") {
  return {.kind = kind, .path = std::move(path), .because = std::move(why)};
}

// FAILURE-5: five levels give up on it, one after the other; the one that ends
// it logs it, with the whole chain.
TEST_F(FailureLog, LogsOnceThoughItPassesFiveLevels) {
  auto leaf = script("leaf");
  supervise({.name = "app", .children = {under(5, leaf.spec())}}, logged());
  leaf.now(throws("no disk"));
  settle();
  ASSERT_EQ(records().size(), 1u);
  const auto& record = records()[0];
  EXPECT_EQ(record.severity, log_severity::warning); // the root restarts it
  EXPECT_EQ(record.path, "/app/l1");
  EXPECT_EQ(depth(*record.why), 6u);
  EXPECT_EQ(root_cause(*record.why).where.path, "/app/l1/l2/l3/l4/l5/leaf");
  const auto line = to_line(record);
  EXPECT_THAT(line, HasSubstr("reference=" + record.why->reference));
  EXPECT_THAT(line, HasSubstr(root_cause(*record.why).reference));
}

// FAILURE-5: each failure of its own is logged; a backoff and the restart after
// it are one.
TEST_F(FailureLog, LogsEachFailure) {
  auto a = script("a");
  supervise({.name = "app",
             .limits = {.restarts_max = infinity},
             .children = {a.spec({.backoff = each_second})}},
            logged());
  for (std::size_t n = 1; n <= 3; ++n) {
    a.now(throws("no disk"));
    run_for(2s);
    ASSERT_EQ(records().size(), n);
    EXPECT_EQ(records().back().severity, log_severity::warning);
    EXPECT_EQ(records().back().decision, "backoff 1s");
    EXPECT_EQ(records().back().incarnation, n);
  }
}

// FAILURE-5: what nobody restarts is an error.
TEST_F(FailureLog, LogsWhatStaysStoppedAsAnError) {
  auto a = script("a");
  supervise({.name = "app", .children = {a.spec()}}, logged());
  a.now(throws(failure{.failure_class = failure_classes::permanent_failure,
                       .message = "licence expired"}));
  settle();
  EXPECT_THAT(records(), IsEmpty()); // its supervisor might give up now
  EXPECT_THAT(restart_child("/app/a"), Succeeds());
  ASSERT_EQ(records().size(), 1u);
  EXPECT_EQ(records()[0].severity, log_severity::error);
  EXPECT_EQ(records()[0].decision, "stop");
  EXPECT_EQ(records()[0].incarnation, 1u);
}

// FAILURE-5: so is the failure of what is forgotten after it.
TEST_F(FailureLog, LogsWhatIsForgottenAsAnError) {
  auto a = script("a");
  supervise({.name = "app", .children = {a.spec({.restart = temporary})}},
            logged());
  a.now(throws("no disk"));
  settle();
  ASSERT_EQ(records().size(), 1u);
  EXPECT_EQ(records()[0].severity, log_severity::error);
  EXPECT_EQ(records()[0].decision, "forget");
}

// FAILURE-5: a tree that does not start is the caller's to log, who gets the
// failure; the log has what ended it, once.
TEST_F(FailureLog, LogsAFailedStartOnce) {
  auto a = script("a");
  a.always(crash_on_start("no disk"));
  supervise({.name = "app", .children = {under(3, a.spec())}}, logged());
  settle();
  EXPECT_TRUE(has_ended());
  ASSERT_EQ(records().size(), 1u);
  EXPECT_EQ(records()[0].severity, log_severity::critical);
}

// FAILURE-5: what ends the tree is critical.
TEST_F(FailureLog, LogsTheEndOfTheTreeAsCritical) {
  auto leaf = script("leaf");
  supervise({.name = "app",
             .limits = {.restarts_max = 0},
             .children = {under(2, leaf.spec())}},
            logged());
  leaf.now(throws("no disk"));
  settle();
  EXPECT_TRUE(has_ended());
  ASSERT_EQ(records().size(), 1u);
  EXPECT_EQ(records()[0].severity, log_severity::critical);
  EXPECT_EQ(records()[0].decision, "give up");
  EXPECT_THAT(to_line(records()[0]), HasSubstr("no disk"));
}

// FAILURE-5: a restart of a group logs the one that failed, once.
TEST_F(FailureLog, LogsOnceForAGroup) {
  auto a = script("a");
  auto b = script("b");
  auto c = script("c");
  supervise({.name = "app",
             .strategy = one_for_all,
             .limits = {.restarts_max = infinity},
             .children = {a.spec(), b.spec(), c.spec()}},
            logged());
  b.now(throws("no disk"));
  run_for(1s);
  ASSERT_EQ(records().size(), 1u);
  b.now(throws("no disk, again"));
  run_for(1s);
  ASSERT_EQ(records().size(), 2u);
  a.now(throws("no disk, either"));
  run_for(1s);
  ASSERT_EQ(records().size(), 3u);
  EXPECT_EQ(records()[2].path, "/app/a");
}

// FAILURE-5: a healthy tree, a clean end and an operator's stop log nothing.
TEST_F(FailureLog, LogsNothingWithoutFailures) {
  auto a = script("a");
  auto b = script("b");
  supervise({.name = "app",
             .children = {a.spec(), b.spec({.restart = transient})}},
            logged());
  b.now(finish());
  EXPECT_THAT(terminate_child("/app/a"), Succeeds());
  EXPECT_THAT(restart_child("/app/a"), Succeeds());
  settle();
  EXPECT_THAT(records(), IsEmpty());
}

// FAILURE-5: the memory of what was logged is bounded.
TEST(FailureLogMemory, IsBounded) {
  const auto log = std::make_shared<memory_log>();
  const auto observe = log_failures(log);
  const auto first = std::make_shared<failure>();
  const auto say = [&](std::shared_ptr<const failure> why) {
    observe(event_of(event_kind::restarting, std::move(why)));
  };
  say(first);
  say(first);
  EXPECT_EQ(log->records.size(), 1u);
  for (std::size_t i = 0; i < remembered_max; ++i)
    say(std::make_shared<failure>());
  EXPECT_EQ(log->records.size(), 1 + remembered_max);
  say(first); // long forgotten
  EXPECT_EQ(log->records.size(), 2 + remembered_max);
}

supervision_event stop_of(const std::string& path) {
  auto x = event_of(event_kind::stopped, std::make_shared<failure>(), path);
  x.when = wall_now();
  x.why = stopped_why::failed;
  return x;
}

// FAILURE-5: what others say in between does not tear a stop from the giving
// up that follows it.
TEST(FailureLogMemory, HoldsStopsByPath) {
  const auto log = std::make_shared<memory_log>();
  const auto observe = log_failures(log, {}, 24h);
  const auto stop = stop_of("/app/l1/a");
  observe(stop);
  observe(event_of(event_kind::started, nullptr, "/app/other"));
  observe(stop_of("/app/other"));
  observe(event_of(event_kind::gave_up, stop.because, "/app/l1/a"));
  EXPECT_THAT(log->records, IsEmpty());
  observe(event_of(event_kind::started, nullptr, "/app/l1/a"));
  EXPECT_THAT(log->records, IsEmpty());
  observe(event_of(event_kind::started, nullptr, "/app/other"));
  EXPECT_EQ(log->records.size(), 1u);
}

// FAILURE-5: what is held is not lost when the tree goes.
TEST(FailureLogMemory, WritesWhatItHoldsAtTheEnd) {
  const auto log = std::make_shared<memory_log>();
  {
    const auto observe = log_failures(log, {}, 24h);
    observe(stop_of("/app/a"));
    EXPECT_THAT(log->records, IsEmpty());
  }
  EXPECT_EQ(log->records.size(), 1u);
}

/// Says when it was written to.
class promising_log : public failure_log {
public:
  void write(const failure_record& x) override { written.set_value(x.path); }
  std::promise<std::string> written;
};

// FAILURE-5: a stop after which nothing happens is logged in a moment.
TEST(FailureLogMemory, WritesWhatStaysStopped) {
  const auto log = std::make_shared<promising_log>();
  const auto observe = log_failures(log, {}, 1ms);
  observe(stop_of("/app/a"));
  auto path = log->written.get_future();
  ASSERT_EQ(path.wait_for(60s), std::future_status::ready);
  EXPECT_EQ(path.get(), "/app/a");
}

// FAILURE-5: the next observer gets everything, logged or not.
TEST(FailureLogMemory, PassesEventsOn) {
  std::vector<event_kind> seen;
  const auto observe
    = log_failures(std::make_shared<memory_log>(),
                   [&seen](const auto& x) { seen.push_back(x.kind); });
  observe(event_of(event_kind::started, nullptr));
  observe(event_of(event_kind::restarting, std::make_shared<failure>()));
  EXPECT_THAT(seen, ElementsAre(event_kind::started, event_kind::restarting));
}

failure_record sample() {
  const wall_time noon{1'714'564'800s};
  failure why{.failure_class = "gave_up",
              .message = "say \"no\"\nand\\go",
              .reference = "REF-1",
              .is_bug = true};
  why = wrap(
    failure{.failure_class = "crash", .message = "boom", .reference = "REF-3"},
    wrap({.failure_class = "b", .reference = "REF-2"}, why));
  return {.severity = log_severity::warning,
          .when = noon,
          .path = "/app/db",
          .incarnation = 2,
          .decision = "backoff 200ms",
          .attempts = 3,
          .why = std::make_shared<failure>(std::move(why))};
}

// FAILURE-5: structured fields, for people and for collectors of logs.
TEST(FailureLogLine, HasFields) {
  std::ostringstream out;
  ostream_failure_log{out}.write(sample());
  EXPECT_EQ(out.str(),
            "time=2024-05-01T12:00:00.000000000Z level=warning path=/app/db "
            "incarnation=2 decision=\"backoff 200ms\" attempts=3 "
            "class=gave_up bug=true reference=REF-1 causes=REF-2,REF-3 "
            "message=\"gave_up: say \\\"no\\\"\\\\nand\\\\go <- b <- crash: "
            "boom [bug, ref REF-1]\"\n");
}

// FAILURE-5: strangers cannot fake a line, nor a field.
TEST(FailureLogLine, KeepsStrangersFromFakingLines) {
  const failure_record x{.path = "/a\nb level=critical",
                         .why = std::make_shared<failure>(failure{
                           .failure_class = "x y\n", .reference = "\"\n\x1b"})};
  const auto line = to_line(x);
  EXPECT_EQ(line.find_first_of("\n\x1b"), std::string::npos);
  EXPECT_THAT(line, HasSubstr(R"(path="/a\\nb level=critical")"));
}

} // namespace
} // namespace coppice::test
