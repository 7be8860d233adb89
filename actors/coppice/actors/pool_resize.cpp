// This file is part of coppice. License: see LICENSE in the source root.

// A pool that grows or shrinks: several commands, one callback at the end.

#include "coppice/actors/pool_front.hpp"
#include "coppice/actors/pool_plan.hpp"

#include <algorithm>
#include <atomic>
#include <functional>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace coppice {

namespace {

/// Calls `done` when the last copy of the pointer to it goes.
class resizing {
public:
  resizing(caf::actor front, worker_pool::done_callback f)
    : front_(std::move(front)), call_(std::move(f)) {}
  ~resizing() {
    try {
      if (why_)
        call_(*std::move(why_));
      else
        call_(done);
    } catch (...) {
      compat::object_of<pool_front>(front_).count_callback_failures(1);
    }
  }
  resizing(const resizing&) = delete;
  resizing& operator=(const resizing&) = delete;

  /// The first one counts.
  void fail(failure why) {
    const std::lock_guard guard{mutex_};
    if (!why_)
      why_ = std::move(why);
  }

  /// @param fine  What does not count: it is as it should be.
  void note(const outcome<command_reply>& reply,
            std::initializer_list<errc> fine) {
    const auto is_it = [&](errc x) {
      return reply.error().code == failure_code{x};
    };
    if (!reply && std::ranges::none_of(fine, is_it))
      fail(reply.error());
  }

private:
  const caf::actor front_;
  const worker_pool::done_callback call_;
  std::mutex mutex_;
  std::optional<failure> why_;
};

using resizing_ptr = std::shared_ptr<resizing>;

failure refused_resize(std::string message, errc code) {
  return {.failure_class = to_string(code),
          .code = code,
          .message = std::move(message),
          .user_message = "Please try again later."};
}

/// What has to be known to take one worker out.
struct farewell {
  caf::actor front;
  supervisor_ref supervisor;
  policy::member_id number;
  resizing_ptr whole;
  std::atomic_flag is_under_way = ATOMIC_FLAG_INIT;
  /// Ends the wait for what it has in hand.
  context timer;
  cancel_registration alarm;
};
using farewell_ptr = std::shared_ptr<farewell>;

void forget(const farewell_ptr& x) {
  compat::object_of<pool_front>(x->front).forget(x->number);
}

void remove_spec(const farewell_ptr& x) {
  x->supervisor.submit(command::delete_child{id_of_pool_member(x->number)},
                       [x](const outcome<command_reply>& reply) {
                         x->whole->note(reply, {errc::unknown_child});
                         forget(x);
                       });
}

/// It is idle, or its time is over: whichever comes first.
void let_go(const farewell_ptr& x) {
  if (x->is_under_way.test_and_set())
    return;
  x->supervisor.submit(command::terminate_child{id_of_pool_member(x->number)},
                       [x](const outcome<command_reply>& reply) {
                         x->whole->note(reply, {errc::unknown_child});
                         remove_spec(x);
                       });
}

void shrink_by(const farewell_ptr& x, time_limit drain_within,
               const std::shared_ptr<deadline_clock>& clock) {
  if (drain_within.is_finite()) {
    x->timer = context::lasting(drain_within.span(), {.clock = clock});
    // Weak: the alarm is part of what it would keep.
    x->alarm = x->timer.on_cancel([weak = std::weak_ptr{x}] {
      if (const auto strong = weak.lock())
        let_go(strong);
    });
  }
  compat::object_of<pool_front>(x->front).retire(x->number, [x] { let_go(x); });
}

/// One that is there in some way needs no start. It may be: a restarted
/// supervisor has as many as its spec says, whatever was asked for before.
void grow_to(std::size_t workers, const caf::actor& front,
             const supervisor_ref& supervisor,
             const std::function<child_spec(policy::member_id)>& spec_of,
             const resizing_ptr& whole) {
  for (policy::member_id i = 1; i <= workers; ++i) {
    compat::object_of<pool_front>(front).welcome(i);
    supervisor.submit(command::start_child{spec_of(i)},
                      [whole](const outcome<command_reply>& reply) {
                        whole->note(reply, {errc::already_started,
                                            errc::already_present,
                                            errc::child_restarting});
                      });
  }
}

} // namespace

void worker_pool::resize(const supervisor_ref& supervisor, std::size_t workers,
                         time_limit drain_within,
                         done_callback when_done) const {
  auto wanted = plan_->options;
  wanted.workers = workers;
  if (const auto defects = validate(wanted, wanted.name); !defects.empty())
    return when_done(refused_resize(to_string(defects), errc::invalid_spec));
  const auto highest = plan_->begin_resize(workers);
  if (!highest)
    return when_done(
      refused_resize("a resize is under way", errc::unavailable));
  const auto whole = std::make_shared<resizing>(
    front_, [plan = plan_, workers,
             when_done = std::move(when_done)](outcome_of_nothing what) {
      plan->end_resize(workers, what.has_value());
      when_done(std::move(what));
    });
  grow_to(
    workers, front_, supervisor,
    [this](policy::member_id i) { return plan_->member(i); }, whole);
  for (auto i = workers + 1; i <= *highest; ++i) {
    auto one = std::make_shared<farewell>();
    one->front = front_;
    one->supervisor = supervisor;
    one->number = i;
    one->whole = whole;
    shrink_by(one, drain_within, plan_->options.clock);
  }
}

std::future<outcome_of_nothing>
worker_pool::resize(const supervisor_ref& supervisor, std::size_t workers,
                    time_limit drain_within) const {
  auto promise = std::make_shared<std::promise<outcome_of_nothing>>();
  resize(supervisor, workers, drain_within, [promise](outcome_of_nothing what) {
    promise->set_value(std::move(what));
  });
  return promise->get_future();
}

} // namespace coppice
