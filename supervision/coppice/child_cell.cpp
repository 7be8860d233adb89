// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/child_cell.hpp"

#include "coppice/failure.hpp"
#include "coppice/failure_convert.hpp"

#include <utility>

namespace coppice {

child_cell::child_cell(caf::actor_config& cfg, std::string path)
  : compat::redirecting_actor(cfg), path_(std::move(path)) {}

void child_cell::configure(const policy::parking_spec& parking) {
  std::lock_guard guard{mutex_};
  parking_ = parking;
}

void child_cell::attach(const caf::strong_actor_ptr& life) {
  // Handing over under the lock keeps the order: nobody gets in between.
  std::lock_guard guard{mutex_};
  state_ = state::attached;
  life_ = life;
  statistics_.forwarded += parked_.size();
  for (auto& x : parked_)
    compat::hand_over(life_, std::move(x), nullptr);
  parked_.clear();
}

void child_cell::detach() {
  std::lock_guard guard{mutex_};
  state_ = state::between;
  life_ = nullptr;
}

void child_cell::detach(const caf::strong_actor_ptr& life) {
  std::lock_guard guard{mutex_};
  if (state_ != state::attached || life_ != life)
    return;
  state_ = state::between;
  life_ = nullptr;
}

void child_cell::close() {
  std::deque<caf::mailbox_element_ptr> orphans;
  {
    std::lock_guard guard{mutex_};
    state_ = state::closed;
    life_ = nullptr;
    orphans.swap(parked_);
    statistics_.dropped += orphans.size();
  }
  for (const auto& x : orphans)
    compat::refuse(x->sender, x->mid, why(errc::stopped));
}

reference_statistics child_cell::statistics() const {
  std::lock_guard guard{mutex_};
  auto result = statistics_;
  result.waiting = parked_.size();
  return result;
}

caf::strong_actor_ptr child_cell::current() const {
  std::lock_guard guard{mutex_};
  return life_;
}

void child_cell::redirect(caf::mailbox_element_ptr x, compat::host_type* host) {
  std::unique_lock guard{mutex_};
  if (state_ == state::attached) {
    ++statistics_.forwarded;
    const auto life = life_;
    guard.unlock();
    compat::hand_over(life, std::move(x), host);
    return;
  }
  const auto closed = state_ == state::closed;
  const auto room = parking_.messages_max > 0;
  if (!closed && room) {
    auto victim = park(std::move(x));
    guard.unlock();
    if (victim != nullptr)
      compat::refuse(victim->sender, victim->mid, why(errc::parking_full));
    return;
  }
  ++statistics_.refused;
  guard.unlock();
  compat::refuse(x->sender, x->mid,
                 why(closed ? errc::stopped : errc::unavailable));
}

/// Returns the message that found no room, if any. Called under the lock.
caf::mailbox_element_ptr child_cell::park(caf::mailbox_element_ptr x) {
  caf::mailbox_element_ptr victim;
  if (parked_.size() >= parking_.messages_max) {
    ++statistics_.dropped;
    if (parking_.overflow == policy::parking_overflow::refuse_newest)
      return x;
    victim = std::move(parked_.front());
    parked_.pop_front();
  }
  ++statistics_.parked;
  parked_.push_back(std::move(x));
  return victim;
}

caf::error child_cell::why(errc code) const {
  return to_error(failure{.failure_class = to_string(code),
                          .code = code,
                          .message = path_ + ": " + describe(code),
                          .user_message = "The service is busy with a restart."
                                          " Please try again shortly.",
                          .where = here(path_)});
}

} // namespace coppice
