// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/failure_log.hpp"

#include "coppice/text_escape.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <ostream>
#include <stop_token>
#include <string_view>
#include <thread>
#include <unordered_set>

namespace coppice {

namespace {

// -- what ended, and how -----------------------------------------------------

/// Children of the root are two names deep: "/app/db".
bool is_below_root(std::string_view path) {
  return std::ranges::count(path, '/') == 2;
}

failure_record record_of(const supervision_event& x, log_severity severity,
                         std::string decision) {
  return {.severity = severity,
          .when = x.when,
          .path = x.path,
          .incarnation = x.incarnation,
          .decision = std::move(decision),
          .attempts = x.attempts,
          .why = x.because};
}

bool is_stop_after_failure(const supervision_event& x) {
  return x.kind == event_kind::stopped
         && (x.why == policy::stopped_why::failed
             || x.why == policy::stopped_why::exhausted);
}

/// The references of the links below `x`, outermost first.
std::string references_below(const failure& x) {
  std::string res;
  for (auto i = x.inner.shared().get(); i != nullptr;
       i = i->inner.shared().get()) {
    if (!res.empty())
      res += ',';
    res += i->reference;
  }
  return res;
}

std::string quoted(const std::string& text) {
  const auto is_plain = !text.empty()
                        && text.find_first_of(" =\"\\") == std::string::npos;
  if (is_plain)
    return text;
  std::string res = "\"";
  for (const auto c : text) {
    if (c == '"' || c == '\\')
      res += '\\';
    res += c;
  }
  return res + '"';
}

// -- once --------------------------------------------------------------------

/// A bounded memory of references.
class seen_before {
public:
  /// Is this the first time?
  bool add(const std::string& reference) {
    if (!known_.insert(reference).second)
      return false;
    order_.push_back(reference);
    if (order_.size() > remembered_max) {
      known_.erase(order_.front());
      order_.pop_front();
    }
    return true;
  }

private:
  std::unordered_set<std::string> known_;
  std::deque<std::string> order_;
};

/// Tells where a failure ends. A child that stays stopped may be the end of
/// it, or the reason why its supervisor gives up, which is told right after,
/// but other supervisors may talk in between. So a stop is held for a moment.
class failure_logger {
public:
  failure_logger(std::shared_ptr<failure_log> sink, wall_time::duration hold)
    : sink_(std::move(sink)), hold_(hold) {}
  failure_logger(const failure_logger&) = delete;
  failure_logger& operator=(const failure_logger&) = delete;

  ~failure_logger() {
    if (flusher_.joinable()) {
      flusher_.request_stop();
      flusher_.join();
    }
    try {
      release_all();
    } catch (...) {
      // Nobody is left to be told that the sink does not work.
    }
  }

  void on_event(const supervision_event& x) {
    std::lock_guard guard{mutex_};
    if (x.kind == event_kind::gave_up)
      return on_give_up(x);
    release(x.path);
    if (x.because == nullptr)
      return;
    if (is_stop_after_failure(x))
      hold(record_of(x, log_severity::error, "stop"));
    else if (x.kind == event_kind::forgotten)
      write(record_of(x, log_severity::error, "forget"));
    else if (x.kind == event_kind::restarting)
      write(record_of(x, log_severity::warning, "restart"));
    else if (x.kind == event_kind::backing_off)
      write(record_of(x, log_severity::warning,
                      "backoff " + policy::in_words(x.span)));
  }

private:
  void on_give_up(const supervision_event& x) {
    std::erase_if(held_, [&x](const auto& y) { return y.path == x.path; });
    if (x.because != nullptr && is_below_root(x.path))
      write(record_of(x, log_severity::critical, "give up"));
  }

  void write(const failure_record& x) {
    if (seen_.add(x.why->reference))
      sink_->write(x);
  }

  void hold(failure_record x) {
    held_.push_back(std::move(x));
    if (!flusher_.joinable())
      flusher_ = std::jthread{[this](std::stop_token stop) { run(stop); }};
    wake_.notify_one();
  }

  /// What is held of this child, whose story goes on.
  void release(const std::string& path) {
    for (std::size_t i = 0; i < held_.size();)
      if (held_[i].path == path)
        release_at(i);
      else
        ++i;
  }

  void release_all() {
    while (!held_.empty())
      release_at(0);
  }

  void release_at(std::size_t i) {
    const auto x = std::move(held_[i]);
    held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(i));
    write(x);
  }

  void run(const std::stop_token& stop) {
    std::unique_lock guard{mutex_};
    for (;;) {
      wake_.wait(guard, stop, [this] { return !held_.empty(); });
      if (stop.stop_requested())
        return;
      // For nothing but time, or the end.
      wake_.wait_for(guard, stop, hold_, [] { return false; });
      if (stop.stop_requested())
        return;
      try {
        release_due();
      } catch (...) {
        // As with observers: what a sink throws costs a record, no more.
      }
    }
  }

  void release_due() {
    const auto due = wall_now() - hold_;
    while (!held_.empty() && held_.front().when <= due)
      release_at(0);
  }

  std::shared_ptr<failure_log> sink_;
  const wall_time::duration hold_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  seen_before seen_;
  std::deque<failure_record> held_;
  std::jthread flusher_;
};

} // namespace

const char* to_string(log_severity x) noexcept {
  switch (x) {
    case log_severity::warning:
      return "warning";
    case log_severity::error:
      return "error";
    case log_severity::critical:
      return "critical";
  }
  return "error";
}

std::vector<log_field> fields_of(const failure_record& x) {
  const auto& why = *x.why;
  std::vector<log_field> res{
    {"time", utc_text(x.when)},
    {"level", to_string(x.severity)},
    {"path", escaped(x.path)},
    {"incarnation", std::to_string(x.incarnation)},
    {"decision", x.decision},
    {"attempts", std::to_string(x.attempts)},
    {"class", escaped(why.failure_class)},
    {"bug", why.is_bug ? "true" : "false"},
    {"reference", escaped(why.reference)},
  };
  if (why.inner)
    res.emplace_back("causes", escaped(references_below(why)));
  res.emplace_back("message", to_string(why));
  return res;
}

std::string to_line(const failure_record& x, std::size_t skip) {
  const auto fields = fields_of(x);
  std::string res;
  for (auto i = std::min(skip, fields.size()); i < fields.size(); ++i) {
    if (!res.empty())
      res += ' ';
    res += fields[i].first + '=' + quoted(fields[i].second);
  }
  return res;
}

failure_log::~failure_log() = default;

void ostream_failure_log::write(const failure_record& x) {
  out_ << to_line(x) << std::endl;
}

observer log_failures(std::shared_ptr<failure_log> sink, observer next,
                      policy::duration hold) {
  return [logger = std::make_shared<failure_logger>(std::move(sink), hold),
          next = std::move(next)](const supervision_event& x) {
    logger->on_event(x);
    if (next)
      next(x);
  };
}

} // namespace coppice
