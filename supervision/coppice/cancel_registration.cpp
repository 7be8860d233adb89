// This file is part of coppice. License: see LICENSE in the source root.

#include "coppice/cancel_registration.hpp"

#include "coppice/context_node.hpp"

#include <utility>

namespace coppice {

cancel_registration::cancel_registration(
  std::shared_ptr<context_node> node, std::shared_ptr<callback> call) noexcept
  : node_(std::move(node)), call_(std::move(call)) {}

cancel_registration&
cancel_registration::operator=(cancel_registration&& x) noexcept {
  if (this != &x) {
    reset();
    node_ = std::move(x.node_);
    call_ = std::move(x.call_);
  }
  return *this;
}

void cancel_registration::reset() noexcept {
  const auto call = std::exchange(call_, nullptr);
  const auto node = std::exchange(node_, nullptr);
  if (call == nullptr)
    return;
  std::uint8_t seen = callback::waiting;
  if (call->state.compare_exchange_strong(seen, callback::removed))
    return node->forget(*call);
  while (seen == callback::running
         && call->runner != std::this_thread::get_id()) {
    call->state.wait(callback::running);
    seen = call->state.load();
  }
}

} // namespace coppice
