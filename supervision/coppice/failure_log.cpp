// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/failure_log.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <system_error>
#include <thread>
#include <tuple>

namespace coppice {

namespace {

// -- what ended, and how -----------------------------------------------------

using clock = std::chrono::steady_clock;

/// Longer than any supervisor thinks about it, and no clock overflows.
constexpr policy::duration hold_max = std::chrono::hours{24};

/// What to write about an event.
struct verdict {
  log_severity severity;
  std::string decision;
};

/// The root is one name deep, "/app", and its children are two.
bool is_about_the_tree(const supervision_event& x) {
  return x.kind == event_kind::gave_up && std::ranges::count(x.path, '/') <= 2;
}

bool is_stop_after_failure(const supervision_event& x) {
  return x.kind == event_kind::stopped
         && (x.why == policy::stopped_why::failed
             || x.why == policy::stopped_why::exhausted);
}

/// Nothing for what is no decision.
std::optional<verdict> verdict_on(const supervision_event& x) {
  switch (x.kind) {
    case event_kind::restarting:
      return verdict{log_severity::warning, "restart"};
    case event_kind::backing_off:
      return verdict{log_severity::warning,
                     "backoff " + policy::in_words(x.span)};
    case event_kind::stopped:
      if (x.why == policy::stopped_why::by_group)
        return verdict{log_severity::warning, "with its group"};
      return verdict{log_severity::error, "stop"};
    case event_kind::forgotten:
      return verdict{log_severity::error, "forget"};
    case event_kind::gave_up:
      return verdict{log_severity::critical, "give up"};
    default:
      return std::nullopt;
  }
}

/// Does the event by itself say that something failed? A stop or the end of a
/// spec may as well be what somebody wished, long after.
bool speaks_of_failure(const supervision_event& x) {
  return x.kind == event_kind::restarting || x.kind == event_kind::backing_off
         || x.kind == event_kind::gave_up || is_stop_after_failure(x);
}

bool has_link(const failure& x, const std::string& reference) {
  for (auto i = &x; i != nullptr; i = i->inner.shared().get())
    if (i->reference == reference)
      return true;
  return false;
}

failure_record record_of(const supervision_event& x, verdict what,
                         std::shared_ptr<const failure> why) {
  return {.severity = what.severity,
          .when = x.when,
          .path = x.path,
          .incarnation = x.incarnation,
          .decision = std::move(what.decision),
          .attempts = x.attempts,
          .why = std::move(why)};
}

// -- once --------------------------------------------------------------------

/// A bounded memory of what was written about which life.
class written_before {
public:
  bool contains(const failure_record& x) const {
    const auto known = known_.find(key_of(x));
    return known != known_.end() && known->second >= x.severity;
  }

  void add(const failure_record& x) {
    const auto [at, is_new] = known_.insert_or_assign(key_of(x), x.severity);
    if (!is_new)
      return;
    order_.push_back(at->first);
    if (order_.size() > remembered_max) {
      known_.erase(order_.front());
      order_.pop_front();
    }
  }

private:
  // Some failures are made once and thrown often, and some have no reference.
  using key = std::tuple<std::string, std::uint64_t, std::string>;

  static key key_of(const failure_record& x) {
    return {x.path, x.incarnation, x.why->reference};
  }

  std::map<key, log_severity> known_;
  std::deque<key> order_;
};

/// Tells where a failure ends: at the next decision about the path that failed.
/// A child that stays stopped may be the end of it, or the reason why its
/// supervisor gives up, which is told right after, but other supervisors may
/// talk in between. So a stop is held for a moment.
class failure_logger {
public:
  failure_logger(std::shared_ptr<failure_log> sink, policy::duration hold)
    : sink_(std::move(sink)),
      hold_(std::clamp(hold, policy::duration::zero(), hold_max)) {}
  failure_logger(const failure_logger&) = delete;
  failure_logger& operator=(const failure_logger&) = delete;

  ~failure_logger() {
    if (flusher_.joinable()) {
      flusher_.request_stop();
      flusher_.join();
    }
    try {
      for (const auto& x : held_)
        write(x.what);
      for (const auto& [path, x] : pending_)
        write(undecided(x));
    } catch (...) {
      // Nobody is left to be told that there is no memory.
    }
  }

  /// @returns What went wrong: the event is dealt with all the same.
  std::exception_ptr on_event(const supervision_event& x) noexcept {
    const std::lock_guard guard{mutex_};
    error_ = nullptr;
    try {
      deal_with(x);
    } catch (...) {
      error_ = std::current_exception();
    }
    return std::exchange(error_, nullptr);
  }

private:
  struct held_record {
    failure_record what;
    clock::time_point due;
    /// By the sink, before. Else it waits for its supervisor to give up.
    bool was_refused = false;
  };
  /// The latest failure of each path about which nothing was decided yet.
  using pending_failures = std::map<std::string, supervision_event>;

  void deal_with(const supervision_event& x) {
    if (x.kind == event_kind::gave_up)
      std::erase_if(held_, [&x](const auto& y) {
        return y.what.path == x.path && !y.was_refused;
      });
    else
      release(x.path);
    if (x.kind == event_kind::failed && x.because != nullptr)
      remember(x);
    else if (auto what = verdict_on(x))
      decided(x, std::move(*what));
  }

  void remember(const supervision_event& x) {
    if (const auto before = pending_.find(x.path); before != pending_.end()) {
      if (has_link(*x.because, before->second.because->reference))
        pending_.erase(before);
      else
        close(before);
    }
    if (pending_.size() >= remembered_max)
      close(pending_.begin());
    pending_.insert_or_assign(x.path, x);
  }

  /// No decision came; it must not be lost for that.
  void close(pending_failures::iterator at) {
    auto record = undecided(at->second);
    pending_.erase(at);
    offer(std::move(record));
  }

  static failure_record undecided(const supervision_event& x) {
    return record_of(x, {log_severity::error, "none"}, x.because);
  }

  void decided(const supervision_event& x, verdict what) {
    const auto pending = pending_.find(x.path);
    const auto is_open = pending != pending_.end();
    auto why = x.because;
    if (is_open) {
      // That of the event may be of an earlier life.
      const auto& latest = pending->second.because;
      if (why == nullptr || !has_link(*why, latest->reference))
        why = latest;
    } else if (why == nullptr || !speaks_of_failure(x)) {
      return;
    }
    auto record = record_of(x, std::move(what), std::move(why));
    // Only the bus, when it drops events, has decisions without failures.
    if (is_open || !written_.contains(record))
      settle(x, std::move(record));
    pending_.erase(x.path);
  }

  void settle(const supervision_event& x, failure_record record) {
    if (x.kind == event_kind::gave_up && !is_about_the_tree(x))
      pass_up(x, record.why);
    else if (is_stop_after_failure(x))
      hold({std::move(record), clock::now() + hold_});
    else
      offer(std::move(record));
  }

  /// The parent decides about the supervisor, which fails now; or kills it
  /// before it has, and then nothing else tells of it.
  void pass_up(const supervision_event& x, std::shared_ptr<const failure> why) {
    auto next = x;
    next.kind = event_kind::failed;
    next.path.resize(next.path.rfind('/'));
    next.incarnation = 0; // unknown here
    next.because = std::move(why);
    remember(next);
  }

  /// What the sink refuses is tried again later.
  void offer(failure_record x) {
    if (!write(x))
      hold(
        {std::move(x), clock::now() + std::max(hold_, default_log_hold), true});
  }

  bool write(const failure_record& x) {
    try {
      sink_->write(x);
    } catch (...) {
      error_ = std::current_exception();
      return false;
    }
    written_.add(x);
    return true;
  }

  void hold(held_record x) {
    if (held_.size() >= remembered_max)
      release(held_.front().what.path);
    if (held_.size() >= remembered_max)
      held_.pop_front(); // the sink refuses all, and memory is bounded
    held_.push_back(std::move(x));
    try {
      if (!flusher_.joinable())
        flusher_ = std::jthread{[this](std::stop_token stop) { run(stop); }};
      wake_.notify_one();
    } catch (const std::system_error&) { // no more threads: so it comes early
      release(held_.back().what.path);
    }
  }

  /// What is held of this child, whose story goes on.
  void release(const std::string& path) {
    std::erase_if(held_, [this, &path](const auto& x) {
      return x.what.path == path && write(x.what);
    });
  }

  void run(const std::stop_token& stop) {
    std::unique_lock guard{mutex_};
    while (!stop.stop_requested()) {
      if (held_.empty())
        wake_.wait(guard, stop, [this] { return !held_.empty(); });
      else if (const auto due = held_.front().due; clock::now() < due)
        // For nothing but time, or the end.
        wake_.wait_until(guard, stop, due, [] { return false; });
      else
        release_front();
    }
  }

  void release_front() noexcept {
    try {
      auto x = std::move(held_.front().what);
      held_.pop_front();
      offer(std::move(x));
    } catch (...) {
      // Out of memory, and nobody here to be told: a record less.
    }
  }

  std::shared_ptr<failure_log> sink_;
  const policy::duration hold_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  written_before written_;
  pending_failures pending_;
  std::deque<held_record> held_;
  /// What the sink threw last.
  std::exception_ptr error_;
  std::jthread flusher_;
};

} // namespace

observer log_failures(std::shared_ptr<failure_log> sink, observer next,
                      policy::duration hold) {
  if (sink == nullptr)
    throw std::invalid_argument{
      "coppice::log_failures: there is no sink; pass one, such as an "
      "ostream_failure_log, or install no log_failures at all"};
  return [logger = std::make_shared<failure_logger>(std::move(sink), hold),
          next = std::move(next)](const supervision_event& x) {
    const auto error = logger->on_event(x);
    if (next)
      next(x);
    if (error != nullptr)
      std::rethrow_exception(error);
  };
}

} // namespace coppice
