// This file is part of coppice. License: see LICENSE in the source root.

// Snapshots of trees, their renderings, and the encoder of events.

#include "coppice/tree_snapshot.hpp"

#include "coppice/event_json.hpp"
#include "coppice/tree_snapshot_json.hpp"
#include "coppice/tree_snapshot_text.hpp"

#include "support/tree_test.hpp"

#include <nlohmann/json.hpp>

namespace coppice::test {
namespace {

using nlohmann::json;
using testing::StartsWith;

class TreeSnapshot : public supervision_test {
public:
  tree_snapshot take() {
    snapshot_walk walk{tree()};
    settle();
    EXPECT_TRUE(walk.wait(0s));
    return walk.finish();
  }
};

constexpr wall_time noon{1'764'158'400s}; // 2025-11-26T12:00:00Z

std::shared_ptr<const failure> known_failure(std::string message) {
  return std::make_shared<const failure>(failure{.failure_class = "db_down",
                                                 .message = std::move(message),
                                                 .reference = "ref-1",
                                                 .when = noon});
}

/// One of everything, made by hand.
tree_snapshot sample() {
  const time_point at{100s};
  tree_node busy{.path = "/app/feed",
                 .id = "feed",
                 .state = node_state::running,
                 .incarnation = 3,
                 .restarts = 2,
                 .heartbeat = node_heartbeat{.phase = life_phase::busy,
                                             .busy = true,
                                             .age = 1500ms,
                                             .limit = 2s,
                                             .suspicion = 0.75}};
  tree_node waiting{.path = "/app/db/a",
                    .id = "a",
                    .state = node_state::backoff,
                    .incarnation = 1,
                    .restarts = 1,
                    .restart = transient,
                    .next_retry = at + 3200ms,
                    .parked = true,
                    .last_failure = known_failure("no route")};
  tree_node held{.path = "/app/db/b",
                 .id = "b",
                 .state = node_state::stopped,
                 .why = stopped_why::by_operator,
                 .hold_reason = "until Monday",
                 .incarnation = 1,
                 .restart = temporary};
  tree_node db{.path = "/app/db",
               .id = "db",
               .kind = child_kind::supervisor,
               .state = node_state::running,
               .incarnation = 1,
               .restarts_in_window = 1,
               .strategy = rest_for_one,
               .limits = restart_limits{.restarts_max = infinity,
                                        .window = infinity},
               .children = {waiting, held}};
  tree_node deaf{.path = "/app/deaf",
                 .id = "deaf",
                 .kind = child_kind::supervisor,
                 .incarnation = 2,
                 .abandoned = 1};
  return {.when = noon + 123ms,
          .at = at,
          .version = 2,
          .state = tree_state::running,
          .name = "app",
          .root = {.path = "/app",
                   .id = "app",
                   .kind = child_kind::supervisor,
                   .state = node_state::running,
                   .incarnation = 1,
                   .restarts_in_window = 2,
                   .restart = temporary,
                   .strategy = one_for_one,
                   .limits = restart_limits{},
                   .children = {busy, db, deaf}},
          .abandoned = {{"/app/deaf", 1}},
          .events_last = 12,
          .events_dropped = 1};
}

// -- taking ------------------------------------------------------------------

// OBSERVE-2: path, state and why, incarnation, restarts, next retry, failure.
TEST_F(TreeSnapshot, ShowsEachNodeAsItIs) {
  auto a = script("a"), b = script("b"), c = script("c");
  supervise(
    {.name = "app",
     .limits = {.restarts_max = 5, .window = 1min},
     .children
     = {{.id = "in",
         .supervisor
         = supervisor_spec{.strategy = rest_for_one,
                           .limits = {.restarts_max = 7, .window = 10s},
                           .children = {a.spec({.backoff = each_second})}}},
        b.spec({.restart = temporary}),
        c.spec({.restart = transient})}});
  a.now(throws());
  settle();
  ASSERT_THAT(terminate_child("/app/c"), Succeeds());
  run_for(200ms);
  const auto x = take();
  EXPECT_EQ(x.state, tree_state::running);
  EXPECT_EQ(x.name, "app");
  EXPECT_EQ(x.version, 1u);
  EXPECT_GT(x.events_last, 0u);
  EXPECT_EQ(x.events_dropped, 0u);
  ASSERT_EQ(x.root.children.size(), 3u);
  EXPECT_EQ(x.root.state, node_state::running);
  EXPECT_EQ(x.root.strategy, one_for_one);
  const auto& in = x.root.children[0];
  EXPECT_EQ(in.path, "/app/in");
  EXPECT_EQ(in.strategy, rest_for_one);
  EXPECT_EQ(in.limits, (restart_limits{.restarts_max = 7, .window = 10s}));
  EXPECT_EQ(in.restarts_in_window, 1u);
  ASSERT_EQ(in.children.size(), 1u);
  const auto& waiting = in.children[0];
  EXPECT_EQ(waiting.state, node_state::backoff);
  ASSERT_TRUE(waiting.next_retry.has_value());
  EXPECT_EQ(*waiting.next_retry - x.at, 800ms);
  ASSERT_NE(waiting.last_failure, nullptr);
  EXPECT_EQ(waiting.last_failure->where.path, "/app/in/a");
  EXPECT_EQ(x.root.children[1].restart, temporary);
  EXPECT_EQ(x.root.children[2].state, node_state::stopped);
  EXPECT_EQ(x.root.children[2].why, stopped_why::by_operator);
  run_for(1s);
  const auto later = take();
  const auto* again = find(later, "/app/in/a");
  ASSERT_NE(again, nullptr);
  EXPECT_EQ(again->state, node_state::running);
  EXPECT_EQ(again->incarnation, 2u);
  EXPECT_EQ(again->restarts, 1u);
  EXPECT_EQ(again->next_retry, std::nullopt);
  EXPECT_EQ(find(later, "/app/in/ab"), nullptr);
  EXPECT_EQ(find(later, "/app/i"), nullptr);
  EXPECT_EQ(find(later, ""), nullptr);
  EXPECT_EQ(find(later, "/app"), &later.root);
}

// OBSERVE-2, HEARTBEAT-4: the age of the heartbeat, and its limit by phase.
TEST_F(TreeSnapshot, ShowsHeartbeats) {
  auto a = script("a"), slow = script("slow");
  slow.starts({never_ready()});
  supervise({.name = "app",
             .children = {
               a.spec({.heartbeat = {.stall_timeout = 4s, .idle_timeout = 9s}}),
               slow.spec({.start_deadline = time_limit{7s}})}});
  run_for(500ms);
  auto x = take();
  EXPECT_EQ(x.state, tree_state::starting);
  ASSERT_TRUE(x.root.children[0].heartbeat.has_value());
  EXPECT_EQ(x.root.children[0].heartbeat->phase, life_phase::idle);
  EXPECT_EQ(x.root.children[0].heartbeat->limit, time_limit{9s});
  EXPECT_EQ(x.root.children[1].state, node_state::starting);
  a.now(hangs());
  run_for(3s);
  x = take();
  const auto& beat = x.root.children[0].heartbeat;
  ASSERT_TRUE(beat.has_value());
  EXPECT_EQ(beat->phase, life_phase::busy);
  EXPECT_TRUE(beat->busy);
  EXPECT_EQ(beat->limit, time_limit{4s});
  EXPECT_GE(beat->age, 2900ms);
  EXPECT_GT(beat->suspicion, 0.7);
}

// OBSERVE-2: who does not answer in time is unknown, and keeps what is known.
TEST_F(TreeSnapshot, KeepsAStubOfWhoDoesNotAnswer) {
  auto a = script("a");
  supervise(
    {.name = "app",
     .children
     = {{.id = "in", .supervisor = supervisor_spec{.children = {a.spec()}}}}});
  snapshot_walk early{tree()};
  EXPECT_FALSE(early.wait(0s)); // nobody ran
  const auto nothing = early.finish();
  EXPECT_EQ(nothing.root.state, node_state::unknown);
  EXPECT_EQ(nothing.root.path, "/app");
  EXPECT_EQ(nothing.root.strategy, std::nullopt);
  EXPECT_EQ(json::parse(to_json(nothing))["root"]["limits"], nullptr);
  settle(); // its answers come now, and are dropped
  EXPECT_EQ(take().root.state, node_state::running);
}

// OBSERVE-2: of all states of the tree, the last one too.
TEST_F(TreeSnapshot, ShowsATreeThatHasEnded) {
  auto a = script("a");
  supervise(
    {.name = "app", .limits = {.restarts_max = 0}, .children = {a.spec()}});
  a.now(throws());
  run_for(1s);
  ASSERT_TRUE(has_ended());
  const auto x = take();
  EXPECT_EQ(x.state, tree_state::ended);
  EXPECT_EQ(x.root.state, node_state::stopped);
  ASSERT_NE(x.root.last_failure, nullptr);
  EXPECT_EQ(x.root.last_failure->failure_class, failure_classes::gave_up);
  EXPECT_THAT(to_text(x), StartsWith("app  stopped  last failure: "));
}

TEST_F(TreeSnapshot, OfATreeThatWasMovedFromIsRefused) {
  auto a = script("a");
  supervise({.name = "app", .children = {a.spec()}});
  auto other = std::move(tree());
  EXPECT_THAT(take_snapshot(tree()), FailsWith(errc::stopped));
  tree() = std::move(other);
}

// -- renderings --------------------------------------------------------------

// OBSERVE-2
TEST(SnapshotText, IsATree) {
  EXPECT_EQ(
    to_text(sample(), {.ascii = true}),
    "app  running  one_for_one  2/3 in 5s\n"
    "|- feed#3  running  2 restarts  busy, beat 1.5s ago of 2s\n"
    "|- db  running  rest_for_one\n"
    "|  |- a  backoff  1 restart  next try in 3.2s  parked  last failure: "
      + to_string(*known_failure("no route"))
      + "\n"
        "|  `- b  stopped (held: until Monday)\n"
        "`- deaf#2  unknown  1 abandoned\n"
        "abandoned: /app/deaf#1\n"
        "1 event dropped\n");
  EXPECT_THAT(to_text(sample()), HasSubstr("│  └─ b  stopped"));
  EXPECT_THAT(to_text(sample(), {.colours = true}),
              HasSubstr("feed#3  \x1b[33mrunning\x1b[0m"));
}

constexpr auto sample_graph = R"dot(digraph "app" {
  rankdir=LR;
  node [shape=ellipse, style=filled];
  "/app" [label="app running", fillcolor="#b7e1c0", shape=box];
  "/app" -> "/app/feed";
  "/app/feed" [label="feed#3 running, 2 restarts", fillcolor="#b7e1c0"];
  "/app" -> "/app/db";
  "/app/db" [label="db running", fillcolor="#b7e1c0", shape=box];
  "/app/db" -> "/app/db/a";
  "/app/db/a" [label="a backoff, 1 restart", fillcolor="#f6dfa0"];
  "/app/db" -> "/app/db/b";
  "/app/db/b" [label="b stopped (held: until Monday)", fillcolor="#dddddd"];
  "/app" -> "/app/deaf";
  "/app/deaf" [label="deaf#2 unknown", fillcolor="#e0c8ec", shape=box];
}
)dot";

// OBSERVE-2
TEST(SnapshotDot, IsAGraph) {
  EXPECT_EQ(to_dot(sample()), sample_graph);
}

// OBSERVE-2
TEST(SnapshotJson, HasAllFieldsInOrder) {
  const auto x = sample();
  EXPECT_EQ(
    node_json(x.root.children[0], x.at),
    R"({"path":"/app/feed","id":"feed","kind":"worker","state":"running",)"
    R"("why":"","hold_reason":"","incarnation":3,"restarts":2,)"
    R"("restarts_in_window":0,"restart":"permanent","next_retry_ms":null,)"
    R"("parked":false,"abandoned":0,"heartbeat":{"phase":"busy","busy":true,)"
    R"("age_ms":1500,"limit_ms":2000,"suspicion":0.75},"last_failure":null})");
  const auto all = json::parse(to_json(x, 2));
  EXPECT_EQ(all["format"], 1);
  EXPECT_EQ(all["when"], "2025-11-26T12:00:00.123Z");
  EXPECT_EQ(all["version"], 2);
  EXPECT_EQ(all["state"], "running");
  EXPECT_EQ(all["abandoned"],
            json::parse(R"([{"path":"/app/deaf","incarnation":1}])"));
  EXPECT_EQ(all["events"], json::parse(R"({"last":12,"dropped":1})"));
  const auto& db = all["root"]["children"][1];
  EXPECT_EQ(db["strategy"], "rest_for_one");
  EXPECT_EQ(db["limits"],
            json::parse(R"({"restarts_max":null,"window_ms":null})"));
  EXPECT_EQ(db["children"][0]["next_retry_ms"], 3200);
  EXPECT_EQ(db["children"][0]["last_failure"]["when"],
            "2025-11-26T12:00:00.000Z");
  EXPECT_EQ(db["children"][0]["last_failure"]["id"], "ref-1");
  EXPECT_EQ(db["children"][1]["why"], "by_operator");
  EXPECT_EQ(db["children"][1]["hold_reason"], "until Monday");
  EXPECT_EQ(all["root"]["limits"],
            json::parse(R"({"restarts_max":3,"window_ms":5000})"));
  EXPECT_EQ(all["root"]["children"][2]["children"], json::array());
}

// OBSERVE-2, OBSERVE-1: whatever ids and failures hold, it stays well-formed.
TEST(SnapshotRenderings, SurviveHostileText) {
  const auto hostile = "\"\\</script><b>\x1b[2J\n\xff\xc3(\0 ok"s;
  auto x = sample();
  x.root.children[0].id = hostile;
  x.root.children[0].path = "/app/" + hostile;
  x.root.children[0].hold_reason = hostile;
  x.root.children[0].last_failure = known_failure(hostile);
  x.root.children[0].heartbeat->suspicion = HUGE_VAL;
  const auto tree = json::parse(to_json(x));
  const auto id = tree["root"]["children"][0]["id"].get<std::string>();
  EXPECT_EQ(id, "\"\\</script><b>\x1b[2J\n\uFFFD\uFFFD(\0 ok"s);
  EXPECT_TRUE(
    tree["root"]["children"][0]["heartbeat"]["suspicion"].is_number());
  for (const auto& text : {to_text(x), to_dot(x)}) {
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
    EXPECT_THAT(text, Not(HasSubstr("\0"s)));
  }
  EXPECT_THAT(to_dot(x), HasSubstr(R"("/app/\"\\</script>)"));
  const auto event = json::parse(to_json(
    supervision_event{.path = hostile, .because = known_failure(hostile)}));
  EXPECT_EQ(event["path"], id);
}

TEST(SnapshotJson, CutsLongFailures) {
  auto x = sample().root.children[0];
  x.last_failure = known_failure(std::string(10'000, 'x'));
  EXPECT_LT(node_json(x, {}).size(), 1'500u);
}

// OBSERVE-1: one encoder, and what applies to each kind.
TEST(EventJson, HasWhatApplies) {
  supervision_event x{.number = 7,
                      .version = 2,
                      .kind = event_kind::backing_off,
                      .when = noon,
                      .path = "/app/a",
                      .incarnation = 2,
                      .cause = end_cause::stall,
                      .span = 1500us,
                      .attempts = 3,
                      .because = known_failure("gone")};
  EXPECT_EQ(to_json(x),
            R"({"number":7,"version":2,"kind":"backing_off",)"
            R"("when":"2025-11-26T12:00:00.000Z","path":"/app/a",)"
            R"("incarnation":2,"cause":"stall","span_ms":1.5,"attempts":3,)"
            R"("failure":{"line":")"
              + to_string(*x.because)
              + R"(","class":"db_down","id":"ref-1"}})");
  x = {.number = 8,
       .kind = event_kind::stopped,
       .when = noon,
       .path = "/app/a",
       .why = stopped_why::by_group};
  EXPECT_EQ(to_json(x), R"({"number":8,"version":0,"kind":"stopped",)"
                        R"("when":"2025-11-26T12:00:00.000Z","path":"/app/a",)"
                        R"("incarnation":0,"why":"by_group"})");
}

} // namespace
} // namespace coppice::test
