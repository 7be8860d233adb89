// This file is part of coppice. License: see LICENSE in the source root.

#pragma once

/// @file
/// What a replicator has to send once it has let go of its lock.
///
/// Layer: L3.
/// Threads: lives on the stack of one call.
/// Rules: docs/semantics.md, REPLICATE-1, REPLICATE-4.

#include "coppice/caf_compat.hpp"
#include "coppice/context.hpp"
#include "coppice/failure_convert.hpp"
#include "coppice/request_copy.hpp"
#include "coppice/request_handler.hpp"

#include <memory>
#include <utility>
#include <vector>

namespace coppice {

/// Enqueueing and cancelling run the code of others, and letting go of a
/// request may run destructors of users: none of it is to happen under a lock.
class replicator_outbox {
public:
  replicator_outbox() : lists_(std::exchange(spare(), nullptr)) {
    if (lists_ == nullptr)
      lists_ = std::make_unique<lists>();
  }
  /// Letting go may come back here, which finds no spare lists.
  ~replicator_outbox() {
    lists_->clear();
    spare() = std::move(lists_);
  }
  replicator_outbox(const replicator_outbox&) = delete;
  replicator_outbox& operator=(const replicator_outbox&) = delete;

  void deliver(caf::strong_actor_ptr to, caf::mailbox_element_ptr what) {
    lists_->deliveries.push_back({std::move(to), std::move(what)});
  }

  /// @param why  None: `ctx` is over, and says why.
  void refuse(caf::strong_actor_ptr to, caf::message_id id, caf::error why,
              context ctx = {}) {
    lists_->refusals.push_back(
      {std::move(to), id, std::move(why), std::move(ctx)});
  }

  /// @param remote  Where the copy is, if that is another node.
  void cancel(context copy, caf::strong_actor_ptr remote) {
    lists_->cancelled.push_back({std::move(copy), std::move(remote)});
  }

  // Only to be let go.
  void drop(context x) { lists_->contexts.push_back(std::move(x)); }
  void drop(cancel_registration x) {
    lists_->registrations.push_back(std::move(x));
  }
  void drop(caf::message x) { lists_->messages.push_back(std::move(x)); }
  void drop(caf::mailbox_element_ptr x) { deliver(nullptr, std::move(x)); }

  /// Answers first: whoever waits comes before those who are told to stop.
  void flush(compat::host_type* host) {
    for (auto& x : lists_->deliveries)
      if (x.to && x.what != nullptr)
        compat::hand_over(x.to, std::move(x.what), host);
    for (auto& x : lists_->refusals)
      compat::refuse(x.to, x.id,
                     compat::is_error(x.why) ? std::move(x.why)
                                             : to_error(why_over(x.ctx)));
    for (auto& x : lists_->cancelled) {
      x.copy.cancel_for(answered_elsewhere());
      if (const auto* copy = x.copy.copy(); x.remote && copy != nullptr)
        compat::post_urgent(x.remote, cancel_copy{copy->serial});
    }
  }

private:
  struct delivery {
    caf::strong_actor_ptr to;
    caf::mailbox_element_ptr what;
  };
  struct refusal {
    caf::strong_actor_ptr to;
    caf::message_id id;
    caf::error why;
    context ctx;
  };
  struct cancellation {
    context copy;
    caf::strong_actor_ptr remote;
  };

  /// @pre Its deadline has passed, if it was not cancelled.
  static failure why_over(const context& ctx) {
    return ctx.is_over() ? ctx.why_over() : context{}.why_over();
  }

  struct lists {
    std::vector<delivery> deliveries;
    std::vector<refusal> refusals;
    std::vector<cancellation> cancelled;
    std::vector<context> contexts;
    std::vector<cancel_registration> registrations;
    std::vector<caf::message> messages;

    void clear() {
      deliveries.clear();
      refusals.clear();
      cancelled.clear();
      contexts.clear();
      registrations.clear();
      messages.clear();
    }
  };

  /// Lists that have grown are used again: a request would fill four new ones.
  static std::unique_ptr<lists>& spare() noexcept {
    thread_local std::unique_ptr<lists> result;
    return result;
  }

  std::unique_ptr<lists> lists_;
};

} // namespace coppice
