// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// Makes the stream of news that viewers of a tree get.
///
/// Layer: L3. No HTTP: what comes out is text of server-sent events.
/// Threads: thread-safe; has a thread of its own, idle while nobody looks.
/// Rules: docs/semantics.md, OBSERVE-1, OBSERVE-2.

#include "coppice/observer/event_hub.hpp"
#include "coppice/observer/tree_delta.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace coppice {

/// What one viewer has not taken yet, in a bounded queue.
class feed_viewer {
public:
  using text = std::shared_ptr<const std::string>;
  /// `news` can be done without, if a whole tree follows.
  enum class kind : std::uint8_t { tree, news, event, other };

  /// What there is to send, or nothing if there is nothing within `patience`.
  [[nodiscard]] std::string take(duration patience);
  /// Nothing more will come.
  [[nodiscard]] bool is_over() const;

private:
  friend class live_feed;

  struct piece {
    kind what;
    text content;
  };

  static constexpr std::size_t events_max = 2'000;
  static constexpr std::size_t news_max = 4;

  /// False if it was dropped, or something else for it.
  bool push(kind what, const text& content);
  void drop_news();
  /// Did it lose something, and has taken what it had since?
  [[nodiscard]] bool wants_tree() const;
  void finish();

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<piece> pieces_;
  std::size_t events_ = 0;
  std::size_t news_ = 0;
  bool needs_tree_ = true;
  /// It has taken something since it last lost something.
  bool keeps_up_ = true;
  bool is_over_ = false;
  // Of the feed's thread alone:
  bool is_new_ = true;
  std::uint64_t after_ = 0;
};

/// Takes one snapshot per `refresh` for all viewers, and none for nobody.
///
/// A viewer hears `tree` first, then the events kept since the number that it
/// gave, then `delta` at each refresh, `event` at once, and `figures` when they
/// have changed. One that does not keep up loses the oldest events, and gets a
/// whole `tree` instead of the deltas that it lost.
class live_feed {
public:
  struct sources {
    std::function<outcome<tree_snapshot>()> snapshot;
    /// As JSON, on one line.
    std::function<std::string()> figures;
    event_hub events;
  };

  live_feed(sources from, duration refresh, std::size_t viewers_max);
  /// As `stop()`.
  ~live_feed();
  live_feed(const live_feed&) = delete;
  live_feed& operator=(const live_feed&) = delete;

  /// Null: there are too many. It leaves by letting go of the pointer.
  /// @param after  Kept events with higher numbers come first.
  [[nodiscard]] std::shared_ptr<feed_viewer> join(std::uint64_t after);

  /// All viewers are over.
  void stop();

  [[nodiscard]] std::size_t viewers() const;
  /// Pieces that viewers did not get.
  [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }
  /// Snapshots taken so far.
  [[nodiscard]] std::uint64_t snapshots() const noexcept { return snapshots_; }

private:
  using viewer_list = std::vector<std::shared_ptr<feed_viewer>>;
  using clock = std::chrono::steady_clock;

  void run();
  void serve();
  [[nodiscard]] viewer_list present();
  void refresh_all(const viewer_list& all);
  void greet(const viewer_list& all);
  void forward(const viewer_list& all,
               const std::vector<supervision_event>& events);
  void push(feed_viewer& to, feed_viewer::kind what,
            const feed_viewer::text& content);
  [[nodiscard]] const feed_viewer::text& tree_text();

  const sources from_;
  const duration refresh_;
  const std::size_t viewers_max_;
  std::atomic<std::uint64_t> dropped_{0};
  std::atomic<std::uint64_t> snapshots_{0};

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::weak_ptr<feed_viewer>> viewers_;
  std::shared_ptr<event_subscription> subscription_;
  bool is_stopping_ = false;

  // Of the thread alone:
  std::optional<tree_snapshot> current_;
  feed_viewer::text tree_text_;
  feed_viewer::text figures_text_;
  std::uint64_t forwarded_ = 0;
  std::size_t events_left_ = 0;

  std::thread thread_;
};

} // namespace coppice
