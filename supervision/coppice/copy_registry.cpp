// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/copy_registry.hpp"

#include "coppice/context_node.hpp"

#include <cassert>

namespace coppice {

namespace {

failure recalled() {
  return {.failure_class = failure_classes::cancelled,
          .code = errc::cancelled,
          .message = "this copy of the request was recalled",
          .user_message = "The request was cancelled."};
}

} // namespace

/// Never destroyed: contexts may outlive what is.
copy_registry& copy_registry::of_process() {
  static auto* const instance = new copy_registry;
  return *instance;
}

void copy_registry::add(const context& copy) {
  assert(copy.copy() != nullptr);
  const auto serial = copy.copy()->serial;
  {
    const std::lock_guard lock{mutex_};
    if (!recalled_.contains(serial)) {
      const auto node = context_node::of(copy);
      if (copies_.size() < limits_.copies_max
          && copies_.try_emplace(serial, node).second)
        static_cast<marked_context_node&>(*node).registry_ = this;
      return;
    }
  }
  copy.cancel(recalled());
}

bool copy_registry::cancel(cancel_copy what) {
  std::shared_ptr<context_node> copy;
  {
    const std::lock_guard lock{mutex_};
    if (const auto i = copies_.find(what.serial); i != copies_.end())
      copy = i->second.lock();
    if (copy == nullptr && recalled_.insert(what.serial).second) {
      oldest_first_.push_back(what.serial);
      if (oldest_first_.size() > limits_.recalls_max) {
        recalled_.erase(oldest_first_.front());
        oldest_first_.pop_front();
      }
    }
  }
  return copy != nullptr && copy->cancel(recalled());
}

void copy_registry::remove(std::uint64_t serial) noexcept {
  const std::lock_guard lock{mutex_};
  copies_.erase(serial);
}

std::size_t copy_registry::copies() const {
  const std::lock_guard lock{mutex_};
  return copies_.size();
}

std::size_t copy_registry::recalls() const {
  const std::lock_guard lock{mutex_};
  return recalled_.size();
}

} // namespace coppice
