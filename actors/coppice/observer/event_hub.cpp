// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/observer/event_hub.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string_view>
#include <unordered_map>

namespace coppice {

// -- subscriptions -----------------------------------------------------------

struct event_subscription::queue {
  explicit queue(std::size_t limit)
    : events_max(std::max(limit, std::size_t{1})) {}

  const std::size_t events_max;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<supervision_event> events;
  std::uint64_t dropped = 0;
  bool is_interrupted = false;
  bool is_closed = false;

  /// How many were dropped for it.
  std::uint64_t push(const supervision_event& event) {
    std::uint64_t lost = 0;
    {
      std::lock_guard guard{mutex};
      if (events.size() >= events_max) {
        events.pop_front();
        ++dropped;
        ++lost;
      }
      events.push_back(event);
    }
    changed.notify_one();
    return lost;
  }
};

event_subscription::~event_subscription() {
  if (queue_ == nullptr)
    return;
  std::lock_guard guard{queue_->mutex};
  queue_->is_closed = true;
}

std::vector<supervision_event>
event_subscription::take(policy::time_limit patience) {
  if (queue_ == nullptr)
    return {};
  auto& self = *queue_;
  const auto due = patience.after(std::chrono::steady_clock::now());
  std::unique_lock guard{self.mutex};
  const auto has_news = [&self] {
    return !self.events.empty() || self.is_interrupted;
  };
  if (patience.is_infinite())
    self.changed.wait(guard, has_news);
  else
    self.changed.wait_until(guard, due, has_news);
  self.is_interrupted = false;
  std::vector<supervision_event> res{
    std::make_move_iterator(self.events.begin()),
    std::make_move_iterator(self.events.end())};
  self.events.clear();
  return res;
}

void event_subscription::interrupt() {
  if (queue_ == nullptr)
    return;
  {
    std::lock_guard guard{queue_->mutex};
    queue_->is_interrupted = true;
  }
  queue_->changed.notify_one();
}

std::uint64_t event_subscription::dropped() const {
  if (queue_ == nullptr)
    return 0;
  std::lock_guard guard{queue_->mutex};
  return queue_->dropped;
}

// -- the hub -----------------------------------------------------------------

struct event_hub::state {
  using queue_ptr = std::shared_ptr<event_subscription::queue>;
  /// By `end_cause`.
  using restart_counts = std::array<std::uint64_t, 8>;

  struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view x) const noexcept {
      return std::hash<std::string_view>{}(x);
    }
  };

  explicit state(std::size_t limit)
    : kept_max(std::clamp<std::size_t>(limit, 1, 1'000'000)) {}

  const std::size_t kept_max;
  mutable std::mutex mutex;
  /// A ring: where the next one goes. Slots keep their memory.
  std::vector<supervision_event> kept;
  std::size_t next = 0;
  std::vector<queue_ptr> queues;
  std::array<std::uint64_t, 256> by_kind{};
  std::unordered_map<std::string, restart_counts, text_hash, std::equal_to<>>
    restarts;
  std::uint64_t last = 0;
  std::uint64_t dropped = 0;
  std::uint64_t listener_failures = 0;
  /// Read without the lock: replaced as a whole.
  std::shared_ptr<const std::vector<observer>> listeners;

  void on_event(const supervision_event& event) {
    std::shared_ptr<const std::vector<observer>> to_call;
    {
      std::lock_guard guard{mutex};
      keep(event);
      count(event);
      forget_the_closed();
      for (const auto& queue : queues)
        dropped += queue->push(event);
      to_call = listeners;
    }
    if (to_call != nullptr)
      call(*to_call, event);
  }

  void keep(const supervision_event& event) {
    last = event.number;
    if (kept.size() < kept_max)
      kept.push_back(event);
    else
      kept[next] = event;
    next = (next + 1) % kept_max;
  }

  void count(const supervision_event& event) {
    ++by_kind[static_cast<std::uint8_t>(event.kind)];
    if (event.kind != event_kind::restarting)
      return;
    const std::string_view path{event.path};
    const auto slash = path.rfind('/');
    const auto above = path.substr(0, slash == path.npos ? 0 : slash);
    const auto cause = static_cast<std::size_t>(event.cause)
                       % restart_counts{}.size();
    auto at = restarts.find(above);
    if (at == restarts.end())
      at = restarts
             .try_emplace(restarts.size() < paths_max ? std::string{above}
                                                      : std::string{})
             .first;
    ++at->second[cause];
  }

  void forget_the_closed() {
    std::erase_if(queues, [](const queue_ptr& x) {
      std::lock_guard guard{x->mutex};
      return x->is_closed;
    });
  }

  void call(const std::vector<observer>& whom, const supervision_event& event) {
    for (const auto& listener : whom)
      try {
        listener(event);
      } catch (...) {
        std::lock_guard guard{mutex};
        ++listener_failures;
      }
  }

  /// Oldest first.
  template <class F>
  void for_each_kept(F what) const {
    const auto begin = kept.size() < kept_max ? 0 : next;
    for (std::size_t i = 0; i < kept.size(); ++i)
      what(kept[(begin + i) % kept.size()]);
  }
};

event_hub::event_hub(std::size_t kept_max)
  : state_(std::make_shared<state>(kept_max)) {}

observer event_hub::as_observer() const {
  return [to = state_](const supervision_event& event) { to->on_event(event); };
}

void event_hub::add_listener(observer who) {
  if (!who)
    return;
  std::lock_guard guard{state_->mutex};
  auto all = state_->listeners == nullptr ? std::vector<observer>{}
                                          : *state_->listeners;
  all.push_back(std::move(who));
  state_->listeners
    = std::make_shared<const std::vector<observer>>(std::move(all));
}

event_subscription event_hub::subscribe(std::uint64_t after,
                                        std::size_t queue_max) {
  event_subscription res;
  res.queue_ = std::make_shared<event_subscription::queue>(queue_max);
  std::lock_guard guard{state_->mutex};
  state_->forget_the_closed();
  state_->for_each_kept([&](const supervision_event& event) {
    if (event.number > after)
      state_->dropped += res.queue_->push(event);
  });
  state_->queues.push_back(res.queue_);
  return res;
}

std::vector<supervision_event> event_hub::kept(std::uint64_t after,
                                               std::uint64_t last) const {
  std::vector<supervision_event> res;
  std::lock_guard guard{state_->mutex};
  state_->for_each_kept([&](const supervision_event& event) {
    if (event.number > after && event.number <= last)
      res.push_back(event);
  });
  return res;
}

event_counts event_hub::counts() const {
  event_counts res;
  std::lock_guard guard{state_->mutex};
  res.by_kind = state_->by_kind;
  for (const auto& [path, counts] : state_->restarts)
    for (std::size_t i = 0; i < counts.size(); ++i)
      if (counts[i] > 0)
        res.restarts[{path, static_cast<policy::end_cause>(i)}] = counts[i];
  res.last = state_->last;
  res.dropped = state_->dropped;
  res.listener_failures = state_->listener_failures;
  return res;
}

std::uint64_t event_hub::last() const {
  std::lock_guard guard{state_->mutex};
  return state_->last;
}

} // namespace coppice
