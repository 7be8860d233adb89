// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/watchdog.hpp"

#include "coppice/heartbeat_scan.hpp"
#include "coppice/thread_stack.hpp"
#include "coppice/watch_listeners.hpp"

#include <algorithm>
#include <cassert>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

#if defined(__linux__)
#  include <pthread.h>
#endif

namespace coppice {

namespace {

using policy::duration;
using policy::time_point;

constexpr auto never = time_point::max();

/// So that clocks with odd epochs do not overflow a wait.
constexpr duration longest_wait = std::chrono::hours{1};

/// A thread wakes up late where processors are busy; what is left of the
/// interval is there for that, so that HEARTBEAT-7 holds in real time.
constexpr duration pace(duration interval) noexcept {
  return interval / 5 * 4;
}

void name_this_thread() noexcept {
#if defined(__linux__)
  // 15 characters are all there is.
  pthread_setname_np(pthread_self(), "coppice.watch");
#endif
}

watch_notice::kind notice_kind(heartbeat_finding::kind what) noexcept {
  switch (what) {
    case heartbeat_finding::kind::late:
      return watch_notice::kind::late;
    case heartbeat_finding::kind::stalled:
      return watch_notice::kind::stalled;
    case heartbeat_finding::kind::probe_due:
      break;
  }
  return watch_notice::kind::probe_due;
}

} // namespace

class watchdog::implementation {
public:
  using guard = std::unique_lock<std::mutex>;

  explicit implementation(options how)
    : now_(how.now ? std::move(how.now) : std::function{default_now}),
      pool_threads_(how.pool_threads),
      stack_wait_(how.manual ? duration::zero() : how.stack_wait),
      manual_(how.manual),
      scan_(how.manual ? how.scan_interval : pace(how.scan_interval),
            [this] { return pass_time(); }) {
    if (!manual_)
      thread_ = std::thread{[this] { loop(); }};
  }

  ~implementation() {
    if (manual_)
      return;
    {
      const guard lock{mutex_};
      stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }

  // -- owners and timers -----------------------------------------------------

  template <class Use>
  auto with_listeners(Use use) {
    guard lock{mutex_};
    return use(listeners_, lock);
  }

  void arm(owner_id id, time_point due, std::uint64_t generation) {
    const guard lock{mutex_};
    listeners_.arm(id, due, generation);
    poke(due);
  }

  // -- lives -----------------------------------------------------------------

  template <class Use>
  auto with_scan(Use use) {
    const guard lock{mutex_};
    return use(scan_);
  }

  slot_id acquire() {
    const guard lock{mutex_};
    const auto result = scan_.acquire();
    poke(scan_.next_due());
    return result;
  }

  // -- doing it --------------------------------------------------------------

  time_point next_due() {
    const guard lock{mutex_};
    return wake_time();
  }

  void run(time_point now) {
    assert(manual_);
    guard lock{mutex_};
    run(lock, now);
  }

  statistics stats() {
    const guard lock{mutex_};
    const auto& x = scan_.stats();
    statistics result;
    result.scans = x.scans;
    result.late_scans = x.late_scans;
    result.longest_lag = x.longest_lag;
    result.stale_beats = x.stale_beats;
    result.listener_failures = listeners_.failures();
    result.verdicts = x.verdicts;
    result.last_scan_duration = x.last_scan_duration;
    result.lives = scan_.lives();
    result.stuck = scan_.stuck();
    return result;
  }

private:
  static time_point default_now() { return std::chrono::steady_clock::now(); }

  /// In virtual time a pass takes none.
  time_point pass_time() const { return in_virtual_pass_ ? pass_ : now_(); }

  time_point wake_time() const {
    return std::min(scan_.next_due(), listeners_.next_due());
  }

  void poke(time_point due) {
    if (due < sleeping_until_)
      wake_.notify_one();
  }

  void loop() {
    name_this_thread();
    guard lock{mutex_};
    while (!stopping_) {
      const auto due = wake_time();
      const auto now = now_();
      if (now >= due) {
        run(lock, now);
        continue;
      }
      sleeping_until_ = due;
      if (due == never)
        wake_.wait(lock);
      else
        wake_.wait_for(lock, std::min(due - now, longest_wait));
      sleeping_until_ = time_point::min();
    }
  }

  void run(guard& lock, time_point now) {
    listeners_.fire(lock, now);
    if (!manual_)
      now = now_(); // listeners take time
    if (scan_.next_due() > now)
      return;
    in_virtual_pass_ = manual_;
    pass_ = now;
    const auto reading = scan_.begin(now);
    while (scan_.step()) {
      lock.unlock(); // the others have been waiting for a chunk
      lock.lock();
    }
    scan_.finish();
    in_virtual_pass_ = false;
    if (reading.was_late)
      tell_monitor(lock, {.what = watch_notice::kind::watcher_late,
                          .lag = reading.lag});
    deliver_findings(lock);
    report_pool(lock);
  }

  void deliver_findings(guard& lock) {
    auto findings = std::exchange(scan_.findings(), {});
    auto patience = stack_wait_;
    for (const auto& x : findings) {
      auto stack = stack_of(lock, x, patience);
      if (scan_.concerns(x))
        listeners_.deliver(lock, x.owner,
                           {.what = notice_kind(x.what),
                            .life = x.life,
                            .age = x.age,
                            .suspicion = x.suspicion,
                            .note = x.note,
                            .was_busy = x.was_busy,
                            .stack = std::move(stack)});
    }
  }

  /// Without the lock: it takes its time. Many lives that stall at once share
  /// what there is of it, so that nobody's verdict waits for long.
  std::shared_ptr<const raw_stack>
  stack_of(guard& lock, const heartbeat_finding& x, duration& patience) {
    if (x.what != heartbeat_finding::kind::stalled || x.thread == 0
        || patience <= duration::zero() || !scan_.still_holds(x))
      return nullptr;
    lock.unlock();
    const auto begun = std::chrono::steady_clock::now();
    const auto found = stack_of_thread(x.thread, patience);
    patience -= std::chrono::steady_clock::now() - begun;
    lock.lock();
    // Else the thread may have been doing something else by then.
    if (!found || found->empty() || !scan_.still_holds(x))
      return nullptr;
    return std::make_shared<const raw_stack>(*found);
  }

  void report_pool(guard& lock) {
    const auto is_stuck = pool_threads_ > 0 && scan_.stuck() >= pool_threads_;
    if (std::exchange(pool_is_stuck_, is_stuck) != is_stuck)
      tell_monitor(lock, {.what = is_stuck ? watch_notice::kind::pool_stuck
                                           : watch_notice::kind::pool_free});
  }

  void tell_monitor(guard& lock, const watch_notice& what) {
    listeners_.deliver(lock, watch_listeners::monitor, what);
  }

  const std::function<time_point()> now_;
  const std::size_t pool_threads_;
  const duration stack_wait_;
  const bool manual_;

  /// Guards all that follows, but is free while a listener runs.
  std::mutex mutex_;
  std::condition_variable wake_;
  heartbeat_scan scan_;
  watch_listeners listeners_;
  bool pool_is_stuck_ = false;
  bool stopping_ = false;
  /// `time_point::min()` while awake.
  time_point sleeping_until_ = time_point::min();
  bool in_virtual_pass_ = false;
  time_point pass_{};

  std::thread thread_;
};

const char* to_string(watch_notice::kind x) noexcept {
  switch (x) {
    case watch_notice::kind::timer:
      return "timer";
    case watch_notice::kind::late:
      return "late";
    case watch_notice::kind::stalled:
      return "stalled";
    case watch_notice::kind::probe_due:
      return "probe_due";
    case watch_notice::kind::watcher_late:
      return "watcher_late";
    case watch_notice::kind::pool_stuck:
      return "pool_stuck";
    case watch_notice::kind::pool_free:
      return "pool_free";
  }
  return "unknown";
}

watchdog::watchdog(options how)
  : impl_(std::make_unique<implementation>(std::move(how))) {}

watchdog::~watchdog() = default;

owner_id watchdog::add_owner(listener what) {
  return impl_->with_listeners(
    [&](auto& all, auto&) { return all.add(std::move(what)); });
}

void watchdog::remove_owner(owner_id owner) {
  impl_->with_listeners(
    [&](auto& all, auto& lock) { all.remove(lock, owner); });
}

void watchdog::set_monitor(listener what) {
  impl_->with_listeners(
    [&](auto& all, auto& lock) { all.set_monitor(lock, std::move(what)); });
}

slot_id watchdog::acquire() {
  return impl_->acquire();
}

heartbeat watchdog::writer(slot_id slot) {
  return impl_->with_scan([&](auto& scan) { return scan.writer(slot); });
}

void watchdog::watch(slot_id slot, owner_id owner, policy::life_id life,
                     const policy::heartbeat_spec& spec, bool on_pool,
                     policy::time_point ready_at) {
  impl_->with_scan([&](auto& scan) {
    scan.watch(slot, owner, life, spec, on_pool, ready_at);
  });
}

void watchdog::change_limits(slot_id slot, const policy::heartbeat_spec& spec) {
  impl_->with_scan([&](auto& scan) { scan.change_limits(slot, spec); });
}

void watchdog::request_stop(slot_id slot) {
  impl_->with_scan([&](auto& scan) { scan.request_stop(slot); });
}

void watchdog::fence(slot_id slot) {
  impl_->with_scan([&](auto& scan) { scan.fence(slot); });
}

void watchdog::unwatch(slot_id slot) {
  impl_->with_scan([&](auto& scan) { scan.unwatch(slot); });
}

void watchdog::release_writer(slot_id slot) {
  impl_->with_scan([&](auto& scan) { scan.release_writer(slot); });
}

vital_signs watchdog::look(slot_id slot, policy::time_point now) const {
  return impl_->with_scan([&](auto& scan) { return scan.look(slot, now); });
}

void watchdog::arm(owner_id owner, policy::time_point due,
                   std::uint64_t generation) {
  impl_->arm(owner, due, generation);
}

void watchdog::disarm(owner_id owner) {
  impl_->with_listeners([&](auto& all, auto&) { all.disarm(owner); });
}

policy::time_point watchdog::next_due() const {
  return impl_->next_due();
}

void watchdog::run(policy::time_point now) {
  impl_->run(now);
}

watchdog::statistics watchdog::stats() const {
  return impl_->stats();
}

} // namespace coppice
