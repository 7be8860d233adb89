// This file is part of coppice. License: see LICENSE in the source root.

// What an observer answers and refuses, over real sockets.

#include "observer/observer_test.hpp"

namespace coppice::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

// OBSERVE-2
TEST_F(ObserverServer, ShowsTheTreeInThreeFormats) {
  start();
  EXPECT_THAT(window->url(), StartsWith("http://127.0.0.1:"));
  EXPECT_THAT(get("/healthz"), HasStatus(200));
  const auto as_json = get("/api/tree");
  ASSERT_THAT(as_json, HasStatus(200));
  const auto tree_now = json::parse(as_json->body);
  EXPECT_EQ(tree_now["format"], 1);
  EXPECT_EQ(tree_now["state"], "running");
  EXPECT_EQ(tree_now["root"]["children"][1]["children"][0]["path"],
            "/app/in/b");
  const auto as_text = get("/api/tree?format=text");
  ASSERT_THAT(as_text, HasStatus(200));
  EXPECT_THAT(as_text->body, HasSubstr("   └─ b  running"));
  const auto as_dot = get("/api/tree?format=dot");
  ASSERT_THAT(as_dot, HasStatus(200));
  EXPECT_THAT(as_dot->body, StartsWith("digraph"));
  EXPECT_THAT(get("/api/tree?format=xml"), HasStatus(400));
  EXPECT_THAT(get("/api/nothing"), HasStatus(404));
  EXPECT_THAT(get("/../etc/passwd"), HasStatus(404));
  EXPECT_THAT(post("/api/tree"), HasStatus(404));
}

TEST_F(ObserverServer, ServesItsPageWithStrictHeaders) {
  start();
  for (const auto& [path, type] :
       {std::pair{"/", "text/html"}, std::pair{"/page.js", "text/javascript"},
        std::pair{"/page.css", "text/css"}}) {
    const auto page = get(path);
    ASSERT_THAT(page, HasStatus(200));
    EXPECT_THAT(page->get_header_value("Content-Type"), StartsWith(type));
    EXPECT_FALSE(page->body.empty());
    const auto policy = page->get_header_value("Content-Security-Policy");
    EXPECT_THAT(policy, HasSubstr("default-src 'none'"));
    EXPECT_THAT(policy, HasSubstr("script-src 'self'"));
    EXPECT_THAT(policy, testing::Not(HasSubstr("unsafe")));
    EXPECT_EQ(page->get_header_value("X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(page->get_header_value("Cache-Control"), "no-store");
  }
  const auto page = get("/");
  EXPECT_THAT(page->body, testing::Not(HasSubstr("<script>")))
    << "what the policy would not run";
  // Refusals have them, too.
  EXPECT_EQ(get("/x")->get_header_value("X-Frame-Options"), "DENY");
}

TEST_F(ObserverServer, CanDoWithoutAPage) {
  start({.with_page = false});
  EXPECT_THAT(get("/"), HasStatus(404));
  EXPECT_THAT(get("/api/tree"), HasStatus(200));
}

// OBSERVE-2: the last failure, with all that is known.
TEST_F(ObserverServer, ShowsTheReportOfAFailure) {
  start();
  EXPECT_THAT(get("/api/failure?path=/app/a"), HasStatus(404));
  EXPECT_THAT(get("/api/failure?path=/app/x"), HasStatus(404));
  EXPECT_THAT(get("/api/failure?path=/app"), HasStatus(404));
  EXPECT_THAT(get("/api/failure"), HasStatus(404));
  a.now(testkit::throws("<b>no\xff route"));
  ASSERT_TRUE(log.wait_for(event_kind::ready, "/app/a", 2));
  const auto report = get("/api/failure?path=/app/a");
  ASSERT_THAT(report, HasStatus(200));
  const auto body = json::parse(report->body);
  EXPECT_THAT(body["text"].get<std::string>(), HasSubstr("<b>no"));
  EXPECT_EQ(body["failure"]["status"], 500);
  EXPECT_EQ(node("/app/a")["last_failure"]["id"], body["failure"]["reference"]);
}

TEST_F(ObserverServer, NamesTheFileOfTheTree) {
  start();
  EXPECT_THAT(get("/api/topology"), HasStatus(404));
  window.reset();
  tree.reset();
  start({.topology_file = "shop.conf"});
  EXPECT_EQ(json::parse(get("/api/topology")->body),
            (json{{"file", "shop.conf"}, {"version", 1}}));
}

// -- who may what ------------------------------------------------------------

TEST_F(ObserverServer, ChangesNothingWithoutTheToken) {
  start({.on_stop = [] { ADD_FAILURE() << "refused, and yet done"; }});
  const std::string body = R"({"action":"stop","path":"/app/a"})";
  EXPECT_THAT(post("/api/ctl", body, {}), HasStatus(401));
  EXPECT_THAT(post("/api/ctl", body, {{"Authorization", "Bearer no"}}),
              HasStatus(403));
  EXPECT_THAT(post(std::string{"/api/ctl?token="} + secret, body, {}),
              HasStatus(401));
  EXPECT_THAT(post("/api/stop", "{}", {}), HasStatus(401));
  EXPECT_THAT(post("/api/reload", "{}", {}), HasStatus(401));
  EXPECT_EQ(node("/app/a")["state"], "running");
  EXPECT_EQ(window->counts().requests_refused, 5u);
}

TEST_F(ObserverServer, IsSafeAgainstOtherSites) {
  start({.on_stop = [] { ADD_FAILURE() << "refused, and yet done"; }});
  auto headers = authorised();
  headers.emplace("Origin", "http://evil.example");
  EXPECT_THAT(post("/api/stop", "{}", headers), HasStatus(403));
  EXPECT_THAT(get("/api/tree", {{"Origin", "http://evil.example"}}),
              HasStatus(403));
  headers = authorised();
  headers.emplace("Host", "evil.example"); // as after DNS rebinding
  EXPECT_THAT(post("/api/stop", "{}", headers), HasStatus(403));
  EXPECT_THAT(get("/api/tree", {{"Host", "evil.example"}}), HasStatus(403));
  EXPECT_THAT(post("/api/stop", "{}", authorised(), "text/plain"),
              HasStatus(400));
  headers = authorised();
  headers.emplace("Origin",
                  "http://127.0.0.1:" + std::to_string(window->port()));
  EXPECT_THAT(post("/api/ctl", R"({"action":"stop","path":"/app/a"})", headers),
              HasStatus(200));
}

TEST_F(ObserverServer, ListensBeyondLoopbackOnlyWithAToken) {
  start_tree();
  const auto open = observer_server::start(*tree, hub, {.address = "0.0.0.0"});
  ASSERT_FALSE(open);
  EXPECT_EQ(open.error().code, failure_code{errc::invalid_spec});
  EXPECT_THAT(open.error().message, HasSubstr("observer.token"));
  auto shut = observer_server::start(*tree, hub,
                                     {.address = "0.0.0.0", .token = secret});
  ASSERT_TRUE(shut);
  window.emplace(std::move(*shut));
  EXPECT_THAT(get("/api/tree"), HasStatus(401));
  EXPECT_EQ(get("/api/tree")->get_header_value("WWW-Authenticate"),
            "Bearer realm=\"coppice\"");
  EXPECT_THAT(get("/api/tree?token=0123456789abcdee"), HasStatus(403));
  EXPECT_THAT(get(std::string{"/api/tree?token="} + secret), HasStatus(200));
  EXPECT_THAT(get("/api/tree", authorised()), HasStatus(200));
  EXPECT_THAT(get("/metrics"), HasStatus(401));
  EXPECT_THAT(get("/page.css"), HasStatus(200));
}

TEST_F(ObserverServer, SaysWhyItCannotListen) {
  start();
  const auto again = observer_server::start(*tree, hub,
                                            {.port = window->port()});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, failure_code{errc::unavailable});
  const auto bad = observer_server::start(*tree, hub, {.port = -1});
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, failure_code{errc::invalid_spec});
}

// -- changing ----------------------------------------------------------------

// RESTART-4: an operator's commands, by path.
TEST_F(ObserverServer, CarriesOutCommands) {
  start();
  EXPECT_THAT(order("stop", "/app/in/b"), HasStatus(200));
  EXPECT_EQ(node("/app/in/b")["why"], "by_operator");
  EXPECT_THAT(order("start", "/app/in/b"), HasStatus(200));
  EXPECT_THAT(order("start", "/app/in/b"), HasStatus(409));
  EXPECT_EQ(node("/app/in/b")["state"], "running");
  EXPECT_THAT(order("restart", "/app/in/b"), HasStatus(200));
  EXPECT_EQ(node("/app/in/b")["incarnation"], 3);
  EXPECT_THAT(order("hold", "/app/a", "until Monday"), HasStatus(200));
  EXPECT_EQ(node("/app/a")["hold_reason"], "until Monday");
  EXPECT_THAT(order("stop", "/app/in"), HasStatus(200));
  EXPECT_THAT(order("stop", "/app/in/b"), HasStatus(404));
  EXPECT_THAT(order("start", "/app/in"), HasStatus(200));
  for (const auto* path : {"/app/x", "/app", "", "/", "app", "/other/a", "//",
                           "/app/a/b", "/app/"})
    EXPECT_THAT(order("stop", path), HasStatus(404)) << path;
}

TEST_F(ObserverServer, RefusesMalformedBodies) {
  start();
  for (const std::string body :
       {"", "{", "[]", "null", "\"stop\"", "{}", R"({"action":"stop"})",
        R"({"action":1,"path":"/app/a"})", R"({"action":"stop","path":[]})",
        R"({"action":"explode","path":"/app/a"})",
        R"({"action":"hold","path":"/app/a","reason":7})",
        "{\"action\":\"stop\",\"path\":\"\xff\"}"})
    EXPECT_THAT(post("/api/ctl", body), HasStatus(400)) << body;
  EXPECT_THAT(post("/api/ctl", std::string(30'000, '[')), HasStatus(400));
  EXPECT_THAT(order("hold", "/app/a", std::string(1'001, 'x')), HasStatus(400));
  EXPECT_THAT(post("/api/ctl", std::string(70'000, ' ')), HasStatus(413));
  EXPECT_EQ(node("/app/a")["state"], "running");
  const auto ranges = get("/page.js", {{"Range", "bytes=0-,0-,0-"}});
  ASSERT_TRUE(ranges); // the library cuts the refusal into them, at least
  EXPECT_EQ(ranges->status, 400);
  EXPECT_LT(ranges->body.size(), 2'000u);
}

// TOPOLOGY-3: what a reload changed, or why it was refused.
TEST_F(ObserverServer, PassesReloadAndStopOn) {
  std::atomic<int> stops{0};
  std::atomic<bool> is_sound{true};
  start({.on_reload = [&]() -> outcome<reload_report> {
           if (!is_sound)
             return failure{.failure_class = "bad_file",
                            .message = "shop.conf:3: found 'allways'"};
           return reload_report{2,
                                {{.path = "/app/a",
                                  .field = "backoff.first",
                                  .before = "1s",
                                  .after = "2s"}}};
         },
         .on_stop = [&] { ++stops; }});
  const auto reloaded = post("/api/reload");
  ASSERT_THAT(reloaded, HasStatus(200));
  EXPECT_EQ(json::parse(reloaded->body),
            json::parse(R"({"version":2,"changes":[{"kind":"changed","path":)"
                        R"("/app/a","field":"backoff.first","before":"1s",)"
                        R"("after":"2s"}]})"));
  is_sound = false;
  const auto refused = post("/api/reload");
  ASSERT_THAT(refused, HasStatus(422));
  EXPECT_EQ(json::parse(refused->body)["detail"],
            "shop.conf:3: found 'allways'");
  EXPECT_THAT(post("/api/stop"), HasStatus(202));
  EXPECT_EQ(stops, 1);
}

TEST_F(ObserverServer, HasNothingToReloadUnlessTold) {
  start({.on_stop = [] { throw std::runtime_error("on purpose"); }});
  EXPECT_THAT(post("/api/reload"), HasStatus(404));
  EXPECT_THAT(post("/api/stop"), HasStatus(500));
  EXPECT_EQ(post("/api/stop")->get_header_value("EXCEPTION_WHAT"), "");
}

} // namespace
} // namespace coppice::test
