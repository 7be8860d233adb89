// This file is part of coppice. License: see LICENSE in the source root.

// Streams of events, metrics and figures of an observer, over real sockets.

#include "observer/observer_test.hpp"

#include <sstream>

namespace coppice::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// OBSERVE-1, OBSERVE-2: first the whole tree, then what changes.
TEST_F(ObserverServer, StreamsTheTreeAndThenWhatChanges) {
  start();
  news_reader reader{window->port()};
  ASSERT_TRUE(reader.wait_for_kind("tree"));
  EXPECT_EQ(reader.seen().front().kind, "tree");
  EXPECT_EQ(reader.seen().front().data["root"]["path"], "/app");
  a.now(testkit::throws());
  const auto again = reader.wait_for([](const news& x) {
    if (x.kind != "delta")
      return false;
    for (const auto& node : x["changed"])
      if (node["path"] == "/app/a" && node["incarnation"] == 2
          && node["state"] == "running")
        return true;
    return false;
  });
  ASSERT_TRUE(again);
  EXPECT_EQ(again->data["changed"].size(),
            1u + (again->data["changed"][0]["path"] == "/app" ? 1u : 0u))
    << "the root's restarts, and the child";
  const auto failed
    = reader.wait_for([](const news& x) { return x["kind"] == "failed"; });
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->kind, "event");
  EXPECT_EQ(failed->id, std::to_string(failed->data["number"].get<int>()));
  EXPECT_EQ(failed->data["path"], "/app/a");
}

// OBSERVE-1: numbers let a reader go on where it was.
TEST_F(ObserverServer, ResumesAfterANumber) {
  start();
  const auto last = hub.last();
  ASSERT_GT(last, 2u);
  const auto first_of = [&](const std::string& query,
                            httplib::Headers headers = {}) {
    news_reader reader{window->port(), query, std::move(headers)};
    const auto first = reader.wait_for_kind("event");
    return first ? first->id : "none";
  };
  EXPECT_EQ(first_of(""), "1");
  EXPECT_EQ(first_of("?after=2"), "3");
  EXPECT_EQ(first_of("?after=1", {{"Last-Event-ID", "2"}}), "3");
  news_reader reader{window->port(), "?after=" + std::to_string(last)};
  ASSERT_TRUE(reader.wait_for_kind("tree"));
  ASSERT_THAT(order("stop", "/app/a"), HasStatus(200));
  const auto next = reader.wait_for_kind("event");
  ASSERT_TRUE(next);
  EXPECT_EQ(next->id, std::to_string(last + 1));
  for (const auto* bad : {"x", "-1", "1x", "", "99999999999999999999"})
    EXPECT_THAT(get(std::string{"/api/events?after="} + bad), HasStatus(400))
      << bad;
}

TEST_F(ObserverServer, RefusesTooManyViewers) {
  start({.viewers_max = 1});
  {
    news_reader one{window->port()};
    ASSERT_TRUE(one.wait_for_kind("tree"));
    const auto two = get("/api/events");
    ASSERT_THAT(two, HasStatus(503));
    EXPECT_EQ(two->get_header_value("Retry-After"), "5");
    EXPECT_THAT(get("/api/tree"), HasStatus(200)) << "that is no stream";
    EXPECT_EQ(window->counts().viewers, 1u);
    EXPECT_EQ(window->counts().viewers_refused, 1u);
  }
  const auto due = std::chrono::steady_clock::now() + patience;
  while (window->counts().viewers > 0 && std::chrono::steady_clock::now() < due)
    std::this_thread::yield();
  news_reader three{window->port()};
  EXPECT_TRUE(three.wait_for_kind("tree"));
}

// OBSERVE-1: a slow viewer slows nobody, and is dropped.
TEST_F(ObserverServer, DropsAViewerThatTakesNothing) {
  start({.viewer_patience = 2s});
  const deaf_client deaf{window->port(),
                         "GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n"};
  EXPECT_TRUE(becomes_true([&] { return window->counts().viewers == 1; }));
  auto number = hub.last();
  const auto publish = hub.as_observer();
  for (int i = 0; i < 1'500; ++i) // more than the system takes for it
    publish({.number = ++number, .path = std::string(10'000, 'x')});
  news_reader quick{window->port(), "?after=" + std::to_string(number)};
  ASSERT_TRUE(quick.wait_for_kind("tree"));
  ASSERT_THAT(order("stop", "/app/a"), HasStatus(200));
  EXPECT_TRUE(quick.wait_for_kind("delta"));
  EXPECT_TRUE(becomes_true([&] { return window->counts().viewers == 1; }));
  EXPECT_EQ(window->counts().viewers_dropped, 1u);
}

// OBSERVE-2: whoever watches sees the end.
TEST_F(ObserverServer, ShowsHowTheTreeEnds) {
  start();
  news_reader reader{window->port()};
  ASSERT_TRUE(reader.wait_for_kind("tree"));
  EXPECT_TRUE(tree->stop(patience).complete);
  const auto end
    = reader.wait_for([](const news& x) { return x["state"] == "ended"; });
  ASSERT_TRUE(end);
  EXPECT_EQ(end->kind, "delta");
  EXPECT_EQ(end->data["removed"].size(), 2u);
  EXPECT_THAT(get("/api/tree"), HasStatus(200));
  EXPECT_THAT(get("/metrics"), HasStatus(200));
  EXPECT_THAT(order("stop", "/app/a"), HasStatus(409));
}

// Nobody can keep a program from ending.
TEST_F(ObserverServer, EndsPromptlyWhoeverHangsOn) {
  start({.command_within = 10min, .viewer_patience = 10min});
  news_reader reader{window->port()};
  ASSERT_TRUE(reader.wait_for_kind("tree"));
  const deaf_client deaf{window->port(),
                         "GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n"};
  const deaf_client half{window->port(), "POST /api/ctl HTTP/1.1\r\nHost: lo"};
  const deaf_client silent{window->port(), ""};
  b.on_stop(testkit::ignores_shutdown());
  EXPECT_THAT(order("restart", "/app/in/b"), HasStatus(200)); // takes it on
  b.now(testkit::hangs());
  std::thread waiting{[&] { static_cast<void>(order("stop", "/app/in/b")); }};
  ASSERT_TRUE(reader.wait_for([](const news& x) {
    if (x.kind == "delta")
      for (const auto& node : x["changed"])
        if (node["state"] == "stopping")
          return true;
    return false;
  }));
  const auto begin = std::chrono::steady_clock::now();
  window->stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 4s);
  EXPECT_TRUE(reader.wait_for_end());
  waiting.join();
  b.release();
  window->stop();
}

// -- metrics and figures -----------------------------------------------------

/// "name{labels}" -> value; fails for lines that are not of the format.
std::map<std::string, double> parse_metrics(const std::string& text) {
  std::map<std::string, double> res;
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# HELP ") || line.starts_with("# TYPE "))
      continue;
    const auto space = line.rfind(' ');
    EXPECT_NE(space, std::string::npos) << line;
    EXPECT_TRUE(line.starts_with("coppice_")) << line;
    EXPECT_TRUE(
      res.emplace(line.substr(0, space), std::stod(line.substr(space + 1)))
        .second)
      << "twice: " << line;
  }
  return res;
}

// OBSERVE-1, OBSERVE-2: what Prometheus sees is what happened.
TEST_F(ObserverServer, CountsForPrometheus) {
  start();
  for (std::ptrdiff_t i = 0; i < 3; ++i) {
    a.now(testkit::throws());
    ASSERT_TRUE(log.wait_for(event_kind::ready, "/app/a", i + 2));
  }
  ASSERT_THAT(order("stop", "/app/in/b"), HasStatus(200));
  ASSERT_TRUE(log.wait_for(event_kind::stopped, "/app/in/b"));
  window->figures().add_pool("blobs", [] {
    pool_statistics x;
    x.admission.arrived = 7;
    x.admission.refused[1] = 2;
    return x;
  });
  window->figures().add_replicator("reads\xff\"", [] {
    replicator_statistics x;
    x.core.requests = 9;
    return x;
  });
  window->figures().add_pool("broken", []() -> pool_statistics {
    throw std::runtime_error("on purpose");
  });
  const auto response = get("/metrics");
  ASSERT_THAT(response, HasStatus(200));
  EXPECT_THAT(response->get_header_value("Content-Type"),
              HasSubstr("version=0.0.4"));
  auto x = parse_metrics(response->body);
  const auto is = [&](const std::string& name, double value) {
    ASSERT_TRUE(x.contains(name)) << name << " in\n" << response->body;
    EXPECT_EQ(x[name], value) << name;
  };
  is(R"(coppice_restarts_total{supervisor="/app",cause="crash"})", 3);
  is(R"(coppice_events_total{kind="failed"})", 3);
  is(R"(coppice_children{kind="worker",state="running"})", 1);
  is(R"(coppice_children{kind="worker",state="stopped"})", 1);
  is(R"(coppice_children{kind="supervisor",state="running"})", 2);
  is(R"(coppice_tree_state{state="running"})", 1);
  is("coppice_abandoned_lives", 0);
  is(R"(coppice_events_dropped_total{by="tree"})", 0);
  is(R"(coppice_pool_arrived_total{pool="blobs"})", 7);
  is("coppice_replicator_requests_total{replicator=\"reads\uFFFD\\\"\"}", 9);
  EXPECT_THAT(response->body, Not(HasSubstr("broken")));
}

// REPLICATE-7, DEADLINE-3: figures are news, too.
TEST_F(ObserverServer, StreamsFigures) {
  start();
  std::atomic<std::uint64_t> served{1};
  window->figures().add_pool("blobs", [&] {
    pool_statistics x;
    x.admission.served = served;
    x.admission.service_mean = 1500us;
    x.members.push_back({.number = 1, .available = true});
    return x;
  });
  news_reader reader{window->port()};
  const auto first = reader.wait_for_kind("figures");
  ASSERT_TRUE(first);
  const auto& pool = first->data["pools"][0];
  EXPECT_EQ(pool["name"], "blobs");
  EXPECT_EQ(pool["served"], 1);
  EXPECT_EQ(pool["service_mean_ms"], 1.5);
  EXPECT_EQ(pool["service_estimate_ms"], nullptr);
  EXPECT_EQ(pool["members"][0]["number"], 1);
  EXPECT_THAT(first->data["replicators"], IsEmpty());
  served = 2;
  EXPECT_TRUE(reader.wait_for([](const news& x) {
    return x.kind == "figures" && x["pools"][0]["served"] == 2;
  }));
}

} // namespace
} // namespace coppice::test
