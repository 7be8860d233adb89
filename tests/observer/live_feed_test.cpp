// This file is part of coppice. License: see LICENSE in the source root.

// The stream of news, without a server: slow viewers, resuming, the end.

#include "coppice/observer/live_feed.hpp"

#include "support/event_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

namespace coppice::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class LiveFeed : public testing::Test {
public:
  live_feed& make(duration refresh = 10ms, std::size_t viewers_max = 8) {
    feed_.emplace(live_feed::sources{.snapshot = [this] { return look(); },
                                     .figures = [] { return "{}"; },
                                     .events = hub},
                  refresh, viewers_max);
    return *feed_;
  }

  void publish(std::uint64_t number) {
    hub.as_observer()({.number = number, .path = "/app/a"});
  }

  /// All that comes until it contains `what`.
  static std::string read_until(feed_viewer& viewer, std::string_view what) {
    std::string res;
    const auto due = std::chrono::steady_clock::now() + patience;
    while (res.find(what) == std::string::npos && !viewer.is_over()
           && std::chrono::steady_clock::now() < due)
      res += viewer.take(1s);
    return res;
  }

  event_hub hub;
  std::atomic<std::uint64_t> looks{0};

private:
  outcome<tree_snapshot> look() {
    tree_snapshot x;
    x.root.path = "/app";
    x.root.restarts = ++looks; // something changes each time
    return x;
  }

  std::optional<live_feed> feed_;
};

std::size_t count(const std::string& text, std::string_view what) {
  std::size_t res = 0;
  for (auto at = text.find(what); at != text.npos; at = text.find(what, at + 1))
    ++res;
  return res;
}

// OBSERVE-1: nobody looks, nothing is done.
TEST_F(LiveFeed, TakesNoSnapshotsForNobody) {
  auto& feed = make();
  publish(1);
  EXPECT_EQ(feed.viewers(), 0u);
  auto viewer = feed.join(0);
  EXPECT_THAT(read_until(*viewer, "event: delta"), StartsWith("event: tree"));
  viewer.reset();
  while (feed.viewers() > 0) // the feed's thread may hold it for a moment
    std::this_thread::yield();
  // The next one gets a tree that was taken for it.
  const auto before = looks.load();
  viewer = feed.join(0);
  EXPECT_THAT(read_until(*viewer, "event: delta"), StartsWith("event: tree"));
  EXPECT_GT(looks, before);
}

// OBSERVE-1: the tree, the events that are kept, those that follow: each once.
TEST_F(LiveFeed, BeginsWithTheTreeAndResumesAfterANumber) {
  auto& feed = make();
  for (std::uint64_t i = 1; i <= 5; ++i)
    publish(i);
  auto viewer = feed.join(3);
  auto text = read_until(*viewer, "id: 5\n");
  publish(6);
  text += read_until(*viewer, "id: 6\n");
  EXPECT_THAT(text, StartsWith("event: tree\ndata: {\"format\":1"));
  EXPECT_THAT(text, Not(HasSubstr("id: 3\n")));
  for (const auto* id : {"id: 4\nevent: event\n", "id: 5\n", "id: 6\n"})
    EXPECT_EQ(count(text, id), 1u) << text;
  // A second one, while the first looks.
  auto other = feed.join(5);
  text = read_until(*other, "id: 6\n");
  EXPECT_THAT(text, StartsWith("event: tree"));
  EXPECT_EQ(count(text, "id: "), 1u);
}

// OBSERVE-1: numbers begin anew with a program; who knows larger ones has
// known another, and hears everything.
TEST_F(LiveFeed, BeginsAnewForWhoKnowsAnotherProgram) {
  auto& feed = make();
  for (std::uint64_t i = 1; i <= 3; ++i)
    publish(i);
  auto viewer = feed.join(5'000);
  const auto text = read_until(*viewer, "id: 3\n");
  EXPECT_EQ(count(text, "id: 1\n"), 1u);
  publish(4);
  EXPECT_THAT(read_until(*viewer, "id: 4\n"), HasSubstr("id: 4\n"));
}

// OBSERVE-1: a viewer that does not keep up loses news, and nobody else does.
TEST_F(LiveFeed, GivesAWholeTreeToWhoHasLostDeltas) {
  auto& feed = make(100ms);
  auto slow = feed.join(0);
  auto quick = feed.join(0);
  EXPECT_THAT(slow->take(patience), HasSubstr("event: tree"));
  std::string seen;
  while (feed.dropped() == 0)
    seen += read_until(*quick, "event: delta");
  for (int i = 0; i < 2; ++i) // in vain, as long as it takes nothing
    seen += read_until(*quick, "event: delta");
  EXPECT_EQ(count(seen, "event: tree"), 1u);
  auto text = slow->take(0s); // what it has left holds no news
  EXPECT_THAT(text, Not(HasSubstr("event: delta")));
  EXPECT_THAT(text, Not(HasSubstr("event: tree")));
  text += read_until(*slow, "event: delta");
  EXPECT_EQ(count(text, "event: tree"), 1u);
  EXPECT_LT(text.find("event: tree"), text.find("event: delta"));
}

// OBSERVE-1: bounded, whatever happens.
TEST_F(LiveFeed, BoundsWhatWaitsForAViewer) {
  auto& feed = make(50ms);
  auto slow = feed.join(0);
  auto quick = feed.join(0);
  read_until(*quick, "event: tree");
  std::uint64_t number = 0;
  while (feed.dropped() == 0) {
    for (int i = 0; i < 500; ++i)
      publish(++number);
    read_until(*quick, "event: ");
  }
  const auto text = slow->take(0s);
  EXPECT_LE(count(text, "event: event"), 2'000u);
}

TEST_F(LiveFeed, RefusesTooManyViewers) {
  auto& feed = make(10ms, 2);
  auto one = feed.join(0);
  auto two = feed.join(0);
  EXPECT_EQ(feed.join(0), nullptr);
  one.reset();
  // The feed's thread may be holding on to it for this moment.
  read_until(*two, "event: delta");
  std::shared_ptr<feed_viewer> three;
  while ((three = feed.join(0)) == nullptr)
    read_until(*two, "event: delta");
  EXPECT_THAT(read_until(*three, "event: tree"), StartsWith("event: tree"));
}

TEST_F(LiveFeed, EndsItsViewers) {
  auto& feed = make(1h);
  auto viewer = feed.join(0);
  read_until(*viewer, "event: tree");
  std::thread other{[&] { feed.stop(); }};
  while (!viewer->is_over())
    static_cast<void>(viewer->take(patience));
  other.join();
  EXPECT_EQ(feed.join(0), nullptr);
}

} // namespace
} // namespace coppice::test
