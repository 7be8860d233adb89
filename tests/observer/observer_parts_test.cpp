// This file is part of coppice. License: see LICENSE in the source root.

// The observer's parts, without a server and without actors.

#include "coppice/observer/event_hub.hpp"
#include "coppice/observer/observer_options.hpp"
#include "coppice/observer/request_guard.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>

namespace coppice::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

supervision_event event(std::uint64_t number,
                        event_kind kind = event_kind::ready,
                        std::string path = "/app/a") {
  return {.number = number, .kind = kind, .path = std::move(path)};
}

std::vector<std::uint64_t>
numbers(const std::vector<supervision_event>& events) {
  std::vector<std::uint64_t> res;
  for (const auto& x : events)
    res.push_back(x.number);
  return res;
}

// -- the hub -----------------------------------------------------------------

// OBSERVE-1: who comes late gets what is kept, in order and once.
TEST(EventHub, KeepsTheLastEventsForLateJoiners) {
  event_hub hub{3};
  const auto publish = hub.as_observer();
  for (std::uint64_t i = 1; i <= 5; ++i)
    publish(event(i));
  EXPECT_THAT(numbers(hub.kept(0)), ElementsAre(3, 4, 5));
  EXPECT_THAT(numbers(hub.kept(3, 4)), ElementsAre(4));
  auto reader = hub.subscribe(3);
  publish(event(6));
  EXPECT_THAT(numbers(reader.take(0s)), ElementsAre(4, 5, 6));
  EXPECT_THAT(reader.take(0s), IsEmpty());
  EXPECT_EQ(hub.last(), 6u);
}

// OBSERVE-1: a reader that does not read costs itself the oldest ones.
TEST(EventHub, DropsTheOldestOfASlowReaderAndCounts) {
  event_hub hub;
  auto slow = hub.subscribe(0, 2);
  auto quick = hub.subscribe(0);
  const auto publish = hub.as_observer();
  for (std::uint64_t i = 1; i <= 5; ++i)
    publish(event(i));
  EXPECT_THAT(numbers(slow.take(0s)), ElementsAre(4, 5));
  EXPECT_EQ(slow.dropped(), 3u);
  EXPECT_THAT(quick.take(0s), SizeIs(5));
  EXPECT_EQ(quick.dropped(), 0u);
  EXPECT_EQ(hub.counts().dropped, 3u);
}

// OBSERVE-1
TEST(EventHub, SwallowsAndCountsWhatListenersThrow) {
  event_hub hub;
  int after = 0;
  hub.add_listener(
    [](const supervision_event&) { throw std::runtime_error("on purpose"); });
  hub.add_listener([&](const supervision_event&) { ++after; });
  hub.add_listener({});
  auto reader = hub.subscribe(0);
  hub.as_observer()(event(1));
  hub.as_observer()(event(2));
  EXPECT_EQ(after, 2);
  EXPECT_THAT(reader.take(0s), SizeIs(2));
  EXPECT_EQ(hub.counts().listener_failures, 2u);
}

TEST(EventHub, CountsRestartsBySupervisorAndCauseWithinBounds) {
  event_hub hub;
  const auto publish = hub.as_observer();
  auto crash = event(1, event_kind::restarting, "/app/db/a");
  publish(crash);
  publish(crash);
  crash.cause = policy::end_cause::stall;
  publish(crash);
  auto counts = hub.counts();
  EXPECT_EQ((counts.restarts[{"/app/db", policy::end_cause::crash}]), 2u);
  EXPECT_EQ((counts.restarts[{"/app/db", policy::end_cause::stall}]), 1u);
  EXPECT_EQ(counts.by_kind[static_cast<std::size_t>(event_kind::restarting)],
            3u);
  for (int i = 0; i < 2'000; ++i)
    publish(
      event(1, event_kind::restarting, "/app/" + std::to_string(i) + "/x"));
  counts = hub.counts();
  EXPECT_LE(counts.restarts.size(), event_hub::paths_max + 2);
  EXPECT_GT((counts.restarts[{"", policy::end_cause::crash}]), 900u);
}

TEST(EventHub, IsLeftByItsReadersAndCanBeInterrupted) {
  event_hub hub;
  auto reader = hub.subscribe(0);
  std::thread other{[&] { reader.interrupt(); }};
  EXPECT_THAT(reader.take(infinity), IsEmpty());
  other.join();
  auto publish = hub.as_observer();
  {
    auto gone = hub.subscribe(0, 1);
    publish(event(1));
  }
  publish(event(2));
  publish(event(3)); // would be dropped, were it still there
  EXPECT_EQ(hub.counts().dropped, 0u);
}

// -- the guard ---------------------------------------------------------------

constexpr auto secret = "0123456789abcdef";

request_facts post() {
  return {.method = "POST",
          .path = "/api/ctl",
          .host = "127.0.0.1:80",
          .authorization = "Bearer 0123456789abcdef",
          .content_type = "application/json"};
}

int status(const request_facts& x, observer_options options = {}) {
  if (options.token.empty())
    options.token = secret;
  const auto why = request_guard{options}.judge(x);
  return why ? why->status : 200;
}

template <class F>
int status_with(F change, const observer_options& options = {}) {
  auto x = post();
  change(x);
  return status(x, options);
}

TEST(RequestGuard, LetsOnlyKnownHostsThrough) {
  for (const auto* host : {"127.0.0.1", "localhost:8080", "LOCALHOST", "[::1]",
                           "[::1]:80", "127.0.0.1:9"})
    EXPECT_EQ(status_with([&](auto& x) { x.host = host; }), 200) << host;
  for (const auto* host : {"", "evil.example", "evil.example:80", "10.0.0.1",
                           "127.0.0.1.evil.example", "localhost@evil", "[::1",
                           "localhost/x", "0.0.0.0"})
    EXPECT_EQ(status_with([&](auto& x) { x.host = host; }), 403) << host;
  EXPECT_EQ(status_with([](auto& x) { x.host = "box.example:1"; },
                        {.hosts = {"Box.example"}}),
            200);
  const observer_options any{.address = "0.0.0.0"};
  EXPECT_EQ(status_with([](auto& x) { x.host = "10.1.2.3:80"; }, any), 200);
  EXPECT_EQ(status_with([](auto& x) { x.host = "evil.example"; }, any), 403);
}

TEST(RequestGuard, RefusesOtherSitesPages) {
  const auto with_origin = [](std::string_view origin) {
    return status_with([&](auto& x) {
      x.has_origin = true;
      x.origin = origin;
    });
  };
  EXPECT_EQ(with_origin("http://127.0.0.1:80"), 200);
  EXPECT_EQ(with_origin("https://127.0.0.1:80"), 200);
  for (const auto* origin :
       {"", "null", "http://evil.example", "http://127.0.0.1:81",
        "http://127.0.0.1", "http://localhost:80", "file://127.0.0.1:80"})
    EXPECT_EQ(with_origin(origin), 403) << origin;
  EXPECT_EQ(status_with([](auto& x) { x.fetch_site = "cross-site"; }), 403);
  EXPECT_EQ(status_with([](auto& x) { x.fetch_site = "same-origin"; }), 200);
}

TEST(RequestGuard, WantsWhatNoFormCanSend) {
  for (const auto* type :
       {"application/json", "application/json; charset=utf-8",
        "Application/JSON ;x"})
    EXPECT_EQ(status_with([&](auto& x) { x.content_type = type; }), 200);
  for (const auto* type :
       {"", "text/plain", "application/jsonx",
        "application/x-www-form-urlencoded", "multipart/form-data"})
    EXPECT_EQ(status_with([&](auto& x) { x.content_type = type; }), 400)
      << type;
}

TEST(RequestGuard, WantsTheTokenForChanges) {
  EXPECT_EQ(status(post()), 200);
  const auto with = [](std::string_view authorization) {
    return status_with([&](auto& x) { x.authorization = authorization; });
  };
  EXPECT_EQ(with(""), 401);
  EXPECT_EQ(with("Basic 0123456789abcdef"), 401);
  EXPECT_EQ(with("bearer 0123456789abcdef"), 200);
  for (const auto* wrong :
       {"Bearer x", "Bearer 0123456789abcde", "Bearer 0123456789abcdef0",
        "Bearer 0123456789abcdefx", "Bearer 0123456789abcdex",
        "Bearer 0123456789abcdef0123456789abcdef"})
    EXPECT_EQ(with(wrong), 403) << wrong;
  EXPECT_EQ(status_with([](auto& x) {
              x.authorization = "";
              x.token = secret; // a link must not change anything
            }),
            401);
  EXPECT_EQ(request_guard{{}}.judge(post())->status, 403) << "read-only";
}

TEST(RequestGuard, WantsTheTokenForLookingBeyondLoopback) {
  const observer_options any{.address = "0.0.0.0"};
  const auto get = [&](std::string_view path, std::string_view token) {
    return status(
      {.method = "GET", .path = path, .host = "10.0.0.1", .token = token}, any);
  };
  EXPECT_EQ(get("/api/tree", ""), 401);
  EXPECT_EQ(get("/api/tree", "wrong"), 403);
  EXPECT_EQ(get("/api/tree", secret), 200);
  EXPECT_EQ(get("/", ""), 401);
  EXPECT_EQ(get("/page.js", ""), 200);
  EXPECT_EQ(status({.method = "GET", .path = "/", .host = "localhost"}), 200);
}

// -- options -----------------------------------------------------------------

TEST(ObserverOptions, AreCheckedAllAtOnce) {
  EXPECT_THAT(validate(observer_options{}), IsEmpty());
  EXPECT_THAT(validate(observer_options{.token = new_token()}), IsEmpty());
  const auto defects = validate({.address = "example.com",
                                 .port = 65'536,
                                 .token = "short",
                                 .refresh = 1ms,
                                 .snapshot_within = 0s,
                                 .command_within = 1h,
                                 .viewers_max = 1'001,
                                 .viewer_patience = 0s});
  EXPECT_THAT(defects, SizeIs(8));
  EXPECT_THAT(to_string(defects), Not(HasSubstr("short"))) << "a secret";
  EXPECT_THAT(validate({.address = "0.0.0.0"}), SizeIs(1));
  EXPECT_THAT(validate({.address = "::1"}), IsEmpty());
  EXPECT_NE(new_token(), new_token());
}

} // namespace
} // namespace coppice::test
