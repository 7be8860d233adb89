// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/supervised_actor.hpp"

#include "coppice/end_class.hpp"
#include "coppice/failure_convert.hpp"

#include <utility>

namespace coppice {

/// Who waits for the handler that runs now. The lock is contended only when a
/// life is being abandoned.
struct supervised_actor::request_in_hand {
  std::atomic_flag lock = ATOMIC_FLAG_INIT;
  caf::strong_actor_ptr sender;
  caf::message_id id;

  void acquire() noexcept {
    while (lock.test_and_set(std::memory_order_acquire))
      lock.wait(true, std::memory_order_relaxed);
  }
  void release() noexcept {
    lock.clear(std::memory_order_release);
    lock.notify_one();
  }
};

supervised_actor::supervised_actor(caf::actor_config& cfg)
  : compat::marking_actor(cfg) {
  compat::on_exception(this, [this](std::exception_ptr& e) { return fail(e); });
  compat::drop_unexpected(this);
  auto* ticket = ticket_scope::current();
  if (ticket == nullptr)
    return;
  ticket->taken = true;
  link_ = ticket->link;
  life_ = ticket->life;
  incarnation_ = ticket->incarnation;
  number_ = ticket->number;
  if (!ticket->id.empty())
    id_ = std::make_unique<const std::string>(ticket->id);
  beats_ = ticket->beats;
}

supervised_actor::~supervised_actor() {
  delete in_hand_.load();
}

/// References to this child let go of it before anybody hears of the failure.
caf::error supervised_actor::fail(const std::exception_ptr& e) {
  if (link_ != nullptr && link_->on_failing)
    link_->on_failing(path(), caf::actor_cast<caf::strong_actor_ptr>(this));
  auto why = from_exception(e, where());
  if (why.where.path.empty()) { // thrown as a failure, it may not know
    why.where.path = path();
    why.where.incarnation = incarnation_;
  }
  return to_error(std::move(why));
}

std::string supervised_actor::path() const {
  if (link_ == nullptr)
    return {};
  return link_->path + '/' + (id_ != nullptr ? *id_ : std::to_string(number_));
}

bool supervised_actor::is_parent(const caf::actor_addr& whom) const {
  return link_ != nullptr && link_->supervisor == whom;
}

failure_where supervised_actor::where() const {
  return here(path(), incarnation_, "", 0, "");
}

void supervised_actor::initialized() {
  if (!ready_is_deferred_)
    say_ready();
}

void supervised_actor::say_ready() {
  if (link_ != nullptr)
    tell_supervisor(*link_, {life_, life_news_kind::ready});
}

void supervised_actor::say_healthy() {
  if (link_ != nullptr)
    tell_supervisor(*link_, {life_, life_news_kind::healthy});
}

void supervised_actor::work_begins(caf::mailbox_element* request) noexcept {
  beats_.begin_work();
  if (request != nullptr && request->mid.is_request() && link_ != nullptr)
    remember_request(*request);
}

void supervised_actor::work_ends() noexcept {
  if (has_request_)
    forget_request();
  beats_.end_work();
}

supervised_actor::turn supervised_actor::turn_begins() noexcept {
  const auto number = turns_.fetch_add(1, std::memory_order_acq_rel) + 1;
  work_begins(nullptr);
  return {number, beats_};
}

void supervised_actor::turn_ends(turn x) noexcept {
  const auto mark = x.beats.mark();
  if (turns_.load(std::memory_order_acquire) == x.number)
    x.beats.end_work_if_still(mark);
}

bool supervised_actor::deals_with(caf::mailbox_element& x) noexcept {
  if (!compat::holds<probe_message>(x))
    return false;
  beats_.begin_work();
  beats_.end_work();
  return true;
}

void supervised_actor::remember_request(caf::mailbox_element& x) {
  auto* slot = in_hand_.load(std::memory_order_relaxed);
  if (slot == nullptr) {
    slot = new request_in_hand;
    in_hand_.store(slot, std::memory_order_release);
  }
  slot->acquire();
  slot->sender = x.sender;
  slot->id = x.mid;
  slot->release();
  has_request_ = true;
}

void supervised_actor::forget_request() noexcept {
  has_request_ = false;
  auto* slot = in_hand_.load(std::memory_order_relaxed);
  slot->acquire();
  const auto asker = std::exchange(slot->sender, nullptr);
  slot->release();
}

void supervised_actor::fail_request_in_hand(const caf::error& why) {
  auto* slot = in_hand_.load(std::memory_order_acquire);
  if (slot == nullptr)
    return;
  slot->acquire();
  const auto asker = slot->sender;
  const auto id = slot->id;
  slot->release();
  compat::refuse(asker, id, why);
}

caf::response_promise
supervised_actor::remember_promise(caf::response_promise promise) {
  if (!promise.pending())
    return promise;
  if (promises_ == nullptr)
    promises_ = std::make_unique<std::deque<promised_answer>>();
  if (promises_->size() >= promises_max)
    promises_->pop_front();
  promises_->push_back(
    {caf::actor_cast<caf::actor_addr>(promise.source()), promise.id()});
  return promise;
}

/// Promises that were kept are among them: a requester that has its answer
/// recognises the second one and drops it.
void supervised_actor::fail_promises(const caf::error& reason) {
  if (promises_ == nullptr)
    return;
  const auto how = classify(reason);
  const auto why
    = how == end_class::failed
        ? reason
        : to_error(failure{.failure_class = to_string(how),
                           .code = errc::stopped,
                           .message = "the worker ended before "
                                      "it answered",
                           .user_message = "The request was not finished. "
                                           "Please try again.",
                           .where = where()});
  for (const auto& x : *promises_)
    compat::refuse(caf::actor_cast<caf::strong_actor_ptr>(x.requester), x.id,
                   why);
  promises_.reset();
}

void supervised_actor::on_cleanup(const caf::error& reason) {
  fail_promises(reason);
  beats_.release();
  compat::marking_actor::on_cleanup(reason);
}

} // namespace coppice
