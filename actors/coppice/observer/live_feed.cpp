// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/observer/live_feed.hpp"

#include "coppice/event_json.hpp"
#include "coppice/tree_snapshot_json.hpp"

#include <pthread.h>

#include <algorithm>
#include <utility>

namespace coppice {

namespace {

/// A storm of events is encoded and sent only so fast; numbers show the gap.
constexpr std::size_t events_per_refresh = 2'000;
/// Between two rounds, so that they come in batches.
constexpr auto breath = std::chrono::milliseconds{20};

feed_viewer::text make_text(std::string_view kind, std::string_view json) {
  std::string res;
  res.reserve(kind.size() + json.size() + 20);
  res += "event: ";
  res += kind;
  res += "\ndata: ";
  res += json;
  res += "\n\n";
  return std::make_shared<const std::string>(std::move(res));
}

feed_viewer::text event_text(const supervision_event& x) {
  return std::make_shared<const std::string>("id: " + std::to_string(x.number)
                                             + "\nevent: event\ndata: "
                                             + to_json(x) + "\n\n");
}

} // namespace

// -- one viewer --------------------------------------------------------------

std::string feed_viewer::take(duration patience) {
  std::unique_lock guard{mutex_};
  changed_.wait_for(guard, patience,
                    [this] { return !pieces_.empty() || is_over_; });
  std::string res;
  for (const auto& x : pieces_)
    res += *x.content;
  pieces_.clear();
  events_ = news_ = 0;
  keeps_up_ = true;
  return res;
}

bool feed_viewer::is_over() const {
  std::lock_guard guard{mutex_};
  return is_over_ && pieces_.empty();
}

bool feed_viewer::push(kind what, const text& content) {
  std::lock_guard guard{mutex_};
  auto complete = true;
  if (what == kind::news && (needs_tree_ || ++news_ > news_max)) {
    drop_news();
    return false;
  }
  if (what == kind::event && ++events_ > events_max) {
    const auto oldest = std::ranges::find(pieces_, kind::event, &piece::what);
    pieces_.erase(oldest);
    --events_;
    complete = false;
  }
  if (what == kind::tree)
    needs_tree_ = false;
  if (what == kind::other) // the latest counts
    std::erase_if(pieces_,
                  [](const piece& x) { return x.what == kind::other; });
  pieces_.push_back({what, content});
  changed_.notify_one();
  return complete;
}

void feed_viewer::drop_news() {
  std::erase_if(pieces_, [](const piece& x) {
    return x.what == kind::news || x.what == kind::tree;
  });
  news_ = 0;
  needs_tree_ = true;
  keeps_up_ = false;
}

bool feed_viewer::wants_tree() const {
  std::lock_guard guard{mutex_};
  return needs_tree_ && keeps_up_ && pieces_.empty();
}

void feed_viewer::finish() {
  std::lock_guard guard{mutex_};
  is_over_ = true;
  changed_.notify_one();
}

// -- all of them -------------------------------------------------------------

live_feed::live_feed(sources from, duration refresh, std::size_t viewers_max)
  : from_(std::move(from)), refresh_(refresh), viewers_max_(viewers_max) {
  thread_ = std::thread{[this] { run(); }};
}

live_feed::~live_feed() {
  stop();
}

void live_feed::stop() {
  {
    std::lock_guard guard{mutex_};
    is_stopping_ = true;
    if (subscription_ != nullptr)
      subscription_->interrupt();
  }
  changed_.notify_all();
  if (thread_.joinable())
    thread_.join();
}

std::shared_ptr<feed_viewer> live_feed::join(std::uint64_t after) {
  std::lock_guard guard{mutex_};
  std::erase_if(viewers_, [](const auto& x) { return x.expired(); });
  if (is_stopping_ || viewers_.size() >= viewers_max_)
    return nullptr;
  auto viewer = std::make_shared<feed_viewer>();
  viewer->after_ = after;
  viewers_.push_back(viewer);
  if (subscription_ != nullptr)
    subscription_->interrupt();
  changed_.notify_all();
  return viewer;
}

std::size_t live_feed::viewers() const {
  std::lock_guard guard{mutex_};
  return static_cast<std::size_t>(std::ranges::count_if(
    viewers_, [](const auto& x) { return !x.expired(); }));
}

live_feed::viewer_list live_feed::present() {
  viewer_list res;
  std::lock_guard guard{mutex_};
  if (is_stopping_)
    return res;
  std::erase_if(viewers_, [&res](const auto& x) {
    auto viewer = x.lock();
    if (viewer == nullptr)
      return true;
    res.push_back(std::move(viewer));
    return false;
  });
  return res;
}

// -- the thread --------------------------------------------------------------

void live_feed::run() {
  pthread_setname_np(pthread_self(), "coppice.feed");
  std::unique_lock guard{mutex_};
  while (!is_stopping_) {
    changed_.wait(guard, [this] { return is_stopping_ || !viewers_.empty(); });
    guard.unlock();
    serve();
    guard.lock();
  }
  for (const auto& x : viewers_)
    if (const auto viewer = x.lock())
      viewer->finish();
}

/// Until nobody looks any more.
void live_feed::serve() {
  forwarded_ = from_.events.last();
  auto hub = from_.events;
  auto news = std::make_shared<event_subscription>(hub.subscribe(forwarded_));
  {
    std::lock_guard guard{mutex_};
    subscription_ = news;
  }
  auto due = clock::now();
  for (auto all = present(); !all.empty(); all = present()) {
    if (const auto now = clock::now(); now >= due) {
      refresh_all(all);
      due = now + refresh_;
      events_left_ = events_per_refresh;
    }
    greet(all);
    all.clear(); // they may leave while this waits
    const auto events
      = news->take(std::max(due - clock::now(), duration::zero()));
    if (events.empty())
      continue;
    forward(present(), events);
    std::unique_lock guard{mutex_};
    changed_.wait_for(guard, breath, [this] { return is_stopping_; });
  }
  {
    std::lock_guard guard{mutex_};
    subscription_ = nullptr;
  }
  current_.reset();
  tree_text_.reset();
  figures_text_.reset();
}

void live_feed::refresh_all(const viewer_list& all) {
  auto next = from_.snapshot();
  ++snapshots_;
  if (!next)
    return;
  feed_viewer::text delta;
  if (current_)
    delta = make_text("delta",
                      delta_json(delta_between(*current_, *next), *next));
  current_ = std::move(*next);
  tree_text_.reset();
  for (const auto& viewer : all)
    if (viewer->wants_tree())
      push(*viewer, feed_viewer::kind::tree, tree_text());
    else if (delta != nullptr && !viewer->is_new_)
      push(*viewer, feed_viewer::kind::news, delta);
  auto figures = make_text("figures", from_.figures());
  if (figures_text_ != nullptr && *figures == *figures_text_)
    return;
  figures_text_ = std::move(figures);
  for (const auto& viewer : all)
    if (!viewer->is_new_)
      push(*viewer, feed_viewer::kind::other, figures_text_);
}

/// What was before: the tree, then the events that are kept.
void live_feed::greet(const viewer_list& all) {
  for (const auto& viewer : all) {
    if (!viewer->is_new_ || !current_)
      continue;
    viewer->is_new_ = false;
    if (viewer->after_ > from_.events.last())
      viewer->after_ = 0; // it means a program that was here before
    if (viewer->wants_tree())
      push(*viewer, feed_viewer::kind::tree, tree_text());
    for (const auto& event : from_.events.kept(viewer->after_, forwarded_))
      push(*viewer, feed_viewer::kind::event, event_text(event));
    if (figures_text_ != nullptr)
      push(*viewer, feed_viewer::kind::other, figures_text_);
  }
}

void live_feed::forward(const viewer_list& all,
                        const std::vector<supervision_event>& events) {
  for (const auto& event : events) {
    forwarded_ = event.number;
    if (events_left_ == 0) {
      dropped_ += all.size();
      continue;
    }
    --events_left_;
    const auto text = event_text(event);
    for (const auto& viewer : all)
      if (!viewer->is_new_ && event.number > viewer->after_)
        push(*viewer, feed_viewer::kind::event, text);
  }
}

void live_feed::push(feed_viewer& to, feed_viewer::kind what,
                     const feed_viewer::text& content) {
  if (!to.push(what, content))
    ++dropped_;
}

const feed_viewer::text& live_feed::tree_text() {
  if (tree_text_ == nullptr)
    tree_text_ = make_text("tree", to_json(*current_));
  return tree_text_;
}

} // namespace coppice
