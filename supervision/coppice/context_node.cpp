// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/context_node.hpp"

#include "coppice/copy_registry.hpp"
#include "coppice/failure_limits.hpp"
#include "coppice/policy/stable_hash.hpp"
#include "coppice/request_tie.hpp"

#include <charconv>
#include <cstddef>
#include <string>
#include <utility>

namespace coppice {

namespace {

constexpr auto never = policy::time_point::max();

/// Cutting alone would make one of two keys that begin alike, and a handler
/// would take the second request for one that it has done.
std::string bounded_key(std::string key) {
  constexpr std::size_t digits = 16;
  if (key.size() <= context_limits::dedup_key_bytes_max)
    return key;
  auto hash = policy::stable_hash(std::string_view{key});
  key.resize(context_limits::dedup_key_bytes_max);
  for (auto i = key.size(); i > key.size() - digits; --i, hash >>= 4)
    key[i - 1] = "0123456789abcdef"[hash & 15];
  return key;
}

/// A counter behind a bijection: no two of a process are equal.
std::uint64_t fresh_serial() {
  static const auto seed = policy::stable_hash(failure::new_reference());
  static std::atomic<std::uint64_t> count{0};
  const auto n = count.fetch_add(1, std::memory_order_relaxed);
  const auto result = policy::stable_hash(seed + n);
  return result != 0 ? result : fresh_serial();
}

} // namespace

// -- coming and going --------------------------------------------------------

context_node::context_node(pointer parent, std::unique_ptr<const request> owned,
                           time_point deadline)
  : parent_(std::move(parent)),
    owned_(std::move(owned)),
    request_(owned_ != nullptr ? owned_.get() : parent_->request_),
    deadline_(deadline),
    timed_(deadline == never ? nullptr : this) {
  if (parent_ != nullptr && parent_->deadline_ == deadline)
    timed_ = parent_->timed_;
  if (timed_ != nullptr)
    state.store(timed_->was_armed() ? live : unarmed,
                std::memory_order_relaxed);
}

/// A chain of contexts ends link by link, not by recursion: it may be long.
context_node::~context_node() {
  leave();
  auto x = std::move(parent_);
  while (x != nullptr && x.use_count() == 1) {
    // Nobody else has it, unless its parent or the clock has just begun to
    // tell it that it is over: then they let go of it.
    x->leave();
    if (x.use_count() != 1)
      break;
    auto above = std::move(x->parent_);
    x = std::move(above);
  }
}

context_node::pointer context_node::make_root(time_point deadline,
                                              request_entry entry) {
  if (entry.clock == nullptr)
    entry.clock = deadline_clock::current();
  entry.reference = cut(std::move(entry.reference),
                        context_limits::reference_bytes_max);
  auto owned = std::make_unique<const request>(request{
    entry.criticality, std::move(entry.reference), std::move(entry.clock)});
  auto result = std::make_shared<context_node>(nullptr, std::move(owned),
                                               deadline);
  if (deadline != never && deadline <= result->clock().now())
    result->expire();
  return result;
}

context_node::pointer context_node::make_child(const pointer& parent,
                                               time_point deadline) {
  auto result = std::make_shared<context_node>(parent, nullptr, deadline);
  join(*result);
  return result;
}

context_node::pointer context_node::make_marked(const pointer& parent,
                                                mark_kind kind,
                                                request_copy what) {
  if (kind == copy && what.dedup_key.empty() && parent->marked_as != unmarked)
    what.dedup_key
      = static_cast<marked_context_node&>(*parent).what().dedup_key;
  if (what.dedup_key.empty())
    what.dedup_key = failure::new_reference();
  what.dedup_key = bounded_key(std::move(what.dedup_key));
  if (kind == copy && what.serial == 0)
    what.serial = fresh_serial();
  auto result = std::make_shared<marked_context_node>(parent, kind,
                                                      std::move(what));
  join(*result);
  return result;
}

void context_node::join(context_node& child) {
  auto& parent = *child.parent_;
  nodes none_below;
  callbacks no_calls;
  // Nobody knows the child yet, so there is nobody to tell.
  if (!parent.link(child))
    child.mark(parent.cause(), none_below, no_calls);
  else if (child.timed_ == &child && child.deadline_ <= child.clock().now())
    child.expire();
}

marked_context_node::marked_context_node(const pointer& parent, mark_kind kind,
                                         request_copy what)
  : context_node(parent, nullptr, parent->deadline()), what_(std::move(what)) {
  marked_as = kind;
}

/// Nobody else has it, so whoever added it to the registry is done.
marked_context_node::~marked_context_node() {
  if (registry_ != nullptr)
    registry_->remove(what_.serial);
}

context_node::pointer context_node::make_over(request_entry entry,
                                              failure cause) {
  auto result = make_root(never, std::move(entry));
  result->cancel(failure_cause{std::move(cause)});
  return result;
}

context_node::pointer context_node::self() {
  return std::static_pointer_cast<context_node>(shared_from_this());
}

bool context_node::link(context_node& child) {
  const std::lock_guard lock{mutex_};
  if (state.load(std::memory_order_relaxed) == over)
    return false;
  child.is_linked_ = true;
  child.next_ = first_child_;
  if (first_child_ != nullptr)
    first_child_->previous_ = &child;
  first_child_ = &child;
  return true;
}

void context_node::unlink(context_node& child) noexcept {
  const std::lock_guard lock{mutex_};
  if (!std::exchange(child.is_linked_, false))
    return;
  if (child.next_ != nullptr)
    child.next_->previous_ = child.previous_;
  (child.previous_ != nullptr ? child.previous_->next_ : first_child_)
    = child.next_;
}

void context_node::leave() noexcept {
  if (was_armed())
    clock().disarm(*this);
  if (parent_ != nullptr)
    parent_->unlink(*this);
}

// -- time --------------------------------------------------------------------

/// The first look at a context with a deadline has it waited for.
bool context_node::look() {
  if (state.load(std::memory_order_acquire) == over)
    return true;
  if (timed_ == nullptr)
    return false;
  if (clock().now() >= deadline_) {
    expire_below();
    return true;
  }
  clock().arm(*timed_, deadline_);
  std::uint8_t seen = unarmed;
  return !state.compare_exchange_strong(seen, live) && seen == over;
}

bool context_node::is_over() {
  if (state.load(std::memory_order_acquire) == over)
    return true;
  if (timed_ == nullptr || clock().now() < deadline_)
    return false;
  expire_below();
  return true;
}

void context_node::ring() noexcept {
  expire();
}

bool context_node::expire() {
  if (!finish(failure_cause{expiry()}))
    return false;
  clock().count(deadline_clock::tally::expired);
  return true;
}

/// From the node above whose deadline this is, and so this one as well. But
/// another thread may be on its way down here: on return, this one is over.
void context_node::expire_below() {
  const auto alive = self();
  timed_->expire();
  if (state.load(std::memory_order_acquire) != over)
    finish(timed_->cause()); // which may not be the deadline
}

// -- the end -----------------------------------------------------------------

bool context_node::cancel(const failure_cause& cause) {
  // A deadline that has passed came first, even if nobody looked.
  return !is_over() && finish(cause);
}

/// First all nodes below are marked, then the callbacks run: nobody who is
/// called finds anything of the request alive.
bool context_node::finish(const failure_cause& why) {
  const auto alive = self(); // a callback may let go of the last handle
  nodes below;
  callbacks calls;
  if (!mark(why, below, calls))
    return false;
  for (std::size_t i = 0; i < below.size(); ++i) {
    const auto next = below[i];
    next->mark(why, below, calls);
  }
  for (const auto& call : calls)
    run(*call);
  for (const auto& node : below)
    node->tell_tie();
  return true;
}

void context_node::tell_tie() noexcept {
  if (marked_as != copy)
    return;
  const auto& what = static_cast<marked_context_node&>(*this).what();
  if (what.tie != nullptr)
    what.tie->on_over(what.number);
}

bool context_node::mark(const failure_cause& why, nodes& below,
                        callbacks& calls) {
  {
    const std::lock_guard lock{mutex_};
    if (state.load(std::memory_order_relaxed) == over)
      return false;
    cause_ = why;
    state.store(over, std::memory_order_release);
    calls.splice(calls.end(), callbacks_);
    while (first_child_ != nullptr) {
      // Still there: its destructor takes the lock to unlink it.
      auto& child = *first_child_;
      if (auto strong = child.weak_from_this().lock())
        below.push_back(std::static_pointer_cast<context_node>(strong));
      first_child_ = std::exchange(child.next_, nullptr);
      child.previous_ = nullptr;
      child.is_linked_ = false;
    }
  }
  if (was_armed())
    clock().disarm(*this);
  return true;
}

failure_cause context_node::cause() {
  if (!is_over())
    return {};
  const std::lock_guard lock{mutex_};
  return cause_;
}

// -- callbacks ---------------------------------------------------------------

cancel_registration context_node::on_cancel(std::function<void()> f) {
  const auto call = std::make_shared<callback>(std::move(f));
  if (!look()) {
    const std::lock_guard lock{mutex_};
    if (state.load(std::memory_order_relaxed) != over) {
      call->place = callbacks_.insert(callbacks_.end(), call);
      return {self(), call};
    }
  }
  run(*call);
  return {};
}

void context_node::forget(callback& call) noexcept {
  const std::lock_guard lock{mutex_};
  if (state.load(std::memory_order_relaxed) != over)
    callbacks_.erase(call.place);
}

void context_node::run(callback& call) noexcept {
  call.runner = std::this_thread::get_id();
  std::uint8_t seen = callback::waiting;
  if (!call.state.compare_exchange_strong(seen, callback::running))
    return;
  try {
    call.what();
  } catch (...) {
    clock().count(deadline_clock::tally::callback_failure);
  }
  call.what = nullptr; // may hold its own registration
  call.state.store(callback::done);
  call.state.notify_all();
}

} // namespace coppice
