// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// The one part of the test kit that knows which CAF it is compiled against.
///
/// Layer: L3.
/// Threads: one.
/// Rules: none; docs/architecture.md, "One adapter".

#include "coppice/actors/worker.hpp"
#include "coppice/policy/time.hpp"
#include "coppice/system_config.hpp"

#include <caf/actor_registry.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#if COPPICE_CAF_LEGACY
#  include <caf/scheduler/test_coordinator.hpp>
#else
#  include <caf/test/block_type.hpp>
#  include <caf/test/context.hpp>
#  include <caf/test/fixture/deterministic.hpp>
#  include <caf/test/reporter.hpp>
#  include <caf/test/runnable.hpp>
#endif

namespace coppice::compat {

/// Called for the configuration, with CAF 0.17; 1.x's fixture has its own.
using configure_function = std::function<void(caf::actor_system_config&)>;

/// An actor system in which nothing moves by itself: neither messages, which
/// are delivered one by one, nor time.
#if COPPICE_CAF_LEGACY
class deterministic_system {
  struct config : system_config {
    explicit config(const configure_function& configure) {
      set("scheduler.policy", caf::atom("testing"));
      set("logger.inline-output", true); // no logger thread
      if (configure)
        configure(*this);
    }
  };

public:
  explicit deterministic_system(const configure_function& configure)
    : config_(configure),
      system_(config_),
      scheduler_(
        dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler())) {
    scheduler_.clock().current_time += std::chrono::hours{1}; // 0 is special
  }

  caf::actor_system& system() { return system_; }

  policy::time_point now() { return scheduler_.clock().now(); }

  /// Delivers one message. Actors take turns.
  bool step() {
    if (scheduler_.jobs.empty())
      return false;
    const auto* job = scheduler_.jobs.front();
    scheduler_.try_run_once();
    auto& jobs = scheduler_.jobs;
    if (jobs.size() > 1 && jobs.front() == job) {
      jobs.push_back(jobs.front());
      jobs.pop_front();
    }
    return true;
  }

  /// When the next delayed message is due; `max()` if there is none.
  policy::time_point next_due() {
    const auto& timers = scheduler_.clock().schedule();
    return timers.empty() ? policy::time_point::max() : timers.begin()->first;
  }

  /// Moves the clock, and fires what is due then.
  void advance(policy::duration span) { scheduler_.clock().advance_time(span); }

private:
  config config_;
  caf::actor_system system_;
  caf::scheduler::test_coordinator& scheduler_;
};
#else
class deterministic_system {
  // The fixture asks for a reporter, and for a running test.
  struct surroundings : caf::test::runnable {
    surroundings()
      : caf::test::runnable(std::make_shared<caf::test::context>(), "none",
                            caf::test::block_type::test) {
      init_types();
      static const auto reporter = [] {
        auto result = caf::test::reporter::make_default();
        caf::test::reporter::instance(result.get());
        result->verbosity(0);
        return result;
      }();
    }
    void do_run() {}                    // pure virtual in 1.0 and 1.1
    void run_next_test_branch_impl() {} // and its name after 1.1
  };

public:
  explicit deterministic_system(const configure_function&) {}

  caf::actor_system& system() { return fixture_.sys; }

  policy::time_point now() { return fixture_.sys.clock().now(); }

  bool step() { return fixture_.dispatch_message(); }

  policy::time_point next_due() {
    return fixture_.has_pending_timeout() ? fixture_.next_timeout()
                                          : policy::time_point::max();
  }

  void advance(policy::duration span) {
    if (span > policy::duration::zero())
      fixture_.advance_time(span);
    else
      fixture_.trigger_timeout();
  }

private:
  surroundings surroundings_;
  caf::test::fixture::deterministic fixture_;
};
#endif

/// Has any life of this process simulated a handler that does not return? Such
/// a life may stay in memory until the process ends.
inline std::atomic<bool> hangs_were_simulated{false};

/// A worker that can be made to behave, in virtual time, as if one of its
/// handlers did not return: what is sent to it waits, exit messages included.
class hangable_worker : public worker {
public:
  using worker::worker;

  [[nodiscard]] bool hangs() const noexcept { return hangs_; }

  /// From inside a handler, as its last statement.
  /// @param busy  With work in hand, or just not being run?
  void hang(bool busy) noexcept {
    hangs_were_simulated = true;
    hangs_ = true;
    busy_ = busy;
  }

  /// From outside: the handler returns.
  void release() {
    if (!hangs_)
      return;
    hangs_ = false;
    released();
    if (busy_)
      worker::work_ends();
    resume_later();
  }

protected:
  /// The rest of the handler.
  virtual void released() {}

  void work_ends() noexcept override {
    if (!hangs_ || !busy_)
      worker::work_ends();
  }

  void turn_ends(turn x) noexcept override {
    if (!hangs_ || !busy_)
      worker::turn_ends(x);
  }

#if COPPICE_CAF_LEGACY
public:
  resume_result resume(caf::execution_unit* host,
                       std::size_t throughput) override {
    if (!hangs_)
      return worker::resume(host, throughput);
    is_due_ = true;
    return resumable::awaiting_message;
  }

private:
  void resume_later() {
    if (!std::exchange(is_due_, false))
      return;
    caf::intrusive_ptr_add_ref(ctrl());
    home_system().scheduler().enqueue(this);
  }

  bool is_due_ = false;
#else
  // What was in the mailbox before is handled in spite of it. One that hangs
  // before its first turn does not get that until it is released.
public:
  resume_result resume(caf::scheduler* host, std::size_t throughput) override {
    if (!hangs_ || caf::scheduled_actor::initialized())
      return worker::resume(host, throughput);
    is_due_ = true;
    return awaiting_message;
  }

  bool enqueue(caf::mailbox_element_ptr x, caf::scheduler* host) override {
    if (!hangs_)
      return worker::enqueue(std::move(x), host);
    held_.push_back(std::move(x));
    return true;
  }

private:
  void resume_later() {
    if (std::exchange(is_due_, false)) {
      caf::intrusive_ptr_add_ref(ctrl());
      home_system().scheduler().schedule(this);
    }
    for (auto& x : std::exchange(held_, {}))
      worker::enqueue(std::move(x), nullptr);
  }

  bool is_due_ = false;
  std::vector<caf::mailbox_element_ptr> held_;
#endif

  bool hangs_ = false;
  bool busy_ = false;
};

} // namespace coppice::compat
